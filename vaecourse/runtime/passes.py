"""How many rows go through a model at once: no more than memory has room for.

What a row takes is measured, not guessed, so that it is right for anyone's networks: the model is
tried on a few rows, and the tensors that it makes are counted.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from vaecourse.checks import as_positive
from vaecourse.runtime.devices import Evaluable, evaluating, isolated_rng
from vaecourse.runtime.private import most_held

__all__ = [
    "Cost",
    "bytes_of",
    "excess",
    "in_passes",
    "part_of",
    "room",
    "row_by_row",
]

FEW = 2
"""Rows on which a model is tried; as few are never divided."""
ROOM, ROOM_ON_ACCELERATOR = 2**29, 2**32
"""Bytes that the tensors of a pass may take. The course's models stay far below."""


class Cost(NamedTuple):
    """Bytes that a pass takes at once: some in any case, and some for each row."""

    fixed: float
    per_row: float

    def of(self, rows: int) -> float:
        """Return the bytes of a pass of so many rows."""
        return self.fixed + rows * self.per_row

    def rows(self, size: float) -> int:
        """Return how many rows take `size` bytes, at least one."""
        return max(1, int((size - self.fixed) / self.per_row))


def room(device: torch.device) -> int:
    """Return how many bytes a pass may take on a device."""
    return ROOM if device.type == "cpu" else ROOM_ON_ACCELERATOR


def part_of(device: torch.device) -> int:
    """Return the bytes of one part of what has no room as a whole.

    It is a fraction of that room: more rows at once gain no time, and results need room too.
    """
    return room(device) // 4


def bytes_of(ask: Callable[[], object], device: torch.device) -> int | None:
    """Measure what ``ask()`` takes at once; None where it cannot be said.

    Random numbers go on afterwards as if nothing had been asked. Nor does an error count: who asks
    in earnest will meet it again.
    """
    try:
        with isolated_rng(0, device):
            return most_held(ask)
    except Exception:  # anyone's model may raise anything
        return None


def excess(ask: Callable[[int], object], rows: int, device: torch.device) -> Cost | None:
    """Return what ``ask(rows)`` would take if it has no room, measured by asking for few rows.

    None means that it has room, or that nobody can say.
    """
    one = bytes_of(lambda: ask(1), device) if rows > FEW else None
    if one is None or one * rows <= room(device):
        return None
    cost = Cost(0.0, one)
    few = None if cost.of(FEW) > room(device) else bytes_of(lambda: ask(FEW), device)
    if few is not None:
        per_row = max(1.0, (few - one) / (FEW - 1))
        cost = Cost(max(0.0, one - per_row), per_row)
    return cost if cost.of(rows) > room(device) else None


def row_by_row(
    ask: Callable[[Tensor], Tensor], x: Tensor, device: torch.device, batch_size: int | None = None
) -> Tensor:
    """Return what `ask` says about all rows of `x`, on the CPU.

    Parameters
    ----------
    ask : callable
        Maps some rows, on `device`, to a tensor with as many. No row may depend on another.
    x : Tensor
        Shape ``(N, *event)``, wherever it is.
    device : torch.device
        Where `ask` wants them.
    batch_size : int, optional
        Most rows of a pass, by default all. A pass has fewer where they would not have room.
    """
    most = max(1, len(x)) if batch_size is None else batch_size
    cost = excess(lambda rows: ask(x[:rows].to(device)), min(most, len(x)), device)
    if cost is not None:
        most = cost.rows(part_of(device))
    parts = (ask(part.to(device)) for part in x.split(most))
    first = next(parts)
    if len(first) == len(x):
        return first.cpu()
    # Filled in place: to concatenate would take twice the room of the result.
    found = torch.empty(len(x), *first.shape[1:], dtype=first.dtype)
    found[: len(first)] = first
    done = len(first)
    for part in parts:
        found[done : done + len(part)] = part
        done += len(part)
    return found


def in_passes(
    model: Evaluable, x: Tensor, ask: Callable[[Tensor], Tensor], batch_size: int | None = None
) -> Tensor:
    """Return what `ask` says about all rows of `x`, on the CPU, with the model in evaluation mode.

    Parameters
    ----------
    model : Module
        Whom `ask` asks.
    x : Tensor
        Shape ``(N, *event)``, wherever it is.
    ask : callable
        Maps a part of the rows, on the model's device, to a tensor with as many rows.
    batch_size : int, optional
        Most rows of a pass. By default a thousand, which stay in a CPU's cache, or the ten thousand
        with which an accelerator has work for all its units. A pass has fewer where they would not
        have room.

    Raises
    ------
    ValueError
        If `batch_size` is given and no positive integer.
    """
    with evaluating(model, 0) as device:
        if batch_size is None:
            batch_size = 1000 if device.type == "cpu" else 10_000
        return row_by_row(ask, x, device, as_positive(batch_size, "batch_size"))
