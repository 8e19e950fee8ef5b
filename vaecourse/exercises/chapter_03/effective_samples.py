"""The number of samples that count."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Log weights, some of them far below zero."""
    apart = torch.tensor([0.0, -700.0, 400.0])
    return [
        (normal((5, 3), 1),),
        (normal((50, 60), 2, scale=3.0) - 800.0,),
        (normal((20, 2), 3, torch.float64) + 900.0,),
        (normal((6, 3), 8) + apart,),
    ]


def truth(log_weights):
    """One over the sum of squared shares."""
    return 1 / log_weights.softmax(0).square().sum(0)


def upside_down(log_weights):
    """You turned the fraction around: the squared sum belongs above."""
    return log_weights.softmax(0).square().sum(0)


def share(log_weights):
    """You divided by K. The effective sample size lies between 1 and K."""
    return truth(log_weights) / len(log_weights)


def underflow(log_weights):
    """You left the logs. The exponentials of such numbers are 0 or infinite in floating point."""
    weights = log_weights.exp()
    return weights.sum(0) ** 2 / weights.square().sum(0)


def sum_not_squared(log_weights):
    """You forgot to square the sum above."""
    weights = (log_weights - log_weights.amax(0)).exp()
    return weights.sum(0) / weights.square().sum(0)


def of_the_logs(log_weights):
    """You put the log weights into the formula. It asks for the weights."""
    return log_weights.sum(0) ** 2 / log_weights.square().sum(0)


def over_the_batch(log_weights):
    """You summed over the batch. Sum over the K samples, the first axis."""
    return 1 / log_weights.softmax(1).square().sum(1)


def between_one_and_k(answer):
    """The two ends."""
    equal = torch.zeros(8, 2)
    if not torch.allclose(answer(equal), torch.full((2,), 8.0)):
        return "With K equal weights all K samples count. Yours says otherwise."
    single = torch.tensor([[0.0], [-200.0], [-300.0]])
    if not torch.allclose(answer(single), torch.ones(1)):
        return "Where one weight is everything, one sample counts. Yours says otherwise."
    return None


def by_logs(log_weights):
    """Stay in logs to the end."""
    return (2 * log_weights.logsumexp(0) - (2 * log_weights).logsumexp(0)).exp()


def by_hand(log_weights):
    """One over the sum of squared shares."""
    return 1 / log_weights.softmax(0).square().sum(0)


def by_sums(log_weights):
    """The squared sum over the sum of squares."""
    weights = (log_weights - log_weights.amax(0)).exp()
    return weights.sum(0) ** 2 / (weights**2).sum(0)


def by_logs_too(log_weights):
    """With logarithms of both sums."""
    return (2 * log_weights.logsumexp(0) - (2 * log_weights).logsumexp(0)).exp()


EXERCISE = Exercise(
    name="03-effective-samples",
    title="Count the samples that matter",
    difficulty=1,
    minutes=10,
    parameters=("log_weights",),
    cases=cases,
    truth=truth,
    vectorized=True,
    properties=(between_one_and_k,),
    hints=(
        "Multiply all weights by the same number: does the result change? Use it.",
        "Divide the weights by their sum first: that is a softmax of the log weights. What becomes "
        "of the formula?",
        "`1 / log_weights.softmax(0).square().sum(0)`.",
    ),
    mistakes=(
        upside_down,
        share,
        underflow,
        sum_not_squared,
        of_the_logs,
        over_the_batch,
    ),
    alternatives=(by_logs,),
    formulas=(
        by_hand,
        by_sums,
        by_logs_too,
    ),
    right="Near 1 it says that a single code carries the estimate: trust no error bar then.",
)
