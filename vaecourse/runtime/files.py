"""Files that are written whole or not at all, whatever ends the program."""

import argparse
import errno
import glob
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = [
    "check_writable",
    "remove_unfinished",
    "whole_file",
    "writable",
    "write_json",
    "write_whole",
]

UNFINISHED = ".partial"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a write fails with where there is no room: on the disk, for the user, in one file."""


def check_writable(path: str | Path) -> None:
    """Ask whether `path` can be written, before the work that is to be kept there.

    Nothing is made, not even a missing folder.

    Raises
    ------
    FileExistsError
        If `path` is a folder or a device.
    OSError
        If its folder, or the one in which that would be made, is none or cannot be written, or its
        name is too long for the file that stands beside it while it is written.
    """
    path = Path(path)
    try:
        path = _end_of_links(path)
        _check_no_other(path)
        place = next(folder for folder in path.absolute().parents if folder.exists())
        with tempfile.TemporaryFile(dir=place):
            pass
        for name in _unfinished(path).absolute().relative_to(place).parts:
            with suppress(FileNotFoundError):
                os.lstat(place / name)  # whether there may be such a name, only the system knows
    except FileExistsError:
        raise
    except OSError as error:
        raise type(error)(
            f"{path} cannot be written ({error.strerror}); give another path, or allow it there"
        ) from error


def writable(text: str) -> Path:
    """Return the path that a command line names, if it can be written: a type for `argparse`."""
    try:
        check_writable(text)
    except OSError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return Path(text)


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Lend a name beside `path`; what was written there takes the place of `path` at the end.

    Missing folders are made. After an error the unfinished file is gone and `path` as it was.

    A file that is replaced keeps its mode; a new one has the mode that the umask gives to any file.
    A link stays, and the file that it leads to is replaced. What is no file is never replaced.

    Parameters
    ----------
    path : path
        The file to be written.

    Yields
    ------
    Path
        Where to write it first: in the same folder, hence on the same disk.

    Raises
    ------
    FileExistsError
        If `path` is a folder or a device.
    OSError
        If there is no room for the file, among others.
    """
    path = _end_of_links(path)
    there = _check_no_other(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = _unfinished(path)
    try:
        # Nobody may read a part of a file that they may not read once it is whole.
        unfinished.touch(0o600 if there else 0o666, exist_ok=False)
        mode = _mode(path if there else unfinished)
        yield unfinished
        # Who writes may have put a file of its own there, with another mode.
        if _mode(unfinished) != mode:
            unfinished.chmod(mode)
        os.replace(unfinished, path)
    except OSError as error:
        if error.errno not in FULL:
            raise
        kept = "what stood there before is untouched" if there else "nothing of it is left"
        full = OSError(f"{path} could not be written whole ({error.strerror}); {kept}; make room")
        full.errno = error.errno
        raise full from error
    finally:
        unfinished.unlink(missing_ok=True)


def _check_no_other(path: Path) -> bool:
    """Say whether there is a file; refuse whatever else is there."""
    there = path.exists()
    if there and not path.is_file():
        raise FileExistsError(
            f"{path} is a folder or a device, and a file was to be written there; give another path"
        )
    return there


def _unfinished(path: Path) -> Path:
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}{UNFINISHED}")


def _end_of_links(path: str | Path) -> Path:
    path = Path(path)
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write_whole(path: str | Path, text: str) -> None:
    """Write text, in UTF-8, to `path`: all of it or nothing."""
    with whole_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: object) -> None:
    """Write anything that JSON can hold to `path`: all of it or nothing."""
    write_whole(path, json.dumps(content, indent=1) + "\n")


def remove_unfinished(path: str | Path) -> None:
    """Delete what killed programs left of `path`, which nobody else may be writing now."""
    path = _end_of_links(path)
    for stale in path.parent.glob(f"{glob.escape(path.name)}.????????{UNFINISHED}"):
        stale.unlink(missing_ok=True)
