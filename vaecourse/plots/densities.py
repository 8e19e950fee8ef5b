"""Densities: one in the plane, and how simple conditionals add up to a complex marginal."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import ArrayLike

from vaecourse.plots.style import ACCENT, INK, MUTED, PAPER, as_array, new_figure, styled

__all__ = ["density_2d", "marginal_1d", "marginal_2d"]

DENSITY = LinearSegmentedColormap.from_list("density", [PAPER, "#9fd3d3", ACCENT, "#0b3440"])
CODES = LinearSegmentedColormap.from_list("codes", ["#0896a0", "#8570d2", "#e86854"])
DEPTH = 10.0  # nats below the maximum that a log density shows
CIRCLES = 32


def as_extent(extent: Sequence[float]) -> tuple[float, float, float, float]:
    """Return (left, right, bottom, top)."""
    left, right, bottom, top = (float(edge) for edge in extent)
    if not (left < right and bottom < top):
        raise ValueError(f"extent must be (left, right, bottom, top), got {tuple(extent)}")
    return left, right, bottom, top


def density_image(
    axes: Axes, values: np.ndarray, extent: Sequence[float], **limits: Any
) -> AxesImage:
    return axes.imshow(
        values, extent=extent, origin="lower", cmap=DENSITY, interpolation="bilinear", **limits
    )


@styled
def density_2d(
    density: ArrayLike,
    extent: tuple[float, float, float, float],
    points: ArrayLike | None = None,
    *,
    log: bool = False,
    xlabel: str = "$x_1$",
    ylabel: str = "$x_2$",
) -> Figure:
    """Draw a density of two variables from its values on a grid.

    Parameters
    ----------
    density : array of shape (H, W)
        ``density[i, j]`` is the value at the i-th vertical coordinate from below and the j-th
        horizontal one from the left.
    extent : (left, right, bottom, top)
        Edges of the grid.
    points : array of shape (N, 2), optional
        Data to draw on top.
    log : bool
        `density` is a log density in nats, drawn down to 10 nats below its maximum.
    xlabel, ylabel : str
        What the axes show.

    Returns
    -------
    Figure
        The density's axes and that of its color bar.

    Raises
    ------
    ValueError
        If a shape does not fit, a density is negative, or `extent` is not in order.
    """
    values = as_array(density, "density", 2)
    if not log and values.min() < 0:
        raise ValueError(f"density must be at least 0, got {values.min():g}; is it a log density?")
    extent = as_extent(extent)
    figure = new_figure(4.4, 5.6)
    axes = figure.subplots()
    low = values.max() - DEPTH if log else 0
    image = density_image(axes, values, extent, vmin=low, vmax=values.max())
    if points is not None:
        data = as_array(points, "points", 2)
        if data.shape[1] != 2:
            raise ValueError(f"points must be (N, 2), got {data.shape}")
        axes.scatter(*data.T, s=7, color="#d9533c", linewidths=0.4, edgecolors=PAPER)
    axes.set(xlabel=xlabel, ylabel=ylabel, xlim=extent[:2], ylim=extent[2:])
    bar = figure.colorbar(image, ax=axes, shrink=0.85, aspect=24, pad=0.03)
    bar.set_label("log density (nats)" if log else "density")
    bar.outline.set_visible(False)
    return figure


@styled
def marginal_1d(
    x: ArrayLike, conditionals: ArrayLike, weights: ArrayLike | None = None, *, xlabel: str = "$x$"
) -> Figure:
    r"""Draw how weighted conditionals add up to a marginal of one variable.

    It shows :math:`p(x) = \sum_k w_k\, p(x\mid z_k)`, the marginal of a latent variable with K
    values, or a Monte Carlo estimate of the integral over z.

    Parameters
    ----------
    x : array of shape (N,)
        Where the densities are known, rising.
    conditionals : array of shape (K, N)
        ``p(x | z_k)``.
    weights : array of shape (K,), optional
        ``p(z_k)``, with sum 1; equal without it.
    xlabel : str
        What the axis shows.

    Returns
    -------
    Figure
        One axes with K thin lines, the weighted conditionals, and the marginal as the last line.

    Raises
    ------
    ValueError
        If shapes do not fit or the weights are no distribution.
    """
    x, conditionals = as_array(x, "x", 1), as_array(conditionals, "conditionals", 2)
    count = len(conditionals)
    if conditionals.shape[1] != len(x):
        raise ValueError(f"conditionals must be (K, {len(x)}), got {conditionals.shape}")
    weights = np.full(count, 1 / count) if weights is None else as_array(weights, "weights", 1)
    if len(weights) != count or weights.min() < 0 or not np.isclose(weights.sum(), 1, atol=1e-4):
        raise ValueError(f"weights must be {count} numbers of at least 0 with sum 1")
    parts = weights[:, None] * conditionals
    figure = new_figure(3.0)
    axes = figure.subplots()
    for index, part in enumerate(parts):
        color = CODES(index / max(count - 1, 1))
        axes.fill_between(x, part, color=color, alpha=0.10)
        axes.plot(x, part, color=color, linewidth=1.0)
    axes.plot(x, parts.sum(0), color=INK, linewidth=2.2)
    axes.fill_between(x, parts.sum(0), color=MUTED, alpha=0.08, zorder=0)
    axes.set(xlabel=xlabel, ylabel="density", xlim=(x[0], x[-1]), ylim=(0, None))
    handles = [axes.lines[count // 2], axes.lines[-1]]
    axes.legend(handles, ["$p(z_k)\\, p(x\\mid z_k)$", "$p(x)$, their sum"], loc="best")
    return figure


@styled
def marginal_2d(
    z: ArrayLike,
    means: ArrayLike,
    scale: float,
    density: ArrayLike,
    extent: tuple[float, float, float, float],
) -> Figure:
    r"""Draw how Gaussian conditionals along a curve make a complex marginal in the plane.

    Three panels show the prior :math:`p(z) = N(0, 1)`, the conditionals
    :math:`p(x\mid z) = N(g(z), \sigma^2 I)` for some z as circles of one standard deviation around
    the curve g(z), and the marginal :math:`p(x) = \int p(x\mid z)\,p(z)\,dz`. A code has one color
    in the first two.

    Parameters
    ----------
    z : array of shape (M,)
        Codes, rising.
    means : array of shape (M, 2)
        The decoder's means g(z).
    scale : float
        The decoder's standard deviation.
    density : array of shape (H, W)
        The marginal on a grid, laid out as in `density_2d`.
    extent : (left, right, bottom, top)
        Edges of the grid.

    Returns
    -------
    Figure
        Three axes.

    Raises
    ------
    ValueError
        If a shape does not fit, the codes do not rise, or `scale` is not positive.
    """
    z, means, values = (
        as_array(z, "z", 1),
        as_array(means, "means", 2),
        as_array(density, "density", 2),
    )
    if means.shape != (len(z), 2):
        raise ValueError(f"means must have shape ({len(z)}, 2), got {means.shape}")
    if (np.diff(z) <= 0).any() or float(scale) <= 0:
        raise ValueError(f"z must rise and scale must be positive, got scale {float(scale):g}")
    extent = as_extent(extent)
    figure = new_figure(2.75, 7.0)
    prior, curve, marginal = figure.subplots(1, 3)
    _draw_prior(prior, z)
    _draw_conditionals(curve, z, means, float(scale))
    density_image(marginal, values, extent, vmin=0)
    for axes, title in ((curve, "conditionals $p(x\\mid z)$"), (marginal, "marginal $p(x)$")):
        axes.set(xlim=extent[:2], ylim=extent[2:], aspect="equal", xlabel="$x_1$", title=title)
        axes.locator_params(nbins=5)
    curve.set_ylabel("$x_2$")
    return figure


def _draw_prior(axes: Axes, z: np.ndarray) -> None:
    """Draw the standard normal density, colored by code."""
    height = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    under = axes.fill_between(z, height, color="none")
    box = (z[0], z[-1], 0, height.max())
    shades = axes.imshow(np.linspace(0, 1, 256)[None], cmap=CODES, extent=box, aspect="auto")
    shades.set_clip_path(under.get_paths()[0], axes.transData)
    axes.plot(z, height, color=INK, linewidth=1.2)
    axes.set(xlim=(z[0], z[-1]), ylim=(0, 0.44), xlabel="$z$", title="prior $p(z)$", box_aspect=1)
    axes.set_yticks([0, 0.2, 0.4])


def _draw_conditionals(axes: Axes, z: np.ndarray, means: np.ndarray, scale: float) -> None:
    """Draw the curve of means and circles of one standard deviation around some of them."""
    some = np.unique(np.linspace(0, len(z) - 1, min(CIRCLES, len(z))).round().astype(int))
    shades = CODES((z[some] - z[0]) / (z[-1] - z[0]))
    width = np.full(len(some), 2 * scale)
    circles = EllipseCollection(
        width, width, np.zeros(len(some)), units="xy", offsets=means[some],
        offset_transform=axes.transData, facecolors=shades, edgecolors=shades, alpha=0.3,
    )  # fmt: skip
    axes.add_collection(circles)
    axes.plot(*means.T, color=INK, linewidth=1.0)
