"""Images that somebody keeps as the arrays x and y of an npz file."""

import zipfile
from pathlib import Path

import numpy as np

from vaecourse.data.channels import channel_axis, channels_first, on_white
from vaecourse.data.image_files import fitted_to
from vaecourse.data.npz import NPZ_ERRORS, names_in, read_member
from vaecourse.data.storage import DataError

__all__ = ["read_arrays", "to_channels"]

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def read_arrays(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the images and the labels in an npz file.

    Returns
    -------
    images : numpy.ndarray, shape (N, C, H, W), float32
        Values in [0, 1]; C is 1, 3, or 4 with alpha last.
    labels : numpy.ndarray or None
        The array y as it stands there.

    Raises
    ------
    DataError
        If the file cannot be read, lacks x, announces more than can be held, or holds no images.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = names_in(archive)
            if "x" not in names:
                raise DataError(
                    f"{path} holds {', '.join(names) or 'no arrays'}: name the images x and "
                    "their labels, if there are any, y"
                )
            x = read_member(path, archive, "x")
            y = read_member(path, archive, "y") if "y" in names else None
    except DataError:
        raise
    except NPZ_ERRORS as error:
        raise DataError(
            f"{path} cannot be read as an npz file of plain arrays ({error}): save it anew"
        ) from error
    return _scaled(path, _channels_first(path, x)), y


def _channels_first(path: Path, x: np.ndarray) -> np.ndarray:
    if x.size == 0:
        raise DataError(f"{path} holds no images: x has shape {x.shape}")
    if x.ndim == 3:
        return x[:, None]
    try:
        axis = channel_axis(x.shape, f"x in {path}") if x.ndim == 4 else None
    except ValueError as error:
        raise DataError(str(error)) from error
    if axis is None:
        raise DataError(
            f"x in {path} has shape {x.shape}, (N, H, W), (N, H, W, C) or (N, C, H, W) with 1, 3 "
            "or 4 channels C is wanted: save it in such a shape"
        )
    return x if axis == 1 else channels_first(x)


def _scaled(path: Path, x: np.ndarray) -> np.ndarray:
    if x.dtype == np.uint8:
        return x.astype(np.float32) / np.float32(255)
    if x.dtype.kind != "f":
        raise DataError(f"x in {path} has type {x.dtype}, uint8 or float is wanted: convert it")
    low, high = x.min(), x.max()
    if not (low >= 0 and high <= 1):
        raise DataError(
            f"x in {path} holds floats from {low:g} to {high:g}, in [0, 1] is wanted: scale them"
        )
    return x.astype(np.float32)


def to_channels(images: np.ndarray, size: tuple[int, int] | None, color: bool | None) -> np.ndarray:
    """Compose alpha on white, then resize, then make color or grey.

    Parameters
    ----------
    images : numpy.ndarray, shape (N, C, H, W), float32
    size : tuple of int, optional
        Height and width.
    color : bool, optional
        Whether to return three channels; None keeps one where there is one.

    Returns
    -------
    numpy.ndarray, shape (N, 1 or 3, height, width), float32
    """
    from PIL import Image

    if images.shape[1] == 4:
        images = on_white(images)
    if color is False and images.shape[1] == 3:
        images = np.tensordot(images, _LUMA, (1, 0))[:, None].clip(0, 1)
    if size is not None:
        planes = images.reshape(-1, *images.shape[2:])
        fitted = [np.asarray(fitted_to(Image.fromarray(plane), size)) for plane in planes]
        images = np.stack(fitted).reshape(*images.shape[:2], *size)
    return np.ascontiguousarray(images if color is not True else _three(images))


def _three(images: np.ndarray) -> np.ndarray:
    return np.broadcast_to(images, (len(images), 3, *images.shape[2:]))
