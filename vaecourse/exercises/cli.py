"""The exercises from the shell: ``python -m vaecourse exercises list|check|progress|reset``."""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from vaecourse.exercises import record
from vaecourse.exercises.catalogue import exercises
from vaecourse.exercises.checking import progress
from vaecourse.exercises.notebooks import Notebook, read
from vaecourse.exercises.running import NotRunError, judged
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
    """Check every answer of the notebooks.

    The exit code is 1 where one is not right or not there, and 2 where something was not read.
    """
    notebooks, unread = {}, False
    for path in options.files:
        try:
            notebooks[path] = read(path)
        except (OSError, ValueError) as error:
            unread = True
            print(f"exercises: {error}", file=sys.stderr)
            continue
        words = list(notebooks[path].unread)
        if not notebooks[path].asked:
            words.append('no cell calls check("NN-name", answer), so nothing was checked')
        for each in words:
            print(f"exercises: {path}: {each}", file=sys.stderr)
        unread = unread or bool(words)
    results = [passed for path, notebook in notebooks.items() for passed in checked(path, notebook)]
    print(f"{sum(results)} of {len(results)} right")
    warn_of_trouble()
    return 2 if unread else int(not all(results))


def checked(path: Path, notebook: Notebook) -> Iterator[bool]:
    """Print what is said of every answer of a notebook, and yield whether it is right."""
    for asked in notebook.asked:
        try:
            result = judged(asked)
        except NotRunError as error:
            print(f"✗ Not run · {asked.name}\n{error}\n", flush=True)
            yield False
        else:
            print(f"{result!r}\n", flush=True)
            yield result.passed
    names = {asked.name for asked in notebook.asked}
    whole = re.match(r"\d\d-", path.name)  # a chapter, not a notebook with some of its exercises
    chapters = {name[:2] for name in names if name in exercises()}
    chapters |= {path.name[:2]} if whole else set()
    for name in exercises():
        if name[:2] in chapters and name not in names:
            print(f"○ Not there · {name}: no cell of {path.name} checks it")
            if whole:
                yield False


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
