"""The bound of K weights."""

import math

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def weight_cases():
    """Log weights around -90 nats, where a plain exponential of float32 underflows."""
    return [
        (normal((5, 3), 1) - 90,),
        (normal((50, 40), 2, scale=3.0) - 120,),
        (normal((1, 4), 3, torch.float64) - 2000,),
    ]


def bound_truth(log_w):
    """The largest weight taken out, then the mean of the rest."""
    largest = log_w.amax(0)
    return largest + (log_w - largest).exp().mean(0).log()


def log_k_forgotten(log_w):
    """You took the log of the sum: log K is missing, and the bound lies above log p(x)."""
    return log_w.logsumexp(0)


def mean_of_logs(log_w):
    """You averaged the logs. That is the ELBO, whatever K is: average the weights first."""
    return log_w.mean(0)


def best_weight(log_w):
    """You took the largest weight. It stands for a sum, and K has to divide it."""
    return log_w.amax(0)


def log_k_added(log_w):
    """You added log K. A mean is a sum divided by K."""
    return log_w.logsumexp(0) + math.log(len(log_w))


def divided_by_k(log_w):
    """You divided the logarithm by K. The division belongs inside of it."""
    return log_w.logsumexp(0) / len(log_w)


def over_the_batch(log_w):
    """You divided by the number of examples. Samples are the first axis."""
    return log_w.logsumexp(0) - math.log(log_w.shape[1])


def bound_by_shares(log_w):
    """A right answer: the log weights averaged by their shares, plus the shares' entropy."""
    share = log_w.softmax(0)
    entropy = -(share * log_w.log_softmax(0)).sum(0)
    return (share * log_w).sum(0) + entropy - math.log(len(log_w))


def by_hand(log_w):
    """The log of the sum, less log K."""
    return log_w.logsumexp(0) - math.log(len(log_w))


def by_maximum(log_w):
    """Take the maximum off, and put it back."""
    largest = log_w.amax(0)
    return largest + (log_w - largest).exp().mean(0).log()


EXERCISE = Exercise(
    name="13-weighted",
    title="The bound of K weights",
    difficulty=1,
    minutes=10,
    parameters=("log_w",),
    cases=weight_cases,
    truth=bound_truth,
    gradients=("log_w",),
    vectorized=True,
    hints=(
        "What do you average, the weights or their logarithms? And what happens to exp(-90) in "
        "float32 arithmetic?",
        "`logsumexp` adds up weights and never leaves the logarithm. A mean is a sum divided by K.",
        "`log_w.logsumexp(0) - math.log(len(log_w))`.",
    ),
    mistakes=(
        log_k_forgotten,
        mean_of_logs,
        best_weight,
        log_k_added,
        divided_by_k,
        over_the_batch,
    ),
    alternatives=(bound_by_shares,),
    formulas=(
        by_hand,
        by_maximum,
    ),
    right="With one sample it is the ELBO, with many it comes near log p(x).",
)
