"""Data sets as tensors in memory: `load`, and the types `Batch`, `HeldOut` and `Split`.

Your own data become a `Batch` by `from_images` or `from_counts`, and a `Split` by `split_of`.
scikit-learn is imported only where something of its is read; torchvision is never needed.
"""

import os
from pathlib import Path

import numpy as np

from vaecourse.data import cells, labels, strokes, torchvision_sets
from vaecourse.data.download import DownloadError
from vaecourse.data.own_counts import from_counts
from vaecourse.data.own_images import Images, from_images
from vaecourse.data.own_split import split_of
from vaecourse.data.sources import SOURCES
from vaecourse.data.split import Batch, HeldOut, Split, make_split
from vaecourse.data.storage import DataError, cache_folder, content_hash, data_folders
from vaecourse.runtime.terminal import say

__all__ = [
    "NAMES",
    "Batch",
    "DataError",
    "HeldOut",
    "Images",
    "Split",
    "cells",
    "from_counts",
    "from_images",
    "identity",
    "labels",
    "load",
    "split_of",
    "strokes",
]

NAMES = (*SOURCES, "digits", "strokes")
_not_had: dict[str, str] = {}  # why a set could not be had, for the rest of the process


def load(name: str, *, offline: str | None = None, root: str | os.PathLike | None = None) -> Split:
    """Load a data set.

    A set of files, as MNIST, is looked for in ``root`` or the folder that the
    environment variable ``VAECOURSE_DATA`` names, then in the user's cache. In each, files may lie
    as torchvision lays them, gzipped or not, or as ``<name>.npz`` with the uint8 arrays x_train,
    y_train, x_test and y_test. Where they are in neither, they are downloaded to the cache and
    verified. "digits", scikit-learn's 8x8 digits, and "strokes", digits drawn by this package,
    need no files.

    Parameters
    ----------
    name : str
        One of ``vaecourse.data.NAMES``, such as "mnist".
    offline : {None, "strokes"}
        What stands in for a set of 28x28 digits when it is on no disk and cannot be downloaded.
        The first fallback of a process prints why, once; later ones do not try the network
        again. With ``VAECOURSE_OFFLINE=1`` in the environment the network is never tried.
    root : path, optional
        The folder to search first. It is never written to.

    Returns
    -------
    Split
        Images are (N, 1, 28, 28), (N, 3, 32, 32) or (N, 1, 8, 8) with values in [0, 1]. The last
        sixth of the training images is the validation split: for MNIST the last 10,000. For
        "digits", which come without a test split, the last sixth of all images is the test split.

    Raises
    ------
    ValueError
        If the name, or the stand-in for it, is unknown.
    DataError
        If files are there and cannot be used, or the set is not to be had and nothing stands in.

    Examples
    --------
    >>> import vaecourse as vae
    >>> data = vae.load("digits")
    >>> data
    Split('digits', train 1249, valid 249, test 299, event (1, 8, 8))
    >>> data.train.x.shape, data.train.y.shape
    (torch.Size([1249, 1, 8, 8]), torch.Size([1249]))
    """
    _check(name, offline)
    if name == "digits":
        return make_split(name, _digits(), top=16)
    if name == "strokes":
        return _strokes()
    folders = data_folders(root)
    arrays = torchvision_sets.read(name, folders)
    if arrays is None:
        try:
            arrays = _download(name, folders[-1], offline)
        except DownloadError as error:
            if offline is None:
                raise torchvision_sets.missing(name, folders, str(error)) from error
            return _fallback(name, str(error))
    return make_split(name, arrays, top=255)


def identity(
    name: str, *, offline: str | None = None, root: str | os.PathLike | None = None
) -> str:
    """Return what the data of `load` are, without the network and without tensors.

    A build compares this string with that of an earlier build to learn whether data changed.

    Parameters
    ----------
    name, offline, root
        As for `load`.

    Returns
    -------
    str
        For files on disk and for "digits" the SHA-256 that `load` gives as ``Split.identity``.
        "strokes-" and a hash of the drawing code for strokes, also where they stand in for a set
        that is on no disk. Else "absent".

    Raises
    ------
    ValueError, DataError
        As for `load`.
    """
    _check(name, offline)
    if name == "digits":
        return content_hash(_digits())
    if name != "strokes":
        arrays = torchvision_sets.read(name, data_folders(root))
        if arrays is not None:
            return content_hash(arrays)
        if offline is None:
            return "absent"
    return f"strokes-{strokes.source_hash()}"


def _check(name: str, offline: str | None) -> None:
    if name not in NAMES:
        raise ValueError(f"name must be one of {', '.join(NAMES)}, got {name!r}")
    if offline not in (None, "strokes"):
        raise ValueError(f'offline must be None or "strokes", got {offline!r}')
    if offline and name in SOURCES and SOURCES[name].stand_in != offline:
        raise ValueError(
            f'"{offline}" are 28x28 digits and cannot stand in for {name}: omit offline'
        )


def _download(name: str, folder: Path, offline: str | None) -> dict[str, np.ndarray]:
    if os.environ.get("VAECOURSE_OFFLINE", "0") not in ("", "0"):
        raise DownloadError("downloads are switched off (VAECOURSE_OFFLINE=1)")
    if offline is not None and name in _not_had:
        raise DownloadError(_not_had[name])
    return torchvision_sets.download(name, folder)


def _fallback(name: str, reason: str) -> Split:
    """Return strokes in place of another set; tell so, the first time, before drawing them."""
    title = SOURCES[name].title
    note = (
        f"Note: {title} is not on this machine and {reason}, so strokes stand in for it: "
        "digits drawn by this package. Numbers and figures differ from those of "
        f"{title}."
    )
    if name not in _not_had:
        _not_had[name] = reason
        say(note)
    return _strokes(note)


def _strokes(note: str = "") -> Split:
    return make_split("strokes", strokes.load_arrays(cache_folder() / "data"), top=255, note=note)


def _digits() -> dict[str, np.ndarray]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    images, labels = digits.images.astype(np.uint8), digits.target
    cut = len(labels) - len(labels) // 6
    return {
        "x_train": images[:cut],
        "y_train": labels[:cut],
        "x_test": images[cut:],
        "y_test": labels[cut:],
    }
