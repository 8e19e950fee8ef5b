"""A baseline from the others."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Values of f for K samples of B examples."""
    return [
        (normal((3, 2), 1, scale=4.0),),
        (normal((6, 50), 2) - 20.0,),
        (normal((2, 3), 3, torch.float64),),
    ]


def truth(f):
    """Delete one row after the other."""
    rows = range(len(f))
    return torch.stack([f[[j for j in rows if j != k]].mean(0) for k in rows])


def mean_of_all(f):
    """You averaged all samples, with the sample itself: then the estimate is biased."""
    return f.mean(0, keepdim=True).expand_as(f).clone()


def divided_by_k(f):
    """You divided by K. Without one of them there are K − 1."""
    return (f.sum(0) - f) / len(f)


def subtracted(f):
    """You returned f minus the baseline. Return the baseline."""
    return f - truth(f)


def over_the_batch(f):
    """You averaged over the other examples. The baseline of a sample comes from its own x."""
    return (f.sum(1, keepdim=True) - f) / max(f.shape[1] - 1, 1)


def sum_of_the_others(f):
    """You returned the sum of the others. Average them."""
    return f.sum(0) - f


def one_for_all(f):
    """You left out one and the same sample for all. Leave out each sample for itself."""
    return f[1:].mean(0, keepdim=True).expand_as(f).clone()


def own_sample_stays_out(answer):
    """The baseline of a sample must not depend on it."""
    f = normal((4, 2), 9)
    moved = f.clone()
    moved[1] += 100.0
    if (answer(f)[1] - answer(moved)[1]).abs().max() > 1e-3:
        return "The baseline of sample 2 changes when f of sample 2 changes: it must not."
    return None


def by_matrix(f):
    """Multiply by a matrix that has zeros on its diagonal."""
    count = len(f)
    others = (1 - torch.eye(count, dtype=f.dtype)) / (count - 1)
    return others @ f


def by_hand(f):
    """The sum of the others over their number."""
    return (f.sum(0) - f) / (len(f) - 1)


def by_means(f):
    """The mean of all, without the own part."""
    count = len(f)
    return count / (count - 1) * (f.mean(0) - f / count)


EXERCISE = Exercise(
    name="05-leave-one-out",
    title="A baseline from the others",
    difficulty=1,
    minutes=10,
    parameters=("f",),
    cases=cases,
    truth=truth,
    properties=(own_sample_stays_out,),
    hints=(
        "The sum of the others is the sum of all, minus one. Can you have it for all k at once?",
        "Subtract f from its sum over the samples. How many terms are left?",
        "`(f.sum(0) - f) / (len(f) - 1)`.",
    ),
    mistakes=(
        mean_of_all,
        divided_by_k,
        subtracted,
        over_the_batch,
        sum_of_the_others,
        one_for_all,
    ),
    alternatives=(by_matrix,),
    formulas=(
        by_hand,
        by_means,
    ),
    right="It does not depend on its own sample, so the gradient stays unbiased.",
)
