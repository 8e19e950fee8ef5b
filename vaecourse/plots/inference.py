"""Approximate inference: densities fitted to a target, and Gaussians on their way to one."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from numpy.typing import ArrayLike

from vaecourse.plots.style import ACCENT, INK, MUTED, SERIES, as_array, new_figure, shown, styled

__all__ = ["fitted_densities", "gaussian_paths"]

PROGRESS = LinearSegmentedColormap.from_list("progress", ["#f0a58f", "#d9533c", "#6b1809"])
RADIUS = 2.0  # standard deviations that an ellipse shows


@styled
def fitted_densities(
    x: ArrayLike,
    target: ArrayLike,
    panels: Mapping[str, Mapping[str, object]],
    *,
    xlabel: str = "$z$",
) -> Figure:
    """Draw densities of one variable over the density that they approximate, side by side.

    Parameters
    ----------
    x : array of shape (N,)
        Where the densities are known, rising.
    target : array of shape (N,)
        The density to be approximated, drawn as an area in every panel.
    panels : mapping of str to mapping of str to array of shape (N,)
        For each panel's title, the approximations by their labels.
    xlabel : str
        What the axes show.

    Returns
    -------
    Figure
        One axes per panel, all on one scale: the target's line, then one line per approximation.

    Raises
    ------
    ValueError
        If there is no panel, a panel is empty, or lengths differ.
    """
    x, target = as_array(x, "x", 1), as_array(target, "target", 1)
    if not panels or not all(panels.values()):
        raise ValueError("panels must hold at least one panel, and every panel at least one line")
    figure = new_figure(3.1, 6.6)
    grid = figure.subplots(1, len(panels), squeeze=False, sharex=True, sharey=True)[0]
    for axes, (title, lines) in zip(grid, panels.items(), strict=True):
        axes.fill_between(x, _along(x, target, "target"), color=MUTED, alpha=0.22)
        axes.plot(x, target, color=MUTED, linewidth=1.2, label="target")
        for color, (label, line) in zip(SERIES, lines.items(), strict=False):
            name = shown(label)
            axes.plot(x, _along(x, line, label), color=color, label=name)
        axes.set(title=str(title), xlabel=xlabel, xlim=(x[0], x[-1]), ylim=(0, None))
        axes.legend(loc="best", handlelength=1.2)
    grid[0].set_ylabel("density")
    grid[0].set_ylim(0, 1.25 * grid[0].get_ylim()[1])
    return figure


def _along(x: np.ndarray, values: ArrayLike, label: str) -> np.ndarray:
    values = as_array(values, label, 1)
    if len(values) != len(x):
        raise ValueError(f"{label!r} must have {len(x)} values, one per x, got {len(values)}")
    return values


@styled
def gaussian_paths(
    targets: Mapping[str, tuple],
    paths: Mapping[str, tuple],
    steps: Sequence[int],
    *,
    xlabel: str = "$z_1$",
    ylabel: str = "$z_2$",
) -> Figure:
    """Draw how a Gaussian in the plane moves, step by step, onto a Gaussian target.

    Every ellipse has a radius of two standard deviations and holds 86 % of its Gaussian.

    Parameters
    ----------
    targets : mapping of str to (mean, covariance)
        For each panel's title, arrays of shape ``(2,)`` and ``(2, 2)``.
    paths : mapping of str to (means, covariances)
        For the same titles, arrays of shape ``(S, 2)`` and ``(S, 2, 2)``, one entry per step.
    steps : sequence of int
        The S steps, for the legend.
    xlabel, ylabel : str
        What the axes show.

    Returns
    -------
    Figure
        One axes per panel on one scale: the target's filled ellipse, one outline per step, and the
        trail of the means as a line.

    Raises
    ------
    ValueError
        If the titles differ, a shape does not fit, or a covariance is not positive definite.
    """
    if not targets or list(targets) != list(paths):
        raise ValueError(
            f"targets and paths must have the same titles, got {list(targets)} and {list(paths)}"
        )
    figure = new_figure(3.4, 2.2 * len(targets) + 0.6)
    grid = figure.subplots(1, len(targets), squeeze=False, sharex=True, sharey=True)[0]
    shades = PROGRESS(np.linspace(0, 1, len(steps)))
    for axes, title in zip(grid, targets, strict=True):
        center, spread = _as_gaussians(targets[title], title, ())
        axes.add_patch(_ellipse(center, spread, facecolor=ACCENT, alpha=0.28, label="posterior"))
        means, covariances = _as_gaussians(paths[title], title, (len(steps),))
        axes.plot(*means.T, color=INK, linewidth=0.9, marker=".", markersize=4)
        for mean, covariance, step, shade in zip(means, covariances, steps, shades, strict=True):
            outline = {"fill": False, "edgecolor": shade, "linewidth": 1.5}
            axes.add_patch(_ellipse(mean, covariance, label=f"step {step}", **outline))
        axes.set(title=str(title), xlabel=xlabel, aspect="equal")
        axes.autoscale_view()
        axes.locator_params(nbins=5)
    grid[0].set_ylabel(ylabel)
    handles, labels = grid[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", ncols=2 * len(targets), handlelength=1.2
    )
    return figure


def _as_gaussians(pair: tuple, title: str, batch: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return means of shape ``(*batch, 2)`` and covariances of shape ``(*batch, 2, 2)``."""
    means, covariances = (as_array(part, title) for part in pair)
    if means.shape != (*batch, 2) or covariances.shape != (*batch, 2, 2):
        raise ValueError(
            f"{title!r} needs means of shape {(*batch, 2)} and covariances of shape "
            f"{(*batch, 2, 2)}, got {means.shape} and {covariances.shape}"
        )
    if np.linalg.eigvalsh(covariances).min() <= 0:
        raise ValueError(f"the covariances of {title!r} must be positive definite")
    return means, covariances


def _ellipse(mean: np.ndarray, covariance: np.ndarray, **look: Any) -> Ellipse:
    variances, directions = np.linalg.eigh(covariance)
    across, along = 2 * RADIUS * np.sqrt(variances)
    angle = np.degrees(np.arctan2(directions[1, 1], directions[0, 1]))
    return Ellipse(mean, along, across, angle=angle, **look)
