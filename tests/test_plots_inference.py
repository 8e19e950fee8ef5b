"""Fitted densities keep their values; ellipses hold the points that their Gaussians say."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgba

from vaecourse.plots import fitted_densities, gaussian_paths

X = np.linspace(-1, 1, 5)
TARGET = ([1.0, -0.5], [[0.8, -0.6], [-0.6, 0.9]])
MEANS = [[0.0, 0.0], [1.0, -0.5]]
COVARIANCES = [np.eye(2), np.array(TARGET[1])]


def test_every_panel_draws_the_target_then_its_fits():
    target, low, high = np.ones(5), X**2, 3 * X**2
    figure = fitted_densities(X, target, {"left": {"a": low, "b": high}, "right": {"c": high}})
    left, right = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["left", "right"]
    for axes, wanted in ((left, (target, low, high)), (right, (target, high))):
        assert len(axes.lines) == len(wanted)
        for line, values in zip(axes.lines, wanted, strict=True):
            np.testing.assert_array_equal(line.get_xdata(), X)
            np.testing.assert_array_equal(line.get_ydata(), values)
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["target", "a", "b"]
    assert left.get_ylim() == right.get_ylim()
    assert left.get_ylim()[0] == 0
    assert left.get_ylim()[1] > 3


def _squared_radius(points, mean, covariance):
    """Return the squared Mahalanobis distance of points ``(N, 2)`` from a Gaussian's mean."""
    away = points - np.asarray(mean)
    return np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)


def _outline(ellipse):
    """Return points on an ellipse's edge, in data coordinates."""
    return ellipse.get_patch_transform().transform(ellipse.get_path().vertices[::3])


def test_every_ellipse_lies_two_standard_deviations_from_its_mean():
    figure = gaussian_paths({"one": TARGET}, {"one": (MEANS, COVARIANCES)}, [0, 40])
    (axes,) = figure.axes
    gaussians = [TARGET, *zip(MEANS, COVARIANCES, strict=True)]
    assert len(axes.patches) == 3
    for ellipse, (mean, covariance) in zip(axes.patches, gaussians, strict=True):
        radius = _squared_radius(_outline(ellipse), mean, covariance)
        np.testing.assert_allclose(radius, 4, rtol=1e-3)
    np.testing.assert_array_equal(axes.lines[0].get_xydata(), MEANS)
    assert axes.patches[0].get_facecolor()[:3] == to_rgba("#077a83")[:3]
    assert axes.patches[1].get_edgecolor() != axes.patches[2].get_edgecolor()
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["posterior", "step 0", "step 40"]


def test_two_panels_share_one_scale_and_tensors_may_carry_a_gradient():
    means = torch.tensor(MEANS, requires_grad=True)
    covariances = torch.stack([torch.as_tensor(c, dtype=torch.float32) for c in COVARIANCES])
    path = (means, covariances)
    figure = gaussian_paths({"a": TARGET, "b": TARGET}, {"a": path, "b": path}, [0, 1])
    first, second = figure.axes
    assert first.get_xlim() == second.get_xlim()
    assert first.get_aspect() == second.get_aspect() == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fitted_densities(X, X, {}), "at least one panel"),
        (lambda: fitted_densities(X, X, {"a": {}}), "every panel at least one line"),
        (lambda: fitted_densities(X, X[1:], {"a": {"b": X}}), "'target' must have 5 values.*got 4"),
        (lambda: fitted_densities(X, X, {"a": {"b": X[1:]}}), "'b' must have 5 values.*got 4"),
        (lambda: gaussian_paths({}, {}, []), "same titles"),
        (lambda: gaussian_paths({"a": TARGET}, {"b": TARGET}, [0]), r"\['a'\] and \['b'\]"),
        (
            lambda: gaussian_paths({"a": TARGET}, {"a": (MEANS, COVARIANCES)}, [0]),
            r"'a' needs means of shape \(1, 2\).*got \(2, 2\)",
        ),
        (
            lambda: gaussian_paths({"a": ([0, 0], -np.eye(2))}, {"a": (MEANS, COVARIANCES)}, [0]),
            "'a' must be positive definite",
        ),
    ],
)
def test_errors_name_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=message):
        call()
