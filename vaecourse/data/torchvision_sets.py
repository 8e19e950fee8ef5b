"""MNIST, Fashion-MNIST and CIFAR-10: from disk, else by a verified download.

Files lie as torchvision lays them, each gzipped or not, but torchvision is not needed. For MNIST
and Fashion-MNIST the download uses its addresses. For CIFAR-10 it uses the authors' binary archive,
because torchvision's archive holds pickles. An npz file with the arrays x_train, y_train, x_test
and y_test serves as well.
"""

import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vaecourse.data import formats, sources
from vaecourse.data.network import DownloadError, fetch, first_answer
from vaecourse.data.storage import DataError, publish

EVENTS = {"mnist": (28, 28), "fashion_mnist": (28, 28), "cifar10": formats.CIFAR_EVENT}
PROBE_SECONDS = 4.0
LEAST_TRAIN, LEAST_TEST = 6, 1

_IDX_FOLDERS = {"mnist": "MNIST/raw", "fashion_mnist": "FashionMNIST/raw"}
_IDX_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_BINARY, _PYTHON = "cifar-10-batches-bin", "cifar-10-batches-py"
_BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
_BINARY_FILES = tuple(f"{name}.bin" for name in _BATCHES)
Arrays = dict[str, np.ndarray]


def read(name: str, folders: Sequence[Path]) -> Arrays | None:
    """Return the arrays of a data set from the first folder that has it, else None.

    Parameters
    ----------
    name : {"mnist", "fashion_mnist", "cifar10"}
    folders : sequence of pathlib.Path
        Folders that need not exist.

    Returns
    -------
    dict of str to numpy.ndarray or None
        uint8 images x_train and x_test, shape (N, 28, 28) or (N, 3, 32, 32), and integer labels
        y_train and y_test, shape (N,).

    Raises
    ------
    DataError
        If files are there but incomplete, unreadable, corrupted or of a wrong shape.
    """
    for folder in folders:
        arrays = _read_raw(name, folder)
        if arrays is None:
            arrays = _read_npz(name, folder)
        if arrays is not None:
            return arrays
    return None


def download(name: str, folder: Path) -> Arrays:
    """Download a data set's files into the folder, all of them or none, and read them.

    Raises
    ------
    DownloadError
        If no server answers, a transfer fails, or the folder cannot be written.
    """
    fill, target, mirrors, probe = _plan(name, folder)
    answering = first_answer([mirror + probe for mirror in mirrors], PROBE_SECONDS)
    mirrors = sorted(mirrors, key=lambda mirror: mirror + probe != answering)
    print(f"Downloading {name} to {target}", flush=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".download-") as temporary:
            _fill_from_any(fill, mirrors, Path(temporary))
            publish(Path(temporary) / "finished", target)
    except OSError as error:
        raise DownloadError(f"{folder} cannot be written ({error})") from error
    arrays = read(name, [folder])
    if arrays is None:
        raise DownloadError(f"{target} holds other files, which were left alone")
    return arrays


def missing(name: str, folders: Sequence[Path], reason: str) -> DataError:
    """Return the error for a data set that is not to be had; it says which files to put where."""
    searched = " and ".join(str(folder) for folder in folders)
    if name == "cifar10":
        files = f"{', '.join(_BINARY_FILES)} into its subfolder {_BINARY}"
        files += f" (or {', '.join(_BATCHES)} into {_PYTHON})"
        escape = ""
    else:
        files = ", ".join(f"{file}.gz" for file in _IDX_FILES)
        files += f" into its subfolder {_IDX_FOLDERS[name]}"
        escape = f', or call load("{name}", offline="strokes") for drawn digits in its place'
    return DataError(
        f"{name} is not in {searched}, and {reason}. Choose a folder, name it in the environment "
        f"variable VAECOURSE_DATA, and put {files}; or put {name}.npz with x_train, y_train, "
        f"x_test and y_test into the folder itself{escape}."
    )


def _read_raw(name: str, folder: Path) -> Arrays | None:
    if name != "cifar10":
        paths = _complete(folder / _IDX_FOLDERS[name], _IDX_FILES)
        return None if paths is None else _idx_arrays(paths, EVENTS[name])
    for subfolder, files, reader in (
        (_BINARY, _BINARY_FILES, formats.read_cifar_binary),
        (_PYTHON, _BATCHES, formats.read_cifar_python),
    ):
        paths = _complete(folder / subfolder, files)
        if paths is not None:
            return _cifar_arrays([(path, *reader(path)) for path in paths])
    return None


def _complete(folder: Path, names: Sequence[str]) -> list[Path] | None:
    """Return the named files, None if there is none of them, and refuse a part of them."""
    found = {name: formats.find(folder, name) for name in names}
    absent = [name for name, path in found.items() if path is None]
    if len(absent) == len(names):
        return None
    if absent:
        raise DataError(
            f"{folder} is incomplete: {', '.join(absent)} (or the same with .gz) is missing. "
            "Put it there, or move the other files of the set away."
        )
    return list(found.values())


def _idx_arrays(paths: Sequence[Path], event: tuple[int, ...]) -> Arrays:
    arrays: Arrays = {}
    for part, (images, labels), least in (
        ("train", paths[:2], LEAST_TRAIN),
        ("test", paths[2:], LEAST_TEST),
    ):
        x, y = formats.read_idx(images, event), formats.read_idx(labels, ())
        formats.check_labels(x, y, least, f"{images} and {labels.name}")
        arrays |= {f"x_{part}": x, f"y_{part}": y}
    return arrays


def _cifar_arrays(batches: Sequence[tuple[Path, np.ndarray, np.ndarray]]) -> Arrays:
    for path, images, labels in batches:
        formats.check_labels(images, labels, 1, str(path))
    *train, (path, x_test, y_test) = batches
    x_train = np.concatenate([images for _, images, _ in train])
    y_train = np.concatenate([labels for _, _, labels in train])
    formats.check_labels(x_train, y_train, LEAST_TRAIN, str(path.parent))
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def _read_npz(name: str, folder: Path) -> Arrays | None:
    path = folder / f"{name}.npz"
    try:
        if not path.exists():
            return None
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error}). Allow reading it.") from error
    arrays = formats.read_npz(path, EVENTS[name])
    for part, least in (("train", LEAST_TRAIN), ("test", LEAST_TEST)):
        formats.check_labels(arrays[f"x_{part}"], arrays[f"y_{part}"], least, f"{path} ({part})")
    return arrays


def _plan(name: str, folder: Path):
    """Return what fills a folder from a mirror, the folder's final place, the mirrors, a probe."""
    source = sources.SOURCES[name]
    if name == "cifar10":
        return _fill_cifar, folder / _BINARY, source.mirrors, source.files[0].name

    def fill(mirror: str, finished: Path) -> None:
        for file in source.files:
            fetch(mirror, file, finished)

    return fill, folder / _IDX_FOLDERS[name], source.mirrors, source.files[0].name


def _fill_cifar(mirror: str, finished: Path) -> None:
    (archive,) = sources.SOURCES["cifar10"].files
    fetch(mirror, archive, finished.parent)
    with tarfile.open(finished.parent / archive.name) as members:
        for name in _BINARY_FILES:
            (finished / name).write_bytes(members.extractfile(f"{_BINARY}/{name}").read())


def _fill_from_any(fill, mirrors: Sequence[str], temporary: Path) -> None:
    failures = []
    for mirror in mirrors:
        finished = temporary / "finished"
        shutil.rmtree(finished, ignore_errors=True)
        finished.mkdir()
        try:
            fill(mirror, finished)
        except DownloadError as error:
            failures.append(str(error))
        else:
            return
    raise DownloadError("; ".join(failures))
