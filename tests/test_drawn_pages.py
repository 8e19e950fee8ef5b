"""The tables that the build writes: each number is counted once more, by other means."""

import re
import sys
from collections import Counter
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import draw_pages  # noqa: E402
import weather_report  # noqa: E402

from vaecourse.exercises.catalogue import exercises  # noqa: E402


def test_every_assertion_is_counted_and_has_a_kind():
    lines = [
        line
        for path in [*(ROOT / "book").glob("*.ipynb"), *(ROOT / "book/appendix").glob("*.ipynb")]
        for cell in nbformat.read(path, as_version=4).cells
        if cell.cell_type == "code"
        for line in cell.source.splitlines()
        if re.match(r"\s*assert\b", line)
    ]
    counts = draw_pages.asserts()
    assert counts.total() == len(lines)
    assert set(counts) <= set(draw_pages.KINDS)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("assert x  # identity: sums", ["identity"]),
        ("assert f(\n    x\n)  # Monte Carlo", ["Monte Carlo"]),
        ("# outcome\nassert x", [None]),
        ("%time f()\nfor x in y:\n    assert x  # outcome", ["outcome"]),
    ],
)
def test_an_assertion_has_the_kind_that_its_comment_says(source, wanted):
    assert [kind for _, kind in weather_report.kinds(source)] == wanted


def test_every_exercise_and_every_known_mistake_is_in_the_tables():
    text = draw_pages.mistakes()
    names = Counter(re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE))
    assert names == Counter(list(exercises()))
    for exercise in exercises().values():
        (row,) = re.findall(rf"^\| `{exercise.name}` .*$", text, re.MULTILINE)
        told = row.rstrip(" |").rsplit("| ", 1)[1].split(", ")
        assert len(told) == len(exercise.catalogue)
        assert f"| {exercise.minutes} |" in row
    facts = draw_pages.checked()
    known = sum(len(exercise.mistakes) for exercise in exercises().values())
    assert re.search(rf"wrong answers.*\| {known} \|", facts)
