"""The look of every figure: type, paper, and what a notebook shows of it."""

import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.cbook import is_math_text
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text
from numpy.typing import ArrayLike

from vaecourse.plots.palette import (
    ACCENT,
    DIGITS,
    HAIRLINE,
    INK,
    MUTED,
    PAPER,
    SERIES,
    SHAPES,
    UNKNOWN,
)
from vaecourse.plots.show import as_html, as_jpeg, as_png, has_photographs
from vaecourse.runtime import is_static

__all__ = [
    "ACCENT",
    "DIGITS",
    "HAIRLINE",
    "INK",
    "MUTED",
    "PAPER",
    "SERIES",
    "CourseFigure",
    "new_figure",
]

_FORMULAS = MathTextParser("path")
WIDTH = 6.0  # inches; narrow, so that labels stay readable when a phone shrinks the figure
PAD = 0.09  # inches around each axes
DPI = 110
RETINA = 2

STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",  # what lies below is the figure's paper, or the page's
    "axes.formatter.useoffset": False,
    "axes.grid": False,
    "axes.labelcolor": INK,
    "axes.labelsize": 10.5,
    "axes.linewidth": 0.7,
    "axes.prop_cycle": mpl.cycler(color=SERIES),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlepad": 7.0,
    "axes.titlesize": 10.5,
    "axes.titleweight": "normal",
    "axes.unicode_minus": True,
    "figure.dpi": DPI,
    "figure.edgecolor": PAPER,
    "figure.facecolor": PAPER,
    "font.family": ["DejaVu Sans"],
    "font.size": 10.5,
    "hatch.linewidth": 0.7,
    "image.interpolation": "nearest",
    "image.origin": "upper",
    "legend.fontsize": 10.0,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "mathtext.fontset": "dejavuserif",
    "patch.linewidth": 0.0,
    "savefig.bbox": None,
    "savefig.facecolor": PAPER,
    "text.color": INK,
    "xtick.color": MUTED,
    "xtick.direction": "out",
    "xtick.labelcolor": INK,
    "xtick.labelsize": 9.5,
    "xtick.major.size": 3.0,
    "xtick.major.width": 0.7,
    "xtick.minor.visible": False,
    "ytick.color": MUTED,
    "ytick.direction": "out",
    "ytick.labelcolor": INK,
    "ytick.labelsize": 9.5,
    "ytick.major.size": 3.0,
    "ytick.major.width": 0.7,
    "ytick.minor.visible": False,
}


class CourseFigure(Figure):
    """A matplotlib figure that carries its style with it and shows itself in a notebook."""

    def draw(self, renderer: RendererBase) -> None:
        """Draw under the course's style: some artists read the settings only now.

        A text between dollars that is no formula, as a name from a reader's own data may be, is
        drawn as it stands.
        """
        with mpl.rc_context(STYLE):
            for text in self.findobj(Text):
                if text.get_parse_math() and not _can_be_set(text.get_text()):
                    text.set_parse_math(False)
            super().draw(renderer)

    def _repr_html_(self) -> str | None:
        """Return the figure as HTML where a reader runs it: it follows the page into dark mode."""
        if is_static() or has_photographs(self):
            return None
        return as_html(self, RETINA * DPI, self._shown_width())

    def _repr_png_(self) -> tuple[bytes, dict[str, int]] | None:
        """Return a sharp PNG and the width at which a page shows it, on the book's own paper."""
        if has_photographs(self):
            return None
        picture = as_png(self, RETINA * DPI, "none" if is_static() else PAPER)
        return picture, {"width": self._shown_width()}

    def _repr_jpeg_(self) -> tuple[bytes, dict[str, int]] | None:
        """Return photographs with their paper, whose colors a dark page leaves alone."""
        if not has_photographs(self):
            return None
        return as_jpeg(self, RETINA * DPI, PAPER), {"width": self._shown_width()}

    def _shown_width(self) -> int:
        return round(self.get_figwidth() * DPI)


def _can_be_set(text: str) -> bool:
    try:
        for line in filter(is_math_text, text.split("\n")):
            _FORMULAS.parse(line)
    except ValueError:
        return False
    return True


def _show_in_notebook() -> None:
    """Have IPython show course figures our way even where pyplot has claimed all figures."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is not None:
        formatters = shell.display_formatter.formatters
        formatters["image/png"].for_type(CourseFigure, CourseFigure._repr_png_)
        formatters["image/jpeg"].for_type(CourseFigure, CourseFigure._repr_jpeg_)


def new_figure(height: float, width: float = WIDTH) -> CourseFigure:
    """Return an empty figure, `width` by `height` inches; call it inside ``rc_context(STYLE)``."""
    _show_in_notebook()
    layout = ConstrainedLayoutEngine(w_pad=PAD, h_pad=PAD)
    return CourseFigure(figsize=(width, height), layout=layout)


Drawing = TypeVar("Drawing", bound=Callable)


def styled(draw: Drawing) -> Drawing:
    """Run a drawing function under the course's style and leave the global settings alone."""
    return mpl.rc_context(STYLE)(draw)


def as_array(values: ArrayLike, name: str, *dims: int) -> np.ndarray:
    """Return `values` as a float array on the CPU.

    Parameters
    ----------
    values : array_like or Tensor
        Numbers; a tensor is detached from its graph.
    name : str
        Name of the argument, for the error.
    *dims : int
        Allowed numbers of dimensions; any without them.

    Raises
    ------
    ValueError
        If `values` is empty, not finite, or has another number of dimensions.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu().double().numpy()
    array = np.asarray(values, dtype=np.float64)
    if dims and array.ndim not in dims:
        wanted = " or ".join(str(dim) for dim in dims)
        raise ValueError(f"{name} must have {wanted} dimension(s), got shape {array.shape}")
    if not array.size:
        raise ValueError(f"{name} must hold at least one number, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} must be finite, got {int((~np.isfinite(array)).sum())} NaN or inf"
        )
    return array


def as_labels(labels: ArrayLike, count: int) -> np.ndarray:
    """Return class labels as integers, one for each of `count` points.

    Raises
    ------
    ValueError
        If there are not `count` of them, or one is no whole number from -1 (unlabeled) to 9.
    """
    array = as_array(labels, "labels", 1)
    if len(array) != count:
        raise ValueError(f"labels must hold one class per point, got {len(array)} for {count}")
    if (array != np.round(array)).any() or array.min() < -1 or array.max() >= len(DIGITS):
        raise ValueError("labels must be whole numbers from -1 (unlabelled) to 9")
    return array.astype(int)


def class_color(label: int) -> str:
    """Return the color of a class; unlabeled points are gray."""
    return UNKNOWN if label < 0 else DIGITS[label]


def class_shape(label: int) -> str:
    """Return the marker of a class; unlabeled points are dots."""
    return SHAPES[label] if label >= 0 else "o"


def class_name(label: int, names: Sequence[str] | None) -> str:
    """Return the name of a class in a legend."""
    if label < 0:
        return "none"
    return str(label) if names is None else names[label]
