"""The command `vaecourse`, also ``python -m vaecourse``."""

import argparse
import sys
from importlib import import_module
from importlib.util import find_spec

import vaecourse
from vaecourse.runtime import terminal
from vaecourse.runtime.interrupts import terminated_like_interrupted

COMMANDS = (
    "vaecourse.commands",
    "vaecourse.experiments.cli",
    "vaecourse.exercises.cli",
    "vaecourse.notebooks",
    "vaecourse.doctor",
)
"""Modules that have a command, where they are there: each adds its own by ``add_parser``."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    whole = argparse.ArgumentParser(prog="vaecourse", description=vaecourse.__doc__)
    whole.add_argument("--version", action="version", version=vaecourse.__version__)
    subparsers = whole.add_subparsers(required=True, metavar="command")
    for module in COMMANDS:
        if find_spec(module.rsplit(".", 1)[0]) and find_spec(module):
            import_module(module).add_parser(subparsers)
    return whole


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return what the shell shall see."""
    terminal.prepare()
    try:
        try:
            options = parser().parse_args(arguments)
            return _run(options)
        finally:
            terminal.flush()
    except terminal.OutputLostError as error:
        if error.reader_gone:
            return terminal.READER_GONE
        print(f"vaecourse: {error}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    try:
        with terminated_like_interrupted():
            return options.run(options) or 0
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    except (ValueError, RuntimeError, ImportError, OSError, FloatingPointError) as error:
        terminal.flush(after=error)  # where the output is at fault, there is no more to say
        print(f"vaecourse: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
