"""The log of a mean, from logs."""

import math
from fractions import Fraction

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Log weights, some of them far below zero, as images have them."""
    apart = torch.tensor([0.0, -700.0, 400.0])
    return [
        (normal((4, 3), 1, scale=2.0),),
        (normal((9, 60), 2, scale=5.0) - 800.0,),
        (normal((7, 2), 3, torch.float64) + 900.0,),
        (normal((6, 3), 8) + apart,),
    ]


def truth(log_weights):
    """Sum exact fractions of the weights, row by row, after the largest has been taken out."""
    columns = []
    for column in log_weights.T.tolist():
        top = max(column)
        total = sum((Fraction(math.exp(value - top)) for value in column), Fraction(0))
        columns.append(top + math.log(total / len(column)))
    return torch.tensor(columns, dtype=torch.float64)


def no_minus_log_k(log_weights):
    """You returned the log of the sum. For the mean, subtract the log of K."""
    return log_weights.logsumexp(0)


def mean_of_the_logs(log_weights):
    """You averaged the logs. The log of the mean is larger, by Jensen's inequality."""
    return log_weights.mean(0)


def underflow(log_weights):
    """You left the logs. The exponentials of such numbers are 0 or infinite in floating point."""
    return log_weights.exp().mean(0).log()


def over_the_batch(log_weights):
    """You averaged over the batch. Average over the K samples, the first axis."""
    return log_weights.logsumexp(1) - math.log(log_weights.shape[1])


def divided_by_k(log_weights):
    """You divided the log by K. Dividing the sum subtracts from its log."""
    return log_weights.logsumexp(0) / len(log_weights)


def over_everything(log_weights):
    """You averaged over the batch as well. Each x has an estimate of its own."""
    return log_weights.flatten().logsumexp(0) - math.log(log_weights.numel())


def by_hand(log_weights):
    """Take out the largest by hand."""
    top = log_weights.amax(0)
    return top + (log_weights - top).exp().mean(0).log()


def step_by_step(log_weights):
    """The log of the sum, less log K."""
    return log_weights.logsumexp(0) - math.log(len(log_weights))


def by_maximum(log_weights):
    """Take the maximum off, and put it back."""
    largest = log_weights.amax(0)
    return largest + (log_weights - largest).exp().mean(0).log()


EXERCISE = Exercise(
    name="03-log-mean-exp",
    title="The log of a mean, from logs",
    difficulty=1,
    minutes=5,
    parameters=("log_weights",),
    cases=cases,
    truth=truth,
    vectorized=True,
    hints=(
        "exp(−800) is zero in floating point. What may you subtract from every log weight first?",
        "`logsumexp` takes out the largest for you. A mean is a sum divided by K.",
        "`log_weights.logsumexp(0) - math.log(len(log_weights))`.",
    ),
    mistakes=(
        no_minus_log_k,
        mean_of_the_logs,
        underflow,
        over_the_batch,
        divided_by_k,
        over_everything,
    ),
    alternatives=(by_hand,),
    formulas=(
        step_by_step,
        by_maximum,
    ),
    right="The mean is unbiased for p(x). Its logarithm is too low on average.",
)
