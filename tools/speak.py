"""Run a tool on any terminal and into any pipe, without waiting for PyTorch as the package does."""

import os
import sys

READER_GONE = 128 + 13  # what a shell reports of a program whose reader stopped, as in `| head -1`


def on_any_terminal(main):
    """Return what `main` returns, as an exit status.

    Characters that the terminal lacks are written as escapes. Where nobody reads on, the tool ends
    without a word.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            return main() or 0
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        # Otherwise Python tries again at its end and complains in words of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return READER_GONE
