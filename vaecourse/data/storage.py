"""Where data lie on disk: the folders that are searched, content hashes, finished folders."""

import hashlib
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

import numpy as np
import platformdirs

from vaecourse.runtime import is_static

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


class DataError(RuntimeError):
    """A data set is missing, or its files cannot be used."""


def cache_folder() -> Path:
    """Return the folder for what this package downloads or computes once.

    It is the folder that the environment variable ``VAECOURSE_CACHE`` names, or the user's cache
    folder for ``vaecourse``. Where that can neither be found nor made, a warning says so, once, and
    a folder stands in for it that is deleted when the program ends.
    """
    named = os.environ.get("VAECOURSE_CACHE")
    return Path(named).expanduser() if named else _usual_or_passing()


def under_home(folder: Callable[[str], Path]) -> Path:
    """Return what platformdirs says of a folder of this package.

    Raises
    ------
    OSError
        If no home folder is known. Some versions of platformdirs would then return a folder
        named ``~``.
    """
    try:
        path = folder("vaecourse")
    except RuntimeError as error:
        raise OSError(f"no home folder is known: {error}") from error
    if not path.is_absolute():
        raise OSError("no home folder is known")
    return path


@cache
def _usual_or_passing() -> Path:
    try:
        usual = under_home(platformdirs.user_cache_path)
        usual.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        # A page that is built shows no warnings; `vaecourse doctor` says the same.
        if not is_static():
            warnings.warn(
                "what is downloaded or trained is lost when the program ends, because it can be "
                f"kept nowhere ({error}); name a folder in VAECOURSE_CACHE",
                stacklevel=3,
            )
        return Path(_passing().name)
    return usual


@cache
def _passing() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="vaecourse-", ignore_cleanup_errors=True)


def data_folders(root: str | os.PathLike | None = None) -> list[Path]:
    """Return the folders searched for data files, first match wins.

    First comes ``root``, or without it the folder in ``VAECOURSE_DATA`` when that is set. It is
    only ever read. Last comes ``data`` in the cache folder, where downloads go.
    """
    given = root if root is not None else os.environ.get("VAECOURSE_DATA")
    cached = cache_folder() / "data"
    return [Path(given).expanduser(), cached] if given else [cached]


def content_hash(arrays: Mapping[str, np.ndarray]) -> str:
    """Return the SHA-256 of the four arrays: their names, shapes and bytes, as uint8.

    The hash depends on the content alone. Gzipped and plain files with equal content agree.
    """
    digest = hashlib.sha256()
    for key in ARRAYS:
        array = np.ascontiguousarray(arrays[key], dtype=np.uint8)
        digest.update(f"{key} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()


def publish(finished: Path, target: Path) -> None:
    """Move the finished folder to ``target`` in one step, on one file system.

    A folder with files that already stands at ``target`` stays: another process was faster.

    Raises
    ------
    OSError
        If the folder can neither be moved nor found at ``target``.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        target.rmdir()  # an empty folder, which Windows would not replace
    try:
        finished.rename(target)
    except OSError:
        if not target.is_dir() or not any(target.iterdir()):
            raise
