"""A terminal that may lack the course's characters, and a reader that may stop reading."""

import codecs
import errno
import os
import sys
import unicodedata
from contextlib import suppress

__all__ = ["READER_GONE", "OutputLostError", "flush", "prepare", "say"]

READER_GONE = 128 + 13
"""What a shell reports of a program whose reader stopped reading, as in ``| head -1``."""

PLAIN = {"★": "*", "✓": "+", "✗": "x", "○": "-", "·": "-", "…": "...", "±": "+/-"} | {
    "–": "-",
    "—": "-",
    "→": "->",
    "←": "<-",
    "≥": ">=",
    "≤": "<=",
    "−": "-",
}


class OutputLostError(Exception):
    """Standard output does not take what is written to it."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(f"the output cannot be written ({cause})")
        windows = os.name == "nt" and cause.errno == errno.EINVAL
        self.reader_gone = isinstance(cause, BrokenPipeError) or windows


def in_plain_letters(error: UnicodeError) -> tuple[str, int]:
    """Write what a terminal lacks in characters that every terminal has."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(character: str) -> str:
    if character in PLAIN:
        return PLAIN[character]
    name = unicodedata.name(character, "")
    if name.startswith("GREEK "):
        return name.split(" WITH ")[0].split()[-1].lower()
    parts = unicodedata.normalize("NFKD", character).replace("⁄", "/")
    return parts.encode("ascii", "ignore").decode() or "?"


codecs.register_error("vaecourse.plain", in_plain_letters)


def prepare() -> None:
    """Let standard output and standard error take every character, also where they are closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="vaecourse.plain")


def say(text: str, *, aside: bool = False) -> None:
    """Print a line for whoever uses the package; whatever the terminal lacks is written plainly.

    Parameters
    ----------
    text : str
        The line.
    aside : bool
        Whether it goes to standard error, where it is no part of what the program prints.
    """
    stream = sys.stderr if aside else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    print(text.encode(encoding, "vaecourse.plain").decode(encoding), file=stream, flush=True)


def flush(after: Exception | None = None) -> None:
    """Write out what was printed.

    Parameters
    ----------
    after : Exception, optional
        What ended the program. It does not say which pipe is broken; one more line on standard
        output tells whether it is that one.

    Raises
    ------
    OutputLostError
        If standard output does not take it. Whatever is printed later goes nowhere.
    """
    try:
        if isinstance(after, OSError) and after.errno in (errno.EPIPE, errno.EINVAL):
            sys.stdout.write("\n")
        sys.stdout.flush()
    except OSError as error:
        # Otherwise Python tries again at its end and complains in words of its own.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputLostError(error) from error
