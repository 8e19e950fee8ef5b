"""A reader's own images, from a folder, a zip file or an npz file, as a `Batch`."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from vaecourse.checks import as_shape
from vaecourse.data.codes import Labels, as_labels
from vaecourse.data.image_arrays import read_arrays, to_channels
from vaecourse.data.image_files import Header, ImageFile, header, image_files, pixels
from vaecourse.data.limits import check_held
from vaecourse.data.split import Batch, batch_of
from vaecourse.data.storage import DataError

__all__ = ["Images", "from_images"]


class Images(NamedTuple):
    """Images that `from_images` read, and what their labels mean.

    Attributes
    ----------
    batch : Batch
        Images (N, channels, height, width) with values in [0, 1], and labels.
    classes : tuple of str
        The class of label 0, of label 1 and so on; empty where nothing is labeled.
    """

    batch: Batch
    classes: tuple[str, ...]


def from_images(
    path: str | os.PathLike,
    size: int | Sequence[int] | None = None,
    color: bool | None = None,
) -> Images:
    """Read images of your own.

    Parameters
    ----------
    path : path
        A folder, or a zip file of one, that holds images at any depth. The folders directly in it
        are the classes; an image outside of them is labeled -1. Or an npz file with the array x of
        shape (N, H, W), (N, H, W, C) or (N, C, H, W), uint8 or float in [0, 1], and maybe the
        array y of shape (N,), whole numbers or strings.
    size : int or (height, width), optional
        What to resize the images to. The middle of each is cropped to the same aspect first.
        Without it all must have one size.
    color : bool, optional
        Whether to return three channels or one. None gives three if any image is stored with
        color.

    Returns
    -------
    Images
        The batch, whose ``x`` is (N, channels, height, width), and the names of the classes in
        sorted order. Files come sorted by path. What is transparent becomes white, photos are
        turned upright, and 16 bits of grey are kept.

    Raises
    ------
    DataError
        If there is nothing at `path`, no image, or one that cannot be read; if sizes differ and
        `size` is not given; if the images would take more than 4 GB.
    ValueError
        If `size` is no size.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> import vaecourse as vae
    >>> folder = tempfile.TemporaryDirectory()
    >>> np.savez(folder.name + "/pets.npz", x=np.zeros((3, 28, 28)), y=["dog", "cat", "dog"])
    >>> batch, classes = vae.data.from_images(folder.name + "/pets.npz", size=16)
    >>> batch.x.shape, batch.y, classes
    (torch.Size([3, 1, 16, 16]), tensor([1, 0, 1]), ('cat', 'dog'))
    """
    path = Path(path).expanduser()
    sides = None if size is None else as_shape(size, "size")
    if sides is not None and len(sides) > 2:
        raise ValueError(f"size must be a number or (height, width), got {size!r}")
    side = None if sides is None else (sides[0], sides[-1])
    if path.suffix.lower() == ".npz" and path.is_file():
        return _from_arrays(path, side, color)
    if not (path.is_dir() or (path.suffix.lower() == ".zip" and path.is_file())):
        found = "is neither" if path.exists() else "does not exist"
        raise DataError(f"{path} {found}: give a folder of images, a .zip of one or a .npz file")
    with image_files(path) as files:
        return _from_files(path, files, side, color)


def _from_arrays(path: Path, size: tuple[int, int] | None, color: bool | None) -> Images:
    images, labels = read_arrays(path)
    num, channels = images.shape[:2]
    shape = (
        num,
        3 if color or (color is None and channels > 1) else 1,
        *(size or images.shape[2:]),
    )
    check_held(shape, str(path), DataError, "give a smaller size= or fewer images")
    try:
        y, names = as_labels(labels, num)
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
    x = torch.from_numpy(to_channels(images, size, color))
    numbered = tuple(str(label) for label in range(int(y.max()) + 1))
    return Images(batch_of(x, Labels(y, names)), names or numbered)


def _from_files(
    path: Path, files: list[ImageFile], size: tuple[int, int] | None, color: bool | None
) -> Images:
    headers = [header(file) for file in files]
    height, width = size or _common_size(files, headers)
    if color is None:
        color = any(head.color for head in headers)
    shape = (len(files), 3 if color else 1, height, width)
    check_held(shape, str(path), DataError, "give a smaller size= or fewer images")
    x = np.empty(shape, np.float32)
    for row, file in zip(x, files, strict=True):
        row[...] = pixels(file, size, shape[1])
    classes = tuple(sorted({file.label for file in files} - {""}))
    y = torch.tensor([classes.index(file.label) if file.label else -1 for file in files])
    return Images(batch_of(torch.from_numpy(x), Labels(y, classes)), classes)


def _common_size(files: list[ImageFile], headers: list[Header]) -> tuple[int, int]:
    first = headers[0]
    for file, head in zip(files, headers, strict=True):
        if head[:2] != first[:2]:
            raise DataError(
                f"{files[0].name} is {first.height}x{first.width} (height x width) and {file.name} "
                f"is {head.height}x{head.width}: give size= to resize all to one size"
            )
    return first.height, first.width
