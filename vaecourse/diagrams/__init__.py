"""Diagrams drawn as SVG by code: architectures, graphical models, the map of the course.

Every function returns a `Diagram`, which a notebook shows when it is the last value of a cell. It
takes its ink from the page around it, so it reads in light and in dark mode, and carries a title
and a description for screen readers.
"""

from vaecourse.diagrams.constraints import consistency_diagram
from vaecourse.diagrams.course import course_map
from vaecourse.diagrams.inference import computation_graph, plate_diagram
from vaecourse.diagrams.networks import autoencoder_diagram, vae_diagram
from vaecourse.diagrams.semi_supervised import m2_diagram
from vaecourse.diagrams.svg import Diagram
from vaecourse.diagrams.variants import variants_map

__all__ = [
    "Diagram",
    "autoencoder_diagram",
    "computation_graph",
    "consistency_diagram",
    "course_map",
    "m2_diagram",
    "plate_diagram",
    "vae_diagram",
    "variants_map",
]
