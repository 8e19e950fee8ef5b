"""Grids of images."""

from collections.abc import Mapping, Sequence
from numbers import Integral

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from vaecourse.plots.style import HAIRLINE, WIDTH, CourseFigure, as_array, new_figure, styled

__all__ = ["images", "interpolations", "manifold", "reconstructions"]

GAP = 0.08  # between two images, as a part of an image's side
LABEL_WIDTH = 0.085  # inches per character of a row's label
TITLE_HEIGHT = 0.24  # inches


def as_images(values: ArrayLike, name: str) -> np.ndarray:
    """Return images as (N, H, W) for gray or (N, H, W, 3) for color."""
    array = as_array(values, name, 3, 4)
    if array.ndim == 3:
        return array
    if array.shape[1] not in (1, 3):
        raise ValueError(
            f"{name} must be (N, H, W), (N, 1, H, W) or (N, 3, H, W), got shape {array.shape}"
        )
    return array[:, 0] if array.shape[1] == 1 else np.moveaxis(array, 1, -1)


def place_image(
    axes: Axes, picture: np.ndarray, column: float, row: float, gap: float = GAP
) -> None:
    """Draw one image in a cell of the grid; one axes for all cells is much the fastest."""
    inset = gap / 2
    extent = (column + inset, column + 1 - inset, row + 1 - inset, row + inset)
    if picture.ndim == 3:
        picture = np.clip(picture, 0, 1)
    axes.imshow(picture, cmap="gray_r", vmin=0, vmax=1, extent=extent, aspect="auto")


def frame_cell(axes: Axes, column: float, row: float) -> None:
    """Draw the edge of an image, so that white paper has a shape on a white page."""
    inset = GAP / 2
    x, y = (column + inset, column + 1 - inset), (row + inset, row + 1 - inset)
    corners = (x[0], x[1], x[1], x[0], x[0]), (y[0], y[0], y[1], y[1], y[0])
    axes.plot(*corners, color=HAIRLINE, linewidth=0.6, solid_joinstyle="miter", zorder=3)


def _grid(
    rows: Sequence[np.ndarray],
    labels: Sequence[str],
    titles: Sequence[str],
    width: float | None = None,
) -> tuple[CourseFigure, Axes]:
    """Draw rows of images with a label to the left of each row or a title above each image."""
    columns = max(len(row) for row in rows)
    shape = rows[0].shape[1:3]
    margin = max((len(label) for label in labels), default=0) * LABEL_WIDTH
    side = min((width or WIDTH) - margin, 0.86 * columns) / columns
    headroom = TITLE_HEIGHT if titles else 0.0
    height = len(rows) * (side * shape[0] / shape[1] + headroom)
    figure = new_figure(height + 0.1, side * columns + margin + 0.1)
    axes = figure.subplots()
    step = 1 + headroom / (side * shape[0] / shape[1])
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            place_image(axes, picture, j, i * step)
            frame_cell(axes, j, i * step)
            if titles and i * columns + j < len(titles):
                spot = (j + 0.5, i * step + GAP / 4)
                axes.text(*spot, titles[i * columns + j], ha="center", va="bottom", fontsize=9.5)
    axes.set(xlim=(0, columns), ylim=((len(rows) - 1) * step + 1, 1 - step), xticks=[])
    axes.set_yticks([i + 0.5 for i in range(len(rows))] if labels else [], labels=labels or None)
    axes.tick_params(length=0, labelsize=10.5)
    axes.spines[:].set_visible(False)
    return figure, axes


def _as_rows(rows: Sequence) -> list[np.ndarray]:
    """Return one image array per row, all of one image shape."""
    arrays = [as_images(row, "each row of images") for row in rows]
    if len({array.shape[1:] for array in arrays}) > 1:
        shapes = ", ".join(str(array.shape[1:]) for array in arrays)
        raise ValueError(f"rows must hold images of one shape, got {shapes}")
    return arrays


@styled
def images(
    rows: ArrayLike | Sequence[ArrayLike] | Mapping[str, ArrayLike],
    *,
    titles: Sequence | None = None,
    columns: int | None = None,
) -> Figure:
    """Draw images on a fixed scale from 0 (paper) to 1 (ink).

    Parameters
    ----------
    rows : array, sequence of arrays, or mapping of str to array
        One array ``(N, H, W)``, ``(N, 1, H, W)`` or ``(N, 3, H, W)`` fills a grid. A list or tuple
        of such arrays is drawn one array per row; a mapping labels its rows. Gray values outside
        [0, 1] are drawn as 0 or 1.
    titles : sequence, optional
        For one array: a title above each image. For a list: the labels of its rows.
    columns : int, optional
        Images per row of the grid; at most 10 without it. Only for one array.

    Returns
    -------
    Figure
        One axes with one image artist per image, in reading order.

    Raises
    ------
    ValueError
        If a shape, the number of titles, or `columns` does not fit.
    """
    if isinstance(rows, Mapping):
        rows, titles = list(rows.values()), list(rows)
    titles = [str(title) for title in titles] if titles is not None else []
    if isinstance(rows, list | tuple):
        if not rows:
            raise ValueError("rows must hold at least one row of images, got none")
        if columns is not None:
            raise ValueError("columns needs one array of images, got one array per row")
        arrays, expected = _as_rows(rows), len(rows)
    else:
        array, expected = as_images(rows, "images"), len(rows)
        columns = min(expected, 10) if columns is None else columns
        if not isinstance(columns, Integral) or columns < 1:
            raise ValueError(f"columns must be a positive integer, got {columns!r}")
        arrays = [array[start : start + columns] for start in range(0, expected, columns)]
    if titles and len(titles) != expected:
        raise ValueError(f"titles must name all {expected} rows or images, got {len(titles)}")
    by_row = isinstance(rows, list | tuple)
    return _grid(arrays, titles if by_row else [], [] if by_row else titles)[0]


def reconstructions(originals: ArrayLike, models: Mapping[str, object]) -> Figure:
    """Draw originals above what each model makes of them.

    Parameters
    ----------
    originals : array of shape (N, 1, H, W), (N, H, W) or (N, 3, H, W)
        Images given to the models.
    models : mapping of str to array
        For each row's label, the reconstructions, as many as `originals`.

    Returns
    -------
    Figure
        One row for the originals and one for each model.

    Raises
    ------
    ValueError
        If a row has another number or shape of images.
    """
    for label, row in models.items():
        if len(row) != len(originals):
            raise ValueError(f"{label!r} must hold {len(originals)} images, got {len(row)}")
    return images({"original": originals, **models})


@styled
def interpolations(rows: Mapping[str, object]) -> Figure:
    """Draw walks from one image to another, one per row.

    Parameters
    ----------
    rows : mapping of str to array
        For each row's label, the decoded images from start to end, ``(N, 1, H, W)`` with one N.

    Returns
    -------
    Figure
        One labeled row per walk over an axis from 0 (start) to 1 (end).

    Raises
    ------
    ValueError
        If there are no rows, or the rows differ in length or image shape.
    """
    if not rows:
        raise ValueError("rows must hold at least one interpolation, got none")
    arrays = _as_rows(list(rows.values()))
    if len({len(array) for array in arrays}) > 1:
        counts = ", ".join(str(len(array)) for array in arrays)
        raise ValueError(f"interpolations must have one length, got {counts}")
    figure, axes = _grid(arrays, [str(label) for label in rows], [])
    figure.set_figheight(figure.get_figheight() + 0.45)
    last = len(arrays[0]) - 1
    axes.set_xticks([0.5, (last + 1) / 2, last + 0.5], labels=["0", "½", "1"])
    axes.tick_params(axis="x", labelsize=9.5)
    axes.set_xlabel("part of the way from start to end")
    return figure


def _ticks(values: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return positions of round latent values, in tiles, and those values as text."""
    centers = np.arange(len(values)) + 0.5
    if len(values) > 1 and values[0] > values[-1]:
        values, centers = values[::-1], centers[::-1]
    low, high = values[0], values[-1]
    round_values = (
        MaxNLocator(nbins=5, steps=[1, 2, 5, 10]).tick_values(low, high)
        if high > low
        else values[:1]
    )
    inside = round_values[(round_values >= low) & (round_values <= high)]
    return np.interp(inside, values, centers), [f"{v:g}".replace("-", "−") for v in inside]


@styled
def manifold(images_grid: ArrayLike, codes: ArrayLike | None = None) -> Figure:
    """Draw the decoded latent plane as one sheet of tiles.

    Parameters
    ----------
    images_grid : array of shape (n, n, 1, H, W), (n, n, H, W) or (n, n, 3, H, W)
        Decoder means; ``images_grid[i, j]`` decodes ``codes[i, j]``, the first row on top.
    codes : array of shape (n, n, 2), optional
        Codes as `vaecourse.latents.manifold_grid` lays them out; they label the axes.

    Returns
    -------
    Figure
        One axes with one image artist per tile, in reading order.

    Raises
    ------
    ValueError
        If the tiles are no square grid, or `codes` do not form the grid of one value per column
        and one per row.
    """
    array = as_array(images_grid, "images_grid", 4, 5)
    num = len(array)
    if array.shape[1] != num:
        raise ValueError(f"images_grid must be (n, n, ...), got shape {array.shape}")
    tiles = as_images(array.reshape(-1, *array.shape[2:]), "images_grid")
    figure = new_figure(5.4, 5.4)
    axes = figure.subplots()
    for index, tile in enumerate(tiles):
        place_image(axes, tile, index % num, index // num, gap=0)
    axes.set(xlim=(0, num), ylim=(num, 0), aspect=tiles.shape[1] / tiles.shape[2])
    axes.set(xlabel="$z_1$", ylabel="$z_2$", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    if codes is not None:
        columns, rows = _axes_values(as_array(codes, "codes", 3), num)
        axes.set_xticks(*_ticks(columns))
        axes.set_yticks(*_ticks(rows))
    return figure


def _axes_values(codes: np.ndarray, num: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first coordinate of each column and the second of each row."""
    if codes.shape != (num, num, 2):
        raise ValueError(f"codes must have shape ({num}, {num}, 2), got {codes.shape}")
    columns, rows = codes[0, :, 0], codes[:, 0, 1]
    if (codes[..., 0] != columns).any() or (codes[..., 1] != rows[:, None]).any():
        raise ValueError("codes must hold one value per column and one per row, as manifold_grid")
    return columns, rows
