"""Right answers to a changed question: an input squared, swapped, or taken for zero."""

from collections.abc import Callable, Iterator
from itertools import combinations

import torch

__all__ = ["disguises"]

Changed = tuple[str, str, Callable]

TENSORS: tuple[tuple[Callable, str, str], ...] = (
    (lambda x: x**2, "square", "squared"),
    (lambda x: x**0.5, "root", "replaced by its square root"),
    (lambda x: -x, "sign", "negated"),
    (lambda x: 2 * x, "factor-two", "doubled"),
    (lambda x: x / 2, "half", "halved"),
    (lambda x: 1 / x, "inverse", "replaced by one over it"),
    (lambda x: 1 - x, "complement", "replaced by one minus it"),
    (lambda x: x + 1, "off-by-one", "one too large"),
    (lambda x: x - 1, "off-by-one", "one too small"),
    (lambda x: 0 * x, "ignored-input", "taken for zero"),
    (lambda x: 0 * x + 1, "ignored-input", "taken for one"),
)
ONLY_TENSORS: tuple[tuple[Callable, str, str], ...] = (
    (lambda x: x.exp(), "exponential", "replaced by its exponential"),
    (lambda x: (x / 2).exp(), "exponential", "halved, and its exponential taken"),
    (lambda x: x.log(), "logarithm", "replaced by its logarithm"),
    (lambda x: 2 * x.log(), "logarithm", "replaced by the logarithm of its square"),
    (lambda x: x.abs(), "absolute", "replaced by its absolute value"),
    (lambda x: x.clamp(min=0), "clamp", "cut off below zero"),
    (lambda x: x.clamp(0, 1), "clamp", "cut off at 0 and 1"),
    (lambda x: x.T, "transposed", "transposed"),
    (lambda x: x.flip(0), "order", "taken in reverse order"),
    (lambda x: x.flip(-1), "order", "reversed along its last axis"),
    (lambda x: x.sort(0).values, "order", "sorted"),
    (lambda x: x.sort(0, descending=True).values, "order", "sorted downward"),
    (lambda x: 0 * x + x[:1], "one-for-all", "replaced by its first row, for all rows"),
    (lambda x: 0 * x + x[..., :1], "one-for-all", "replaced by its first column, for all"),
    (lambda x: 0 * x + x.mean(0), "one-for-all", "replaced by its mean over the first axis"),
    (lambda x: 0 * x + x.mean(-1, keepdim=True), "one-for-all", "replaced by its row means"),
    (lambda x: 0 * x + x.mean(), "one-for-all", "replaced by the mean of all its entries"),
    (lambda x: x - x.mean(0), "centered", "centered over the first axis"),
    (lambda x: x - x.mean(-1, keepdim=True), "centered", "centered row by row"),
    (lambda x: x - x.mean(), "centered", "centered with one mean for all entries"),
    (lambda x: (x - x.mean(0)) / x.std(0), "standardized", "standardized over the first axis"),
    (lambda x: x.softmax(0), "softmax", "put through a softmax over the first axis"),
    (lambda x: x.softmax(-1), "softmax", "put through a softmax over the last axis"),
    (lambda x: x.log_softmax(-1), "softmax", "put through a log-softmax over the last axis"),
    (lambda x: x.sigmoid(), "sigmoid", "put through a sigmoid"),
    (lambda x: x / x.sum(), "normalized", "divided by its sum"),
    (lambda x: x / x.norm(), "normalized", "divided by its length"),
    (lambda x: x / x.norm(dim=-1, keepdim=True), "normalized", "scaled to rows of length one"),
    (lambda x: x / x.sum(-1, keepdim=True), "normalized", "divided by the sums of its rows"),
    (lambda x: x.diagonal().diag(), "diagonal", "reduced to its diagonal"),
    (lambda x: torch.linalg.inv(x), "inverse", "replaced by its inverse"),
    (lambda x: x.round(), "rounded", "rounded"),
    (lambda x: x[1:], "off-by-one", "taken without its first row"),
    (lambda x: x[:-1], "off-by-one", "taken without its last row"),
    (lambda x: x.unique(), "unique", "freed of repeated values"),
    (lambda x: x.cumsum(0), "cumulative", "summed up along its first axis"),
    (lambda x: ~x, "negation", "replaced by its opposite"),
)


def at(place: int, change: Callable) -> Callable:
    """Return a function that changes one of the inputs."""
    return lambda *inputs: (*inputs[:place], change(inputs[place]), *inputs[place + 1 :])


def both(one: int, other: int, change: Callable) -> Callable:
    """Return a function that puts two new inputs in the places of two."""

    def changed(*inputs):
        new = list(inputs)
        new[one], new[other] = change(inputs[one], inputs[other])
        return tuple(new)

    return changed


def alike(one, other) -> bool:
    """Tell whether two inputs can stand for each other."""
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return one.shape == other.shape and one.dtype == other.dtype
    number = isinstance(one, int | float) and isinstance(other, int | float)
    return number and type(one) is type(other)


def disguises(parameters: tuple[str, ...], inputs: tuple) -> Iterator[Changed]:
    """Yield changes of the inputs: the kind of fault, a clause about it, and the change."""
    for place, (name, x) in enumerate(zip(parameters, inputs, strict=True)):
        number = isinstance(x, int | float) and not isinstance(x, bool)
        for change, kind, words in TENSORS if number or isinstance(x, torch.Tensor) else ():
            yield kind, f"`{name}` is {words}", at(place, change)
        for change, kind, words in ONLY_TENSORS if isinstance(x, torch.Tensor) else ():
            yield kind, f"`{name}` is {words}", at(place, change)
    for one, other in combinations(range(len(inputs)), 2):
        if not alike(inputs[one], inputs[other]):
            continue
        first, second = parameters[one], parameters[other]
        yield (
            "swapped",
            f"`{first}` and `{second}` change places",
            (both(one, other, lambda a, b: (b, a))),
        )
        yield (
            "wrong-variable",
            f"`{first}` stands for `{second}` as well",
            (both(one, other, lambda a, b: (a, a))),
        )
        yield (
            "wrong-variable",
            f"`{second}` stands for `{first}` as well",
            (both(one, other, lambda a, b: (b, b))),
        )
        for change, words in (
            (lambda a, b: (a + b, b), "their sum"),
            (lambda a, b: (a * b, b), "their product"),
            (lambda a, b: (a - b, b), "their difference"),
        ):
            yield (
                "wrong-variable",
                f"`{first}` is replaced by {words}, with `{second}`",
                (both(one, other, change)),
            )
