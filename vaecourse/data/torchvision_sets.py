"""MNIST, Fashion-MNIST and CIFAR-10: from disk, else by a verified download.

Files lie as torchvision lays them, each gzipped or not, but torchvision is not needed. For MNIST
and Fashion-MNIST the download uses its addresses. For CIFAR-10 it uses the authors' binary archive,
because torchvision's archive holds pickles. An npz file with the arrays x_train, y_train, x_test
and y_test serves as well.
"""

import math
import shutil
import tarfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import IO, cast

import numpy as np

from vaecourse.data import formats
from vaecourse.data.download import DownloadError, fetch, first_answer, temporary_folder
from vaecourse.data.sources import SOURCES, Source
from vaecourse.data.storage import DataError, publish
from vaecourse.runtime.files import check_writable
from vaecourse.runtime.locks import in_turn
from vaecourse.runtime.terminal import say

PROBE_SECONDS = 4.0
LEAST_TRAIN, LEAST_TEST = 6, 1

Arrays = dict[str, np.ndarray]
Fill = Callable[[str, Path], None]


def read(name: str, folders: Sequence[Path]) -> Arrays | None:
    """Return the arrays of a data set from the first folder that has it, else None.

    Parameters
    ----------
    name : str
        A key of `vaecourse.data.sources.SOURCES`.
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
    try:
        check_writable(target / probe)
    except OSError as error:
        raise DownloadError(f"{folder} cannot be written ({error.__cause__ or error})") from error
    answering = first_answer([mirror + probe for mirror in mirrors], PROBE_SECONDS)
    ordered = sorted(mirrors, key=lambda mirror: mirror + probe != answering)
    try:
        with in_turn(folder / name):
            arrays = read(name, [folder])  # another process may have had it in the meantime
            if arrays is not None:
                return arrays
            say(f"Downloading {name} to {target}")
            with temporary_folder(folder, name, _bytes_written(SOURCES[name])) as temporary:
                _fill_from_any(fill, ordered, temporary)
                publish(temporary / "finished", target)
    except OSError as error:
        raise DownloadError(f"{folder} cannot be written ({error})") from error
    arrays = read(name, [folder])
    if arrays is None:
        raise DownloadError(f"{target} holds other files, which were left alone")
    return arrays


def missing(name: str, folders: Sequence[Path], reason: str) -> DataError:
    """Return the error for a data set that is not to be had; it says which files to put where."""
    searched = " and ".join(str(folder) for folder in folders)
    source = SOURCES[name]
    archived = _is_archived(source)
    shown = [source.layouts[0].files if archived else [file.name for file in source.files]]
    shown += [layout.files for layout in source.layouts[1:]]
    first, *others = (
        f"{', '.join(names)} into {'its subfolder ' * (not place)}{layout.folder}"
        for place, (names, layout) in enumerate(zip(shown, source.layouts, strict=True))
    )
    files = first + "".join(f" (or {other})" for other in others)
    escape = (
        f', or call load("{name}", offline="{source.stand_in}") for drawn digits in its place'
        if source.stand_in
        else ""
    )
    return DataError(
        f"{name} is not in {searched}, and {reason}. Choose a folder, name it in the environment "
        f"variable VAECOURSE_DATA, and put {files}; or put {name}.npz with x_train, y_train, "
        f"x_test and y_test into the folder itself{escape}."
    )


def _is_archived(source: Source) -> bool:
    unpacked = {f"{file}{end}" for file in source.layouts[0].files for end in ("", ".gz")}
    return source.files[0].name not in unpacked


def _read_raw(name: str, folder: Path) -> Arrays | None:
    source = SOURCES[name]
    for layout in source.layouts:
        paths = _complete(folder / layout.folder, layout.files)
        if paths is not None:
            return READERS[layout.kind](paths, source)
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
    return [path for path in found.values() if path is not None]


def _idx_arrays(paths: Sequence[Path], source: Source) -> Arrays:
    arrays: Arrays = {}
    for part, (images, labels), least in (
        ("train", paths[:2], LEAST_TRAIN),
        ("test", paths[2:], LEAST_TEST),
    ):
        x, y = formats.read_idx(images, source.event), formats.read_idx(labels, ())
        where = f"{images} and {labels.name}"
        formats.check_labels(x, y, least, where, source.num_classes)
        arrays |= {f"x_{part}": x, f"y_{part}": y}
    return arrays


def _cifar_arrays(paths: Sequence[Path], source: Source, reader: Callable) -> Arrays:
    batches = [(path, *reader(path)) for path in paths]
    for path, images, labels in batches:
        formats.check_labels(images, labels, 1, str(path), source.num_classes)
    *train, (path, x_test, y_test) = batches
    x_train = np.concatenate([images for _, images, _ in train])
    y_train = np.concatenate([labels for _, _, labels in train])
    formats.check_labels(x_train, y_train, LEAST_TRAIN, str(path.parent), source.num_classes)
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


READERS: dict[str, Callable[[Sequence[Path], Source], Arrays]] = {
    "idx": _idx_arrays,
    "cifar binary": partial(_cifar_arrays, reader=formats.read_cifar_binary),
    "cifar python": partial(_cifar_arrays, reader=formats.read_cifar_python),
}


def _read_npz(name: str, folder: Path) -> Arrays | None:
    path = folder / f"{name}.npz"
    try:
        if not path.exists():
            return None
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error}). Allow reading it.") from error
    source = SOURCES[name]
    arrays = formats.read_npz(path, source.event)
    for part, least in (("train", LEAST_TRAIN), ("test", LEAST_TEST)):
        x, y, where = arrays[f"x_{part}"], arrays[f"y_{part}"], f"{path} ({part})"
        formats.check_labels(x, y, least, where, source.num_classes)
    return arrays


def _plan(name: str, folder: Path) -> tuple[Fill, Path, tuple[str, ...], str]:
    """Return what fills a folder from a mirror, the folder's final place, the mirrors, a probe."""
    source = SOURCES[name]
    fill = partial(_extract if _is_archived(source) else _fetch, source)
    return fill, folder / source.layouts[0].folder, source.mirrors, source.files[0].name


def _bytes_written(source: Source) -> int:
    unpacked = source.size * (1 + math.prod(source.event)) if _is_archived(source) else 0
    return unpacked + sum(file.size for file in source.files)


def _fetch(source: Source, mirror: str, finished: Path) -> None:
    for file in source.files:
        fetch(mirror, file, finished)


def _extract(source: Source, mirror: str, finished: Path) -> None:
    (archive,), layout = source.files, source.layouts[0]
    fetch(mirror, archive, finished.parent)
    with tarfile.open(finished.parent / archive.name) as members:
        for name in layout.files:
            # None only for what is no file, and fetch has checked what the archive holds.
            member = cast(IO[bytes], members.extractfile(f"{layout.folder}/{name}"))
            (finished / name).write_bytes(member.read())


def _fill_from_any(fill: Fill, mirrors: Sequence[str], temporary: Path) -> None:
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
