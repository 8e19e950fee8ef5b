"""A model that answers for many rows a part at a time, where all of them at once have no room.

To give an objective fewer rows would change its numbers: noise is drawn for all rows together, and
label terms are averages over the batch. So the batch stays whole, and so do codes and noise, which
are small. What is large lies inside the networks and between decoder and density. It is made for
some rows, classes and samples at a time, and no number changes by more than rounding.
"""

import copy
from collections.abc import Callable, Iterable
from functools import partial
from itertools import product
from math import prod
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch import distributions as td

from vaecourse.distributions import Delta
from vaecourse.runtime.passes import bytes_of

__all__ = ["in_parts"]

Model = TypeVar("Model")
Shape = tuple[int, ...]
Place = tuple[slice, ...]
Ask = Callable[..., td.Distribution]


def in_parts(model: Model, event_shape: Shape, size: float | None) -> Model:
    """Return `model` with methods that go through their rows a part at a time.

    Parameters
    ----------
    model : Module
        Its ``encode``, ``decode``, ``classify`` and ``predict`` are asked, as far as it has them.
    event_shape : tuple of int
        Shape of one x.
    size : float or None
        Bytes of a part. None makes every part one row, with all its samples and classes.

    Returns
    -------
    Module
        Another object with the same weights and parts.
    """
    twin = copy.copy(model)
    parts = _Parts(tuple(event_shape), size)
    # Not by setattr: a module refuses to hide one of its own parts.
    for name in ("encode", "classify", "predict"):
        if hasattr(model, name):
            twin.__dict__[name] = partial(parts.joined, getattr(model, name))
    if hasattr(model, "decode"):
        twin.__dict__["decode"] = partial(_Decoded, parts, model.decode)
    return twin


class _Parts:
    """How large parts are, and what one x and one code look like."""

    def __init__(self, event: Shape, size: float | None) -> None:
        self.event, self.size, self.code_dims = event, size, 1

    def joined(
        self, ask: Ask, values: Tensor, y: Tensor | None = None, rows: Tensor | None = None
    ) -> td.Distribution:
        """Return the distribution of all rows, of which `ask` makes parts.

        With `rows` it is that of class ``y[n]`` and ``values[rows[n]]`` for every n.
        """
        given = () if y is None else (y,)
        own = values.shape[: values.dim() - self._inner(values)] if rows is None else rows.shape
        shape = _batch_shape(own, given)

        def part(place: Place) -> td.Distribution:
            if rows is None:
                some = _cut(values, place, self._inner(values))
            else:
                some = values.index_select(0, rows[place])
            return ask(some, *(_cut(classes, place, 0) for classes in given))

        places = self.places(shape, part, values.device)
        found = _join([part(place) for place in places], places, shape)
        self.code_dims = max(1, len(found.event_shape))
        return found

    def _inner(self, values: Tensor) -> int:
        """Return how many dimensions one row has: `values` are examples or codes."""
        dims = len(self.event)
        is_x = values.dim() > dims and tuple(values.shape[values.dim() - dims :]) == self.event
        return dims if is_x else self.code_dims

    def places(
        self, shape: Shape, part: Callable[[Place], object], device: torch.device
    ) -> list[Place]:
        """Cut rows of this batch shape into parts, each of which has room."""
        if self.size is None:
            return _places(shape, prod(shape[:-1]))
        one = bytes_of(lambda: part(tuple(slice(0, 1) for _ in shape)), device)
        return _places(shape, prod(shape) if one is None else int(self.size / max(one, 1)))


class _Decoded:
    """The likelihood ``ask(z, *given)``, which is made anew, part by part, for each question."""

    def __init__(self, parts: _Parts, ask: Ask, z: Tensor, *given: Tensor) -> None:
        self._parts, self._ask, self._z, self._given = parts, ask, z, given
        self._shape = _batch_shape(z.shape[: z.dim() - parts.code_dims], given)

    def _part(self, place: Place) -> td.Distribution:
        z = _cut(self._z, place, self._parts.code_dims)
        return self._ask(z, *(_cut(classes, place, 0) for classes in self._given))

    def _asked(self, about: Callable[[td.Distribution, Place], Tensor]) -> Tensor:
        def answer(place: Place) -> Tensor:
            return about(self._part(place), place)

        places = self._parts.places(self._shape, answer, self._z.device)
        return _fill(map(answer, places), places, self._shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the log density of `value`, shape ``(*batch)``."""
        dims = len(self._parts.event)
        return self._asked(lambda likelihood, at: likelihood.log_prob(_cut(value, at, dims)))

    @property
    def mean(self) -> Tensor:
        """The mean, shape ``(*batch, *event)``."""
        return self._asked(lambda likelihood, _: likelihood.mean)

    def __getattr__(self, name: str) -> Any:
        """Ask the whole likelihood whatever else someone wants to know."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._ask(self._z, *self._given), name)


def _batch_shape(own: Shape, given: tuple[Tensor, ...]) -> Shape:
    if any(classes.is_floating_point() for classes in given):
        raise TypeError("only classes are known to go with rows")
    return tuple(torch.broadcast_shapes(own, *(classes.shape for classes in given)))


def _places(shape: Shape, most: int) -> list[Place]:
    """Cut the last dimension, of rows, into parts of at most `most` in all; if need be, others."""
    cuts: list[list[slice]] = []
    for position in reversed(range(len(shape))):
        size = shape[position]
        count = max(1, min(size, most // max(1, prod(shape[:position]))))
        most //= count
        cuts.insert(0, [slice(start, start + count) for start in range(0, size, count)])
    return list(product(*cuts))


def _cut(values: Tensor, place: Place, inner: int) -> Tensor:
    """Return the part at `place`, with which the batch dimensions of `values` broadcast."""
    outer = values.shape[: values.dim() - inner]
    along = place[len(place) - len(outer) :]
    one = slice(None)
    return values[tuple(one if n == 1 else cut for n, cut in zip(outer, along, strict=True))]


def _join(parts: list[td.Distribution], places: list[Place], shape: Shape) -> td.Distribution:
    """Return the distribution of all rows, whose parts these are."""
    first = parts[0]
    if len(parts) == 1:
        return first
    if type(first) is td.Independent:
        base = _join([part.base_dist for part in parts], places, shape)  # type: ignore[attr-defined]
        return td.Independent(base, first.reinterpreted_batch_ndims, validate_args=False)
    if isinstance(first, Delta):
        points = (part.value for part in parts)  # type: ignore[attr-defined]
        return Delta(_fill(points, places, shape), len(first.event_shape))
    names = [name for name in first.arg_constraints if name in vars(first)]
    if not names:
        raise TypeError(f"nobody knows what a {type(first).__name__} is made of")
    made: Callable[..., td.Distribution] = type(first)
    values = [_fill((getattr(part, name) for part in parts), places, shape) for name in names]
    return made(**dict(zip(names, values, strict=True)), validate_args=False)


def _fill(values: Iterable[Tensor], places: list[Place], shape: Shape) -> Tensor:
    """Put parts into their places of one tensor, whose first dimensions are `shape`."""
    whole = torch.empty(0)
    for number, (place, part) in enumerate(zip(places, values, strict=True)):
        if number == 0:
            whole = part.new_empty(*shape, *part.shape[len(shape) :])
        if whole[place].shape != part.shape:
            raise ValueError(f"a part has shape {tuple(part.shape)}, its place another")
        whole[place] = part
    return whole
