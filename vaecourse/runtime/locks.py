"""One process at a time has a file: locks that the system takes back when their holder dies.

This module needs nothing else of the package, so that the tools of the book can run it by itself.
"""

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["BusyError", "alone", "in_turn"]

MOMENT = 0.5
"""Seconds that nobody is told of."""


class BusyError(RuntimeError):
    """Another process has what this one wants."""


@contextmanager
def alone(path: str | Path, cure: str) -> Iterator[None]:
    """Have a file for this process alone, or refuse at once.

    Parameters
    ----------
    path : path
        The file, which need not be there. The lock is a hidden file beside it, gone afterwards, and
        so are the folders that had to be made for it and in which nothing else was put.
    cure : str
        What the refusal says to do.

    Raises
    ------
    BusyError
        If another process has it.
    OSError
        If nothing can be written there.
    """
    missing = [folder for folder in Path(os.path.realpath(path)).parents if not folder.exists()]
    lock = _lock(path)
    try:
        if not _taken(lock, 0.0, path):
            raise BusyError(f"{_holder(lock)} is at work on {path}; {cure}")
        with _kept(lock):
            yield
    finally:
        # Work that was refused leaves no folder behind; one that holds something stays.
        with suppress(OSError):
            for folder in missing:
                folder.rmdir()


@contextmanager
def in_turn(path: str | Path, patience: float | None = None) -> Iterator[None]:
    """Have a file for this process alone, after whoever has it now.

    Where that takes longer than a moment, a line on standard error says who is waited for. Pages
    that are built show none.

    Parameters
    ----------
    path : path
        The file, which need not be there.
    patience : float, optional
        Seconds to wait; as long as it takes when left out.

    Raises
    ------
    BusyError
        If another process has it for longer than that.
    OSError
        If nothing can be written there.
    """
    lock = _lock(path)
    if not _taken(lock, MOMENT, path):
        if os.environ.get("VAECOURSE_STATIC") != "1":
            print(f"waiting for {_holder(lock)}, which has {path}", file=sys.stderr, flush=True)
        if not _taken(lock, -1 if patience is None else patience, path):
            raise BusyError(f"{_holder(lock)} did not give {path} back within {patience:g} s")
    with _kept(lock):
        yield


def _lock(path: str | Path) -> FileLock:
    """Return the lock of a file, the same by whatever name the file goes."""
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    # Windows deletes no file that is open: there the library does it, once it has closed it.
    return FileLock(target.with_name(f".{target.name}.lock"), preserve_lock_file=os.name != "nt")


def _taken(lock: FileLock, seconds: float, path: str | Path) -> bool:
    folder = Path(lock.lock_file).parent
    while True:
        try:
            lock.acquire(timeout=seconds, poll_interval=0.02)
            break
        except Timeout:
            return False
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not folder.exists():
                # Whoever had the lock and made the folder has just taken it away.
                folder.mkdir(parents=True, exist_ok=True)
                continue
            error.filename = str(path)  # nobody has heard of the file beside it
            raise
    # Windows lets nobody read or write a file that is locked.
    with suppress(OSError):
        Path(lock.lock_file).write_text(f"{os.getpid()} {platform.node()}", encoding="utf-8")
    return True


@contextmanager
def _kept(lock: FileLock) -> Iterator[None]:
    try:
        yield
    finally:
        # While it is still held: whoever opened it meanwhile sees that it is gone and tries anew.
        if os.name != "nt":
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def _holder(lock: FileLock) -> str:
    with suppress(OSError, ValueError):
        number, host = Path(lock.lock_file).read_text(encoding="utf-8").split(maxsplit=1)
        elsewhere = f" on {host}" if host != platform.node() else ""
        return f"process {int(number)}{elsewhere}"
    return "another process"
