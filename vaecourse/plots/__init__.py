"""Pictures: arrays in, a matplotlib figure out.

Every function takes NumPy arrays, PyTorch tensors on any device (a gradient is dropped: a picture
needs none) or nested lists, and returns a `matplotlib.figure.Figure` that a notebook shows when it
is the last value of a cell. No function touches matplotlib's global settings or pyplot.

A digit has one color, `DIGITS[digit]`, throughout the course. Images are drawn as ink on paper, on
a fixed scale from 0 (paper) to 1 (ink), so that two pictures can be compared.
"""

from vaecourse.plots.bars import activity, comparison, terms
from vaecourse.plots.classes import confusion, scatter_panels, sweep
from vaecourse.plots.conditional import class_bounds, class_grid
from vaecourse.plots.densities import density_2d, marginal_1d, marginal_2d
from vaecourse.plots.disentanglement import factor_matrix
from vaecourse.plots.experiments import label_counts, results
from vaecourse.plots.few_labels import few_labels
from vaecourse.plots.inference import fitted_densities, gaussian_paths
from vaecourse.plots.latent import latent_histograms, latent_scatter, scatter_pairs
from vaecourse.plots.lines import curves, history, spectrum
from vaecourse.plots.panels import density_panels
from vaecourse.plots.pictures import images, interpolations, manifold, reconstructions
from vaecourse.plots.sampling import weighted_codes
from vaecourse.plots.style import ACCENT, DIGITS, SERIES

__all__ = [
    "ACCENT",
    "DIGITS",
    "SERIES",
    "activity",
    "class_bounds",
    "class_grid",
    "comparison",
    "confusion",
    "curves",
    "density_2d",
    "density_panels",
    "factor_matrix",
    "few_labels",
    "fitted_densities",
    "gaussian_paths",
    "history",
    "images",
    "interpolations",
    "label_counts",
    "latent_histograms",
    "latent_scatter",
    "manifold",
    "marginal_1d",
    "marginal_2d",
    "reconstructions",
    "results",
    "scatter_pairs",
    "scatter_panels",
    "spectrum",
    "sweep",
    "terms",
    "weighted_codes",
]
