"""Bits per dimension."""

import math

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Bounds of small color pictures, of a batch of photographs, of gray digits in float64."""
    return [
        (20 + 5 * normal(3, 1), (3, 4, 4)),
        (4000 + 300 * normal(32, 2), (3, 32, 32)),
        (900 + 50 * normal(5, 3, torch.float64), (1, 28, 28)),
    ]


LOG2 = 0.6931471805599453


def dimensions(shape):
    """Numbers in one image."""
    count = 1
    for side in shape:
        count *= side
    return count


def truth(elbo, shape):
    """From the density of grey levels in 0 to 256, whose volume element is 256 to the D."""
    count = dimensions(shape)
    nats = elbo - count * torch.tensor(256.0, dtype=torch.float64).log()
    return -nats / torch.tensor(2.0, dtype=torch.float64).log() / count


def levels_forgotten(elbo, shape):
    """You left out that the density is one of pixels from 0 to 1, not of 256 levels."""
    return -elbo / (dimensions(shape) * LOG2)


def levels_added_once(elbo, shape):
    """You corrected for the 256 levels once an image. Every dimension was shrunk."""
    return (8 - elbo / LOG2) / dimensions(shape)


def in_nats(elbo, shape):
    """Your answer is in nats. A bit is log 2 nats."""
    return 8 * LOG2 - elbo / dimensions(shape)


def nats_and_bits(elbo, shape):
    """You subtracted nats from bits. Convert the bound first."""
    return 8 - elbo / dimensions(shape)


def times_log_two(elbo, shape):
    """You multiplied by log 2. One nat is more than one bit, so divide."""
    return 8 - elbo * LOG2 / dimensions(shape)


def channels_forgotten(elbo, shape):
    """You counted pixels. A color pixel has three dimensions."""
    return 8 - elbo / (dimensions(shape[-2:]) * LOG2) if shape[0] > 1 else truth(elbo, shape)


def sign_turned(elbo, shape):
    """The bound has the wrong sign. A better model needs fewer bits."""
    return 8 + elbo / (dimensions(shape) * LOG2)


def whole_image(elbo, shape):
    """You returned the bits of a whole image. Divide by its dimensions."""
    return 8 * dimensions(shape) - elbo / LOG2


def by_log2(elbo, shape):
    """From a binary logarithm."""
    per_dimension = elbo / torch.Size(shape).numel()
    return 8 - per_dimension * torch.log2(torch.exp(torch.ones(()))).to(elbo.dtype)


def by_hand(elbo, shape):
    """Nats to bits, a share for every dimension, and the levels."""
    return -elbo / (math.prod(shape) * math.log(2)) + math.log2(256)


EXERCISE = Exercise(
    name="11-bits",
    title="Bits per dimension",
    difficulty=2,
    minutes=10,
    parameters=("elbo", "shape"),
    cases=cases,
    truth=truth,
    vectorized=False,
    gradients=("elbo",),
    hints=(
        "How many bits would a model need that knows nothing, with 256 levels for each number?",
        "Eight. The density is of numbers from 0 to 1; in units of one level it is 256 times "
        "smaller in every dimension. Convert the bound from nats to bits and share it out.",
        "`8 - elbo / (math.prod(shape) * math.log(2))`.",
    ),
    mistakes=(
        levels_forgotten,
        levels_added_once,
        in_nats,
        nats_and_bits,
        times_log_two,
        channels_forgotten,
        sign_turned,
        whole_image,
    ),
    alternatives=(by_log2,),
    formulas=(by_hand,),
    right="A uniform density over the unit cube has an ELBO of 0, and costs exactly 8 bits.",
)
