"""Checks of arguments that several modules share."""

from collections.abc import Sequence

__all__ = ["Shape", "as_shape", "check_positive"]

Shape = int | Sequence[int]


def as_shape(shape: Shape, name: str) -> tuple[int, ...]:
    """Return `shape` as a tuple of positive integers, or say what is wrong with it."""
    sizes = tuple(shape) if isinstance(shape, Sequence) else (shape,)
    if not sizes or any(not isinstance(n, int) or isinstance(n, bool) or n < 1 for n in sizes):
        raise ValueError(f"{name} must be positive integers, got {shape!r}")
    return sizes


def check_positive(**counts: int) -> None:
    """Raise a ValueError that names the first count which is not a positive integer."""
    for name, count in counts.items():
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise ValueError(f"{name} must be a positive integer, got {count!r}")
