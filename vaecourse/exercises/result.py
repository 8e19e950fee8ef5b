"""What a check says: one box, in HTML and in plain text."""

import re
from dataclasses import asdict, dataclass
from html import escape

__all__ = ["Hint", "Notice", "Result"]

# Against white and against the dark page each has a contrast of three to one or more, and no
# meaning: the words say everything.
COLORS = {"right": "#1f9d55", "wrong": "#c2700a", "stopped": "#c2700a"}
WORDS = {
    "right": "✓ Right",
    "wrong": "✗ Not yet",
    "stopped": "■ Stopped",
    "not attempted": "○ Not attempted yet",
    "unknown": "? No such exercise",
}
CODE = (
    "white-space:pre-wrap;overflow-wrap:anywhere;background:none;color:inherit;"
    "border:0;margin:.3em 0;padding:0"
)


def prose(text):
    """Return ``text`` as HTML, with backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def box(color, heading, body):
    """Return a box that inherits its text color and its background, so that it suits any theme."""
    style = f"border-left:4px solid {color};padding:.4em .9em;margin:.3em 0;color:inherit"
    return (
        f'<div class="vae-check transparent" role="status" style="{style}">'
        f"<p style='margin:0 0 .3em'><strong>{heading}</strong></p>{body}</div>"
    )


def paragraph(text):
    """Return one paragraph of a box."""
    return f"<p style='margin:.3em 0'>{prose(text)}</p>"


def ladder(hints, number=1):
    """Return hints that fold out one after the other: the next lies within the one before."""
    if not hints:
        return ""
    first, *others = hints
    return (
        f"<details style='margin:.2em 0'><summary>Hint {number}</summary>"
        f"{paragraph(first)}{ladder(others, number + 1)}</details>"
    )


@dataclass(frozen=True)
class Result:
    """What a check found.

    Attributes
    ----------
    name, title : str
        The exercise.
    status : str
        ``"right"``, ``"wrong"``, ``"stopped"``, ``"not attempted"`` or ``"unknown"``.
    message : str
        What the student is told.
    stage : str
        Where the check stopped, such as ``"shape"``.
    mistake : str
        Name of the known mistake, or an empty string.
    line : str
        The student's own line, where an exception came from it.
    printed : str
        Beginning of what the answer printed.
    hints : tuple of str
        Hints to be opened one at a time, where there is something left to do.
    """

    name: str
    title: str
    status: str
    message: str
    stage: str = ""
    mistake: str = ""
    line: str = ""
    printed: str = ""
    hints: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.status == "right"

    def as_dict(self) -> dict:
        """Return the fields, to be written as JSON."""
        return asdict(self)

    def __repr__(self) -> str:
        parts = [f"{WORDS[self.status]} · {self.name}", self.message]
        parts += [f"    {self.line}"] * bool(self.line)
        parts += [f"(printed: {self.printed})"] * bool(self.printed)
        if self.hints:
            parts.append(f'Stuck? hint("{self.name}")')
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        heading = f"{WORDS[self.status]} · {escape(self.title or self.name)}"
        body = paragraph(self.message)
        if self.line:
            body += f"<pre style='{CODE}'><code>{escape(self.line)}</code></pre>"
        if self.printed:
            body += paragraph("While it was checked, it printed:")
            body += f"<pre style='{CODE}'><code>{escape(self.printed)}</code></pre>"
        body += ladder(self.hints)
        return box(COLORS.get(self.status, "#808080"), heading, body)


@dataclass(frozen=True)
class Hint:
    """One hint of an exercise."""

    name: str
    number: int
    text: str

    def __repr__(self) -> str:
        return f"Hint {self.number} of 3 · {self.name}\n{self.text}"

    def _repr_html_(self) -> str:
        return box(
            "#808080", f"Hint {self.number} of 3 · {escape(self.name)}", paragraph(self.text)
        )


@dataclass(frozen=True)
class Notice:
    """A few lines of text in a box, such as a student's progress."""

    heading: str
    lines: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join([self.heading, *self.lines])

    def _repr_html_(self) -> str:
        return box("#808080", escape(self.heading), "".join(map(paragraph, self.lines)))
