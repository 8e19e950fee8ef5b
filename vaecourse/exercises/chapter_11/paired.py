"""Two models on the same draws of labels."""

import math

import torch

from vaecourse.exercises.chapter_11.interval import quantile
from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(draws, seed, gap, dtype=torch.float32):
    """Errors of two models that a good or bad draw moves together."""
    shared = 0.2 + 0.02 * normal(draws, seed, torch.float64)
    first, second = (shared + 0.004 * normal(draws, seed + k, torch.float64) for k in (1, 2))
    return first.to(dtype), (second - gap).to(dtype)


def cases():
    """Five draws, two draws, twelve draws."""
    return [case(5, 1, 0.01), case(2, 20, 0.02), case(12, 40, -0.005, torch.float64)]


def pair(center, half):
    """Difference and half-width as floats."""
    return float(center), float(half)


def spreads(first, second):
    """Standard deviations of either model's runs."""
    return first.double().std(), second.double().std()


def truth(first, second):
    """By scipy's paired test."""
    from scipy import stats

    low, high = stats.ttest_rel(first.numpy(), second.numpy()).confidence_interval(0.95)
    return float((low + high) / 2), float((high - low) / 2)


def difference(first, second):
    """Mean difference."""
    return first.double().mean() - second.double().mean()


def unpaired(first, second):
    """You treated the runs as independent. They share their labels: take differences draw by draw.

    Then what a draw does to both cancels.
    """
    n = len(first)
    variance = (first.double().var() + second.double().var()) / n
    return pair(difference(first, second), quantile(2 * n - 2) * variance.sqrt())


def independent_runs(first, second):
    """You added the variances of the two models. That is right for independent runs alone."""
    n = len(first)
    variance = (first.double().var() + second.double().var()) / n
    return pair(difference(first, second), quantile(n - 1) * variance.sqrt())


def widths_added(first, second):
    """You added the two half-widths. Then overlapping intervals would never differ."""
    a, b = spreads(first, second)
    n = len(first)
    return pair(difference(first, second), quantile(n - 1) * (a + b) / n**0.5)


def spreads_subtracted(first, second):
    """You subtracted the standard deviations. Subtract the errors first, then take the spread."""
    a, b = spreads(first, second)
    n = len(first)
    return pair(difference(first, second), quantile(n - 1) * (a - b).abs() / n**0.5)


def other_way(first, second):
    """You subtracted the first model from the second. First minus second is asked for."""
    center, half = truth(first.double(), second.double())
    return -center, half


def absolute(first, second):
    """You took absolute differences. Which model won a draw must still be seen in the sign."""
    gaps = (first.double() - second.double()).abs()
    return pair(gaps.mean(), quantile(len(gaps) - 1) * gaps.std() / len(gaps) ** 0.5)


def of_the_normal(first, second):
    """You took 1.96, as if the spread were known. It is estimated from a few runs: use Student."""
    gaps = first.double() - second.double()
    return pair(gaps.mean(), 1.959963984540054 * gaps.std() / len(gaps) ** 0.5)


def by_covariance(first, second):
    """From variances and their covariance."""
    both = torch.cov(torch.stack([first, second]).double())
    n = len(first)
    variance = (both[0, 0] + both[1, 1] - 2 * both[0, 1]) / n
    return pair(difference(first, second), quantile(n - 1) * variance.sqrt())


def by_hand(first, second):
    """Student's interval of the differences."""
    gaps = first.double() - second.double()
    count = len(gaps)
    half = quantile(count - 1) * gaps.std() / math.sqrt(count)
    return float(gaps.mean()), float(half)


EXERCISE = Exercise(
    name="11-paired",
    title="Two models, the same labels",
    difficulty=2,
    minutes=10,
    parameters=("first", "second"),
    cases=cases,
    truth=truth,
    returns=(float, float),
    tolerance=1e-3,
    hints=(
        "A bad draw of labels is bad for both models. What is left of it in their difference?",
        "Subtract draw by draw. The differences are n numbers like any other: mean, and Student's "
        "half-width of the mean.",
        "`gaps = first.double() - second.double()`, then `gaps.mean()` and "
        "`stats.t.ppf(0.975, n - 1) * gaps.std() / n**0.5`, both as floats.",
    ),
    mistakes=(
        unpaired,
        independent_runs,
        widths_added,
        spreads_subtracted,
        other_way,
        absolute,
        of_the_normal,
    ),
    alternatives=(by_covariance,),
    formulas=(by_hand,),
    right="What both models owe to the draw of labels has gone from the comparison.",
)
