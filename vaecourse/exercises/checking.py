"""The three functions that a chapter uses."""

import difflib
from collections import Counter

from vaecourse.exercises import record
from vaecourse.exercises.catalogue import exercises
from vaecourse.exercises.exercise import Exercise
from vaecourse.exercises.judging import judge
from vaecourse.exercises.result import Hint, Notice, Result
from vaecourse.exercises.sandbox import SECONDS, run

__all__ = ["check", "hint", "progress"]

_shown: Counter = Counter()


def unknown(name) -> str:
    """Say that there is no such exercise, and which one may have been meant."""
    near = difflib.get_close_matches(str(name), exercises(), n=1, cutoff=0.5)
    words = f"There is no exercise named {str(name)[:60]!r}."
    return f"{words} Did you mean {near[0]!r}?" if near else words


def finished(exercise: Exercise, found: dict) -> Result:
    """Turn what came back from the sandbox into a result."""
    printed = found.get("printed", "")
    if "status" in found:
        return Result(**{**found, "hints": tuple(found["hints"]), "printed": printed})
    if found.get("slow"):
        words = f"It did not finish within {SECONDS:g} seconds. Is there a loop without an end?"
    else:
        words = "It ended the Python process that ran it, or needed more memory than there is."
    stage = "time" if found.get("slow") else "memory"
    more = {"stage": stage, "printed": printed, "hints": exercise.hints}
    return Result(exercise.name, exercise.title, "stopped", words, **more)


def check(name: str, answer, *, counts: bool = True) -> Result:
    """Say whether an answer is right, or the first thing that is wrong with it.

    The answer runs apart from the notebook, within ten seconds and 2 GiB; see
    `vaecourse.exercises.sandbox`. Nothing that it does raises an error here.

    Parameters
    ----------
    name : str
        Name of the exercise, such as ``"04-gaussian-kl"``.
    answer : object
        The function, number or model that the exercise asks for.
    counts : bool
        Whether this is written down as an attempt of the student's. The solutions say False.

    Returns
    -------
    Result
        Shown as one box.
    """
    exercise = exercises().get(name) if isinstance(name, str) else None
    if exercise is None:
        return Result(str(name)[:60], "", "unknown", unknown(name))
    result = finished(exercise, run(lambda: judge(exercise, answer).as_dict()))
    if counts and result.status != "not attempted":
        record.note(name, result.passed)
    return result


def hint(name: str, number: int | None = None) -> Hint | Notice:
    """Give the next of an exercise's three hints, from a nudge to the line.

    Parameters
    ----------
    name : str
        Name of the exercise.
    number : int, optional
        1, 2 or 3. Without it, the first call gives the first hint, and each call one more.
    """
    exercise = exercises().get(name) if isinstance(name, str) else None
    if exercise is None:
        return Notice("No such exercise", (unknown(name),))
    if number is None:
        _shown[name] += 1
        number = _shown[name]
    number = number if number in (1, 2, 3) else 3
    return Hint(name, number, exercise.hints[number - 1])


def progress() -> Notice:
    """Say what is solved, chapter by chapter."""
    done = {name for name, row in record.load().items() if row["solved"]}
    lines = []
    for chapter in sorted({exercise.chapter for exercise in exercises().values()}):
        names = [e.name for e in exercises().values() if e.chapter == chapter]
        marks = " ".join(("✓ " if name in done else "○ ") + name[3:] for name in names)
        count = sum(name in done for name in names)
        lines.append(f"Chapter {chapter}: {count} of {len(names)} · {marks}")
    total = len(done & set(exercises()))
    return Notice(f"{total} of {len(exercises())} exercises solved", tuple(lines))
