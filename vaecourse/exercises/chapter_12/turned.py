"""What a diagonal posterior loses when the code is turned."""

import torch
from torch import distributions as td

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def turned_cases():
    """Posterior scales (B, L) and a turn (L, L)."""
    cases = []
    for rows, dim, seed, dtype in (
        (3, 3, 1, torch.float32),
        (30, 6, 2, torch.float32),
        (4, 2, 3, torch.float64),
    ):
        turn = torch.linalg.qr(normal((dim, dim), seed, torch.float64)).Q
        scales = (0.7 * normal((rows, dim), seed + 10, torch.float64)).exp()
        cases.append((scales.to(dtype), turn.to(dtype)))
    return cases


def full_covariance(scales, turn):
    """Covariance of U z, (B, L, L)."""
    return turn @ torch.diag_embed(scales**2) @ turn.T


def turned_truth(scales, turn):
    """Divergence of the turned posterior from the product of its margins."""
    full = full_covariance(scales, turn)
    zero = torch.zeros_like(scales)
    margins = torch.diag_embed(full.diagonal(dim1=-2, dim2=-1))
    joint = td.MultivariateNormal(zero, full)
    return td.kl_divergence(joint, td.MultivariateNormal(zero, margins))


def turned_back(scales, turn):
    """You turned the other way: the covariance of U z is U Σ Uᵀ."""
    return turned_truth(scales, turn.T)


def scales_for_variances(scales, turn):
    """You turned the scales; variances turn, so square the scales first."""
    return turned_truth(scales.sqrt(), turn)


def without_half(scales, turn):
    """You returned twice the cost: the ½ is missing."""
    return 2 * turned_truth(scales, turn)


def minus_the_cost(scales, turn):
    """You returned minus the cost. Giving up correlations is never a gain."""
    return -turned_truth(scales, turn)


def turned_margins_alone(scales, turn):
    """The entropy of the posterior before the turn is missing: a turn leaves volumes alone."""
    return 0.5 * ((scales**2) @ (turn**2).T).log().sum(1)


def entries_not_squared(scales, turn):
    """You weighed variances by the entries of U. In U Σ Uᵀ each entry comes in twice: square."""
    return 0.5 * (((scales**2) @ turn.T).abs().log().sum(1) - (scales**2).log().sum(1))


def by_determinants(scales, turn):
    """A right answer from the full covariance."""
    full = full_covariance(scales, turn)
    margins = full.diagonal(dim1=-2, dim2=-1).log().sum(1)
    return 0.5 * (margins - torch.logdet(full))


def by_hand(scales, turn):
    """Log variances after the turn, less those before."""
    variances = scales**2
    margins = variances @ (turn**2).T
    return 0.5 * (margins.log().sum(1) - variances.log().sum(1))


EXERCISE = Exercise(
    name="12-turned",
    title="Why a VAE has axes all the same",
    difficulty=3,
    minutes=20,
    parameters=("scales", "turn"),
    cases=turned_cases,
    truth=turned_truth,
    tolerance=1e-3,
    hints=(
        "U z has covariance U Σ Uᵀ. Keep its diagonal. How far is the full Gaussian from that?",
        "It is the total correlation of a Gaussian. The determinant of U Σ Uᵀ is that of Σ.",
        "`margins = scales**2 @ (turn**2).T`, then "
        "`0.5 * (margins.log().sum(1) - (scales**2).log().sum(1))`.",
    ),
    mistakes=(
        turned_back,
        scales_for_variances,
        without_half,
        minus_the_cost,
        turned_margins_alone,
        entries_not_squared,
    ),
    alternatives=(by_determinants,),
    formulas=(by_hand,),
    right="Only where all scales of a posterior are equal is every turn free.",
)
