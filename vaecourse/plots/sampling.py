"""Where samples of a code fall, and which of them count."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from vaecourse.plots.densities import as_extent
from vaecourse.plots.style import ACCENT, HAIRLINE, MUTED, SERIES, as_array, new_figure, styled

__all__ = ["weighted_codes"]

RADIUS_95 = np.sqrt(-2 * np.log(0.05))  # in standard deviations, two dimensions
CONTOURS = (3, 2, 1)  # standard deviations of a Gaussian that levels of the likelihood stand for
LARGEST = 60.0  # points squared: area of the dot with the largest weight of its panel


@styled
def weighted_codes(
    codes: Mapping[str, object],
    weights: Mapping[str, object],
    log_likelihood: ArrayLike,
    extent: tuple[float, float, float, float],
    posterior: tuple,
) -> Figure:
    """Draw codes from several proposals in the plane, with the posterior that they should find.

    Parameters
    ----------
    codes : mapping of str to array of shape (K, 2)
        Samples of z for each panel's title.
    weights : mapping of str to array of shape (K,)
        Their weights, at least 0, in any unit.
    log_likelihood : array of shape (H, W)
        Log p(x|z) over the plane of codes in nats, laid out as in `density_2d`.
    extent : (left, right, bottom, top)
        Edges of that grid: its first and last coordinates.
    posterior : (mean, covariance)
        Of shapes (2,) and (2, 2).

    Returns
    -------
    Figure
        One axes per title: contours of the likelihood, at 0.5, 2 and 4.5 nats below its maximum;
        every code as a speck, under a dot whose area is its weight, by the panel's largest; and the
        ellipse that holds 95 % of a Gaussian posterior.

    Raises
    ------
    ValueError
        If titles or shapes do not fit, weights are negative or all 0, or the covariance is not
        positive definite.
    """
    if not codes or set(codes) != set(weights):
        raise ValueError(
            f"codes and weights need the same titles, got {list(codes)} and {list(weights)}"
        )
    surface = as_array(log_likelihood, "log_likelihood", 2)
    outline = _ellipse(*posterior)
    extent = as_extent(extent)
    figure = new_figure(3.95, 3.3 * len(codes))
    panels = figure.subplots(1, len(codes), squeeze=False, sharey=True)[0]
    for axes, title in zip(panels, codes, strict=True):
        _draw_contours(axes, surface, extent)
        _draw_codes(axes, *_as_weighted(codes[title], weights[title], title))
        axes.plot(*outline.T, color=ACCENT, linewidth=2, label="95 % of the posterior")
        axes.set(xlabel="$z_1$", title=str(title), xlim=extent[:2], ylim=extent[2:], aspect="equal")
        axes.locator_params(nbins=7)
    panels[0].set_ylabel("$z_2$")
    figure.legend(handles=_keys(panels[0]), loc="outside lower center", ncols=3)
    return figure


def _ellipse(mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Return the outline, (M, 2), of the ellipse that holds 95 % of a Gaussian."""
    mean, covariance = as_array(mean, "mean", 1), as_array(covariance, "covariance", 2)
    if mean.shape != (2,) or covariance.shape != (2, 2):
        raise ValueError(
            f"posterior must be a mean (2,) and a covariance (2, 2), got {mean.shape} and "
            f"{covariance.shape}"
        )
    variances, axes = np.linalg.eigh(covariance)
    if variances[0] <= 0:
        raise ValueError(f"covariance must be positive definite, got eigenvalues {variances}")
    angle = np.linspace(0, 2 * np.pi, 181)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return mean + RADIUS_95 * (circle * np.sqrt(variances)) @ axes.T


def _as_weighted(codes: ArrayLike, weights: ArrayLike, title: str) -> tuple[np.ndarray, np.ndarray]:
    """Return codes (K, 2) and their weights (K,)."""
    points = as_array(codes, f"codes of {title!r}", 2)
    values = as_array(weights, f"weights of {title!r}", 1)
    if points.shape != (len(values), 2):
        raise ValueError(
            f"codes of {title!r} must be ({len(values)}, 2), one per weight, got {points.shape}"
        )
    if values.min() < 0 or values.max() == 0:
        raise ValueError(
            f"weights of {title!r} must be at least 0 and not all 0; are they logarithms?"
        )
    return points, values


def _draw_contours(axes: Axes, surface: np.ndarray, extent: Sequence[float]) -> None:
    """Draw levels of the likelihood, which a Gaussian has at one, two and three deviations."""
    levels = [surface.max() - 0.5 * count**2 for count in CONTOURS]
    axes.contour(
        surface, levels=levels, extent=extent, colors=MUTED, linewidths=0.9, linestyles="dashed"
    )


def _draw_codes(axes: Axes, points: np.ndarray, weights: np.ndarray) -> None:
    """Draw every code as a speck, and over it a dot as large as its weight."""
    axes.scatter(*points.T, s=5, color=HAIRLINE, edgecolors=MUTED, linewidths=0.4)
    areas = LARGEST * weights / weights.max()
    axes.scatter(*points.T, s=areas, color=SERIES[1], alpha=0.6, linewidths=0)


def _keys(axes: Axes) -> list:
    """Return handles for the legend: samples, likelihood, posterior."""
    (sample,) = axes.plot([], [], "o", color=SERIES[1], alpha=0.6, label="a code, by weight")
    (level,) = axes.plot([], [], color=MUTED, linewidth=0.9, linestyle="dashed", label="likelihood")
    return [sample, level, axes.lines[0]]
