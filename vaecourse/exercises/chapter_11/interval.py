"""The half-width of a 95 % interval."""

import math

import numpy as np
import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Errors of five, of two and of twelve label draws."""
    few = torch.tensor([0.22, 0.25, 0.21, 0.27, 0.24])
    return [(few,), (few[:2],), (0.1 + 0.02 * normal(12, 3, torch.float64),)]


def spread(errors):
    """Standard deviation of one draw, in double precision."""
    return errors.double().std()


def quantile(degrees, level=0.975):
    """Student's quantile."""
    from scipy import stats

    return float(stats.t.ppf(level, degrees))


def truth(errors):
    """The interval that scipy returns, its upper half."""
    from scipy import stats

    e = errors.numpy()
    center, scale = e.mean(), stats.sem(e)
    return float(stats.t.interval(0.95, len(e) - 1, loc=center, scale=scale)[1] - center)


def of_the_normal(errors):
    """You took 1.96, as if the spread were known. It is estimated from a few runs: use Student."""
    return float(1.959963984540054 * spread(errors) / len(errors) ** 0.5)


def not_of_the_mean(errors):
    """You gave the spread of single runs. The mean of n runs varies less than one run."""
    return float(quantile(len(errors) - 1) * spread(errors))


def divided_by_n(errors):
    """You divided by n. A variance falls with n, but an interval is as wide as its root."""
    return float(quantile(len(errors) - 1) * spread(errors) / len(errors))


def population_spread(errors):
    """Your standard deviation divides by n. The mean was estimated from the same runs."""
    n = len(errors)
    return float(quantile(n - 1) * errors.double().std(correction=0) / n**0.5)


def one_sided(errors):
    """You left 5 % on one side. An interval leaves out half of that below and half above."""
    return float(quantile(len(errors) - 1, 0.95) * spread(errors) / len(errors) ** 0.5)


def degrees_n(errors):
    """You used n degrees of freedom. The mean has taken one of them."""
    return float(quantile(len(errors)) * spread(errors) / len(errors) ** 0.5)


def whole_width(errors):
    """You returned the whole width. What stands behind ± is half of it."""
    return float(2 * quantile(len(errors) - 1) * spread(errors) / len(errors) ** 0.5)


def by_hand(errors):
    """From sums of squares."""
    e = np.asarray(errors, dtype=np.float64)
    n = len(e)
    return quantile(n - 1) * float(np.sqrt(((e - e.mean()) ** 2).sum() / (n - 1) / n))


def step_by_step(errors):
    """Student's quantile times the standard error."""
    count = len(errors)
    return float(quantile(count - 1) * errors.double().std() / math.sqrt(count))


EXERCISE = Exercise(
    name="11-interval",
    title="Behind the ±",
    difficulty=1,
    minutes=10,
    parameters=("errors",),
    cases=cases,
    truth=truth,
    returns=float,
    hints=(
        "How much would the mean of n runs vary, if you made n other runs?",
        "By the standard deviation of one run over the root of n. It is estimated from n - 1 "
        "degrees of freedom, so Student's quantile at 97.5 % stands before it.",
        "`float(stats.t.ppf(0.975, n - 1) * errors.double().std() / n**0.5)`.",
    ),
    mistakes=(
        of_the_normal,
        not_of_the_mean,
        divided_by_n,
        population_spread,
        one_sided,
        degrees_n,
        whole_width,
    ),
    alternatives=(by_hand,),
    formulas=(step_by_step,),
    right="With five runs the quantile is 2.78 and not 1.96, so the interval is 42 % wider.",
)
