"""Whole numbers for the names of classes and sites."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch

__all__ = ["MOST_CODES", "codes_of", "names_of"]

MOST_CODES = 2**16


def codes_of(values: Any, what: str, *, missing: bool) -> np.ndarray:
    """Return one whole number a row: integers as they are, strings by their place when sorted.

    Parameters
    ----------
    values : sequence, numpy.ndarray, pandas.Series or Tensor, shape (N,)
        Integers or strings. Floats must be whole.
    what : str
        What a message calls the values.
    missing : bool
        Whether None, NaN and -1 are accepted; they become -1.

    Returns
    -------
    numpy.ndarray, shape (N,), int64

    Raises
    ------
    ValueError
        If the values are not of one kind, one is missing that must not be, or a number is not
        from 0 to 65,535.
    """
    rows = _rows(values, what)
    absent = np.array([_is_absent(value) for value in rows], bool)
    if absent.any() and not missing:
        row = int(absent.argmax())
        raise ValueError(f"{what} must name every row, row {row} holds {rows[row]!r}: fill it in")
    present = [value for value, gone in zip(rows, absent, strict=True) if not gone]
    found = np.full(len(rows), -1, np.int64)
    if all(isinstance(value, str) for value in present):
        found[~absent] = np.unique(np.array(present, dtype=str), return_inverse=True)[1]
        return found
    odd = [value for value in present if not isinstance(value, Real) or value % 1 != 0]
    if odd:
        raise ValueError(
            f"{what} must be all whole numbers or all strings, among them is {odd[0]!r}: "
            "give one kind"
        )
    least = -1 if missing else 0
    wrong = [value for value in present if not least <= value < MOST_CODES]
    if wrong:
        raise ValueError(
            f"{what} must be numbers from {least} to {MOST_CODES - 1}, among them is {wrong[0]}: "
            "number them from 0, or give strings"
        )
    found[~absent] = np.array(present, np.int64)
    return found


def names_of(values: Any, codes: np.ndarray) -> tuple[str, ...]:
    """Return the name of each code that `codes_of` gave to these values, from 0 upward."""
    strings = {value for value in _rows(values, "y") if isinstance(value, str)}
    return tuple(sorted(strings) or map(str, range(int(codes.max(initial=-1)) + 1)))


def _rows(values: Any, what: str) -> Sequence:
    """Return the values as a list; NumPy would turn a NaN beside strings into a string."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().numpy()
    array = np.asarray(values, dtype=object)
    if array.ndim != 1:
        raise ValueError(f"{what} must have shape (N,), one value a row, got shape {array.shape}")
    return array.tolist()


def _is_absent(value: object) -> bool:
    if value is None or type(value).__name__ == "NAType":  # pandas need not be installed
        return True
    return isinstance(value, Real) and not isinstance(value, Integral) and value != value
