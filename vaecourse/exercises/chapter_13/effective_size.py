"""How many samples really count."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def size_cases():
    """Log weights that are nearly equal, and some of which few dominate."""
    return [
        (normal((6, 3), 1) - 90,),
        (normal((100, 40), 2, scale=2.0) - 90,),
        (normal((20, 4), 3, torch.float64, scale=4.0) - 1500,),
    ]


def size_truth(log_w):
    """K over one plus the squared coefficient of variation of the weights."""
    w = (log_w - log_w.amax(0)).exp()
    return len(w) / (1 + w.var(0, correction=0) / w.mean(0).square())


def as_a_share(log_w):
    """You returned the part of the samples that count. Multiply by K."""
    return size_truth(log_w) / len(log_w)


def upside_down(log_w):
    """You returned the inverse: the sum of the squared shares."""
    return log_w.softmax(0).square().sum(0)


def of_the_logs(log_w):
    """You put the log weights into the formula. It speaks of weights."""
    return log_w.sum(0).square() / log_w.square().sum(0)


def perplexity(log_w):
    """You returned exp of the shares' entropy. That counts too, but it is another number."""
    return (-(log_w.softmax(0) * log_w.log_softmax(0)).sum(0)).exp()


def by_the_largest(log_w):
    """You returned one over the largest share. All squared shares belong into the sum."""
    return 1 / log_w.softmax(0).amax(0)


def root_taken(log_w):
    """You took a root: an effective size goes with the variance, not with the error."""
    return size_truth(log_w).sqrt()


def size_by_shares(log_w):
    """A right answer by normalized weights."""
    return 1 / log_w.softmax(0).square().sum(0)


def by_hand(log_w):
    """One over the sum of squared shares."""
    return 1 / log_w.softmax(0).square().sum(0)


def by_sums(log_w):
    """The squared sum over the sum of squares."""
    weights = (log_w - log_w.amax(0)).exp()
    return weights.sum(0) ** 2 / (weights**2).sum(0)


def by_logs(log_w):
    """With logarithms of both sums."""
    return (2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0)).exp()


EXERCISE = Exercise(
    name="13-effective-size",
    title="How many samples really count",
    difficulty=1,
    minutes=10,
    parameters=("log_w",),
    cases=size_cases,
    truth=size_truth,
    vectorized=True,
    hints=(
        "The formula does not change if all weights are multiplied by one number. Which number "
        "makes the exponentials safe?",
        "Divide the weights by their sum, which is what `softmax` does. What is left of the "
        "formula?",
        "`1 / log_w.softmax(0).square().sum(0)`.",
    ),
    mistakes=(as_a_share, upside_down, of_the_logs, perplexity, by_the_largest, root_taken),
    alternatives=(size_by_shares,),
    formulas=(
        by_hand,
        by_sums,
        by_logs,
    ),
    right="Equal weights give K, and one giant among them gives nearly 1.",
)
