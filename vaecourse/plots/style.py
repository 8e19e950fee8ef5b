"""The look of every figure: type, paper, and what a notebook shows of it."""

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.cbook import is_math_text
from matplotlib.colors import hsv_to_rgb, to_hex
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.mathtext import MathTextParser
from matplotlib.text import Text
from numpy.typing import ArrayLike

from vaecourse.data.codes import as_labels as encoded
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

GOLDEN = 0.6180339887498949
MOST_CLASSES = 42
"""So many names find room beside a figure."""
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

    spelled: frozenset[str] = frozenset()

    def spell(self, names: Iterable[object]) -> list[str]:
        """Have names from a reader's own data drawn letter by letter; return them as texts."""
        words = [shown(name) for name in names]
        self.spelled |= frozenset(words)
        return words

    def draw(self, renderer: RendererBase) -> None:
        """Draw under the course's style: some artists read the settings only now.

        A name of the reader's, and a text between dollars that is no formula, is drawn as it
        stands.
        """
        with mpl.rc_context(STYLE):
            for text in self.findobj(Text):
                words = text.get_text()
                if text.get_parse_math() and (words in self.spelled or not _can_be_set(words)):
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
            if not _encloses_formulas(line):
                return False
            _FORMULAS.parse(line)
    except ValueError:
        return False
    return True


def _encloses_formulas(line: str) -> bool:
    """Say whether dollars enclose formulas and are no money, by the rule of Pandoc's Markdown."""
    _, *parts = re.split(r"(?<!\\)\$", line)
    for formula, after in zip(parts[::2], parts[1::2], strict=True):
        if formula != formula.strip() or not formula or after[:1].isdigit():
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


class Classes(NamedTuple):
    """The class of each point as a whole number, -1 where there is none, and all names.

    Attributes
    ----------
    codes : numpy.ndarray
        Shape ``(N,)``, integers.
    names : tuple of str or None
        The name of class 0, of class 1 and so on; None where the numbers are the names.
    """

    codes: np.ndarray
    names: tuple[str, ...] | None = None

    @property
    def found(self) -> list[int]:
        """The classes that occur, in order."""
        return [int(code) for code in np.unique(self.codes)]

    def name(self, code: int) -> str:
        """Return what a figure calls a class."""
        if code < 0:
            return "none"
        return str(code) if self.names is None else shown(self.names[code])


def as_classes(labels: Any, count: int, names: Sequence | None = None) -> Classes:
    """Return the classes of `count` points.

    Parameters
    ----------
    labels : array_like or Tensor
        One a point, in any form that `vaecourse.Batch.of` takes; strings are their own names.
    count : int
        Number of points.
    names : sequence, optional
        Names of the classes, from class 0.

    Raises
    ------
    TypeError
        If labels are neither whole numbers nor strings, or some of both.
    ValueError
        If there are not `count` of them, one is no class, classes are more than can be told apart,
        or a class has no name.
    """
    if len(labels) != count:
        raise ValueError(f"labels must hold one class per point, got {len(labels)} for {count}")
    codes, own = encoded(labels, count, "labels")
    classes = Classes(codes.numpy(), (own or None) if names is None else tuple(map(str, names)))
    if len(classes.found) > MOST_CLASSES:
        raise ValueError(
            f"labels name {len(classes.found)} classes, and {MOST_CLASSES} at most are told apart "
            "by color: draw some of them, or merge them"
        )
    if classes.names is not None and len(classes.names) <= classes.codes.max():
        raise ValueError(
            f"names must name classes 0 to {classes.codes.max()}, got {len(classes.names)}"
        )
    return classes


def class_color(label: int) -> str:
    """Return the color of a class; unlabeled points are gray.

    Any two of the first ten can be told apart. Later ones go around the circle of hues by the
    golden ratio, in two shades.
    """
    if label < len(DIGITS):
        return UNKNOWN if label < 0 else DIGITS[label]
    shade = (0.75, 0.85) if label % 2 else (0.55, 0.6)
    return to_hex(hsv_to_rgb((label * GOLDEN % 1, *shade)))


def class_shape(label: int) -> str:
    """Return the marker of a class, in turn; unlabeled points are dots."""
    return SHAPES[label % len(SHAPES)] if label >= 0 else "o"


def legend_columns(entries: int) -> int:
    """Return how many columns a legend at the side of a figure takes."""
    return -(-entries // 14)


def shown(text: object) -> str:
    """Return a word of the reader's so that a legend holds it.

    Matplotlib leaves out of legends what begins with an underscore.
    """
    words = str(text)
    return f"\u200b{words}" if words.startswith("_") else words
