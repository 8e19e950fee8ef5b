"""Where the channels of an image are, and what is transparent: the same for arrays and tensors."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from torch import Tensor

__all__ = ["CHANNELS", "channel_axis", "channels_first", "on_white"]

CHANNELS = 1, 3, 4
"""Grey, color, color with alpha."""

Images = TypeVar("Images", np.ndarray, Tensor)


def channel_axis(shape: Sequence[int], name: str) -> int | None:
    """Return which axis of images holds the channels.

    Where both might, it is the one without which the images are square.

    Parameters
    ----------
    shape : sequence of int
        ``(N, C, H, W)`` or ``(N, H, W, C)``.
    name : str
        What a message calls the images.

    Returns
    -------
    int or None
        1 or 3; None where neither has 1, 3 or 4 channels.

    Raises
    ------
    ValueError
        If it may be either.
    """
    places = [axis for axis in (1, 3) if shape[axis] in CHANNELS]
    if len(places) < 2:
        return places[0] if places else None
    square = [axis for axis in places if shape[2] == shape[4 - axis]]
    if len(square) == 1:
        return square[0]
    raise ValueError(
        f"{name} has shape {tuple(shape)}, whose second or last axis may be the channels; give "
        "images in a shape where only one of them is 1, 3 or 4"
    )


def channels_first(images: Images) -> Images:
    """Return images ``(N, H, W, C)`` as ``(N, C, H, W)``."""
    if isinstance(images, Tensor):
        return images.movedim(3, 1).contiguous()
    return np.moveaxis(images, 3, 1)


def on_white(images: Images) -> Images:
    """Return images ``(N, 3, H, W)`` in [0, 1] of images with alpha, ``(N, 4, H, W)``."""
    alpha = images[:, 3:]
    return images[:, :3] * alpha + (1 - alpha)
