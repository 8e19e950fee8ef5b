"""Inverse dispersion by moments."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def overdispersed(shape, seed, dtype=torch.float32):
    """Return counts whose variance is above their mean in every column."""
    return (2 * normal(shape, seed, torch.float64) + 1).exp().round().to(dtype)


def dispersion_cases():
    """Counts of cells in rows and genes in columns."""
    return [
        (overdispersed((40, 3), 1),),
        (overdispersed((400, 5), 2),),
        (overdispersed((60, 2), 3, torch.float64),),
        (torch.tensor([[3.0, 1.0], [4.0, 9.0], [3.0, 2.0], [4.0, 0.0]]),),
    ]


def moments(counts):
    """Return mean and unbiased variance of every column."""
    return counts.mean(0), counts.var(0)


def dispersion_truth(counts):
    """Solve variance = mean + mean**2 / theta, from sums of squares."""
    num = len(counts)
    mean = counts.sum(0) / num
    variance = ((counts**2).sum(0) - num * mean**2) / (num - 1)
    return mean**2 / (variance - mean)


def poisson_part_kept(counts):
    """You divided by the whole variance. A Poisson count already varies by its mean."""
    mean, variance = moments(counts)
    return mean**2 / variance


def dispersion_itself(counts):
    """You returned the dispersion. θ is its inverse: large where counts are nearly Poisson."""
    mean, variance = moments(counts)
    return (variance - mean) / mean**2


def mean_not_squared(counts):
    """The excess of the variance grows with the square of the mean; you took the mean."""
    mean, variance = moments(counts)
    return mean / (variance - mean)


def per_cell(counts):
    """You took the moments of each cell. θ belongs to a gene: average over rows."""
    return dispersion_truth(counts.T)


def variance_of_all_rows(counts):
    """You divided the sum of squares by N. The unbiased variance divides by N − 1."""
    mean, variance = counts.mean(0), counts.var(0, correction=0)
    return mean**2 / (variance - mean)


def deviation_for_variance(counts):
    """You used the standard deviation where the variance belongs."""
    mean, variance = moments(counts)
    return mean**2 / (variance.sqrt() - mean)


def dispersion_by_factorial_moments(counts):
    """A right answer by the variance-to-mean ratio."""
    mean, variance = moments(counts)
    return mean / (variance / mean - 1)


def by_hand(counts):
    """The squared mean over the excess."""
    mean = counts.mean(0)
    return mean**2 / (counts.var(0) - mean)


EXERCISE = Exercise(
    name="14-dispersion",
    title="How overdispersed is a gene?",
    difficulty=1,
    minutes=10,
    parameters=("counts",),
    cases=dispersion_cases,
    truth=dispersion_truth,
    tolerance=1e-3,
    hints=(
        "Which two numbers of a gene can you compute without any model?",
        "Set the variance of the negative binomial equal to the observed one and solve for θ.",
        "`mean**2 / (variance - mean)`, with `counts.mean(0)` and `counts.var(0)`.",
    ),
    mistakes=(
        poisson_part_kept,
        dispersion_itself,
        mean_not_squared,
        per_cell,
        variance_of_all_rows,
        deviation_for_variance,
    ),
    alternatives=(dispersion_by_factorial_moments,),
    formulas=(by_hand,),
    right="Where the variance is below the mean this estimate is negative: then no θ fits.",
)
