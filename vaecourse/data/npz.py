"""Arrays in npz files, read only after their headers: NumPy makes room for all they announce."""

import io
import math
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from vaecourse.data.limits import MOST_BYTES, check_held
from vaecourse.data.storage import DataError

__all__ = ["NPZ_ERRORS", "names_in", "read_member"]

NPZ_ERRORS = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged npz file raises, depending on where the damage is."""

_HEADERS: dict[tuple[int, int], Any] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_MOST_HEADER = 2**17
_WIDEST = 8  # bytes of a float64


def names_in(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of the arrays in an npz file."""
    return [name.removesuffix(".npy") for name in archive.namelist()]


def read_member(path: Path, archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Return an array of an npz file, whole and as its checksum wants it.

    Parameters
    ----------
    path : Path
        The file, for messages.
    archive : ZipFile
        The file, opened.
    name : str
        The array, one of `names_in`.

    Raises
    ------
    DataError
        If its header announces more than can be held.
    ValueError
        If it is no plain array, or has another size than its header says. The file itself may
        raise any of `NPZ_ERRORS`.
    """
    member = archive.getinfo(f"{name}.npy")
    with archive.open(member) as stream:
        # A header may announce its own length too: no more of it is unpacked than any array has.
        beginning = io.BytesIO(stream.read(_MOST_HEADER))
    version = np.lib.format.read_magic(beginning)
    if version not in _HEADERS:
        raise ValueError(f"{name} is no plain array")
    shape, _, dtype = _HEADERS[version](beginning)
    if dtype.hasobject:
        raise ValueError(f"{name} holds Python objects, which are not read")
    cure = "keep fewer or smaller images in the file"
    check_held(shape, f"{name} in {path}", DataError, cure)
    size = math.prod(shape) * dtype.itemsize
    if size > MOST_BYTES // 4 * _WIDEST:
        raise DataError(f"{name} in {path} would take {size / 1e9:.3g} GB: {cure}")
    if member.file_size - beginning.tell() != size or min(shape, default=0) < 0:
        raise ValueError(f"{name} has another size than its header says")
    # NumPy alone reads some damaged files without a word; this looks at the checksum.
    return np.load(io.BytesIO(archive.read(member)), allow_pickle=False)
