"""The map of the course."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from vaecourse.diagrams.svg import ACCENT, INK, STROKE, Diagram, arrow, box, text

__all__ = ["course_map"]

MARGIN = 3
BOX = (152, 66)
GAP = 18
GUTTER = 60  # between two rows; it holds the heading and the arrow to the row's first chapter
LINE_LENGTH = 20  # characters


def _center(row: int, column: int) -> tuple[float, float]:
    """Return the center of a chapter's box."""
    x = MARGIN + BOX[0] / 2 + column * (BOX[0] + GAP)
    return x, 32 + BOX[1] / 2 + row * (BOX[1] + GUTTER)


def _chapter(x: float, y: float, number: int, title: str, written: bool) -> list[str]:
    """Return a chapter's box: solid if it is written, an outline if it is to come."""
    lines = wrap(title, LINE_LENGTH)
    if len(lines) > 2:
        raise ValueError(f"a chapter's title must fit two lines of {LINE_LENGTH}, got {title!r}")
    ink = "#ffffff" if written else INK
    fill: dict[str, Any] = {"fill": "#077a83", "opacity": 1} if written else {}
    parts = [box(x, y, *BOX, stroke=ACCENT, dashed=not written, **fill)]
    parts.append(text(x, y - 19, f"{number:02d}", size=12, fill=ink, weight="600"))
    for index, line in enumerate(lines):
        shift = 18 * (index - (len(lines) - 1) / 2) + 8
        parts.append(text(x, y + shift, line, size=14, fill=ink, weight="500"))
    return parts


def _fan(row: int, count: int) -> list[str]:
    """Return arrows from the end of the row before to the first chapter, or to all, of a row."""
    start_x, start_y = _center(row - 1, 3)
    top = _center(row, 0)[1] - BOX[1] / 2
    line = top - 16
    first = _center(row, 0)[0]
    parts = [arrow([(start_x, start_y + BOX[1] / 2), (start_x, line), (first, line), (first, top)])]
    parts += [
        arrow([(_center(row, column)[0], line), (_center(row, column)[0], top)])
        for column in range(1, count)
    ]
    return parts


def course_map(rows: Mapping[str, Sequence[tuple[int, str, bool]]]) -> Diagram:
    """Draw the chapters of the course, row by row.

    Parameters
    ----------
    rows : mapping of str to sequence of (number, title, written)
        For each row's heading, its chapters: four in every row but the last, which has at most
        four. The rows before the last form one path; the last row branches off its end.

    Returns
    -------
    Diagram
        Drawing 668 wide.

    Raises
    ------
    ValueError
        If a row has another number of chapters, or a title needs more than two lines.
    """
    groups = list(rows.items())
    sizes = [len(chapters) for _, chapters in groups]
    if len(groups) < 2 or any(size != 4 for size in sizes[:-1]) or not 1 <= sizes[-1] <= 4:
        raise ValueError(f"rows must hold four chapters each, the last one to four, got {sizes}")
    parts: list[str] = []
    for row, (heading, chapters) in enumerate(groups):
        top = _center(row, 0)[1] - BOX[1] / 2
        shift = 30 if row else 15
        parts.append(text(MARGIN, top - shift, heading, size=15, anchor="start", weight="600"))
        last = row == len(groups) - 1
        if row:
            parts += _fan(row, len(chapters) if last else 1)
        for column, (number, title, written) in enumerate(chapters):
            x, y = _center(row, column)
            parts += _chapter(x, y, number, title, written)
            if column and not last:
                edge = x - BOX[0] / 2
                parts.append(arrow([(edge - GAP, y), (edge - STROKE / 2, y)]))
    listing = "; ".join(
        f"{heading}: " + ", ".join(f"{number} {title}" for number, title, _ in chapters)
        for heading, chapters in groups
    )
    to_come = [str(number) for _, chapters in groups for number, _, done in chapters if not done]
    description = f"{listing}. To come: {', '.join(to_come) or 'none'}."
    width = 2 * MARGIN + 4 * BOX[0] + 3 * GAP
    height = _center(len(groups) - 1, 0)[1] + BOX[1] / 2 + MARGIN
    return Diagram(width, height, "The map of the course", description, tuple(parts))
