"""Answers as people write them, right and wrong, from the compact files in ``tests/answers``.

``## NAME`` opens an exercise. A line ``+ BODY`` is a right answer, ``- MISTAKE :: BODY`` a wrong
one. A body is statements with semicolons between them, and the last one is returned; a body of
`:` is written out on the indented lines that follow.
"""

import ast
import functools
import linecache
import math
import textwrap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy import special, stats
from torch.distributions import kl_divergence

from vaecourse.exercises.catalogue import exercises
from vaecourse.exercises.exercise import Exercise

FOLDER = Path(__file__).resolve().parent / "answers"
NAMES = {
    "torch": torch,
    "np": np,
    "math": math,
    "F": torch.nn.functional,
    "functional": torch.nn.functional,
    "td": torch.distributions,
    "kl_divergence": kl_divergence,
    "special": special,
    "stats": stats,
    "partial": functools.partial,
}


@dataclass(frozen=True)
class Written:
    """One answer: its exercise, what is wrong with it (nothing, if it is right), and its code."""

    exercise: Exercise
    mistake: str
    body: str
    place: str

    @property
    def is_right(self) -> bool:
        """Whether it is to be accepted."""
        return not self.mistake

    def function(self):
        """Compile the answer, with lines that a traceback can show."""
        tree = ast.parse(self.body)
        last = tree.body[-1]
        if isinstance(last, ast.Expr):
            tree.body[-1] = ast.copy_location(ast.Return(last.value), last)
        head = f"def answer({', '.join(self.exercise.parameters or ())}):\n"
        source = head + textwrap.indent(ast.unparse(tree), "    ")
        linecache.cache[self.place] = (len(source), None, source.splitlines(True), self.place)
        room = dict(NAMES)
        exec(compile(source, self.place, "exec"), room)
        return room["answer"]


def bodies(lines):
    """Yield the mistake, the body and the number of every answer in the lines of a file."""
    for number, line in enumerate(lines):
        if not line.startswith(("+ ", "- ")):
            continue
        mistake, _, body = line[2:].rpartition(" :: ") if line[0] == "-" else ("", "", line[2:])
        if body.strip() == ":":
            rest = lines[number + 1 :]
            stop = next((i for i, each in enumerate(rest) if not each.startswith("    ")), None)
            body = textwrap.dedent("\n".join(rest[:stop]))
        yield mistake, body, number + 1


def written(chapter: int | None = None) -> list[Written]:
    """Read the answers of a chapter, or of all."""
    found = []
    for path in sorted(FOLDER.glob("*.txt" if chapter is None else f"{chapter:02}.txt")):
        for part in path.read_text(encoding="utf-8").split("## ")[1:]:
            name, *lines = part.splitlines()
            exercise = exercises()[name.strip()]
            found += [
                Written(exercise, mistake, body, f"<{exercise.name}, line {number}>")
                for mistake, body, number in bodies(lines)
            ]
    return found
