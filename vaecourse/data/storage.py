"""Where data lie on disk: the folders that are searched, content hashes, finished folders."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import platformdirs

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


class DataError(RuntimeError):
    """A data set is missing, or its files cannot be used."""


def cache_folder() -> Path:
    """Return the folder for what this package downloads or computes once.

    It is the user's cache folder for ``vaecourse``, or the folder that the environment variable
    ``VAECOURSE_CACHE`` names. The folder is not created here.
    """
    named = os.environ.get("VAECOURSE_CACHE")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("vaecourse")


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
        digest.update(array)
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
    try:
        finished.rename(target)
    except OSError:
        if not target.is_dir() or not any(target.iterdir()):
            raise
