"""Images made for a class, and what every class is worth for an image."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from vaecourse.plots.pictures import as_images, frame_cell, place_image
from vaecourse.plots.style import (
    ACCENT,
    INK,
    MUTED,
    WIDTH,
    as_array,
    as_classes,
    new_figure,
    styled,
)

__all__ = ["class_bounds", "class_grid"]

HEADING = 0.3  # inches
LEFT = 0.5  # a column of originals stands this part of an image to the left of the grid


@styled
def class_grid(
    generated: ArrayLike,
    originals: ArrayLike | None = None,
    *,
    names: Sequence[str] | None = None,
    title: str = "class y",
) -> Figure:
    """Draw one image for every style and class: a row keeps its style, a column its class.

    Parameters
    ----------
    generated : array of shape (R, C, 1, H, W) or (R, C, H, W)
        Image of style r and class c.
    originals : array of shape (R, 1, H, W) or (R, H, W), optional
        The image from which each row has its style; drawn to the left.
    names : sequence of str, optional
        Names of the classes; the numbers without it.
    title : str
        Stands above the names.

    Returns
    -------
    Figure
        One axes with one image artist per picture, in reading order: in each row the original, if
        there is one, then its classes.

    Raises
    ------
    ValueError
        If a shape or the number of names or originals does not fit.
    """
    array = as_array(generated, "generated", 4, 5)
    rows, columns = array.shape[:2]
    names = list(range(columns)) if names is None else list(names)
    if len(names) != columns:
        raise ValueError(f"names must name {columns} classes, got {len(names)}")
    sources = None if originals is None else as_images(originals, "originals")
    if sources is not None and len(sources) != rows:
        raise ValueError(f"originals must hold one image per row, got {len(sources)} for {rows}")
    start = 0.0 if sources is None else 1 + LEFT
    side = min((WIDTH - 0.1) / (columns + start), 0.7)
    figure = new_figure(rows * side + 2 * HEADING + 0.1, (columns + start) * side + 0.1)
    axes = figure.subplots()
    for row in range(rows):
        if sources is not None:
            place_image(axes, sources[row], 0, row)
            frame_cell(axes, 0, row)
        for column, picture in enumerate(as_images(array[row], "generated")):
            place_image(axes, picture, start + column, row)
            frame_cell(axes, start + column, row)
    places = [start + column + 0.5 for column in range(columns)]
    if sources is not None:
        places, names = [0.5, *places], ["given", *names]
    axes.set(xlim=(0, start + columns), ylim=(rows, 0), yticks=[])
    axes.set_xticks(places, labels=figure.spell(names))
    axes.tick_params(length=0, labelsize=10.5, top=True, labeltop=True, labelbottom=False)
    axes.xaxis.set_label_position("top")
    axes.set_xlabel(title, x=(start + columns / 2) / (start + columns))
    axes.spines[:].set_visible(False)
    return figure


@styled
def class_bounds(panels: Mapping[str, tuple], labels: Sequence[int]) -> Figure:
    """Draw what each class is worth for an image beside what a classifier says.

    Parameters
    ----------
    panels : mapping of str to (image, bounds, probabilities)
        For each row's label: the image ``(1, H, W)`` or ``(H, W)``, its bound given each class in
        nats ``(C,)``, and the classifier's probability of each class ``(C,)``.
    labels : sequence of int
        The true class of each row; its bars are drawn in the accent color.

    Returns
    -------
    Figure
        Three axes per row: the image, bars of the bound below the best class (so that the best
        has none and the others hang down), and bars of the probabilities.

    Raises
    ------
    ValueError
        If there is no row, a shape does not fit, or a probability is not between 0 and 1.
    """
    if not panels:
        raise ValueError("panels must hold at least one image, got none")
    truth = as_classes(labels, len(panels)).codes
    figure = new_figure(1.35 * len(panels) + 0.5)
    grid = figure.subplots(len(panels), 3, squeeze=False, width_ratios=(1, 3, 3))
    for axes, (name, parts), label in zip(grid, panels.items(), truth, strict=True):
        picture, bounds, shares = _as_panel(name, *parts)
        place_image(axes[0], picture, 0, 0)
        frame_cell(axes[0], 0, 0)
        axes[0].set(xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[], aspect="equal")
        axes[0].set_ylabel(str(name))
        axes[0].spines[:].set_visible(False)
        colors = [ACCENT if c == label else MUTED for c in range(len(bounds))]
        axes[1].bar(range(len(bounds)), bounds - bounds.max(), color=colors)
        axes[1].axhline(0, color=INK, linewidth=0.7)
        axes[2].bar(range(len(shares)), shares, color=colors)
        axes[2].set(ylim=(0, 1), yticks=[0, 0.5, 1])
        for panel in axes[1:]:
            panel.set_xticks(range(len(bounds)))
            panel.tick_params(axis="x", length=0)
        axes[1].locator_params(axis="y", nbins=4)
    grid[0, 1].set_title("bound, below the best (nats)")
    grid[0, 2].set_title("$q(y\\mid x)$")
    for axes in grid[-1, 1:]:
        axes.set_xlabel("class $y$")
    return figure


def _as_panel(
    name: str, image: ArrayLike, bounds: ArrayLike, shares: ArrayLike
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return one row's image (H, W), bounds and probabilities."""
    picture = as_array(image, f"image of {name!r}", 2, 3)
    bounds = as_array(bounds, f"bounds of {name!r}", 1)
    shares = as_array(shares, f"probabilities of {name!r}", 1)
    if len(bounds) != len(shares):
        raise ValueError(f"{name!r} must have one probability per bound, got {len(shares)}")
    if shares.min() < 0 or shares.max() > 1:
        raise ValueError(f"probabilities of {name!r} must lie between 0 and 1, got {shares}")
    return picture.reshape(picture.shape[-2:]), bounds, shares
