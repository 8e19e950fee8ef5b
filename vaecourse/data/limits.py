"""How much of a reader's own data is held in memory, checked before it is read."""

import math
from collections.abc import Sequence

__all__ = ["MOST_BYTES", "check_held"]

MOST_BYTES = 4 * 10**9


def check_held(shape: Sequence[int], where: str, error: type[Exception], cure: str) -> None:
    """Refuse float32 numbers of this shape where they take more than 4 GB.

    Parameters
    ----------
    shape : sequence of int
        Shape of the tensor that would be made.
    where : str
        What the data are, for the message.
    error : type
        The exception to raise.
    cure : str
        What to do, for the message.
    """
    needed = 4 * math.prod(shape)
    if needed > MOST_BYTES:
        sizes = ", ".join(str(size) for size in shape)
        raise error(
            f"{where} would take {needed / 1e9:.3g} GB as float32 of shape ({sizes}), more than "
            f"the {MOST_BYTES / 1e9:g} GB that are held in memory: {cure}"
        )
