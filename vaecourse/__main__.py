"""The command `vaecourse`, also ``python -m vaecourse``."""

import argparse
import sys
from importlib import import_module
from importlib.util import find_spec

import vaecourse

COMMANDS = (
    "vaecourse.commands",
    "vaecourse.experiments.cli",
    "vaecourse.exercises.cli",
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
    options = parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here", file=sys.stderr)
        return 130
    except (ValueError, RuntimeError, ImportError, OSError) as error:
        print(f"vaecourse: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
