"""A budget of samples."""

import torch

from vaecourse.data.linear_gaussian import LinearGaussian
from vaecourse.exercises.exercise import Exercise

__all__ = ["EXERCISE"]


def cases():
    """Signal-to-noise ratios of the latent dimensions, collapsed ones among them."""
    return [
        (torch.tensor([9.0, 9.0]),),
        (torch.tensor([24.0, 0.5, 0.0, 3.0, 0.0]),),
        (torch.tensor([0.1], dtype=torch.float64),),
    ]


def truth(ratios):
    """Second moment of the weights of an oracle, by its closed form, at a typical x."""
    weight = torch.diag(ratios.double().sqrt())
    zero = torch.zeros(len(ratios), dtype=torch.float64)
    oracle = LinearGaussian(weight, zero, 1.0)
    halved = LinearGaussian(weight, zero, 0.5**0.5)
    x = (1 + ratios.double()).sqrt()[None]
    constant = -0.5 * len(ratios) * torch.log(torch.tensor(4 * torch.pi, dtype=torch.float64))
    second = constant + halved.log_marginal(x) - 2 * oracle.log_marginal(x)
    return second.exp()[0] - 1


def factors(ratios):
    """One factor for each dimension."""
    return (1 + ratios) / (1 + 2 * ratios).sqrt() * (ratios / (1 + 2 * ratios)).exp()


def no_minus_one(ratios):
    """You returned 1 + χ². With collapsed dimensions alone the cost would be one, not zero."""
    return factors(ratios).prod()


def sum_of_factors(ratios):
    """You added the dimensions. Independent dimensions multiply, and that is the trouble."""
    return (factors(ratios) - 1).sum()


def no_exponential(ratios):
    """You forgot the exponential factor: it tells how far out a typical x lies."""
    return ((1 + ratios) / (1 + 2 * ratios).sqrt()).prod() - 1


def no_root(ratios):
    """You forgot the root below the fraction."""
    return ((1 + ratios) / (1 + 2 * ratios) * (ratios / (1 + 2 * ratios)).exp()).prod() - 1


def log_returned(ratios):
    """You returned the logarithm. Count samples, not nats."""
    return factors(ratios).prod().sub(1).log()


def by_information(ratios):
    """You took the exponential of the information. It tells the order; χ² is asked for."""
    return (0.5 * torch.log1p(ratios)).sum().exp()


def by_logs(ratios):
    """Add logs, and use expm1."""
    twice = 1 + 2 * ratios
    return torch.expm1((torch.log1p(ratios) - twice.log() / 2 + ratios / twice).sum())


def by_hand(ratios):
    """The product over dimensions."""
    return ((1 + ratios) / (1 + 2 * ratios).sqrt() * (ratios / (1 + 2 * ratios)).exp()).prod() - 1


def by_logs_too(ratios):
    """Sum logarithms."""
    exponent = ratios / (1 + 2 * ratios)
    logs = (1 + ratios).log() - 0.5 * (1 + 2 * ratios).log() + exponent
    return logs.sum().exp() - 1


EXERCISE = Exercise(
    name="03-samples-needed",
    title="A budget of samples",
    difficulty=1,
    minutes=10,
    parameters=("ratios",),
    cases=cases,
    truth=truth,
    hints=(
        "The relative variance of one sample is χ². Which formula of the chapter has it?",
        "There is one factor for each dimension, with c = 1. Multiply them, and subtract one.",
        "`factor = (1 + ratios) / (1 + 2 * ratios).sqrt() * (ratios / (1 + 2 * ratios)).exp()`, "
        "then `factor.prod() - 1`.",
    ),
    mistakes=(
        no_minus_one,
        sum_of_factors,
        no_exponential,
        no_root,
        log_returned,
        by_information,
    ),
    alternatives=(by_logs,),
    formulas=(
        by_hand,
        by_logs_too,
    ),
    right="Collapsed dimensions cost nothing. Each informative one multiplies the bill.",
)
