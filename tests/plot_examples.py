"""Arrays to draw, and one call of every function of `vaecourse.plots`."""

import numpy as np

from vaecourse import plots
from vaecourse.latents import manifold_grid
from vaecourse.training.history import History

RNG = np.random.default_rng(7)
GRAY = RNG.random((12, 1, 28, 28))
COLOR = RNG.random((6, 3, 32, 32))
LABELS = np.arange(400) % 10
CODES = RNG.normal(size=(400, 4)) + 0.4 * LABELS[:, None]
AXIS = np.linspace(-3, 3, 60)
GRID = np.exp(-0.5 * (AXIS[:, None] ** 2 + (AXIS - 1) ** 2)) / (2 * np.pi)
EXTENT = (-3, 3, -3, 3)
CURVE = np.stack([np.sin(AXIS), np.cos(AXIS)], axis=1)
CONDITIONALS = np.exp(-0.5 * (AXIS - np.array([[-1.0], [0.0], [1.5]])) ** 2) / np.sqrt(2 * np.pi)
TERMS = {"reconstruction": -RNG.random(200), "kl": RNG.random(200)}
HISTORY = History(TERMS, {"reconstruction": np.array([-0.6, -0.4])}, 100, 1.0)
BARS = {
    "beta = 1": {"distortion": 76.0, "rate": 25.0},
    "beta = 4": {"distortion": 115.0, "rate": 0.5},
}
ROWS = [("published", 86.76, None), ("ours", 88.1, 0.2), ("also ours", 87.5, (87.0, 88.3))]
TARGET = ([1.0, 1.0], [[0.5, 0.2], [0.2, 0.3]])

EXAMPLES = {
    "activity": lambda: plots.activity([0.9, 0.5, 0.002, 0.0]),
    "class_bounds": lambda: plots.class_bounds(
        {"first": (GRAY[0], [-99, -95, -97], [0.1, 0.6, 0.3])}, [1]
    ),
    "class_grid": lambda: plots.class_grid(GRAY.reshape(2, 6, 1, 28, 28), GRAY[:2]),
    "comparison": lambda: plots.comparison(ROWS, highlight=["ours"]),
    "confusion": lambda: plots.confusion([[9, 1, 0], [2, 7, 1], [0, 0, 10]]),
    "curves": lambda: plots.curves(
        [2, 10, 50], {"PCA": [9, 5, 3], "linear": [9, 5, 3]}, "dimensions", "error",
        bands={"PCA": ([8, 4, 2], [10, 6, 4])}, references={"mean image": 10}, xscale="log",
    ),
    "density_2d": lambda: plots.density_2d(GRID, EXTENT, points=CODES[:, :2]),
    "density_panels": lambda: plots.density_panels({"one": GRID, "two": GRID.T}, EXTENT),
    "factor_matrix": lambda: plots.factor_matrix(
        {"beta = 1": RNG.random((6, 3)), "beta = 8": RNG.random((6, 3))}, ["slant", "x", "y"]
    ),
    "few_labels": lambda: plots.few_labels(
        {"given": (CODES[:, :2], -np.ones(400), []), "guess": (CODES[:, :2], LABELS, [3, 14])},
    ),
    "fitted_densities": lambda: plots.fitted_densities(
        AXIS, CONDITIONALS.mean(0), {"one": {"first": CONDITIONALS[0]}, "two": {"a": GRID[0]}},
    ),
    "gaussian_paths": lambda: plots.gaussian_paths(
        {"exact": TARGET}, {"exact": ([[0, 0], [1, 1]], [np.eye(2), TARGET[1]])}, [0, 9],
    ),
    "history": lambda: plots.history(HISTORY),
    "images": lambda: plots.images(GRAY, titles=range(12), columns=4),
    "interpolations": lambda: plots.interpolations({"autoencoder": GRAY, "VAE": GRAY}),
    "label_counts": lambda: plots.label_counts(
        {"network": {100: 24.6, 600: 11.0, 1000: 9.0, 40_000: 1.6}, "M1": {100: 21, 40_000: 8.4}},
        {"network": {100: 25.8, 3000: 6.0}, "M1+M2": {100: 3.33, 3000: 2.18}},
    ),
    "latent_histograms": lambda: plots.latent_histograms(CODES, LABELS),
    "latent_scatter": lambda: plots.latent_scatter(CODES[:, :2], LABELS),
    "manifold": lambda: plots.manifold(RNG.random((5, 5, 1, 28, 28)), manifold_grid(5)),
    "marginal_1d": lambda: plots.marginal_1d(AXIS, CONDITIONALS, [0.2, 0.3, 0.5]),
    "marginal_2d": lambda: plots.marginal_2d(AXIS, CURVE, 0.3, GRID, EXTENT),
    "reconstructions": lambda: plots.reconstructions(GRAY, {"PCA": GRAY, "VAE": GRAY}),
    "results": lambda: plots.results(
        {"few": [("ours", 5.0, 0.4, 4.5)], "many": [("other", 2.0, None, None)]}
    ),
    "scatter_panels": lambda: plots.scatter_panels(
        {"before": CODES[:, :2], "after": CODES[:, 2:]}, LABELS
    ),
    "scatter_pairs": lambda: plots.scatter_pairs(CODES, LABELS),
    "spectrum": lambda: plots.spectrum(1 / np.arange(1, 785) ** 1.5),
    "sweep": lambda: plots.sweep(
        [0, 1, 10], {"error (%)": {"validation": [9, 7, 8], "training": [5, 1, 0]},
                     "negative ELBO": {"bound": [99, 100, 120]}},
        "multiplier", intervals={"validation": [1, 1, 2]}, references={"raw": ("error (%)", 10)},
    ),
    "terms": lambda: plots.terms(BARS),
    "weighted_codes": lambda: plots.weighted_codes(
        {"prior": CODES[:50, :2], "posterior": CODES[50:90, :2]},
        {"prior": RNG.random(50), "posterior": RNG.random(40)},
        np.log(GRID), EXTENT, ([1, 0], [[0.5, 0.2], [0.2, 0.3]]),
    ),
}  # fmt: skip
