"""The number of components that keep a part of the variance."""

import torch

from vaecourse.exercises.exercise import Exercise

__all__ = ["EXERCISE"]


def cases():
    """Spectra, largest variance first, and the part to keep."""
    power = 1 / torch.arange(1, 41, dtype=torch.float64)
    return [
        (torch.tensor([4.0, 2.0, 1.0, 0.5, 0.5]), 0.8),
        (power, 0.5),
        (power.square(), 0.9),
        (torch.ones(20), 0.72),
        (torch.tensor([4.0, 2.0, 2.0]), 0.75),
        (torch.tensor([8.0, 4.0, 2.0, 2.0]), 0.5),
        (torch.tensor([100.0, 30.0, 10.0, 3.0, 1.0, 0.3]), 0.99),
        (power.sqrt(), 0.9),
        (torch.tensor([2.0]), 0.3),
    ]


def truth(variances, part):
    """Count upward until the part is reached."""
    kept, total = 0.0, float(variances.sum())
    for count, variance in enumerate(variances.tolist(), 1):
        kept += variance
        if kept >= part * total:
            return count
    return len(variances)


def one_too_few(variances, part):
    """You count the components that are not enough. One more reaches the part."""
    return truth(variances, part) - 1


def standard_deviations(variances, part):
    """You added standard deviations. Only variances along perpendicular directions add up."""
    return truth(variances.sqrt(), part)


def lost_part(variances, part):
    """You keep the part that may be lost: the question is how much to keep."""
    return truth(variances, 1 - part)


def smallest_first(variances, part):
    """You began with the smallest variances. The first components have the largest."""
    return truth(variances.flip(0), part)


def share_of_the_largest(variances, part):
    """You compared with the largest variance. The whole is the sum of all variances."""
    return int((variances > (1 - part) * variances[0]).sum())


def by_search(variances, part):
    """Search in the cumulative sum."""
    cumulative = variances.cumsum(0) / variances.sum()
    return torch.searchsorted(cumulative, torch.tensor(part, dtype=cumulative.dtype)) + 1


def by_hand(variances, part):
    """Count the shares below the part."""
    shares = variances.cumsum(0) / variances.sum()
    return int((shares < part).sum()) + 1


EXERCISE = Exercise(
    name="01-components-needed",
    title="How many components does it take?",
    difficulty=1,
    minutes=5,
    parameters=("variances", "part"),
    cases=cases,
    truth=truth,
    returns=int,
    hints=(
        "What do the first k components keep, of all the variance there is?",
        "Take cumulative sums and divide by the total. Then find the first that reaches the part.",
        "`explained = variances.cumsum(0) / variances.sum()`; count those below the part and add "
        "one: `int((explained < part).sum()) + 1`.",
    ),
    mistakes=(
        one_too_few,
        standard_deviations,
        lost_part,
        smallest_first,
        share_of_the_largest,
    ),
    alternatives=(by_search,),
    formulas=(by_hand,),
    right="It counts the dimensions of a flat surface, which is more than a curved one needs.",
)
