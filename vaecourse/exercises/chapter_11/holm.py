"""Which of many differences survive."""

import torch

from vaecourse.exercises.exercise import Exercise

__all__ = ["EXERCISE"]


def cases():
    """P-values of four, of six and of forty comparisons, in no order."""
    generator = torch.Generator().manual_seed(4)
    many = torch.rand(40, generator=generator, dtype=torch.float64) ** 6
    return [
        (torch.tensor([0.030, 0.004, 0.020, 0.012]), 0.05),
        (torch.tensor([0.011, 0.001, 0.009, 0.2, 0.022, 0.004]), 0.05),
        (torch.tensor([0.9, 0.02, 0.0251, 0.03]), 0.1),
        (torch.tensor([0.02, 0.06, 0.04]), 0.06),
        (many, 0.05),
    ]


def truth(p, level):
    """Walk up from the smallest until one is too large."""
    keep = [False] * len(p)
    for rank, place in enumerate(sorted(range(len(p)), key=lambda k: float(p[k]))):
        if float(p[place]) > level / (len(p) - rank):
            break
        keep[place] = True
    return torch.tensor(keep)


def ranks(p):
    """Rank of every value, from 0."""
    return p.argsort().argsort()


def each_alone(p, level):
    """You compared every value with the level itself. Of twenty true ties one would be lost."""
    return p <= level


def bonferroni(p, level):
    """You divided the level by all comparisons each time. Holm spares those that are behind you."""
    return p <= level / len(p)


def never_stopped(p, level):
    """You judged every value by its own threshold. Once one fails, all larger ones fail with it."""
    return p <= level / (len(p) - ranks(p))


def from_above(p, level):
    """You began with the largest value. Begin with the smallest, and stop at the first failure."""
    good = (p <= level / (len(p) - ranks(p)))[p.argsort()]
    kept = good.flip(0).long().cummax(0).values.flip(0).bool()
    return kept[ranks(p)]


def false_discoveries(p, level):
    """Your thresholds grow like rank / m. That is a promise about the share of false finds."""
    order = p.argsort()
    good = p[order] <= level * torch.arange(1, len(p) + 1) / len(p)
    kept = good.flip(0).long().cummax(0).values.flip(0).bool()
    return kept[ranks(p)]


def unsorted(p, level):
    """You took the comparisons in the order in which they came. Sort them first."""
    return (p <= level / (len(p) - torch.arange(len(p)))).long().cumprod(0).bool()


def left_sorted(p, level):
    """Your answers are in order of size. Give each back to its comparison."""
    return truth(p.sort().values, level)


def turned_around(p, level):
    """You marked those that fail. A small value is a difference that survives."""
    return ~truth(p, level)


def by_adjusting(p, level):
    """By adjusted p-values, as statistics packages print them."""
    ordered, order = p.double().sort()
    factors = torch.arange(len(p), 0, -1)
    adjusted = (ordered * factors).cummax(0).values.clamp(max=1.0)
    return torch.empty_like(adjusted).scatter_(0, order, adjusted) <= level + 1e-12


def by_hand(p, level):
    """Sort, compare, stop at the first that fails."""
    order = p.argsort()
    bars = level / torch.arange(len(p), 0, -1)
    good = (p[order] <= bars).long().cumprod(0).bool()
    return good[order.argsort()]


EXERCISE = Exercise(
    name="11-holm",
    title="Which differences survive",
    difficulty=2,
    minutes=15,
    parameters=("p", "level"),
    cases=cases,
    truth=truth,
    hints=(
        "Sort the values. By what is the level divided for the smallest of them, and for the next?",
        "The smallest is compared with level / m, the next with level / (m - 1), and so on. At the "
        "first that is too large, stop: it and all behind it fail.",
        "`order = p.argsort()`, `good = p[order] <= level / torch.arange(len(p), 0, -1)`, then "
        "`kept[order] = good.long().cumprod(0).bool()`.",
    ),
    mistakes=(
        each_alone,
        bonferroni,
        never_stopped,
        from_above,
        false_discoveries,
        unsorted,
        left_sorted,
        turned_around,
    ),
    alternatives=(by_adjusting,),
    formulas=(by_hand,),
    right="The chance that even one of the survivors is an accident stays below the level.",
)
