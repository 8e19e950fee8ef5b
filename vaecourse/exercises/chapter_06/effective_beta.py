"""The β in somebody else's code."""

import math

import torch

from vaecourse.exercises.exercise import Exercise

__all__ = ["EXERCISE"]


def cases():
    """Color and gray images."""
    return [((3, 64, 64), 0.00025), ((1, 28, 28), 0.01), ((3, 32, 32), 1.0), ((1, 8, 8), 0.5)]


def truth(event_shape, kl_weight):
    """Ask autograd what a nat of either term costs."""
    squares = torch.ones(5, math.prod(event_shape), dtype=torch.float64, requires_grad=True)
    kl = torch.ones(5, 3, dtype=torch.float64, requires_grad=True)
    loss = squares.mean() + kl_weight * kl.sum(1).mean()
    of_square, of_kl = torch.autograd.grad(loss, (squares, kl))
    beta = (of_kl[0, 0] / (2 * of_square[0, 0])).item()  # a nat is two squares
    return beta, math.sqrt(beta)


def pair(beta):
    """β, and the scale that does the same."""
    return beta, math.sqrt(beta)


def half_forgotten(event_shape, kl_weight):
    """You took a squared error for nats. At scale 1 the negative log-likelihood is half of it."""
    return pair(kl_weight * math.prod(event_shape))


def channels_forgotten(event_shape, kl_weight):
    """You counted the pixels of one channel. A color image has three numbers a pixel."""
    return pair(kl_weight * math.prod(event_shape[1:]) / 2)


def weight_alone(event_shape, kl_weight):
    """You returned the weight as it stands.

    It stands beside a mean over all numbers of an image, not beside a sum.
    """
    return pair(kl_weight)


def upside_down(event_shape, kl_weight):
    """You divided by the number of pixels.

    A mean makes the reconstruction smaller, and so the KL term relatively larger.
    """
    return pair(2 * kl_weight / math.prod(event_shape))


def variance_for_scale(event_shape, kl_weight):
    """Your β is right. But it equals the decoder's variance, and the scale is asked for."""
    beta = truth(event_shape, kl_weight)[0]
    return beta, beta


def scale_upside_down(event_shape, kl_weight):
    """Your β is right. But a larger scale means a larger β, not a smaller one."""
    beta = truth(event_shape, kl_weight)[0]
    return beta, 1 / math.sqrt(beta)


def by_two_steps(event_shape, kl_weight):
    """Multiply the sides one by one."""
    numbers = 1
    for side in event_shape:
        numbers *= side
    scale = (kl_weight * numbers / 2) ** 0.5
    return scale**2, scale


def by_hand(event_shape, kl_weight):
    """The number of pixels, halved."""
    beta = kl_weight * math.prod(event_shape) / 2
    return beta, math.sqrt(kl_weight * math.prod(event_shape) / 2)


EXERCISE = Exercise(
    name="06-effective-beta",
    title="The β in somebody else's code",
    difficulty=1,
    minutes=10,
    parameters=("event_shape", "kl_weight"),
    cases=cases,
    truth=truth,
    returns=(float, float),
    hints=(
        "What does one more nat of KL cost in this loss, and one more nat of log-likelihood?",
        "`F.mse_loss` divides by the D numbers of an image, and a nat at scale 1 is *half* a "
        "square. For the scale, look at what multiplies the KL term once the squared error is "
        "without σ.",
        "With `D = float(np.prod(event_shape))`: `beta = kl_weight * D / 2`, and the scale is "
        "`beta**0.5`.",
    ),
    mistakes=(
        half_forgotten,
        channels_forgotten,
        weight_alone,
        upside_down,
        variance_for_scale,
        scale_upside_down,
    ),
    alternatives=(by_two_steps,),
    formulas=(by_hand,),
    right="A weight of 0.00025 looks tiny. It was a β of about one and a half.",
)
