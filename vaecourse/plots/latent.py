"""Latent spaces: scatter plots and histograms colored by class."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.markers import MarkerStyle
from matplotlib.patches import Patch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Affine2D
from numpy.typing import ArrayLike

from vaecourse.plots.style import (
    INK,
    PAPER,
    Classes,
    as_array,
    as_classes,
    class_color,
    class_shape,
    legend_columns,
    new_figure,
    styled,
)

__all__ = ["latent_histograms", "latent_scatter", "scatter_pairs"]

BINS = 40
MAX_PANELS = 24


def scatter_classes(
    axes: Axes,
    points: np.ndarray,
    labels: np.ndarray,
    *,
    size: float | None = None,
) -> None:
    """Draw points by class, each in its color and shape, shuffled so that no class hides another.

    `size` is in points squared; by the number of points without it.
    """
    order = np.random.default_rng(0).permutation(len(points))
    size = float(np.clip(28_000 / max(len(points), 1), 5.0, 26.0)) if size is None else size
    colors = [class_color(label) for label in labels[order]]
    dots = axes.scatter(*points[order].T, s=size, c=colors, alpha=0.75, linewidths=0)
    dots.set_paths([_outline(class_shape(label)) for label in labels[order]])


@cache
def _outline(shape: str) -> Path:
    """Return the outline of a marker, with the area of a dot."""
    marker = MarkerStyle(shape)
    path = marker.get_path().transformed(marker.get_transform())
    x, y = path.to_polygons()[0].T
    area = abs(x[:-1] @ y[1:] - y[:-1] @ x[1:]) / 2
    return path.transformed(Affine2D().scale(np.sqrt(np.pi / 4 / area)))


def _name_clusters(axes: Axes, points: np.ndarray, classes: Classes) -> None:
    """Write each class's name at its median, names moved apart where classes lie on each other."""
    halo = [withStroke(linewidth=3, foreground=PAPER)]
    found = [code for code in classes.found if code >= 0]
    centers = np.array([np.median(points[classes.codes == code], axis=0) for code in found])
    for label, center in zip(
        found, _apart(centers, 0.055 * np.ptp(points, axis=0).max()), strict=True
    ):
        text = classes.name(label)
        axes.text(*center, text, ha="center", va="center", weight="bold", path_effects=halo)


def _apart(places: np.ndarray, gap: float) -> np.ndarray:
    """Push places apart, pair by pair, until any two differ by `gap` or nearly so."""
    places = places.copy()
    for _ in range(100):
        for i in range(len(places)):
            for j in range(i):
                offset = places[i] - places[j]
                distance = float(np.hypot(*offset))
                if distance < gap:
                    direction = offset / distance if distance else np.array([1.0, 0.0])
                    push = (gap - distance) / 2 * direction
                    places[i] += push
                    places[j] -= push
    return places


def legend_dots(classes: Classes) -> list[Line2D]:
    """Return the legend's entries, one dot per class that occurs."""
    return [
        Line2D([], [], marker=class_shape(code), linestyle="none", markersize=6,
               color=class_color(code), label=classes.name(code))
        for code in classes.found
    ]  # fmt: skip


@styled
def latent_scatter(
    z: ArrayLike,
    labels: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    xlabel: str = "$z_1$",
    ylabel: str = "$z_2$",
) -> Figure:
    """Draw 2-D codes colored by class.

    Parameters
    ----------
    z : array of shape (N, 2)
        Codes, such as posterior means.
    labels : array of shape (N,)
        Classes, whole numbers or strings; -1, None and NaN are unlabeled (gray).
    names : sequence of str, optional
        Names of the classes, from class 0; the numbers without it.
    xlabel, ylabel : str
        What the axes show.

    Returns
    -------
    Figure
        One axes with one scatter of all points, in a shuffled order, each class in its color and
        shape; a name at the median of each class; and a legend.

    Raises
    ------
    ValueError
        If a shape or a label does not fit.
    """
    points = as_array(z, "z", 2)
    if points.shape[1] != 2:
        raise ValueError(f"z must be (N, 2), got {points.shape}; for more use scatter_pairs")
    classes = as_classes(labels, len(points), names)
    width, height = np.ptp(points, axis=0)
    figure = new_figure(0.8 + float(np.clip(4.4 * height / max(width, 1e-9), 2.0, 5.2)))
    axes = figure.subplots()
    figure.spell(classes.names or ())
    scatter_classes(axes, points, classes.codes)
    _name_clusters(axes, points, classes)
    axes.set(xlabel=xlabel, ylabel=ylabel, aspect="equal")
    handles = legend_dots(classes)
    figure.legend(handles=handles, loc="outside right center", handletextpad=0.1,
                  ncols=legend_columns(len(handles)))  # fmt: skip
    return figure


@styled
def scatter_pairs(
    z: ArrayLike,
    labels: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    axis_names: Sequence[str] | None = None,
) -> Figure:
    """Draw every pair of a few coordinates, such as the first principal components of codes.

    Parameters
    ----------
    z : array of shape (N, D), D from 2 to 5
        Coordinates.
    labels : array of shape (N,)
        Classes, whole numbers or strings; -1, None and NaN are unlabeled (gray).
    names : sequence of str, optional
        Names of the classes.
    axis_names : sequence of str, optional
        Names of the D coordinates; ``PC 1`` and so on without it.

    Returns
    -------
    Figure
        ``D (D - 1) / 2`` visible axes in a lower triangle: row i, column j shows coordinate i + 1
        against coordinate j.

    Raises
    ------
    ValueError
        If a shape, a label or the number of names does not fit.
    """
    points = as_array(z, "z", 2)
    dims = points.shape[1]
    if not 2 <= dims <= 5:
        raise ValueError(f"z must have 2 to 5 coordinates, got {dims}; choose some of them")
    classes = as_classes(labels, len(points), names)
    axis_names = [f"PC {i + 1}" for i in range(dims)] if axis_names is None else axis_names
    if len(axis_names) != dims:
        raise ValueError(f"axis_names must name all {dims} coordinates, got {len(axis_names)}")
    figure = new_figure(6.2, 6.2)
    grid = figure.subplots(dims - 1, dims - 1, squeeze=False, sharex="col", sharey="row")
    for i in range(dims - 1):
        for j in range(dims - 1):
            axes = grid[i, j]
            if j > i:
                axes.set_visible(False)
                continue
            scatter_classes(axes, points[:, [j, i + 1]], classes.codes)
            axes.locator_params(nbins=5)
            if i == dims - 2:
                axes.set_xlabel(str(axis_names[j]))
            if j == 0:
                axes.set_ylabel(str(axis_names[i + 1]))
    figure.spell(classes.names or ())
    place = "upper right" if dims > 2 else "outside right center"
    handles = legend_dots(classes)
    columns = max(2 if dims > 2 else 1, legend_columns(len(handles)))
    figure.legend(handles=handles, loc=place, ncols=columns, handletextpad=0.1)
    return figure


@styled
def latent_histograms(
    z: ArrayLike, labels: ArrayLike, *, prior: bool = True, names: Sequence[str] | None = None
) -> Figure:
    """Draw the density of each latent dimension, stacked by class, against N(0, 1).

    Parameters
    ----------
    z : array of shape (N, D), D at most 24
        Codes.
    labels : array of shape (N,)
        Classes, whole numbers or strings; -1, None and NaN are unlabeled (gray).
    prior : bool
        Draw the density of N(0, 1).
    names : sequence of str, optional
        Names of the classes.

    Returns
    -------
    Figure
        One axes per dimension with one step patch per class. All share 40 bins; the area of a
        panel's stack is 1.

    Raises
    ------
    ValueError
        If a shape or a label does not fit.
    """
    codes = as_array(z, "z", 2)
    if codes.shape[1] > MAX_PANELS:
        raise ValueError(f"z must have at most {MAX_PANELS} dimensions, got {codes.shape[1]}")
    classes = as_classes(labels, len(codes), names)
    reach = max(1.02 * np.abs(codes).max(), 3.5)
    edges = np.linspace(-reach, reach, BINS + 1)
    columns = min(codes.shape[1], 4 if codes.shape[1] > 6 else 3)
    rows = -(-codes.shape[1] // columns)
    figure = new_figure(1.45 * rows + 0.8, 6.6 if columns > 1 else 4.4)
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True).ravel()
    for dim, axes in enumerate(panels):
        axes.set_visible(dim < codes.shape[1])
        if dim < codes.shape[1]:
            _stack(axes, codes[:, dim], classes.codes, edges, prior)
            axes.set_title(f"$z_{{{dim + 1}}}$", pad=2, loc="center")
            axes.tick_params(labelbottom=dim + columns >= codes.shape[1])
    figure.supylabel("density", fontsize=10.5)
    figure.spell(classes.names or ())
    handles = [Patch(color=class_color(k), label=classes.name(k)) for k in classes.found]
    if prior:
        handles.append(Line2D([], [], color=INK, linewidth=1.3, label="$N(0, 1)$"))
    ncols = 4 if classes.names else min(len(handles), 12)
    figure.legend(
        handles=handles, loc="outside upper center", ncols=ncols,
        handlelength=0.9, handleheight=0.9, handletextpad=0.4, columnspacing=1.0,
    )  # fmt: skip
    return figure


def _stack(
    axes: Axes, values: np.ndarray, classes: np.ndarray, edges: np.ndarray, prior: bool
) -> None:
    """Stack the classes' histograms, scaled so that together they enclose an area of 1."""
    base = np.zeros(len(edges) - 1)
    for label in np.unique(classes):
        counts, _ = np.histogram(values[classes == label], edges)
        top = base + counts / (len(values) * np.diff(edges))
        axes.stairs(top, edges, baseline=base, fill=True, color=class_color(label))
        base = top
    if prior:
        x = np.linspace(edges[0], edges[-1], 201)
        axes.plot(x, np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi), color=INK, linewidth=1.3)
    axes.set(xlim=(edges[0], edges[-1]), ylim=(0, None))
    axes.locator_params(axis="y", nbins=3)
