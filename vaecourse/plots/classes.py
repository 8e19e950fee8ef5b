"""Classifiers at work: a sweep over one setting, a confusion matrix, codes side by side."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from vaecourse.plots.labels import Curve, label_curves
from vaecourse.plots.latent import legend_dots, scatter_classes
from vaecourse.plots.lines import DASHES
from vaecourse.plots.style import (
    ACCENT,
    INK,
    MUTED,
    PAPER,
    SERIES,
    as_array,
    as_classes,
    legend_columns,
    new_figure,
    styled,
)

__all__ = ["confusion", "scatter_panels", "sweep"]

PANEL = 1.9  # inches
SHARES = LinearSegmentedColormap.from_list("shares", [PAPER, ACCENT])


@styled
def sweep(
    settings: Sequence,
    panels: Mapping[str, Mapping[str, object]],
    xlabel: str,
    *,
    intervals: Mapping[str, object] | None = None,
    references: Mapping[str, tuple[str, float]] | None = None,
) -> Figure:
    """Draw several quantities, each on its own scale, against the values of one setting.

    Parameters
    ----------
    settings : sequence of length N
        What was set, from left to right. The places are evenly spaced, whatever the numbers.
    panels : mapping of str to mapping of str to array of shape (N,)
        For each panel's vertical axis, from the top, its lines by label.
    xlabel : str
        What the settings are.
    intervals : mapping of str to array of shape (N,), optional
        Half widths of the intervals of a line, by its label.
    references : mapping of str to (panel, value), optional
        Labeled horizontal lines.

    Returns
    -------
    Figure
        One axes per panel over one horizontal axis; in each, one line artist per line, in order,
        then one per reference.

    Raises
    ------
    ValueError
        If a panel or a line is missing, or lengths differ.
    """
    intervals, references = intervals or {}, references or {}
    labels = {label for lines in panels.values() for label in lines}
    unknown = set(intervals) - labels | {place for place, _ in references.values()} - set(panels)
    if unknown or not panels or not all(panels.values()):
        raise ValueError(
            "every panel needs a line, every interval the label of a line, and every reference "
            f"the name of a panel, got {sorted(unknown) or 'an empty panel'}"
        )
    figure = new_figure(PANEL * len(panels) + 0.6)
    stack = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    places = np.arange(len(settings))
    for axes, (ylabel, lines) in zip(stack, panels.items(), strict=True):
        axes.set_ylabel(str(ylabel))
        named = []
        for index, (label, values) in enumerate(lines.items()):
            heights = _one_each(values, label, len(places))
            color = SERIES[index % len(SERIES)]
            dash = DASHES[index % len(DASHES)]
            axes.plot(places, heights, color=color, label=str(label), linestyle=dash, marker="o")
            if label in intervals:
                half = _one_each(intervals[label], f"interval of {label!r}", len(places))
                axes.fill_between(places, heights - half, heights + half, color=color, alpha=0.15)
            named.append(Curve(str(label), places, heights, color))
        for label, (panel, value) in references.items():
            if panel == ylabel:
                axes.axhline(
                    value, color=MUTED, linewidth=1, linestyle=(0, (1, 2)), label=str(label)
                )
                across = np.array(axes.get_xlim())
                named.append(Curve(str(label), across, np.full(2, value), MUTED))
        label_curves(axes, named, PANEL - 0.3)
    stack[-1].set_xticks(places, labels=[str(setting) for setting in settings])
    stack[-1].set_xlabel(xlabel)
    return figure


def _one_each(values: ArrayLike, name: str, count: int) -> np.ndarray:
    array = as_array(values, name, 1)
    if len(array) != count:
        raise ValueError(f"{name} must have {count} values, one per setting, got {len(array)}")
    return array


@styled
def confusion(counts: ArrayLike, *, names: Sequence[str] | None = None) -> Figure:
    """Draw a confusion matrix: numbers are counts, shades are shares of a row.

    Parameters
    ----------
    counts : array of shape (C, C)
        Row is the label, column the prediction.
    names : sequence of str, optional
        Names of the classes; the numbers without it.

    Returns
    -------
    Figure
        One axes with one image of the shares and one text per count that is not 0.

    Raises
    ------
    ValueError
        If the matrix is not square, a count is negative, a row is empty or a name is missing.
    """
    table = as_array(counts, "counts", 2)
    if table.shape[0] != table.shape[1] or table.min() < 0 or not table.sum(1).all():
        raise ValueError(
            f"counts must be square, at least 0, and every label must occur, got shape "
            f"{table.shape} with least entry {table.min():g} and least row {table.sum(1).min():g}"
        )
    size = len(table)
    names = list(range(size)) if names is None else list(names)
    if len(names) != size:
        raise ValueError(f"names must name {size} classes, got {len(names)}")
    shares = table / table.sum(1, keepdims=True)
    figure = new_figure(4.9, 5.4)
    axes = figure.subplots()
    axes.imshow(shares, cmap=SHARES, vmin=0, vmax=1)
    for row, column in np.argwhere(table > 0):
        dark = shares[row, column] > 0.5
        number = f"{table[row, column]:g}"
        axes.text(column, row, number, ha="center", va="center", color=PAPER if dark else INK,
                  fontsize=9)  # fmt: skip
    axes.set_xticks(range(size), labels=figure.spell(names))
    axes.set_yticks(range(size), labels=figure.spell(names))
    axes.set(xlabel="prediction", ylabel="label")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


@styled
def scatter_panels(
    codes: Mapping[str, object],
    labels: ArrayLike,
    *,
    names: Sequence[str] | None = None,
    xlabel: str = "PC 1",
    ylabel: str = "PC 2",
) -> Figure:
    """Draw 2-D codes of the same examples under several models, side by side.

    Parameters
    ----------
    codes : mapping of str to array of shape (N, 2)
        For each panel's title, the codes. Every panel has its own scale.
    labels : array of shape (N,)
        Classes, whole numbers or strings; -1, None and NaN are unlabeled (gray).
    names : sequence of str, optional
        Names of the classes.
    xlabel, ylabel : str
        What the axes of every panel show.

    Returns
    -------
    Figure
        One axes per title with one scatter of all points, and one legend.

    Raises
    ------
    ValueError
        If there are no codes, or a shape or a label does not fit.
    """
    if not codes:
        raise ValueError("codes must hold at least one panel, got none")
    figure = new_figure(2.5, min(6.6, 0.8 + 2.4 * len(codes)))
    panels = figure.subplots(1, len(codes), squeeze=False)[0]
    for axes, (title, values) in zip(panels, codes.items(), strict=True):
        points = as_array(values, f"codes of {title!r}", 2)
        if points.shape[1] != 2:
            raise ValueError(f"codes of {title!r} must be (N, 2), got {points.shape}")
        classes = as_classes(labels, len(points), names)
        scatter_classes(axes, points, classes.codes)
        axes.set_title(str(title))
        axes.set(xlabel=xlabel, xticks=[], yticks=[], aspect="equal", adjustable="datalim")
        axes.set_box_aspect(1)
    panels[0].set_ylabel(ylabel)
    figure.spell(classes.names or ())
    handles = legend_dots(classes)
    figure.legend(handles=handles, loc="outside right center", handletextpad=0.1,
                  ncols=legend_columns(len(handles)))  # fmt: skip
    return figure
