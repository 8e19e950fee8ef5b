"""The missing constant."""

import math

import numpy as np
import torch

from vaecourse.exercises.exercise import Exercise

__all__ = ["EXERCISE"]


def cases():
    """Probabilities, one half among them."""
    return [
        (torch.tensor([0.1, 0.5, 0.73]),),
        (torch.linspace(0.02, 0.98, 49),),
        (torch.tensor([0.5, 0.25], dtype=torch.float64),),
    ]


def truth(p):
    """Gauss-Legendre quadrature of the Bernoulli formula over gray values."""
    nodes, weights = np.polynomial.legendre.leggauss(60)
    x = torch.from_numpy((nodes + 1) / 2)[:, None]
    values = (x * p.log() + (1 - x) * (1 - p).log()).exp()
    return -(torch.from_numpy(weights / 2)[:, None] * values).sum(0).log()


def integral(p):
    """The integral by its formula, one half taken apart."""
    half = (p - 0.5).abs() < 1e-3
    safe = torch.where(half, torch.full_like(p, 0.4), p)
    return torch.where(half, torch.full_like(p, 0.5), (2 * safe - 1) / torch.logit(safe))


def nothing_at_one_half(p):
    """At one half your formula is 0 / 0. The integral has a value there: take the limit."""
    return -((2 * p - 1) / torch.logit(p)).log()


def log_of_the_integral(p):
    """You returned the log of the integral. The constant divides by it: change the sign."""
    return integral(p).log()


def no_logarithm(p):
    """You returned the constant itself. Its logarithm is asked for."""
    return 1 / integral(p)


def odds_for_log_odds(p):
    """You divided by the odds. The integral has the log odds below it."""
    half = (p - 0.5).abs() < 1e-3
    safe = torch.where(half, torch.full_like(p, 0.4), p)
    value = -((2 * safe - 1) / (safe / (1 - safe))).abs().log()
    return torch.where(half, torch.full_like(p, math.log(2)), value)


def zero_at_one_half(p):
    """Your constant is 0 at one half. The limit of the integral there is ½, not 1."""
    half = (p - 0.5).abs() < 1e-3
    return torch.where(half, torch.zeros_like(p), -integral(p).log())


def by_distribution(p):
    """PyTorch's own distribution, at x = 0."""
    at_zero = torch.distributions.ContinuousBernoulli(p).log_prob(torch.zeros_like(p))
    return at_zero - (1 - p).log()


def by_hand(p):
    """The formula, and its limit."""
    half = (p - 0.5).abs() < 1e-3
    safe = torch.where(half, 0.4, p)
    constant = torch.where(half, 2.0, torch.logit(safe) / (2 * safe - 1))
    return constant.log()


def by_cases(p):
    """The logarithm of the formula, and the logarithm of its limit."""
    half = (p - 0.5).abs() < 1e-3
    safe = torch.where(half, 0.4, p)
    formula = ((safe / (1 - safe)).log() / (2 * safe - 1)).log()
    return torch.where(half, math.log(2), formula)


EXERCISE = Exercise(
    name="02-missing-constant",
    title="The missing constant",
    difficulty=3,
    minutes=15,
    parameters=("p",),
    cases=cases,
    truth=truth,
    tolerance=1e-3,
    hints=(
        "The Bernoulli formula is exp(x a + b) in x. What is its integral from 0 to 1?",
        "It is (2p − 1) / log(p / (1 − p)), and the constant is one over it. At p = ½ that is 0 / "
        "0. Replace p by something harmless there, and put the limit in afterwards.",
        "`near = (p - 0.5).abs() < 1e-3`; `safe = torch.where(near, 0.4, p)`; return "
        "`torch.where(near, math.log(2), (torch.logit(safe) / (2 * safe - 1)).log())`.",
    ),
    mistakes=(
        nothing_at_one_half,
        log_of_the_integral,
        no_logarithm,
        odds_for_log_odds,
        zero_at_one_half,
    ),
    alternatives=(by_distribution,),
    formulas=(
        by_hand,
        by_cases,
    ),
    right="Every gray pixel lacks at least log 2 nats where this constant is forgotten.",
)
