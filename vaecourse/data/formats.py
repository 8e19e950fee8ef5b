"""Readers of data files: IDX, NumPy's npz, CIFAR-10's binary and Python batches.

Each reader checks everything that it can about a file and raises a `DataError` that names the
file, says what was found and wanted, and what to do. No reader executes anything from a file.
"""

import gzip
import math
import pickletools
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

import numpy as np

from vaecourse.data.limits import MOST_BYTES
from vaecourse.data.npz import NPZ_ERRORS, names_in, read_member
from vaecourse.data.storage import ARRAYS, DataError

REPAIR = (
    "Put an intact copy in its place, or move it away with the rest of its set "
    "to have the set downloaded again."
)
MOST_VALUES = MOST_BYTES // 4
"""The most bytes that are read: each becomes a float32."""
_PART = 2**20
CIFAR_EVENT = (3, 32, 32)
_CIFAR_PIXELS = math.prod(CIFAR_EVENT)
_PICKLE_BYTES = {"BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"}


def unusable(path: Path, problem: str) -> DataError:
    """Return the error for a file with a problem."""
    return DataError(f"{path} {problem}. {REPAIR}")


def find(folder: Path, name: str) -> Path | None:
    """Return the file in the folder, gzipped if there is a choice (it carries a checksum).

    Raises
    ------
    DataError
        If the folder cannot be looked into.
    """
    choices = (folder / f"{name}.gz", folder / name)
    try:
        existing = [path for path in choices if path.exists()]
    except OSError as error:
        raise DataError(f"{folder} cannot be read ({error}). Allow reading it.") from error
    return next((path for path in existing if path.is_file()), existing[0] if existing else None)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, decompressed if its name ends in ``.gz``; name it in what goes wrong."""
    if not path.is_file():
        raise unusable(path, "is a folder or a device, a file is wanted")
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield cast(IO[bytes], file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise unusable(path, f"is truncated or corrupted ({error})") from error
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error}). Allow reading it.") from error


def _up_to(file: IO[bytes], most: int) -> bytes:
    """Return what is left of a file, and one byte too many where it is more than `most`.

    A few bytes of gzip can unpack to any size, so nothing is unpacked that is not wanted.
    """
    content = bytearray()
    while len(content) <= most and (part := file.read(min(_PART, most + 1 - len(content)))):
        content += part
    return bytes(content)


def read_bytes(path: Path) -> bytes:
    """Return a file's content, decompressed if its name ends in ``.gz``, up to 1 GB."""
    with _opened(path) as file:
        content = _up_to(file, MOST_VALUES)
    if len(content) > MOST_VALUES:
        raise unusable(path, f"holds more than {MOST_VALUES / 1e9:g} GB, the most that is read")
    return content


def read_idx(path: Path, event: tuple[int, ...]) -> np.ndarray:
    """Return the uint8 array, shape (N, *event), of an IDX file.

    The file holds the bytes 0, 0, 8 (for uint8) and the number of dimensions, then each
    dimension as a big-endian 32-bit number, then the values.
    """
    with _opened(path) as file:
        start = 4 + 4 * (1 + len(event))
        shape = _idx_shape(path, _up_to(file, start - 1), event)
        wanted = math.prod(shape)
        content = _up_to(file, wanted)
    if len(content) != wanted:
        found = f"more than {wanted}" if len(content) > wanted else len(content)
        raise unusable(path, f"holds {found} values, its header promises {wanted}")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _idx_shape(path: Path, header: bytes, event: tuple[int, ...]) -> list[int]:
    dimensions = 1 + len(event)
    start = 4 + 4 * dimensions
    if len(header) < start:
        raise unusable(path, f"holds {len(header)} bytes, fewer than its {start}-byte header")
    magic, *shape = (int(number) for number in np.frombuffer(header, dtype=">u4"))
    if magic != 0x800 + dimensions:
        good = f"0x{0x800 + dimensions:08x}"
        raise unusable(path, f"begins with magic number 0x{magic:08x}, {good} is wanted")
    if tuple(shape[1:]) != event:
        raise unusable(path, f"holds items of shape {tuple(shape[1:])}, {event} is wanted")
    if math.prod(shape) > MOST_VALUES:
        raise unusable(path, f"announces {math.prod(shape)} values, more than can be held")
    return shape


def read_npz(path: Path, event: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return the arrays x_train, y_train, x_test, y_test of an npz file.

    Images with channels may be stored as (N, height, width, channels); they come back as
    (N, channels, height, width).
    """
    arrays = _open_npz(path)
    for part in ("train", "test"):
        images = arrays[f"x_{part}"]
        if len(event) == 3 and images.shape[1:] == (*event[1:], event[0]):
            arrays[f"x_{part}"] = np.ascontiguousarray(images.transpose(0, 3, 1, 2))
        elif images.shape[1:] != event:
            wanted = ", ".join(str(size) for size in event)
            raise unusable(path, f"has x_{part} of shape {images.shape}, (N, {wanted}) is wanted")
        if images.dtype != np.uint8:
            raise unusable(path, f"has x_{part} of type {images.dtype}, uint8 is wanted")
    return arrays


def _open_npz(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise unusable(path, "is a folder or a device, a file is wanted")
    try:
        with zipfile.ZipFile(path) as archive:
            missing = [key for key in ARRAYS if key not in names_in(archive)]
            if not missing:
                return {key: read_member(path, archive, key) for key in ARRAYS}
    except PermissionError as error:
        raise DataError(f"{path} cannot be read ({error}). Allow reading it.") from error
    except NPZ_ERRORS as error:
        raise unusable(path, f"is not a readable npz file of plain arrays ({error})") from error
    raise unusable(path, f"lacks {', '.join(missing)}; it must hold {', '.join(ARRAYS)}")


def check_labels(
    images: np.ndarray, labels: np.ndarray, least: int, where: str, num_classes: int
) -> None:
    """Refuse labels that do not fit the images.

    Parameters
    ----------
    images : numpy.ndarray, shape (N, ...)
    labels : numpy.ndarray
        Must be integers from 0 to `num_classes` - 1, shape (N,).
    least : int
        The smallest N accepted.
    where : str
        The file or files, for the message.
    num_classes : int
        Number of classes of the set.

    Raises
    ------
    DataError
        If the labels do not fit.
    """
    problem = ""
    if not np.issubdtype(labels.dtype, np.integer) or labels.ndim != 1:
        problem = (
            f"labels of type {labels.dtype} and shape {labels.shape}, (N,) integers are wanted"
        )
    elif len(images) != len(labels):
        problem = f"{len(images)} images but {len(labels)} labels, equal numbers are wanted"
    elif len(labels) < least:
        problem = f"{len(labels)} images, at least {least} are wanted"
    elif labels.min() < 0 or labels.max() >= num_classes:
        wrong = labels.min() if labels.min() < 0 else labels.max()
        problem = f"a label {wrong}, labels from 0 to {num_classes - 1} are wanted"
    if problem:
        raise DataError(f"{where}: found {problem}. {REPAIR}")


def read_cifar_binary(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, 3, 32, 32) and labels (N,) of a CIFAR-10 binary batch.

    Each image is one byte of label and 3,072 bytes of pixels.
    """
    content = read_bytes(path)
    record = 1 + _CIFAR_PIXELS
    if not content or len(content) % record:
        raise unusable(path, f"holds {len(content)} bytes, a multiple of {record} is wanted")
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, record)
    return records[:, 1:].reshape(-1, *CIFAR_EVENT), records[:, 0]


def read_cifar_python(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, 3, 32, 32) and labels (N,) of a CIFAR-10 Python batch.

    The file is a pickle. It is never unpickled, because that can run any code. Its instructions
    are listed instead: the pixels are its one long byte string, the labels are the numbers that
    follow the string "labels".
    """
    pixels, labels, in_labels, columns_first = [], [], False, False
    try:
        for code, value, _ in pickletools.genops(read_bytes(path)):
            text = value if isinstance(value, str | bytes) else b""
            if code.name in _PICKLE_BYTES and len(text) >= _CIFAR_PIXELS:
                pixels.append(text if isinstance(text, bytes) else text.encode("latin-1"))
            if isinstance(value, str | bytes):
                in_labels = value in ("labels", b"labels")
            elif in_labels and code.name == "BININT1":
                labels.append(value)
            columns_first |= code.name == "NEWTRUE"  # NumPy's only flag: Fortran order
    except ValueError as error:
        raise unusable(path, f"is truncated or corrupted ({error})") from error
    if columns_first or len(pixels) != 1 or len(pixels[0]) != _CIFAR_PIXELS * len(labels):
        found = [len(string) for string in pixels]
        raise unusable(
            path,
            f"holds pixel strings of {found} bytes and {len(labels)} labels, "
            f"one string of {_CIFAR_PIXELS} bytes a label, row by row, is wanted",
        )
    images = np.frombuffer(pixels[0], dtype=np.uint8).reshape(-1, *CIFAR_EVENT)
    return images, np.array(labels)
