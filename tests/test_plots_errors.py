"""Arguments that do not fit are refused in words that name them."""

import numpy as np
import pytest
from plot_examples import (
    AXIS,
    CODES,
    COLOR,
    CONDITIONALS,
    CURVE,
    EXTENT,
    GRAY,
    GRID,
    LABELS,
    RNG,
    ROWS,
    TERMS,
)

from vaecourse import plots
from vaecourse.latents import manifold_grid


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.images(np.zeros((2, 2, 4, 4))), r"\(N, 1, H, W\).*got shape \(2, 2, 4, 4\)"),
        (lambda: plots.images(np.zeros((0, 4, 4))), "at least one number"),
        (lambda: plots.images(np.full((1, 4, 4), np.nan)), "finite, got 16"),
        (lambda: plots.images(GRAY, titles=["one"]), "all 12 .* got 1"),
        (lambda: plots.images(GRAY, columns=0), "columns must be a positive integer, got 0"),
        (lambda: plots.images([GRAY, COLOR]), "one shape"),
        (lambda: plots.images([]), "at least one row"),
        (lambda: plots.images([GRAY], columns=3), "columns needs one array"),
        (lambda: plots.reconstructions(GRAY, {"VAE": GRAY[:2]}), "'VAE' must hold 12 images"),
        (lambda: plots.interpolations({"a": GRAY, "b": GRAY[:2]}), "one length, got 12, 2"),
        (lambda: plots.interpolations({}), "at least one interpolation"),
        (lambda: plots.manifold(np.zeros((3, 2, 4, 4))), r"got shape \(3, 2, 4, 4\)"),
        (lambda: plots.manifold(np.zeros((3, 3, 4, 4)), manifold_grid(4)), r"shape \(3, 3, 2\)"),
        (lambda: plots.manifold(np.zeros((3, 3, 4, 4)), RNG.random((3, 3, 2))), "one value per"),
        (lambda: plots.spectrum([1.0, -1.0]), "at least 0"),
        (lambda: plots.spectrum([1.0, 0.5], thresholds=(95,)), "between 0 and 1"),
        (lambda: plots.curves([1, 2], {"a": [1]}, "x", "y"), "'a' must have 2 values.*got 1"),
        (lambda: plots.curves([1], {}, "x", "y"), "at least one line"),
        (lambda: plots.curves([1], {"a": [1]}, "x", "y", bands={"b": ([1], [2])}), "'b'"),
        (lambda: plots.history({}), "recorded terms"),
        (lambda: plots.history(TERMS, ["loss"]), "reconstruction, kl.*'loss'"),
        (lambda: plots.latent_scatter(CODES, LABELS), r"\(N, 2\), got \(400, 4\)"),
        (lambda: plots.latent_scatter(CODES[:, :2], LABELS[:5]), "got 5 for 400"),
        (lambda: plots.latent_scatter(CODES[:, :2], LABELS - 2), "-2, in row 0.* and -1 where"),
        (lambda: plots.latent_scatter(CODES[:, :2], LABELS, names=["a"]), "classes 0 to 9, got 1"),
        (lambda: plots.latent_histograms(np.zeros((10, 25)), LABELS[:10]), "at most 24"),
        (lambda: plots.scatter_pairs(np.zeros((10, 6)), LABELS[:10]), "2 to 5"),
        (lambda: plots.scatter_pairs(CODES, LABELS, axis_names=["a"]), "all 4 coordinates, got 1"),
        (lambda: plots.density_2d(-GRID, EXTENT), "is it a log density"),
        (lambda: plots.density_2d(GRID, (3, -3, -3, 3)), "left, right, bottom, top"),
        (lambda: plots.density_2d(GRID, EXTENT, points=CODES), r"\(N, 2\), got \(400, 4\)"),
        (lambda: plots.density_panels({}, EXTENT), "at least one density"),
        (lambda: plots.marginal_1d(AXIS, CONDITIONALS[:, 1:]), r"\(K, 60\), got \(3, 59\)"),
        (lambda: plots.marginal_1d(AXIS, CONDITIONALS, [1, 1, 1]), "sum 1"),
        (lambda: plots.marginal_2d(AXIS, CURVE, 0, GRID, EXTENT), "scale must be positive"),
        (lambda: plots.marginal_2d(AXIS, CURVE[1:], 1, GRID, EXTENT), r"\(60, 2\), got \(59, 2\)"),
        (lambda: plots.terms({}), "at least one bar"),
        (lambda: plots.terms({"a": {"rate": -1.0}}), "at least 0 to be stacked, got -1"),
        (lambda: plots.terms({"a": {"rate": 1}, "b": {"kl": 1}}), r"terms \['rate'\]"),
        (lambda: plots.activity([-1.0]), "at least 0"),
        (lambda: plots.activity([1.0], threshold=0), "threshold positive"),
        (lambda: plots.comparison([]), "at least one value"),
        (lambda: plots.comparison([("a", 1.0, (2.0, 3.0))]), "'a' must hold 1, got"),
        (lambda: plots.comparison(ROWS, highlight=["us"]), r"\['us'\]"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
