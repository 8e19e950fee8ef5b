"""The log probability of a cell's counts."""

import torch
from torch import distributions as td

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def pmf_case(rows, genes, seed, dtype=torch.float32):
    """Return counts, means and inverse dispersions."""
    x = (5 * normal((rows, genes), seed).abs()).round().to(dtype)
    return x, normal((rows, genes), seed + 1, dtype).exp(), normal((genes,), seed + 2, dtype).exp()


def pmf_cases():
    """Cells in rows, genes in columns."""
    return [pmf_case(3, 4, 1), pmf_case(40, 6, 4), pmf_case(5, 2, 7, torch.float64)]


def pmf_truth(x, mean, theta):
    """Log probability by torch.distributions, whose parameters are others."""
    negative_binomial = td.NegativeBinomial(theta, probs=mean / (mean + theta))
    return td.Independent(negative_binomial, 1).log_prob(x)


def gammas(x, theta):
    """Return the part of the log probability without the mean."""
    return torch.lgamma(x + theta) - torch.lgamma(theta) - torch.lgamma(x + 1)


def powers(x, mean, theta):
    """Return the part of the log probability with the mean."""
    total = (mean + theta).log()
    return theta * (theta.log() - total) + x * (mean.log() - total)


def poisson(x, mean, theta):
    """You used a Poisson distribution: θ does not occur."""
    return td.Poisson(mean).log_prob(x).sum(-1) + 0 * theta.sum()


def without_factorial(x, mean, theta):
    """The factorial of x is missing, so the probabilities do not add up to one."""
    return (gammas(x, theta) + torch.lgamma(x + 1) + powers(x, mean, theta)).sum(-1)


def powers_swapped(x, mean, theta):
    """You gave μ/(θ+μ) the power θ and θ/(θ+μ) the power x: they are swapped."""
    total = (mean + theta).log()
    swapped = theta * (mean.log() - total) + x * (theta.log() - total)
    return (gammas(x, theta) + swapped).sum(-1)


def dispersion_for_inverse(x, mean, theta):
    """You took θ for the dispersion. The variance here is μ + μ²/θ, not μ + θμ²."""
    return pmf_truth(x, mean, 1 / theta)


def gamma_of_x_for_factorial(x, mean, theta):
    """You divided by (x + 1)! instead of x!: Γ(n) is (n − 1)!, so its argument is one too large."""
    shifted = gammas(x, theta) + torch.lgamma(x + 1) - torch.lgamma(x + 2)
    return (shifted + powers(x, mean, theta)).sum(-1)


def mean_over_genes(x, mean, theta):
    """You averaged over the genes. Log probabilities of independent counts add up."""
    return pmf_truth(x, mean, theta) / x.shape[-1]


def minus_log_pmf(x, mean, theta):
    """You returned a loss: minus the log probability."""
    return -pmf_truth(x, mean, theta)


def pmf_by_log1p(x, mean, theta):
    """A right answer with log1p."""
    parts = theta * torch.log1p(mean / theta) + x * torch.log1p(theta / mean)
    return (gammas(x, theta) - parts).sum(-1)


def by_hand(x, mean, theta):
    """Gammas, and two powers."""
    gammas = torch.lgamma(x + theta) - torch.lgamma(theta) - torch.lgamma(x + 1)
    failure = theta * (theta / (theta + mean)).log()
    success = x * (mean / (theta + mean)).log()
    return (gammas + failure + success).sum(-1)


EXERCISE = Exercise(
    name="14-log-pmf",
    title="The log probability of a cell",
    difficulty=2,
    minutes=15,
    parameters=("x", "mean", "theta"),
    cases=pmf_cases,
    truth=pmf_truth,
    gradients=("mean", "theta"),
    vectorized=True,
    hints=(
        "Take the logarithm of the formula factor by factor. What becomes of the factorials?",
        "`torch.lgamma(n + 1)` is the logarithm of n!. The rest is two powers; sum over genes.",
        "`lgamma(x + theta) - lgamma(theta) - lgamma(x + 1) + theta * log(theta / (theta + mean)) "
        "+ x * log(mean / (theta + mean))`, summed over the last axis.",
    ),
    mistakes=(
        poisson,
        without_factorial,
        powers_swapped,
        dispersion_for_inverse,
        gamma_of_x_for_factorial,
        mean_over_genes,
        minus_log_pmf,
    ),
    alternatives=(pmf_by_log1p,),
    formulas=(by_hand,),
    right="On paper it is right. For large θ single precision needs the chapter's other form.",
)
