"""Shapes, arrows and mathematical text as SVG, and the object that holds them."""

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from vaecourse.runtime.files import write_whole

__all__ = ["Diagram"]

ACCENT = "#0896a0"
CORAL = "#e0604a"
INK = "currentColor"
MIDTONE = "#7b8390"  # for a file shown by <img>, which no page can color: on white and on black
STROKE = 1.6
SIZE = 17  # of text, in the drawing's units
MATH_SIZE = 1.14  # serif letters are smaller than those of the sans serif beside them
SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
SERIF = "'STIX Two Text', 'Latin Modern Roman', 'Times New Roman', 'Liberation Serif', serif"
# The page's own ink and paper, in the book, in JupyterLab, and elsewhere.
PAGE_INK = "var(--pst-color-text-base, var(--jp-content-font-color1, currentColor))"
PAGE_PAPER = "var(--pst-color-background, var(--jp-layout-color0, transparent))"

_counter = itertools.count(1)
_TOKEN = re.compile(r"\*(?P<italic>[^*]+)\*|_\{(?P<sub>[^}]*)\}|(?P<plain>[^*_]+|[*_])")


@dataclass(frozen=True)
class Diagram:
    """An SVG drawing that shows itself in a notebook.

    Parameters
    ----------
    width, height : float
        Size of the drawing, in its own units and, at most, in pixels.
    title : str
        Name of the drawing, for screen readers.
    description : str
        What it shows, in words, for those who do not see it.
    parts : tuple of str
        SVG elements.
    """

    width: float
    height: float
    title: str
    description: str
    parts: tuple[str, ...]

    def svg(self, *, ink: str = PAGE_INK) -> str:
        """Return the whole drawing as SVG; each call gives it ids of its own.

        Parameters
        ----------
        ink : str
            CSS color of lines and text.
        """
        return self._document(f"vaecourse-diagram-{next(_counter)}", ink)

    def _document(self, name: str, ink: str) -> str:
        style = f"display:block;width:100%;max-width:{self.width:g}px;height:auto;margin:0 auto"
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'role="img" aria-labelledby="{name}-title {name}-desc" '
            f'style="{style};color:{ink}" font-family="{SANS}" font-size="{SIZE}">'
        )
        words = (
            f'<title id="{name}-title">{escape(self.title)}</title>',
            f'<desc id="{name}-desc">{escape(self.description)}</desc>',
        )
        return "\n".join([head, *words, *self.parts, "</svg>"])

    def save(self, path: str | Path) -> None:
        """Write the drawing to a file for ``<img>``, in mid tones that stand on white and black."""
        write_whole(path, self._document(Path(path).stem, MIDTONE) + "\n")

    def _repr_html_(self) -> str:
        """Return the drawing on the page's own paper."""
        style = f"background:{PAGE_PAPER};padding:0.5rem 0;border-radius:0.5rem"
        return f'<div class="vaecourse-diagram transparent" style="{style}">\n{self.svg()}\n</div>'

    def __repr__(self) -> str:
        return f"<Diagram: {self.title}>"


def _spans(markup: str, size: float) -> str:
    """Turn ``*x*`` into italics and ``_{i}`` into a subscript."""
    spans, sunken = [], False
    for token in _TOKEN.finditer(markup):
        drop, kind = 0.22 * size, token.lastgroup
        shift = f' dy="{-drop:.2f}"' if sunken else ""
        sunken = kind == "sub"
        if sunken:
            inner = _spans(token["sub"], 0.7 * size)
            spans.append(f'<tspan dy="{drop:.2f}" font-size="{0.7 * size:.1f}">{inner}</tspan>')
        elif kind == "italic":
            spans.append(f'<tspan{shift} font-style="italic">{escape(token["italic"])}</tspan>')
        else:
            spans.append(f"<tspan{shift}>{escape(token['plain'])}</tspan>")
    return "".join(spans)


def text(
    x: float,
    y: float,
    markup: str,
    *,
    size: float = SIZE,
    anchor: str = "middle",
    fill: str = INK,
    weight: str = "normal",
) -> str:
    """Return text centered on the height y; between dollar signs stands mathematics."""
    runs = []
    for index, run in enumerate(markup.split("$")):
        larger = MATH_SIZE * size
        if index % 2:
            inner = _spans(run, larger)
            runs.append(f'<tspan font-family="{SERIF}" font-size="{larger:.4g}">{inner}</tspan>')
        else:
            runs.append(escape(run))
    place = f'x="{x:g}" y="{y + 0.35 * size:.2f}" text-anchor="{anchor}" xml:space="preserve"'
    look = f'fill="{fill}" font-size="{size:g}" font-weight="{weight}"'
    return f"<text {place} {look}>{''.join(runs)}</text>"


def hat(x: float, y: float) -> str:
    """Return the hat of an estimate; fonts set the combining one badly."""
    path = f"M {x - 5:g} {y + 5:g} L {x:g} {y:g} L {x + 5:g} {y + 5:g}"
    return (
        f'<path d="{path}" fill="none" stroke="{INK}" stroke-width="1.4" stroke-linecap="round"/>'
    )


def _paint(stroke: str, fill: str, opacity: float, dashed: bool) -> str:
    dash = ' stroke-dasharray="5 4"' if dashed else ""
    return (
        f'fill="{fill}" fill-opacity="{opacity:g}" stroke="{stroke}" stroke-width="{STROKE}"'
        f' stroke-linejoin="round"{dash}'
    )


def box(
    x: float,
    y: float,
    width: float,
    height: float,
    *,
    stroke: str = INK,
    fill: str = "none",
    opacity: float = 0.14,
    radius: float = 9,
    dashed: bool = False,
) -> str:
    """Return a rounded rectangle around the center (x, y)."""
    place = f'x="{x - width / 2:g}" y="{y - height / 2:g}" width="{width:g}" height="{height:g}"'
    return f'<rect {place} rx="{radius:g}" {_paint(stroke, fill, opacity, dashed)}/>'


def circle(
    x: float,
    y: float,
    radius: float,
    *,
    stroke: str = INK,
    fill: str = "none",
    opacity: float = 0.14,
    dashed: bool = False,
) -> str:
    """Return a circle around (x, y)."""
    paint = _paint(stroke, fill, opacity, dashed)
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" {paint}/>'


def funnel(
    x: float, y: float, width: float, left: float, right: float, *, color: str = ACCENT
) -> str:
    """Return a trapezoid around (x, y), `left` high on its left side and `right` on its right."""
    corners = (
        (x - width / 2, y - left / 2),
        (x + width / 2, y - right / 2),
        (x + width / 2, y + right / 2),
        (x - width / 2, y + left / 2),
    )
    points = " ".join(f"{a:g},{b:g}" for a, b in corners)
    return f'<polygon points="{points}" {_paint(color, color, 0.14, False)}/>'


def arrow(
    points: Sequence[tuple[float, float]],
    *,
    color: str = INK,
    dashed: bool = False,
    bend: bool = False,
) -> str:
    """Return a line through `points` with a head at its end.

    With `bend`, the four points are those of a cubic curve.
    """
    (x0, y0), (x1, y1) = points[-2:]
    angle = math.atan2(y1 - y0, x1 - x0)
    length, half = 9.0, 4.2
    base = (x1 - length * math.cos(angle), y1 - length * math.sin(angle))
    side = (-half * math.sin(angle), half * math.cos(angle))
    corners = (
        (x1, y1),
        (base[0] + side[0], base[1] + side[1]),
        (base[0] - side[0], base[1] - side[1]),
    )
    head = " ".join(f"{a:.1f},{b:.1f}" for a, b in corners)
    line = [*points[:-1], base]
    pairs = [f"{a:.1f} {b:.1f}" for a, b in line]
    path = f"M {pairs[0]} C {', '.join(pairs[1:])}" if bend else "M " + " L ".join(pairs)
    return (
        f'<path d="{path}" {_paint(color, "none", 1, dashed)}/>'
        f'<polygon points="{head}" fill="{color}"/>'
    )


def cross(x: float, y: float, *, color: str = CORAL, reach: float = 7) -> str:
    """Return a cross over a path that is closed."""
    r = reach
    path = f"M {x - r} {y - r} L {x + r} {y + r} M {x - r} {y + r} L {x + r} {y - r}"
    return (
        f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2.6" stroke-linecap="round"/>'
    )
