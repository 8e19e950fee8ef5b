"""Where the next run should land."""

import math

import torch

from vaecourse.exercises.chapter_11.interval import quantile, spread
from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Errors of five, of two and of twelve label draws."""
    few = torch.tensor([0.22, 0.25, 0.21, 0.27, 0.24])
    return [(few,), (few[:2],), (0.1 + 0.02 * normal(12, 3, torch.float64),)]


def around(errors, half):
    """Low and high end around the mean."""
    mean = errors.double().mean()
    return float(mean - half), float(mean + half)


def truth(errors):
    """Solve Student's equation for the error that a further run may have."""
    from scipy import stats
    from scipy.optimize import brentq

    e = errors.numpy()
    n, mean = len(e), float(e.mean())

    def excess(new):
        """Student's statistic of a new value against those there, less its quantile."""
        pooled = e.var(ddof=1) * (1 / n + 1)
        return (new - mean) / pooled**0.5 - stats.t.isf(0.025, n - 1)

    high = brentq(excess, mean, mean + 1000 * float(e.std()) + 1, xtol=1e-14)
    return 2 * mean - high, float(high)


def of_the_mean(errors):
    """Your interval is that of the mean. A single new run varies much more than a mean does."""
    return around(errors, quantile(len(errors) - 1) * spread(errors) / len(errors) ** 0.5)


def mean_known(errors):
    """You took the mean for known. It was estimated too, and its error comes on top."""
    return around(errors, quantile(len(errors) - 1) * spread(errors))


def roots_added(errors):
    """You added standard deviations. Variances of independent things add, not their roots."""
    n = len(errors)
    return around(errors, quantile(n - 1) * spread(errors) * (1 + n**-0.5))


def of_the_normal(errors):
    """You took 1.96, as if the spread were known. It is estimated from a few runs: use Student."""
    n = len(errors)
    return around(errors, 1.959963984540054 * spread(errors) * (1 + 1 / n) ** 0.5)


def population_spread(errors):
    """Your standard deviation divides by n. The mean was estimated from the same runs."""
    n = len(errors)
    return around(errors, quantile(n - 1) * errors.double().std(correction=0) * (1 + 1 / n) ** 0.5)


def range_of_runs(errors):
    """You returned the smallest and the largest error. A new run often lies outside of those."""
    return float(errors.min()), float(errors.max())


def high_before_low(errors):
    """You returned the upper end first. Give the low end, then the high one."""
    return truth(errors.double())[::-1]


def one_sided(errors):
    """You left 5 % on either side. That makes an interval of 90 %."""
    n = len(errors)
    return around(errors, quantile(n - 1, 0.95) * spread(errors) * (1 + 1 / n) ** 0.5)


def by_variances(errors):
    """The variance of a new run and that of the mean, added."""
    e = errors.double()
    variance = e.var() + e.var() / len(e)
    return around(errors, quantile(len(e) - 1) * variance.sqrt())


def by_hand(errors):
    """Student's quantile times the spread of one more."""
    count, mean = len(errors), float(errors.double().mean())
    spread = float(errors.double().std()) * math.sqrt(1 + 1 / count)
    half = quantile(count - 1) * spread
    return float(mean - half), float(mean + half)


EXERCISE = Exercise(
    name="11-next-draw",
    title="Where the next run lands",
    difficulty=2,
    minutes=10,
    parameters=("errors",),
    cases=cases,
    truth=truth,
    returns=(float, float),
    hints=(
        "The new run differs from the mean of the old ones for two reasons. Which?",
        "It has a variance of its own, and the mean is off by a variance n times smaller. The two "
        "are independent, so they add.",
        "`half = stats.t.ppf(0.975, n - 1) * errors.double().std() * (1 + 1 / n) ** 0.5`.",
    ),
    mistakes=(
        of_the_mean,
        mean_known,
        roots_added,
        of_the_normal,
        population_spread,
        range_of_runs,
        high_before_low,
        one_sided,
    ),
    alternatives=(by_variances,),
    formulas=(by_hand,),
    right="For five runs it is √6 times as wide as the interval of the mean.",
)
