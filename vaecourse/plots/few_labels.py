"""Points of which a few have a label: what is given, and what is made of it."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from vaecourse.plots.latent import scatter_classes
from vaecourse.plots.style import (
    INK,
    Classes,
    as_array,
    as_classes,
    class_color,
    class_shape,
    new_figure,
    styled,
)

__all__ = ["few_labels"]

DOT = 5.0  # points squared
GIVEN = 44.0  # so large are a few ringed points; many are smaller


@styled
def few_labels(
    panels: Mapping[str, tuple],
    *,
    columns: int = 3,
    names: Sequence[str] | None = None,
    xlabel: str = "$x_1$",
    ylabel: str = "$x_2$",
) -> Figure:
    """Draw points in the plane by class, with a ring around those whose label is given.

    Parameters
    ----------
    panels : mapping of str to (points, classes, given)
        For each panel's title: points ``(N, 2)``; classes ``(N,)``, whole numbers or strings, true
        or guessed, -1 where there is none (gray); and the positions ``(M,)`` of the points
        with a given label.
    columns : int
        Panels in a row.
    names : sequence of str, optional
        Names of the classes; the numbers without it.
    xlabel, ylabel : str
        What the axes show.

    Returns
    -------
    Figure
        One axes per panel, on shared scales, with two scatters: all points, then the ringed ones.

    Raises
    ------
    ValueError
        If there is no panel, `columns` is not positive, or a shape, class or position does not fit.
    """
    if not panels or columns < 1:
        raise ValueError(f"panels and columns must be at least one, got {len(panels)}, {columns}")
    drawn, classes = _as_panels(panels, names)
    points = np.concatenate([points for points, _, _ in drawn.values()])
    columns = min(columns, len(drawn))
    rows = -(-len(drawn) // columns)
    ratio = float(np.clip(np.ptp(points[:, 1]) / max(np.ptp(points[:, 0]), 1e-9), 0.5, 1.3))
    width = 6.6 / columns if columns > 1 else 4.4
    figure = new_figure(rows * (0.85 * width * ratio + 0.5) + 0.75, width * columns)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes, (title, parts) in zip(grid.flat, drawn.items(), strict=False):
        _draw(axes, *parts)
        axes.set(title=str(title), aspect="equal")
        axes.locator_params(nbins=4)
    for axes in grid.flat[len(drawn) :]:
        axes.set_visible(False)
    figure.supxlabel(xlabel, fontsize=10.5)
    figure.supylabel(ylabel, fontsize=10.5)
    figure.spell(classes.names or ())
    handles = _keys(classes)
    figure.legend(handles=handles, loc="outside upper center", ncols=min(len(handles), 12),
                  handletextpad=0.1, columnspacing=0.6)  # fmt: skip
    return figure


def _as_panels(
    panels: Mapping[str, tuple], names: Sequence[str] | None
) -> tuple[dict[str, tuple[np.ndarray, ...]], Classes]:
    """Return every panel's points, classes and positions of given labels, and all classes."""
    labels = [label for _, classes, _ in panels.values() for label in _listed(classes)]
    whole, begin, drawn = as_classes(labels, len(labels), names), 0, {}
    for title, (given_points, given_classes, given) in panels.items():
        points = as_array(given_points, f"points of {title!r}", 2)
        if points.shape[1] != 2:
            raise ValueError(f"points of {title!r} must be (N, 2), got {points.shape}")
        as_classes(given_classes, len(points))  # says where there are more or fewer
        classes = whole.codes[begin : begin + len(points)]
        begin += len(points)
        given = np.asarray(given, dtype=np.int64)
        if given.ndim != 1 or (len(given) and not 0 <= given.min() <= given.max() < len(points)):
            last = len(points) - 1
            raise ValueError(f"given of {title!r} must be positions (M,) from 0 to {last}")
        drawn[title] = points, classes, given
    return drawn, whole


def _listed(labels: ArrayLike) -> list:
    return labels.tolist() if hasattr(labels, "tolist") else list(labels)


def _draw(axes: Axes, points: np.ndarray, classes: np.ndarray, given: np.ndarray) -> None:
    """Draw all points by class, and the given ones, ringed, on top."""
    scatter_classes(axes, points, classes, size=DOT)
    size = float(np.clip(20 * GIVEN / max(len(given), 1), 16, GIVEN))
    rings = [class_color(label) for label in classes[given]]
    axes.scatter(*points[given].T, s=size, c=rings, edgecolors=INK, linewidths=0.9, zorder=3)


def _keys(classes: Classes) -> list[Line2D]:
    """Return the legend's entries: a dot per class that occurs, and the ring."""
    keys = [
        Line2D([], [], color=class_color(k), markersize=5.5,
               label=classes.name(k), marker=class_shape(k), linestyle="none")
        for k in classes.found
    ]  # fmt: skip
    ring = {"markerfacecolor": "none", "markeredgecolor": INK, "markersize": 7}
    return [*keys, Line2D([], [], label="given", marker="o", linestyle="none", **ring)]
