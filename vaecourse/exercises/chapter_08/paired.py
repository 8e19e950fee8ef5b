"""Draw by draw."""

import math

import numpy as np
from scipy import stats

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(draws, gain, seed):
    """Errors of two methods on the same draws: a hard draw is hard for both."""
    hard = 20 + 3 * normal((draws,), seed)
    first = hard + 0.5 * normal((draws,), seed + 1)
    second = hard - gain + 0.5 * normal((draws,), seed + 2)
    return first.double().numpy(), second.double().numpy()


def cases():
    """Five draws, three, and ten."""
    return [case(5, 1.5, 1), case(3, -2.0, 4), case(10, 0.3, 7)]


def truth(first, second):
    """SciPy's test of paired samples, with its interval."""
    low, high = stats.ttest_rel(first, second).confidence_interval(0.95)
    return float(low + high) / 2, float(high - low) / 2


def half(values, quantile=None, correction=1):
    """Half width of an interval of a mean."""
    quantile = stats.t.ppf(0.975, len(values) - 1) if quantile is None else quantile
    return float(quantile * values.std(ddof=correction) / len(values) ** 0.5)


def mean_gain(first, second):
    """Mean of the differences."""
    return float((first - second).mean())


def unpaired(first, second):
    """You compared two separate means. A hard draw is hard for both: take differences first."""
    width = np.hypot(half(first), half(second))
    return mean_gain(first, second), float(width)


def widths_added(first, second):
    """You added the two intervals. The interval of the differences is far narrower."""
    return mean_gain(first, second), half(first) + half(second)


def normal_quantile(first, second):
    """You took 1.96, which holds for many draws. For few, Student's t is wider."""
    return mean_gain(first, second), half(first - second, 1.96)


def error_alone(first, second):
    """You returned the standard error. A 95 % interval is wider, by a quantile."""
    return mean_gain(first, second), half(first - second, 1.0)


def spread_alone(first, second):
    """Your width is that of single draws. The mean of n draws is surer, by the root of n."""
    width = half(first - second) * len(first) ** 0.5
    return mean_gain(first, second), width


def divided_by_n(first, second):
    """Your standard deviation divides by n. With so few draws divide by n − 1."""
    return mean_gain(first, second), half(first - second, correction=0)


def one_sided(first, second):
    """You took the 95 % quantile. An interval leaves out 2.5 % on either side."""
    quantile = stats.t.ppf(0.95, len(first) - 1)
    return mean_gain(first, second), half(first - second, quantile)


def full_width(first, second):
    """You returned the whole width of the interval. Half of it stands behind the ±."""
    return mean_gain(first, second), 2 * half(first - second)


def turned_around(first, second):
    """Your difference has the wrong sign: the first minus the second is asked for."""
    return -mean_gain(first, second), half(first - second)


def by_interval(first, second):
    """Let SciPy build the interval."""
    gains = np.subtract(first, second)
    low, high = stats.t.interval(0.95, gains.size - 1, loc=gains.mean(), scale=stats.sem(gains))
    return (low + high) / 2, (high - low) / 2


def by_hand(first, second):
    """Student's interval of the differences."""
    gaps = first - second
    count = len(gaps)
    half = stats.t.ppf(0.975, count - 1) * gaps.std(ddof=1) / math.sqrt(count)
    return float(gaps.mean()), float(half)


EXERCISE = Exercise(
    name="08-paired",
    title="Draw by draw",
    difficulty=2,
    minutes=15,
    parameters=("first", "second"),
    cases=cases,
    truth=truth,
    returns=(float, float),
    hints=(
        "Which numbers have less spread: the errors of a method, or the differences of the two?",
        "Subtract draw by draw. Then it is one sample, and its mean has an interval by Student's t "
        "with n − 1 degrees of freedom, as in the chapter.",
        "`gains = first - second`; half of the interval is `stats.t.ppf(0.975, len(gains) - 1) * "
        "stats.sem(gains)`.",
    ),
    mistakes=(
        unpaired,
        widths_added,
        normal_quantile,
        error_alone,
        spread_alone,
        divided_by_n,
        one_sided,
        full_width,
        turned_around,
    ),
    alternatives=(by_interval,),
    formulas=(by_hand,),
    right="Two intervals may overlap, and one method may still win on every draw.",
)
