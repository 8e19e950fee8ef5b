"""Whole numbers for the names of classes and sites: the one place where labels are encoded."""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

__all__ = ["MOST_CODES", "Labels", "as_labels"]

MOST_CODES = 2**16
UNLABELED = -1, -100
"""Whole numbers that mean no label, here and in PyTorch's losses."""
TEXT = str, bytes
NUMBER = int, float, np.number, np.bool_


class Labels(NamedTuple):
    """Labels as whole numbers, and the name of each class where they had names."""

    y: Tensor
    classes: tuple[str, ...]


def as_labels(y: Any, count: int, name: str = "y", *, missing: bool = True) -> Labels:
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
    name : str
        What a message calls them.
    missing : bool
        Whether a row may have none.

    Returns
    -------
    Labels
        ``y`` of shape ``(N,)``, int64, and the strings.

    Raises
    ------
    TypeError
        If labels are neither numbers nor strings, or some are the one and some the other.
    ValueError
        If there are not N of them, one is missing that must not be, or a number is a fraction or
        not from 0 to 65,535.
    """
    if y is None:
        return Labels(torch.full((count,), -1), ())
    array = _one_each(_as_array(y, name), count, name)
    if array.dtype.kind in "biuf":
        return Labels(_whole(array, name, missing), ())
    if array.dtype.kind not in "OUS":
        raise TypeError(f"{name} holds {array.dtype}, wanted whole numbers or strings")
    known = [None if _is_missing(value) else value for value in array.tolist()]
    texts, numbers = (_first(known, kind) for kind in (TEXT, NUMBER))
    odd = next((v for v in known if v is not None and not isinstance(v, (*TEXT, *NUMBER))), None)
    if odd is not None:
        raise TypeError(f"{name} holds {odd!r}, wanted whole numbers or strings")
    if texts is not None and numbers is not None:
        raise TypeError(
            f"{name} holds {texts!r} and {numbers!r}; give strings alone or whole numbers alone"
        )
    if texts is not None:
        return _named(known, name, missing)
    found = np.array([np.nan if value is None else value for value in known], np.float64)
    return Labels(_whole(found, name, missing), ())


def _first(values: list, kinds: tuple[type, ...]) -> object:
    return next((value for value in values if isinstance(value, kinds)), None)


def _as_array(y: Any, name: str) -> np.ndarray:
    """Return an array in which nothing has become a string that was none."""
    if isinstance(y, Tensor):
        return y.detach().cpu().numpy()
    try:
        array = np.asarray(y)
        # NumPy writes numbers and NaN beside strings as strings.
        mixed = array.dtype.kind in "US" and not isinstance(y, np.ndarray)
        return np.asarray(y, dtype=object) if mixed else array
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{name} must hold one label a row ({error})") from error


def _one_each(array: np.ndarray, count: int, name: str) -> np.ndarray:
    """Return one label a row, of labels in a column or as rows of zeros and a one."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    numbers = array.ndim == 2 and array.dtype.kind in "biuf" and len(array) == count
    if numbers and np.isin(array, (0, 1)).all() and (array.sum(1) == 1).all():
        return array.argmax(1)
    if array.shape != (count,):
        raise ValueError(
            f"{name} has shape {array.shape} for {count} examples, wanted ({count},): one label "
            "for each, or rows of zeros and a one"
        )
    return array


def _whole(array: np.ndarray, name: str, missing: bool) -> Tensor:
    numbers = array.astype(np.float64)
    absent = np.isnan(numbers)
    if missing:
        absent |= np.isin(numbers, UNLABELED)
    _check_present(absent, name, missing)
    numbers = np.where(absent, -1, numbers)
    least = -1 if missing else 0
    odd = (numbers != np.floor(numbers)) | (numbers < least) | (numbers >= MOST_CODES)
    if odd.any():
        none = ", and -1 where there is no label" if missing else ""
        value = np.format_float_positional(numbers[odd][0], trim="-")
        raise ValueError(
            f"{name} holds {value}, in row {odd.argmax()}; give whole numbers from 0 to "
            f"{MOST_CODES - 1}, or strings{none}"
        )
    return torch.from_numpy(numbers.astype(np.int64))


def _named(known: list, name: str, missing: bool) -> Labels:
    _check_present(np.array([value is None for value in known]), name, missing)
    # Two strings of bytes that are no text stay two names.
    texts = [v.decode(errors="backslashreplace") if isinstance(v, bytes) else v for v in known]
    classes = sorted({text for text in texts if text is not None})
    places = {text: place for place, text in enumerate(classes)}
    y = torch.tensor([-1 if text is None else places[text] for text in texts])
    return Labels(y, tuple(classes))


def _check_present(absent: np.ndarray, name: str, missing: bool) -> None:
    if absent.any() and not missing:
        raise ValueError(f"{name} must name every row, row {absent.argmax()} does not: fill it in")


def _is_missing(value: object) -> bool:
    return not isinstance(value, TEXT) and str(value) in ("None", "nan", "<NA>", "NaT")
