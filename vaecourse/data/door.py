"""The door for anyone's arrays: what is unambiguous is converted, the rest is refused.

`vaecourse.Batch.of` is the way in. Images of bytes become pixels in [0, 1], labels become whole
numbers, and what was converted in meaning, not in type alone, is said once.
"""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["Labels", "as_input", "as_labels", "as_rows", "checked_batch"]

UNLABELED = -1, -100
"""Whole numbers that mean no label, here and in PyTorch's losses."""
CHANNELS = 1, 3
_said: set[str] = set()


class Labels(NamedTuple):
    """Labels as whole numbers, and the name of each class where they had names."""

    y: Tensor
    classes: tuple[str, ...]


def _say_once(text: str) -> None:
    if text not in _said:
        _said.add(text)
        warnings.warn(text, stacklevel=5)


def as_rows(x: Any, name: str = "x") -> Tensor:
    """Return examples as a float tensor ``(N, *event)``.

    Parameters
    ----------
    x : array-like
        A tensor, an array, a data frame of numbers, or a list of arrays or PIL images. Bytes
        (uint8) are pixels and become [0, 1]; images of bytes get a channel dimension, and channels
        that come last come first. Booleans become 0 and 1. Floating-point numbers become float32
        and stay as they are otherwise.
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
    if values.dtype == torch.uint8:
        values = _pixels(values, name)
    elif values.dtype == torch.bool:
        values = _channels_first(values.float())
    elif not values.is_floating_point():
        low, high = values.min().item(), values.max().item()
        raise ValueError(
            f"{name} holds {str(values.dtype).removeprefix('torch.')} from {low} to {high}, which "
            "may be pixels or counts; give pixels as uint8, other numbers as float32"
        )
    values = values.float()
    _check_finite(values, name)
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
    if len(x) != len(y) or not len(x):
        raise ValueError(
            f"data needs as many labels as examples and at least one, got {len(x)} examples and "
            f"{len(y)} labels"
        )
    rows = _as_tensor(x, "x") if transformed else as_input(x, model)
    ready = isinstance(y, Tensor) and y.dtype == torch.int64 and y.dim() == 1
    return rows, y if ready else as_labels(y, len(rows)).y


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
        values = _channels_first(values.unsqueeze(1) if values.dim() == 3 else values)
    if values.max() <= 1:
        _say_once(f"{name} holds uint8 0 and 1, which stay as they are")
        return values.float()
    _say_once(f"{name} holds uint8 pixels, which were divided by 255")
    return values.float() / 255


def _channels_first(values: Tensor) -> Tensor:
    """Put channels that surely come last, as in arrays of images, before height and width."""
    shape = values.shape
    if values.dim() == 4 and shape[1] not in CHANNELS and shape[3] in CHANNELS:
        return values.permute(0, 3, 1, 2).contiguous()
    return values


def _check_finite(values: Tensor, name: str) -> None:
    bad = (~values.flatten(1).isfinite().all(1)).nonzero()
    if len(bad):
        raise ValueError(
            f"{name} is not finite in {len(bad)} of {len(values)} rows, first in row "
            f"{bad[0].item()}; fill or leave out such rows"
        )


def as_labels(y: Any, count: int) -> Labels:
    """Return labels as whole numbers from 0, with -1 where there is none.

    Parameters
    ----------
    y : array-like or None
        None for no labels at all. Otherwise one label a row, ``(N,)`` or ``(N, 1)``: whole numbers
        of any type, where -1, -100 and NaN mean none; or strings, where None and NaN do, and which
        are numbered in the order of the alphabet. Rows of zeros and a one, ``(N, C)``, are labels
        too.
    count : int
        Number N of examples.

    Returns
    -------
    Labels
        ``y`` of shape ``(N,)``, int64, and the strings.

    Raises
    ------
    TypeError
        If labels are neither numbers nor strings.
    ValueError
        If there are not N of them, or a number is a fraction or below -1.
    """
    if y is None:
        return Labels(torch.full((count,), -1), ())
    array = y.detach().cpu().numpy() if isinstance(y, Tensor) else np.asarray(y)
    array = _one_each(array, count)
    if array.dtype.kind in "OUS":
        return _named(array)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"y holds {array.dtype}, wanted whole numbers or strings")
    numbers = array.astype(np.float64)
    numbers = np.where(np.isnan(numbers) | np.isin(numbers, UNLABELED), -1, numbers)
    odd = (numbers != np.floor(numbers)) | (numbers < -1) | ~np.isfinite(numbers)
    if odd.any():
        raise ValueError(
            f"y holds {numbers[odd][0]:g}, in row {np.flatnonzero(odd)[0]}; give whole numbers "
            "from 0, and -1 where there is no label"
        )
    return Labels(torch.from_numpy(numbers.astype(np.int64)), ())


def _one_each(array: np.ndarray, count: int) -> np.ndarray:
    """Return one label a row, of labels in a column or as rows of zeros and a one."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    numbers = array.ndim == 2 and array.dtype.kind in "biuf" and len(array) == count
    if numbers and np.isin(array, (0, 1)).all() and (array.sum(1) == 1).all():
        return array.argmax(1)
    if array.shape != (count,):
        raise ValueError(
            f"y has shape {array.shape} for {count} examples, wanted ({count},): one label for "
            "each, or rows of zeros and a one"
        )
    return array


def _named(array: np.ndarray) -> Labels:
    known = [None if _is_missing(value) else value for value in array.tolist()]
    present = [value for value in known if value is not None]
    if all(isinstance(value, int | float) for value in present):
        return as_labels(np.array([-1 if v is None else v for v in known]), len(known))
    odd = next((value for value in present if not isinstance(value, str | bytes)), None)
    if odd is not None:
        raise TypeError(f"y holds {odd!r} beside strings; give strings alone or whole numbers")
    texts = [v.decode() if isinstance(v, bytes) else v for v in known]
    names = sorted({text for text in texts if text is not None})
    places = {name: place for place, name in enumerate(names)}
    y = torch.tensor([-1 if text is None else places[text] for text in texts])
    shown = ", ".join(f"{place} = {name}" for name, place in list(places.items())[:10])
    _say_once(f"y holds strings, numbered as {shown}{', …' if len(names) > 10 else ''}")
    return Labels(y, tuple(names))


def _is_missing(value: object) -> bool:
    return not isinstance(value, str | bytes) and str(value) in ("None", "nan", "<NA>", "NaT")
