"""Where the average rate goes."""

import math

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def rate_cases():
    """Decoders of the linear-Gaussian model."""
    return [
        (normal((6, 2), 1), 0.5),
        (normal((20, 5), 2), 1.3),
        (normal((4, 1), 3, torch.float64), 0.8),
    ]


def rate_truth(weight, scale):
    """Mutual information by the difference of two Gaussian entropies."""
    noise = scale**2 * torch.eye(len(weight), dtype=weight.dtype)
    return 0.5 * (torch.logdet(weight @ weight.T + noise) - torch.logdet(noise))


def precision(weight, scale):
    """Posterior precision of the model."""
    return torch.eye(weight.shape[1], dtype=weight.dtype) + weight.T @ weight / scale**2


def rate_without_half(weight, scale):
    """You returned twice the rate: the ½ is missing."""
    return torch.logdet(precision(weight, scale))


def scale_not_squared(weight, scale):
    """You divided by σ. The signal-to-noise ratio has the variance below it: σ²."""
    return 0.5 * torch.logdet(precision(weight, math.sqrt(scale)))


def signal_alone(weight, scale):
    """The identity is missing.

    It is the precision of the prior. Without it a useless dimension would cost minus infinity.
    """
    return 0.5 * torch.logdet(weight.T @ weight / scale**2)


def trace_for_log_determinant(weight, scale):
    """You took the trace.

    It equals the log determinant only for a weak signal; the rate grows with the logarithm of
    the signal.
    """
    return 0.5 * (weight.T @ weight / scale**2).trace()


def in_bits(weight, scale):
    """You counted in bits. The book counts in nats: the natural logarithm."""
    return rate_truth(weight, scale) / math.log(2)


def minus_the_rate(weight, scale):
    """You returned minus the rate. A rate is never negative."""
    return -rate_truth(weight, scale)


def rate_by_singular_values(weight, scale):
    """A right answer by singular values."""
    return 0.5 * torch.log1p((torch.linalg.svdvals(weight) / scale) ** 2).sum()


def by_hand(weight, scale):
    """Half a log determinant."""
    identity = torch.eye(weight.shape[1], dtype=weight.dtype)
    return 0.5 * torch.logdet(identity + weight.T @ weight / scale**2)


def by_values(weight, scale):
    """Half the logs of one plus the ratios."""
    values = torch.linalg.svdvals(weight)
    return 0.5 * (1 + values**2 / scale**2).log().sum()


EXERCISE = Exercise(
    name="04-average-rate",
    title="Where the average rate goes",
    difficulty=3,
    minutes=20,
    parameters=("weight", "scale"),
    cases=rate_cases,
    truth=rate_truth,
    gradients=("weight",),
    hints=(
        "For the exact posterior the average rate is the mutual information of x and z. Which "
        "entropies do you know?",
        "I(x; z) is the entropy of z minus the average entropy of z given x. The prior's "
        "covariance is I; the posterior's is the inverse of I + WᵀW/σ², for every x.",
        "`0.5 * torch.logdet(torch.eye(L, dtype=weight.dtype) + weight.T @ weight / scale**2)`.",
    ),
    mistakes=(
        rate_without_half,
        scale_not_squared,
        signal_alone,
        trace_for_log_determinant,
        in_bits,
        minus_the_rate,
    ),
    alternatives=(rate_by_singular_values,),
    formulas=(
        by_hand,
        by_values,
    ),
    right="No code of this model costs more on average than x says about z.",
)
