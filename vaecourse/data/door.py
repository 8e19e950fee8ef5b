"""The door for anyone's arrays: what is unambiguous is converted, the rest is refused.

`vaecourse.Batch.of` is the way in. Images of bytes become pixels in [0, 1], labels become whole
numbers, and what was converted in meaning, not in type alone, is said once.
"""

import inspect
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vaecourse.data.channels import channel_axis, channels_first, on_white
from vaecourse.data.codes import Labels, as_labels

__all__ = ["as_input", "as_rows", "checked_batch", "labels_of"]

_said: set[str] = set()


def _say_once(text: str) -> None:
    """Warn of something once, at the line outside of this package that asked for it."""
    if text in _said:
        return
    _said.add(text)
    frame, level = inspect.currentframe(), 0
    while frame and str(frame.f_globals.get("__name__")).startswith("vaecourse."):
        frame, level = frame.f_back, level + 1
    warnings.warn(text, stacklevel=level + 1)


def as_rows(x: Any, name: str = "x") -> Tensor:
    """Return examples as a float tensor ``(N, *event)``.

    Parameters
    ----------
    x : array-like
        A tensor, an array, a data frame of numbers, or a list of arrays or PIL images. Bytes
        (uint8) are pixels and become [0, 1]; images of bytes get a channel dimension, and what is
        transparent becomes white. Booleans become 0 and 1. Floating-point numbers become float32
        and stay as they are otherwise. Channels of pixels that come last come first, as in
        `vaecourse.data.from_images`.
    name : str
        What a message calls it.

    Returns
    -------
    Tensor
        float32, shape ``(N, *event)``.

    Raises
    ------
    TypeError
        If it holds no numbers.
    ValueError
        If there are no rows or a value is not finite; if the rows differ in shape; or if whole
        numbers might be pixels, counts or something else.
    """
    values = _as_tensor(x, name)
    if values.dim() < 2 or 0 in values.shape:
        raise ValueError(
            f"{name} has shape {tuple(values.shape)}, wanted (N, *event) with at least one row and "
            "one number in a row; reshape single numbers to (N, 1)"
        )
    real = values.is_floating_point()
    if values.dtype == torch.uint8:
        values = _pixels(values, name)
    elif values.dtype == torch.bool:
        values = _channels_first(values.float(), name)
    elif not real:
        low, high = values.min().item(), values.max().item()
        raise ValueError(
            f"{name} holds {str(values.dtype).removeprefix('torch.')} from {low} to {high}, which "
            "may be pixels or counts; give pixels as uint8, other numbers as float32"
        )
    values = values.float()
    _check_finite(values, name)
    if real and values.dim() == 4 and values.min() >= 0 and values.max() <= 1:
        return _channels_first(values, name)
    return values


def as_input(x: Any, model: object) -> Tensor:
    """Return examples as a model takes them: a tensor of the type of its weights.

    A tensor of floating-point numbers changes its type alone; anything else goes through `as_rows`.
    """
    parameters = model.parameters() if isinstance(model, nn.Module) else ()
    kinds = [p.dtype for p in parameters if p.is_floating_point()]
    ready = isinstance(x, Tensor) and x.is_floating_point()
    rows = x if ready else as_rows(x)
    return rows.to(kinds[0]) if kinds else rows


def checked_batch(x: Any, y: Any, model: object, transformed: bool) -> tuple[Tensor, Tensor]:
    """Return examples and labels as training and evaluation take them.

    Parameters
    ----------
    x, y : array-like
        As `as_rows` and `as_labels` take them.
    model : Module
        The type of its weights decides on that of x.
    transformed : bool
        Whether a transform comes between x and the model: then x keeps its type and values.
    """
    num = len(x) if y is None else len(y)
    if len(x) != num or not num:
        raise ValueError(
            f"data needs as many labels as examples and at least one, got {len(x)} examples and "
            f"{num} labels"
        )
    rows = _as_tensor(x, "x") if transformed else as_input(x, model)
    ready = isinstance(y, Tensor) and y.dtype == torch.int64 and y.dim() == 1
    return rows, y if ready else labels_of(y, len(rows)).y


def labels_of(y: Any, count: int) -> Labels:
    """Return labels as `vaecourse.data.codes.as_labels` does, and say once how names are numbered.

    Parameters
    ----------
    y : array-like or None
        Labels of any form.
    count : int
        Number of examples.
    """
    labels = as_labels(y, count)
    if labels.classes:
        shown = ", ".join(f"{place} = {name}" for place, name in enumerate(labels.classes[:10]))
        more = ", …" if len(labels.classes) > 10 else ""
        _say_once(f"y holds strings, numbered as {shown}{more}")
    return labels


def _as_tensor(x: Any, name: str) -> Tensor:
    if isinstance(x, Tensor):
        if x.is_complex():
            raise TypeError(f"{name} holds complex numbers; give real ones")
        return x.detach()
    if isinstance(x, Sequence) and not isinstance(x, str | bytes) and len(x):
        x = _stacked(x, name)
    array = np.asarray(x)
    if array.dtype.kind not in "biuf":
        frame = getattr(x, "dtypes", None)
        columns = [] if frame is None else [c for c, d in frame.items() if d.kind not in "biuf"]
        where = f" in column {columns[0]!r}" if columns else ""
        raise TypeError(
            f"{name} holds {array.dtype}{where}, wanted numbers; encode or leave out what is none"
        )
    wide = array.dtype.kind == "u" and array.dtype.itemsize > 1
    kind = np.dtype(np.int64) if wide else array.dtype.newbyteorder("=")
    # A copy: the array may be read-only, reversed or mapped from a file.
    return torch.tensor(np.ascontiguousarray(array, dtype=kind))


def _stacked(rows: Sequence, name: str) -> np.ndarray:
    arrays = [row.numpy() if isinstance(row, Tensor) else np.asarray(row) for row in rows]
    shapes = [array.shape for array in arrays]
    odd = next((place for place, shape in enumerate(shapes) if shape != shapes[0]), None)
    if odd is not None:
        raise ValueError(
            f"{name} has rows of different shapes, {shapes[0]} in row 0 and {shapes[odd]} in row "
            f"{odd}; crop or resize them to one shape"
        )
    return np.stack(arrays)


def _pixels(values: Tensor, name: str) -> Tensor:
    if values.dim() in (3, 4):
        values = values.unsqueeze(1) if values.dim() == 3 else _channels_first(values, name)
    if values.dim() == 4 and values.shape[1] == 4:
        _say_once(f"{name} holds uint8 pixels with alpha, which were put on white")
        return on_white(values.float() / 255)
    if values.max() <= 1:
        _say_once(f"{name} holds uint8 0 and 1, which stay as they are")
        return values.float()
    _say_once(f"{name} holds uint8 pixels, which were divided by 255")
    return values.float() / 255


def _channels_first(values: Tensor, name: str) -> Tensor:
    """Put channels that come last, as in arrays of images, before height and width."""
    if values.dim() == 4 and channel_axis(values.shape, name) == 3:
        _say_once(f"{name} holds images whose channels came last, and they were put first")
        return channels_first(values)
    return values


def _check_finite(values: Tensor, name: str) -> None:
    bad = (~values.flatten(1).isfinite().all(1)).nonzero()
    if len(bad):
        raise ValueError(
            f"{name} is not finite in {len(bad)} of {len(values)} rows, first in row "
            f"{bad[0].item()}; fill or leave out such rows"
        )
