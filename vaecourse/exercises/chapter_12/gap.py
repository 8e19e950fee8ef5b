"""The mutual information gap."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def gap_cases():
    """Mutual information (L, K) and entropies (K,)."""
    return [
        (normal((4, 3), 1).abs(), 2 + normal((3,), 2).abs()),
        (normal((12, 6), 3).abs(), 2 + normal((6,), 4).abs()),
        (normal((2, 5), 5, torch.float64).abs(), 2 + normal((5,), 6, torch.float64).abs()),
    ]


def gap_truth(information, entropies):
    """Per factor: the largest, and the largest of what is left without it."""
    gaps = []
    for column, entropy in zip(information.T, entropies, strict=True):
        best = int(column.argmax())
        rest = torch.cat([column[:best], column[best + 1 :]])
        gaps.append((column[best] - rest.max()) / entropy)
    return torch.stack(gaps).mean()


def not_normalized(information, entropies):
    """You left the gaps in nats.

    A factor of many values has more to say than a factor of two; divide each gap by what its
    factor has.
    """
    return gap_truth(information, torch.ones_like(entropies))


def best_and_worst(information, entropies):
    """You subtracted the worst unit. A code of two good units for one factor would pass."""
    return ((information.amax(0) - information.amin(0)) / entropies).mean()


def best_alone(information, entropies):
    """You subtracted nothing: ten copies of a factor would score as well as one."""
    return (information.amax(0) / entropies).mean()


def gap_of_units(information, entropies):
    """You compared factors for each unit. The gap compares units for each factor."""
    first, second = information.topk(2, dim=1).values.T
    return ((first - second) / entropies.mean()).mean()


def summed(information, entropies):
    """You summed over factors. The score is their mean, so that it lies between 0 and 1."""
    return gap_truth(information, entropies) * len(entropies)


def normalized_together(information, entropies):
    """You divided by the mean entropy. Each gap belongs over the entropy of its own factor."""
    return not_normalized(information, entropies) / entropies.mean()


def gap_by_sorting(information, entropies):
    """A right answer by sorting."""
    ordered = information.sort(dim=0).values
    return ((ordered[-1] - ordered[-2]) / entropies).mean()


def by_hand(information, entropies):
    """The largest less the second, in shares of the entropy."""
    ordered = information.sort(0, descending=True).values
    return ((ordered[0] - ordered[1]) / entropies).mean()


EXERCISE = Exercise(
    name="12-gap",
    title="The gap between the best and the second best",
    difficulty=1,
    minutes=10,
    parameters=("information", "entropies"),
    cases=gap_cases,
    truth=gap_truth,
    hints=(
        "Take one column, that is, one factor. Which two of its numbers matter?",
        "`torch.topk` returns the largest values along a dimension, in order.",
        "`first, second = information.topk(2, dim=0).values`, then "
        "`((first - second) / entropies).mean()`.",
    ),
    mistakes=(
        not_normalized,
        best_and_worst,
        best_alone,
        gap_of_units,
        summed,
        normalized_together,
    ),
    alternatives=(gap_by_sorting,),
    formulas=(by_hand,),
    right="A factor that two units share equally has no gap, however well they know it.",
)
