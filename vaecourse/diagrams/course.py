"""The map of the course."""

from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import Any

from vaecourse.diagrams.svg import ACCENT, STROKE, Diagram, arrow, box, text

__all__ = ["course_map"]

MARGIN = 3
BOX = (152, 84)
GAP = 18
GUTTER = 60  # between two rows; it holds the heading and the arrow to the row's first chapter
LINE_LENGTH = 19  # characters
WIDTH = 4  # chapters beside one another


def _center(row: int, column: int) -> tuple[float, float]:
    """Return the center of a chapter's box."""
    x = MARGIN + BOX[0] / 2 + column * (BOX[0] + GAP)
    return x, 32 + BOX[1] / 2 + row * (BOX[1] + GUTTER)


def _chapter(x: float, y: float, number: int, title: str) -> list[str]:
    """Return a chapter's box."""
    lines = wrap(title, LINE_LENGTH)
    if len(lines) > 3:
        raise ValueError(f"a chapter's title must fit three lines of {LINE_LENGTH}, got {title!r}")
    ink: dict[str, Any] = {"fill": "#ffffff"}
    parts = [box(x, y, *BOX, stroke=ACCENT, fill="#077a83", opacity=1)]
    parts.append(text(x, y - 26, f"{number:02d}", size=12, weight="600", **ink))
    for index, line in enumerate(lines):
        shift = 18 * (index - (len(lines) - 1) / 2) + 9
        parts.append(text(x, y + shift, line, size=14, weight="500", **ink))
    return parts


def _to_row(row: int, count: int, last: int) -> list[str]:
    """Return arrows from the last box of the row before to the first `count` of a row."""
    start_x, start_y = _center(row - 1, last)
    top = _center(row, 0)[1] - BOX[1] / 2
    line = top - 16
    first = _center(row, 0)[0]
    parts = [arrow([(start_x, start_y + BOX[1] / 2), (start_x, line), (first, line), (first, top)])]
    others = (_center(row, column)[0] for column in range(1, count))
    return parts + [arrow([(start_x, line), (x, line), (x, top)]) for x in others]


def _further(row: int, count: int) -> list[str]:
    """Return arrows to a further row of branches, by the gap after the first box above it."""
    line, above = (_center(r, 0)[1] - BOX[1] / 2 - 16 for r in (row, row - 1))
    trunk = _center(row, 0)[0] + (BOX[0] + GAP) / 2
    return [
        arrow([(trunk, above), (trunk, line), (x, line), (x, line + 16)])
        for x in (_center(row, column)[0] for column in range(count))
    ]


def _along(row: int, count: int) -> list[str]:
    """Return arrows from each box of a row to the next."""
    places = [_center(row, column) for column in range(1, count)]
    edges = [(x - BOX[0] / 2, y) for x, y in places]
    return [arrow([(edge - GAP, y), (edge - STROKE / 2, y)]) for edge, y in edges]


def course_map(rows: Mapping[str, Sequence[tuple[int, str]]]) -> Diagram:
    """Draw the chapters of the course: one path, and what branches off its end.

    Parameters
    ----------
    rows : mapping of str to sequence of (number, title)
        For each heading, its chapters. They stand four beside one another, and more than four take
        further rows. Those before the last heading form the path; those under it branch off.

    Returns
    -------
    Diagram
        Drawing 668 wide.

    Raises
    ------
    ValueError
        If there are fewer than two headings, one without a chapter, or a title needs more than
        three lines.
    """
    groups = list(rows.items())
    sizes = [len(chapters) for _, chapters in groups]
    if len(groups) < 2 or not all(sizes):
        raise ValueError(f"rows must be two or more, each with a chapter, got {sizes}")
    parts: list[str] = []
    row, before = 0, 0
    for heading, chapters in groups:
        top = _center(row, 0)[1] - BOX[1] / 2
        shift = 30 if row else 15
        parts.append(text(MARGIN, top - shift, heading, size=15, anchor="start", weight="600"))
        branches = heading == groups[-1][0]
        for start in range(0, len(chapters), WIDTH):
            line = chapters[start : start + WIDTH]
            if branches and start:
                parts += _further(row, len(line))
            elif row:
                parts += _to_row(row, len(line) if branches else 1, before)
            parts += [] if branches else _along(row, len(line))
            for column, chapter in enumerate(line):
                parts += _chapter(*_center(row, column), *chapter)
            row, before = row + 1, len(line) - 1
    description = "; ".join(
        f"{heading}: " + ", ".join(f"{number} {title}" for number, title in chapters)
        for heading, chapters in groups
    )
    width = 2 * MARGIN + WIDTH * BOX[0] + (WIDTH - 1) * GAP
    height = _center(row - 1, 0)[1] + BOX[1] / 2 + MARGIN
    return Diagram(width, height, "The map of the course", f"{description}.", tuple(parts))
