"""Checks of arguments that several modules share."""

from collections.abc import Sequence
from math import isfinite
from numbers import Integral, Real

import numpy as np

__all__ = [
    "Shape",
    "as_positive",
    "as_seed",
    "as_shape",
    "as_widths",
    "check_not_negative",
    "check_positive",
    "check_positive_number",
    "is_integer",
]

Shape = int | Sequence[int] | np.ndarray


def is_integer(value: object) -> bool:
    """Say whether `value` is an integer of Python or NumPy; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def as_seed(seed: int) -> int:
    """Return `seed` as an integer of Python, or say that PyTorch's generators take none such."""
    if not is_integer(seed):
        raise ValueError(f"seed must be an integer, got {seed!r}")
    if not -(2**63) <= seed < 2**64:
        raise ValueError(f"seed must be an integer of at most 64 bits, got {seed!r}")
    return int(seed)


def as_positive(count: int, name: str) -> int:
    """Return `count` as a positive integer of Python, or say that it is none."""
    if not is_integer(count) or count < 1:
        raise ValueError(f"{name} must be a positive integer, got {count!r}")
    return int(count)


def as_shape(shape: Shape, name: str) -> tuple[int, ...]:
    """Return `shape` as a tuple of positive integers of Python, or say what is wrong with it."""
    sizes = shape.tolist() if isinstance(shape, np.ndarray) else shape
    sizes = tuple(sizes) if isinstance(sizes, Sequence) else (sizes,)
    if not sizes or any(not is_integer(n) or n < 1 for n in sizes):
        raise ValueError(f"{name} must be positive integers, got {shape!r}")
    return tuple(map(int, sizes))


def as_widths(hidden: Shape) -> tuple[int, ...]:
    """Return the units of each hidden layer as `as_shape` does; a network may have none."""
    sized = isinstance(hidden, Sequence | np.ndarray) and not isinstance(hidden, str)
    return () if sized and np.size(hidden) == 0 else as_shape(hidden, "hidden")


def check_positive(**counts: int) -> None:
    """Raise a ValueError that names the first count which is not a positive integer."""
    for name, count in counts.items():
        as_positive(count, name)


def check_positive_number(**numbers: float) -> None:
    """Raise a ValueError that names the first number which is not finite and above zero."""
    for name, number in numbers.items():
        if not isinstance(number, Real) or not isfinite(number) or number <= 0:
            raise ValueError(f"{name} must be a positive number, got {number!r}")


def check_not_negative(**numbers: float) -> None:
    """Raise a ValueError that names the first number which is not finite and at least zero."""
    for name, number in numbers.items():
        if not isinstance(number, Real) or not isfinite(number) or number < 0:
            raise ValueError(f"{name} must be a number of at least zero, got {number!r}")
