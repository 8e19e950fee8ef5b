"""What each latent unit says about each factor: a matrix per model."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from vaecourse.plots.style import ACCENT, INK, PAPER, as_array, new_figure, styled

__all__ = ["factor_matrix"]

SHADES = LinearSegmentedColormap.from_list("paper to accent", [PAPER, ACCENT])
CELL = 0.36  # inches, square


@styled
def factor_matrix(
    matrices: Mapping[str, object],
    factors: Sequence[str],
    *,
    units: Sequence[str] | None = None,
    digits: int = 2,
) -> Figure:
    """Draw one matrix of units over factors per model, on one scale from 0 to the largest value.

    Parameters
    ----------
    matrices : mapping of str to array of shape (L, K)
        For each panel's title one number per unit and factor, at least 0, such as mutual
        information or importance.
    factors : sequence of str
        Names of the K columns.
    units : sequence of str, optional
        Names of the rows; ``z_1`` to ``z_L`` of each panel without it.
    digits : int
        Decimals of the numbers in the cells.

    Returns
    -------
    Figure
        One axes per matrix, side by side, with one image and one number per cell. The largest
        number of each column is bold.

    Raises
    ------
    ValueError
        If there is no matrix, a shape or the number of names does not fit, or a value is negative.
    """
    if not matrices:
        raise ValueError("matrices must hold at least one matrix, got none")
    drawn = {title: _as_matrix(title, m, factors, units) for title, m in matrices.items()}
    tallest = max(len(matrix) for matrix in drawn.values())
    width = len(drawn) * (len(factors) * CELL * 1.25 + 0.55) + 0.3
    figure = new_figure(tallest * CELL + 1.5, width)
    grid = figure.subplots(1, len(drawn), squeeze=False)
    top = max(matrix.max() for matrix in drawn.values()) or 1.0
    for axes, (title, matrix) in zip(grid.flat, drawn.items(), strict=True):
        axes.imshow(matrix, cmap=SHADES, vmin=0, vmax=top, aspect="auto")
        _number(axes, matrix, top, digits)
        names = units or [f"$z_{{{row}}}$" for row in range(1, len(matrix) + 1)]
        columns = figure.spell(str(name).replace("_", " ") for name in factors)
        axes.set_xticks(range(len(factors)), columns,
                        rotation=50, ha="right", rotation_mode="anchor")  # fmt: skip
        axes.set_yticks(range(len(matrix)), names)
        axes.set(title=str(title))
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    return figure


def _number(axes: Axes, matrix: np.ndarray, top: float, digits: int) -> None:
    """Write each cell's number, light on dark cells, bold where its column has the most."""
    best = matrix.argmax(0)
    for (row, column), value in zip(
        ((r, c) for r in range(matrix.shape[0]) for c in range(matrix.shape[1])),
        matrix.flat,
        strict=True,
    ):
        color = PAPER if value > 0.55 * top else INK
        weight = "bold" if best[column] == row else "normal"
        text = f"{value:.{digits}f}"
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=9,
                  fontweight=weight)  # fmt: skip


def _as_matrix(
    title: str, values: ArrayLike, factors: Sequence[str], units: Sequence[str] | None
) -> np.ndarray:
    matrix = as_array(values, f"matrix of {title!r}", 2)
    if matrix.shape[1] != len(factors) or (units is not None and len(units) != len(matrix)):
        raise ValueError(
            f"matrix of {title!r} must have a row per unit and a column per factor "
            f"({len(factors)}), got shape {matrix.shape}"
        )
    if matrix.min() < 0:
        raise ValueError(f"matrix of {title!r} must be at least 0, got {matrix.min():g}")
    return matrix
