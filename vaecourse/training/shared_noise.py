"""The noise of a batch, drawn as one process would draw it, of which each keeps its own rows.

PyTorch has no public way to see every random operation. `can_share_noise` says whether the private
one works; `vaecourse.training.distributed` does without where it does not.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from vaecourse.runtime.private import TorchDispatchMode

__all__ = ["Draw", "Rows", "SharedNoise", "Witness", "can_share_noise", "row_dimensions"]

Size = tuple[int, ...]
Witnessed = tuple[Callable, list[Size], list[Size]]
"""An operation, and the sizes of its arguments and of its results."""


@cache
def can_share_noise() -> bool:
    """Say whether this PyTorch lets an operation draw for four rows and keep the last two."""
    seen = []
    try:
        for num in (2, 4):
            with Witness() as witness:
                _uniform(num)
            seen += witness.seen
        with SharedNoise([row_dimensions(*seen)], Rows(2, 4, 4)):
            kept = _uniform(2)
        return torch.equal(kept, _uniform(4)[2:])
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return False


def _uniform(num: int) -> Tensor:
    return torch.rand(num, generator=torch.Generator().manual_seed(0))


class Rows(NamedTuple):
    """Rows `start` to `stop` of a batch of `total`."""

    start: int
    stop: int
    total: int


class Draw(NamedTuple):
    """One random operation; for every argument and result, which dimension counts the rows."""

    operation: Callable
    arguments: tuple[int | None, ...]
    results: tuple[int | None, ...]


def _is_random(operation: Any) -> bool:
    return torch.Tag.nondeterministic_seeded in operation.tags


def _size(value: object) -> tuple[int, ...]:
    if isinstance(value, Tensor):
        return tuple(value.shape)
    return tuple(value) if isinstance(value, list | tuple) else ()


def _results(value: Any) -> tuple[Tensor, ...]:
    return value if isinstance(value, tuple) else (value,)


class Witness(TorchDispatchMode):
    """Write down every random operation and the sizes that it takes and gives."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Witnessed] = []

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        result = operation(*args, **(kwargs or {}))
        if _is_random(operation):
            results = [_size(value) for value in _results(result)]
            self.seen.append((operation, [_size(value) for value in args], results))
        return result


class SharedNoise(TorchDispatchMode):
    """Let every random operation draw for all rows of the batch and keep those of this process."""

    def __init__(self, draws: list[Draw], rows: Rows) -> None:
        super().__init__()
        self.draws, self.rows, self.position = draws, rows, 0

    def __torch_dispatch__(
        self, operation: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        if not _is_random(operation):
            return operation(*args, **(kwargs or {}))
        draw = self.draws[self.position] if self.position < len(self.draws) else None
        if draw is None or draw.operation is not operation:
            raise ValueError(
                f"the objective drew {operation} where it did not before; in several processes "
                "every step must draw the same kinds of noise: train in one process"
            )
        self.position += 1
        wide = [self._widen(*pair) for pair in zip(args, draw.arguments, strict=True)]
        result = operation(*wide, **(kwargs or {}))
        kept = [self._keep(*pair) for pair in zip(_results(result), draw.results, strict=True)]
        if wide and result is wide[0]:  # an operation in place
            return args[0].copy_(kept[0])
        return tuple(kept) if isinstance(result, tuple) else kept[0]

    def _widen(self, value: Any, dim: int | None) -> Any:
        if dim is None:
            return value.clone() if isinstance(value, Tensor) else value
        start, stop, total = self.rows
        if not isinstance(value, Tensor):
            return [*value[:dim], total, *value[dim + 1 :]]
        index = torch.zeros(total, dtype=torch.int64, device=value.device)
        index[start:stop] = torch.arange(stop - start, device=value.device)
        return value.index_select(dim, index)

    def _keep(self, value: Tensor, dim: int | None) -> Tensor:
        if dim is None:
            return value
        return value.narrow(dim, self.rows.start, self.rows.stop - self.rows.start)


def row_dimensions(two: Witnessed, four: Witnessed) -> Draw:
    """Tell from the same operation on two and on four rows which dimensions count the rows."""
    operation = two[0]

    def dims(small: list[Size], large: list[Size]) -> tuple[int | None, ...]:
        return tuple(_grown(*pair, operation) for pair in zip(small, large, strict=True))

    return Draw(operation, dims(two[1], four[1]), dims(two[2], four[2]))


def _grown(small: Size, large: Size, operation: object) -> int | None:
    if small == large:
        return None
    changed = [dim for dim, pair in enumerate(zip(small, large, strict=True)) if pair[0] != pair[1]]
    if len(changed) > 1 or (small[changed[0]], large[changed[0]]) != (2, 4):
        raise ValueError(
            f"{operation} draws {small} numbers for 2 rows and {large} for 4, so that none of its "
            "dimensions counts the rows; train in one process"
        )
    return changed[0]
