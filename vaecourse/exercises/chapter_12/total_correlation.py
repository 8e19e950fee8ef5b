"""The total correlation of a Gaussian."""

import math

import torch
from torch import distributions as td

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def covariance(dim, seed, dtype=torch.float32):
    """Return a covariance with unequal variances."""
    root = normal((dim, dim + 2), seed, torch.float64)
    scale = 0.5 + normal((dim,), seed + 50, torch.float64).abs()
    return (scale[:, None] * (root @ root.T) * scale / dim).to(dtype)


def covariance_cases():
    """Covariance matrices."""
    return [(covariance(3, 1),), (covariance(8, 2),), (covariance(2, 3, torch.float64),)]


def correlation_truth(covariance):
    """Divergence from the product of the margins, by torch.distributions."""
    zero = torch.zeros(len(covariance), dtype=covariance.dtype)
    joint = td.MultivariateNormal(zero, covariance)
    product = td.MultivariateNormal(zero, torch.diag(covariance.diagonal()))
    return td.kl_divergence(joint, product)


def without_half(covariance):
    """You returned twice the total correlation: the ½ of the Gaussian entropy is missing."""
    return 2 * correlation_truth(covariance)


def minus_correlation(covariance):
    """You returned minus the total correlation; a divergence is never negative."""
    return -correlation_truth(covariance)


def determinant_alone(covariance):
    """The variances are missing: you returned minus half the log determinant.

    Scaling a unit must not change how much it depends on the others.
    """
    return -0.5 * torch.logdet(covariance)


def from_the_standard_normal(covariance):
    """You compared with N(0, I).

    That charges for the variances too; total correlation compares with the product of the margins.
    """
    return 0.5 * (covariance.trace() - len(covariance) - torch.logdet(covariance))


def logarithm_of_the_sum(covariance):
    """You took the logarithm of the sum of variances; sum their logarithms."""
    return 0.5 * (covariance.trace().log() - torch.logdet(covariance))


def in_bits(covariance):
    """You counted in bits. The book counts in nats: the natural logarithm."""
    return correlation_truth(covariance) / math.log(2)


def by_correlations(covariance):
    """A right answer from the correlation matrix."""
    scale = covariance.diagonal().sqrt()
    return -0.5 * torch.logdet(covariance / scale / scale[:, None])


def by_hand(covariance):
    """Log variances, less the log determinant."""
    return 0.5 * (covariance.diagonal().log().sum() - torch.logdet(covariance))


EXERCISE = Exercise(
    name="12-total-correlation",
    title="Total correlation of a Gaussian",
    difficulty=2,
    minutes=15,
    parameters=("covariance",),
    cases=covariance_cases,
    truth=correlation_truth,
    gradients=(),
    tolerance=1e-3,
    hints=(
        "Total correlation is the sum of the entropies of the margins minus the joint entropy.",
        "A Gaussian of variance v has entropy ½ log 2πev; in L dimensions v becomes a determinant. "
        "The constants cancel.",
        "`0.5 * (covariance.diagonal().log().sum() - torch.logdet(covariance))`.",
    ),
    mistakes=(
        without_half,
        minus_correlation,
        determinant_alone,
        from_the_standard_normal,
        logarithm_of_the_sum,
        in_bits,
    ),
    alternatives=(by_correlations,),
    formulas=(by_hand,),
    right="It is zero for a diagonal covariance and for no other.",
)
