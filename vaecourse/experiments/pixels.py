"""What pixels are to a model: coins for grey digits, real numbers for color photographs."""

from collections.abc import Callable
from functools import partial
from math import log, prod
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vaecourse.data import Batch, HeldOut, Split
from vaecourse.data.labels import dynamic_binarization
from vaecourse.distributions import Bernoulli, GaussianSharedScale, Head
from vaecourse.evaluation import evaluate
from vaecourse.objectives import elbo

__all__ = ["Pixels", "bounds", "dequantize", "pixels_of"]

LEVELS = 256


def dequantize(x: Tensor, generator: torch.Generator) -> Tensor:
    r"""Spread every pixel uniformly over its grey level: a ``transform`` for `vaecourse.fit`.

    A level k in 0, …, 255 becomes :math:`(k + u) / 256` with u uniform in [0, 1) (Theis et al.,
    2016, section 3.1).

    Parameters
    ----------
    x : Tensor
        Centers :math:`(k + 1/2) / 256` of the levels, any shape.
    generator : torch.Generator
        The source of randomness, on the device of x.

    Returns
    -------
    Tensor
        Shape of x, in [0, 1).
    """
    noise = torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    return x + (noise - 0.5) / LEVELS


class Pixels(NamedTuple):
    """How the pixels of a data set enter a model, and what its bound is then a bound on."""

    likelihood: Head
    transform: Callable
    words: str


BINARY = Pixels(
    Bernoulli, dynamic_binarization, "Bernoulli, every pixel binarized anew at every visit"
)
CONTINUOUS = Pixels(
    partial(GaussianSharedScale, initial_scale=0.25),
    dequantize,
    "Gaussian with one learned scale, density of (k + u) / 256 for grey level k and u uniform in "
    "[0, 1); bits per dimension = 8 - ELBO / (D log 2), an upper bound for the grey levels, by one "
    "posterior sample an image",
)


def pixels_of(split: Split) -> tuple[Pixels, Split]:
    """Return how a data set's pixels are seen, and the data set with its pixels made so."""
    if split.train.x.shape[1] == 1:
        return BINARY, split
    parts = [_centers(part) for part in (split.train, split.valid, split.test)]
    return CONTINUOUS, Split(split.name, *parts, identity=split.identity, note=split.note)


def _centers(part: Batch | HeldOut) -> Batch | HeldOut:
    return type(part)((part.x * (LEVELS - 1) + 0.5) / LEVELS, part.y)


def bounds(model: nn.Module, split: Split, pixels: Pixels, seed: int) -> dict[str, float | str]:
    """Return the evidence lower bound of validation and test images, in nats per image.

    Where pixels are continuous it comes in bits per dimension too.
    """
    row: dict[str, float | str] = {"likelihood": pixels.words}
    for name, part in (("validation", split.valid), ("test", split.test)):
        value = evaluate(model, elbo, part, transform=pixels.transform, seed=seed)["elbo"]
        row[f"{name}_elbo"] = value
        if pixels is CONTINUOUS:
            size = prod(part.x.shape[1:])
            row[f"{name}_bits_per_dim"] = log(LEVELS) / log(2) - value / (size * log(2))
    return row
