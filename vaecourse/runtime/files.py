"""Files that are written whole or not at all, whatever ends the program."""

import glob
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["remove_unfinished", "whole_file", "write_json", "write_whole"]

UNFINISHED = ".partial"


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Lend a name beside `path`; what was written there takes the place of `path` at the end.

    Missing folders are made. After an error the unfinished file is gone and `path` as it was.

    Parameters
    ----------
    path : path
        The file to be written.

    Yields
    ------
    Path
        Where to write it first: in the same folder, hence on the same disk.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}{UNFINISHED}")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_whole(path: str | Path, text: str) -> None:
    """Write text, in UTF-8, to `path`: all of it or nothing."""
    with whole_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: object) -> None:
    """Write anything that JSON can hold to `path`: all of it or nothing."""
    write_whole(path, json.dumps(content, indent=1) + "\n")


def remove_unfinished(path: str | Path) -> None:
    """Delete what killed programs left of `path`, which nobody else may be writing now."""
    path = Path(path)
    for stale in path.parent.glob(f"{glob.escape(path.name)}.????????{UNFINISHED}"):
        stale.unlink(missing_ok=True)
