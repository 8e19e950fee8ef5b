"""Run what a notebook's answer needs, and judge it, where it can do no harm."""

import os
from contextlib import redirect_stderr, redirect_stdout
from functools import partial

from vaecourse.exercises import record
from vaecourse.exercises.catalogue import exercises
from vaecourse.exercises.checking import finished, unknown
from vaecourse.exercises.exercise import Exercise
from vaecourse.exercises.judging import judge
from vaecourse.exercises.notebooks import Asked, CellError
from vaecourse.exercises.result import Result
from vaecourse.exercises.sandbox import SECONDS, Printed, TimeLimitError, alarm, run

__all__ = ["NotRunError", "judged"]

CELLS = 60.0
"""Seconds for the cells that one answer needs."""


class NotRunError(Exception):
    """There is no answer to be judged; the words say why."""


def judged(asked: Asked) -> Result:
    """Make one answer of a notebook and judge it, both apart from this process.

    Parameters
    ----------
    asked : Asked
        What the notebook asks to be checked.

    Raises
    ------
    NotRunError
        If a cell before it failed, took too long or ended its process.
    """
    exercise = exercises().get(asked.name)
    if asked.failure:
        raise NotRunError(asked.failure)
    if exercise is None:
        return Result(asked.name[:60], "", "unknown", unknown(asked.name))
    found = run(partial(_task, exercise, asked, os.getpid()), CELLS + SECONDS)
    if "failure" in found:
        raise NotRunError(found["failure"])
    if found.get("slow"):
        raise NotRunError(_too_long(asked))
    result = finished(exercise, found)
    if result.status != "not attempted":
        record.note(asked.name, result.passed)
    return result


def _too_long(asked: Asked) -> str:
    return (
        f"{asked.cell} and the cells that it needs did not finish within {CELLS:g} seconds. Is "
        "there a loop without an end?"
    )


def _task(exercise: Exercise, asked: Asked, parent: int) -> dict:
    """Make the answer and judge it, each within its own time."""
    printed = Printed()
    try:
        with redirect_stdout(printed), redirect_stderr(printed), alarm(CELLS):
            answer = asked.made()
    except CellError as error:
        return {"failure": str(error)}
    except TimeLimitError:
        return {"failure": _too_long(asked)}
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and os.getpid() == parent:
            raise  # it came from the keyboard
        words = f"{asked.cell} needs cells that raised {type(error).__name__}: {error}"
        return {"failure": " ".join(words.split())[:300]}
    with alarm(SECONDS):
        return judge(exercise, answer).as_dict()
