"""The exercises from the shell: ``python -m vaecourse exercises list|check|progress|reset``."""

import argparse
import json
import sys
from pathlib import Path

from vaecourse.exercises import record
from vaecourse.exercises.catalogue import exercises
from vaecourse.exercises.checking import check, progress
from vaecourse.exercises.notebooks import answers_in
from vaecourse.runtime.locks import BusyError

__all__ = ["add_parser"]

STARS = "★"


def rows() -> list[dict]:
    """Return what `list` tells of every exercise."""
    return [
        {
            "name": exercise.name,
            "chapter": exercise.chapter,
            "title": exercise.title,
            "difficulty": exercise.difficulty,
            "minutes": exercise.minutes,
            "mistakes": len(exercise.catalogue),
        }
        for exercise in exercises().values()
    ]


def show_list(options: argparse.Namespace) -> int:
    """List the exercises."""
    if options.json:
        print(json.dumps(rows(), indent=1))
        return 0
    for row in rows():
        stars = STARS * row["difficulty"]
        print(f"{row['name']:30}{stars:5}{row['minutes']:3} min  {row['title']}")
    return 0


def check_notebooks(options: argparse.Namespace) -> int:
    """Check every answer of the notebooks; the exit code is 1 where one is not right."""
    results = []
    for path in options.files:
        try:
            found = answers_in(path)
        except (OSError, ValueError) as error:
            print(f"exercises: {error}", file=sys.stderr)
            return 2
        for each in found:
            if each.failure:
                results.append(False)
                print(f"✗ Not run · {each.name}\n{each.failure}\n")
                continue
            result = check(each.name, each.answer)
            results.append(result.passed)
            print(f"{result!r}\n")
    print(f"{sum(results)} of {len(results)} right")
    warn_of_trouble()
    return 0 if all(results) else 1


def show_progress(options: argparse.Namespace) -> int:
    """Say what is solved."""
    print(repr(progress()))
    warn_of_trouble()
    return 0


def warn_of_trouble() -> None:
    """Say it where what is solved cannot be written down."""
    words = record.trouble()
    if words:
        print(f"exercises: {words}", file=sys.stderr)


def reset(options: argparse.Namespace) -> int:
    """Forget what is solved."""
    try:
        record.forget()
    except (OSError, BusyError) as error:
        print(f"exercises: the record could not be deleted: {error}", file=sys.stderr)
        return 2
    print("Every exercise is unsolved again.")
    return 0


def add_parser(subparsers) -> None:
    """Register the command ``exercises`` and its own commands.

    Parameters
    ----------
    subparsers : object
        What `argparse.ArgumentParser.add_subparsers` returned. Each command sets ``run``, a
        function of the parsed options that returns an exit code.
    """
    parser = subparsers.add_parser("exercises", help="list, check and follow the exercises")
    commands = parser.add_subparsers(dest="exercises_command", required=True)
    listing = commands.add_parser("list", help="name every exercise")
    listing.add_argument("--json", action="store_true", help="as JSON, with known mistakes counted")
    listing.set_defaults(run=show_list)
    checking = commands.add_parser("check", help="check the answers in notebooks")
    checking.add_argument("files", nargs="+", type=Path, metavar="FILE.ipynb")
    checking.set_defaults(run=check_notebooks)
    commands.add_parser("progress", help="say what is solved").set_defaults(run=show_progress)
    commands.add_parser("reset", help="forget what is solved").set_defaults(run=reset)
