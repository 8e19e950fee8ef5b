"""Figures that live in the page: the reader moves them, with no kernel and no network.

Every function returns a `LiveFigure`. In a built page it is plain HTML and one ES module; in
JupyterLab it is a widget whose `LiveFigure.state` Python reads and sets. Where scripts are off, and
in print, a picture stands in its place.
"""

from vaecourse.interactive.classes import style_content
from vaecourse.interactive.digits import draw_a_digit, latent_explorer
from vaecourse.interactive.host import LiveFigure
from vaecourse.interactive.inference import elbo_gap, gradients, marginal, monte_carlo
from vaecourse.interactive.likelihoods import counts
from vaecourse.interactive.sweeps import beta, multiplier

__all__ = [
    "LiveFigure",
    "beta",
    "counts",
    "draw_a_digit",
    "elbo_gap",
    "gradients",
    "latent_explorer",
    "marginal",
    "monte_carlo",
    "multiplier",
    "style_content",
]
