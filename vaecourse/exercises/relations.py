"""How wrong values hang together with the exact ones: a sign, a factor, a constant, an axis.

Each relation must hold on every case, and where sizes come in, the cases have different ones.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch

__all__ = ["TOLERANCE", "Comparison", "constant", "functions", "offsets", "ratios", "shapes"]

TOLERANCE = 2e-4
TWO_PI = 2 * math.pi
NUMBERS = {
    -1.0: ("sign", "minus what they should be: a sign is turned around"),
    2.0: ("factor-two", "twice what they should be: a ½ is missing, or a 2 is too much"),
    0.5: ("half", "half of what they should be: a ½ is too much, or a 2 is missing"),
    -2.0: ("factor-two", "minus two times what they should be: a sign, and a ½"),
    -0.5: ("half", "minus half of what they should be: a sign, and a 2"),
    4.0: ("factor-four", "four times what they should be: a ¼ or the square of a ½ is missing"),
    0.25: ("quarter", "a quarter of what they should be: a ½ comes in twice too often"),
    1 / math.log(2): ("bits", "divided by log 2: that is bits where nats are wanted"),
    math.log(2): ("bits", "multiplied by log 2: that turns bits into nats"),
    -1 / math.log(2): ("bits", "minus bits where nats are wanted"),
    1 / math.log(10): ("log-ten", "logarithms to base 10. The natural logarithm is wanted"),
    TWO_PI: ("two-pi", "2π times what they should be"),
    1 / TWO_PI: ("two-pi", "divided by 2π once too often"),
    TWO_PI**0.5: ("two-pi", "√(2π) times what they should be"),
    TWO_PI**-0.5: ("two-pi", "divided by √(2π) once too often"),
    math.pi: ("pi", "π times what they should be"),
    1 / math.pi: ("pi", "divided by π once too often"),
    math.pi / 180: ("radians", "in radians where degrees are wanted"),
    180 / math.pi: ("degrees", "in degrees where radians are wanted"),
    2**0.5: ("root-two", "√2 times what they should be"),
    0.5**0.5: ("root-two", "divided by √2 once too often"),
    100.0: ("percent", "in percent where shares are wanted"),
    0.01: ("percent", "shares where percent is wanted"),
}
SIZES: tuple[tuple[Callable, str, str], ...] = (
    (lambda n: n, "count", "{n} times what they should be: a sum where a mean belongs?"),
    (lambda n: 1 / n, "count", "divided by {n} once too often: a mean where a sum belongs?"),
    (lambda n: n**2, "count", "the square of {n} times what they should be"),
    (lambda n: n**-2, "count", "divided twice by {n}"),
    (lambda n: n**0.5, "root-of-count", "the root of {n} times what they should be"),
    (lambda n: n**-0.5, "root-of-count", "divided by the root of {n} once too often"),
    (lambda n: (n - 1) / n, "n-minus-one", "divided by {n} where one less belongs"),
    (lambda n: n / (n - 1), "n-minus-one", "divided by one less than {n} where {n} belongs"),
    (
        lambda n: ((n - 1) / n) ** 0.5,
        "n-minus-one",
        "divided by √N where √(N − 1) belongs: N is {n}",
    ),
    (
        lambda n: (n / (n - 1)) ** 0.5,
        "n-minus-one",
        "divided by √(N − 1) where √N belongs: N is {n}",
    ),
    (lambda n: n - 1, "count", "one less than {n} times what they should be"),
    (lambda n: 1 / (n - 1), "count", "divided by one less than {n}, once too often"),
    (lambda n: n / 2, "count", "half of {n} times what they should be"),
    (lambda n: 2 / n, "count", "divided by half of {n} once too often"),
    (lambda n: math.log(n), "log-count", "multiplied by the logarithm of {n}"),
    (lambda n: 1 / math.log(n), "log-count", "divided by the logarithm of {n} once too often"),
)
SHIFTS: tuple[tuple[Callable, str, str], ...] = (
    (lambda n: math.log(n), "log-count", "the logarithm of {n}"),
    (lambda n: 0.5 * n * math.log(TWO_PI), "two-pi", "½ log 2π times {n}"),
    (lambda n: n * math.log(TWO_PI), "two-pi", "log 2π times {n}"),
    (lambda n: 0.5 * n, "half-count", "half of {n}"),
    (lambda n: n, "count", "{n}"),
    (
        lambda n: n - math.log(n),
        "log-count",
        "{n} less its logarithm: one stands for the other",
    ),
    (lambda n: n * math.log(2), "log-two", "log 2 times {n}"),
    (lambda n: 0.5 * n * (1 + math.log(TWO_PI)), "two-pi", "½ (1 + log 2π) times {n}"),
    (
        lambda n: 0.5 * (n - 1) * math.log(TWO_PI),
        "two-pi",
        "½ log 2π, which belongs there {n} times",
    ),
)
CONSTANTS = {
    0.5: ("one-half", "½"),
    1.0: ("one", "1"),
    2.0: ("two", "2"),
    math.log(2): ("log-two", "log 2"),
    0.5 * math.log(TWO_PI): ("two-pi", "½ log 2π"),
    math.log(TWO_PI): ("two-pi", "log 2π"),
    0.5 * math.log(2): ("log-two", "½ log 2"),
    0.5 * math.log(math.pi): ("pi", "½ log π"),
    0.5 * (1 + math.log(TWO_PI)): ("two-pi", "½ (1 + log 2π)"),
    math.log(256): ("levels", "log 256"),
    8.0: ("levels", "8, the bits of 256 levels"),
}
FUNCTIONS: tuple[tuple[Callable, str, str], ...] = (
    (lambda t: t.square(), "square", "the squares of the right ones: a root is missing"),
    (lambda t: t.sqrt(), "root", "the square roots of the right ones"),
    (lambda t: t.log(), "logarithm", "the logarithms of the right ones: an `exp` is missing"),
    (lambda t: t.exp(), "exponential", "the exponentials of the right ones: a `log` is missing"),
    (lambda t: -t.log(), "logarithm", "minus the logarithms of the right ones"),
    (lambda t: (-t).exp(), "exponential", "the exponentials of minus the right ones"),
    (lambda t: t.log1p(), "logarithm", "log(1 + ·) of the right ones"),
    (lambda t: t.expm1(), "exponential", "exp(·) − 1 of the right ones"),
    (lambda t: 1 / t, "inverse", "one over the right ones: a fraction stands upside down"),
    (lambda t: -1 / t, "inverse", "minus one over the right ones"),
    (lambda t: t**-0.5, "inverse", "one over the root of the right ones"),
    (lambda t: t**-2, "inverse", "one over the square of the right ones"),
    (lambda t: t.abs(), "absolute", "the absolute values of the right ones"),
    (lambda t: t.clamp(min=0), "clamp", "the right ones, negative ones set to zero"),
    (lambda t: t.clamp(max=0), "clamp", "the right ones with the positive ones set to zero"),
    (lambda t: t.clamp(0, 1), "clamp", "the right ones cut off at 0 and 1"),
    (lambda t: t.clamp(-1, 1), "clamp", "the right ones cut off at −1 and 1"),
    (lambda t: t.clamp(max=1), "clamp", "the right ones cut off at 1"),
    (lambda t: t.clamp(min=1), "clamp", "the right ones cut off below 1"),
    (lambda t: 1 - t, "complement", "one minus the right ones"),
    (lambda t: t - 1, "one", "the right ones less 1"),
    (lambda t: t.log2(), "logarithm", "the logarithms (base 2) of the right ones"),
    (lambda t: (t > 0).double(), "sign", "1 where the right ones are positive, and else 0"),
    (lambda t: t.flip(0), "order", "the right ones in reverse order"),
    (lambda t: t.roll(1, 0), "off-by-one", "the right ones moved one place on"),
    (lambda t: t.roll(-1, 0), "off-by-one", "the right ones moved one place back"),
    (lambda t: t.cumsum(0), "cumulative", "running sums of the right ones"),
    (lambda t: t.round(), "rounded", "rounded"),
    (lambda t: t.floor(), "rounded", "rounded down"),
    (lambda t: t.diagonal().diag(), "diagonal", "right on the diagonal, and zero elsewhere"),
    (lambda t: torch.linalg.inv(t), "inverse", "the inverse of the right matrix"),
    (lambda t: torch.linalg.cholesky(t), "root", "a Cholesky factor of the right matrix"),
    (lambda t: t.T, "transposed", "the right ones, transposed"),
    (lambda t: t / t.sum(), "normalized", "the right ones divided by their sum"),
    (lambda t: t / t.sum(0), "normalized", "the right ones over their column sums"),
    (lambda t: t / t.sum(-1, keepdim=True), "normalized", "the right ones over their row sums"),
    (lambda t: t - t.mean(0), "centered", "the right ones less their mean"),
    (lambda t: t / t.max(), "normalized", "the right ones divided by the largest"),
    (lambda t: t.softmax(0), "normalized", "the softmax of the right ones"),
)  # fmt: skip


class Comparison(NamedTuple):
    """One part of what was returned, on one case: it, the exact one, and the sizes of the case."""

    value: torch.Tensor
    truth: torch.Tensor
    sizes: dict[str, float]


def close(value: torch.Tensor, other: torch.Tensor, tolerance: float = TOLERANCE) -> bool:
    """Tell whether tensors agree, entry by entry up to the largest."""
    if value.shape != other.shape:
        return False
    finite = other[other.isfinite()].abs()
    room = tolerance * (finite.max().item() if len(finite) else 1.0)
    return torch.allclose(value, other, rtol=0.0, atol=room, equal_nan=True)


def holds(rows: list[Comparison], relation: Callable) -> bool:
    """Tell whether a function of the exact values gives the values on every case."""
    try:
        made = [relation(row.truth) for row in rows]
    except (RuntimeError, IndexError, ValueError):
        return False
    finite = all(other.isfinite().any() for other in made)
    return finite and all(close(row.value, other) for row, other in zip(rows, made, strict=True))


def functions(rows: list[Comparison]) -> Iterator[tuple[str, str]]:
    """Yield the functions of the exact values that the values are."""
    for relation, kind, words in FUNCTIONS:
        if holds(rows, relation):
            yield kind, f"Your values are {words}."


def scales(rows: list[Comparison]) -> list[float] | None:
    """Return the ratio of values to exact ones on every case, if there is one."""
    found = []
    for value, truth, _ in rows:
        if value.shape != truth.shape or not value.isfinite().all() or not truth.any():
            return None
        ratio = ((value * truth).sum() / truth.square().sum()).item()
        if not ratio or not close(value, ratio * truth):
            return None
        found.append(ratio)
    return found


def shifts(rows: list[Comparison]) -> list[float] | None:
    """Return how far values lie above the exact ones on every case, if it is one distance."""
    found = []
    for value, truth, _ in rows:
        if value.shape != truth.shape or not (value - truth).isfinite().all():
            return None
        gap = value - truth
        room = 1e-3 * gap.mean().abs() + 1e-6 * truth.abs().max()
        if not gap.mean() or (gap - gap.mean()).abs().max() > room:
            return None
        found.append(gap.mean().item())
    return found


def agree(found: list[float], wanted: list[float]) -> bool:
    """Tell whether numbers are those that are wanted, to three digits."""
    return all(
        math.isclose(a, b, rel_tol=1e-3, abs_tol=1e-9) for a, b in zip(found, wanted, strict=True)
    )


def of_sizes(found: list[float], rows: list[Comparison], families) -> Iterator[tuple[str, str]]:
    """Yield the functions of one size of the inputs that the numbers are on every case."""
    for function, kind, words in families:
        for name in rows[0].sizes:
            if len({row.sizes.get(name, 0) for row in rows}) == 1:
                continue  # a number that never changes would be taken for a size
            try:
                wanted = [float(function(row.sizes[name])) for row in rows]
            except (KeyError, ValueError, ZeroDivisionError):
                continue
            if agree(found, wanted):
                yield kind, words.format(n=name)


def ratios(rows: list[Comparison]) -> Iterator[tuple[str, str]]:
    """Yield what the ratio to the exact values is: a number with a meaning, or a size."""
    found = scales(rows)
    if found is None:
        return
    for number, (kind, words) in NUMBERS.items():
        if agree(found, [number] * len(found)):
            yield kind, f"Your values are {words}."
    for kind, words in of_sizes(found, rows, SIZES):
        yield kind, f"Your values are {words}."
    for kind, words in of_sizes([-ratio for ratio in found], rows, SIZES):
        yield kind, f"Your values have the wrong sign, and they are {words}."


def offsets(rows: list[Comparison]) -> Iterator[tuple[str, str]]:
    """Yield what is too much or too little: a constant with a name, or a function of a size."""
    found = shifts(rows)
    if found is None:
        return
    for sign, verb in ((1, "too high"), (-1, "too low")):
        signed = [sign * gap for gap in found]
        for number, (kind, words) in CONSTANTS.items():
            if agree(signed, [number] * len(found)):
                yield f"constant-{kind}", f"Every value is {words} {verb}."
        for factor, twice in ((1, ""), (2, ", twice")):
            halves = [gap / factor for gap in signed]
            for kind, words in of_sizes(halves, rows, SHIFTS):
                yield f"constant-{kind}", f"Every value is too {verb[4:]} by {words}{twice}."


def constant(rows: list[Comparison]) -> Iterator[tuple[str, str]]:
    """Yield that all values are one and the same, or one for all on every case."""
    if not all(row.value.numel() for row in rows):
        return
    firsts = [row.value.flatten()[0].item() for row in rows]
    same_within = all(
        close(row.value, torch.full_like(row.value, first))
        for row, first in zip(rows, firsts, strict=True)
    )
    if same_within and len(firsts) > 1 and len(set(firsts)) == 1:
        yield "constant", f"You return {firsts[0]:g} everywhere, whatever the inputs are."
    elif same_within and all(row.value.numel() > 1 for row in rows):
        yield "one-for-all", "You return one and the same number for all entries."
    elif all(row.value.dim() > 1 and len(row.value) > 1 for row in rows) and all(
        close(row.value, row.value[:1].expand_as(row.value)) for row in rows
    ):
        yield "one-for-all", "All rows that you return are the same."


def reductions() -> Iterator[tuple[Callable, str]]:
    """Yield ways to sum up, with the words for them."""
    for name, verb in (("sum", "summed"), ("mean", "averaged")):
        yield lambda t, name=name: getattr(t, name)(), f"{verb} over all entries"
        for axis in range(3):
            yield lambda t, name=name, axis=axis: getattr(t, name)(axis), f"{verb} over axis {axis}"
            yield (
                lambda t, name=name, axis=axis: getattr(t, name)(tuple(range(axis + 1, t.dim()))),
                f"{verb} over all axes behind axis {axis}",
            )


def shapes(rows: list[Comparison]) -> Iterator[tuple[str, str]]:
    """Yield how values of a wrong shape come to be: summed too far, or not far enough."""
    if all(row.value.shape == row.truth.shape for row in rows):
        return
    turned = [Comparison(row.truth, row.value, row.sizes) for row in rows]
    if holds(turned, lambda t: t.T) or holds(turned, lambda t: t.transpose(0, -1)):
        yield "transposed", "Your values are the right ones, transposed: swap the axes."
        return
    if all(row.value.numel() == row.truth.numel() for row in rows) and all(
        close(row.value.reshape(row.truth.shape), row.truth) for row in rows
    ):
        given, wanted = tuple(rows[0].value.shape), tuple(rows[0].truth.shape)
        words = f"The numbers are right, but their shape is {given}, where {wanted} is wanted."
        yield "shape-only", words
    for relation, words in reductions():
        for sign, more in ((1, ""), (-1, ", and the sign is turned around")):
            if holds(turned, lambda t, relation=relation, sign=sign: sign * relation(t)):
                yield "not-reduced", f"Your values are still to be {words}{more}."
            if holds(rows, lambda t, relation=relation, sign=sign: sign * relation(t)):
                yield "reduced-too-far", f"You have {words} what is to be returned{more}."
    try:
        spread = all(close(row.value, row.truth.expand_as(row.value)) for row in rows)
    except RuntimeError:
        spread = False
    if spread:
        yield "repeated", "Your values are the right ones, repeated along one axis too many."
