"""An error bar with a ceiling."""

import math

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Log weights of moderate size and far below zero."""
    apart = torch.tensor([0.0, -700.0, 400.0])
    return [
        (normal((5, 3), 1),),
        (normal((40, 60), 2, scale=3.0) - 800.0,),
        (normal((12, 2), 3, torch.float64),),
        (normal((6, 3), 8) + apart,),
    ]


def truth(log_weights):
    """By the effective sample size, as the package has it."""
    count = len(log_weights)
    size = 1 / log_weights.softmax(0).square().sum(0)
    return ((count / size - 1) / (count - 1)).sqrt()


def relative(log_weights):
    """Weights, divided by their mean."""
    return log_weights.softmax(0) * len(log_weights)


def of_one_sample(log_weights):
    """You forgot to divide by the root of K: this is the spread of one weight."""
    return relative(log_weights).std(0)


def of_the_logs(log_weights):
    """You took the spread of the log weights. The estimate averages the weights themselves."""
    return log_weights.std(0) / math.sqrt(len(log_weights))


def not_relative(log_weights):
    """You did not divide by the mean weight: the error of a logarithm is a relative error."""
    return log_weights.exp().std(0) / math.sqrt(len(log_weights))


def variance_returned(log_weights):
    """You returned a variance. A standard error is its root."""
    return truth(log_weights).square()


def divided_by_k(log_weights):
    """You divided by K. A standard error falls as one over the root of K."""
    return relative(log_weights).std(0) / len(log_weights)


def log_of_the_error(log_weights):
    """You took the log of the error. The slope of the logarithm turns it into a relative error."""
    return (relative(log_weights).std(0) / math.sqrt(len(log_weights))).log()


def between_zero_and_one(answer):
    """The two ends."""
    if answer(torch.zeros(8, 2)).abs().max() > 1e-6:
        return "With equal weights the estimate does not vary. Your error is not zero."
    single = torch.tensor([[0.0], [-200.0], [-300.0], [-250.0]])
    if (answer(single) - 1).abs().max() > 1e-4:
        return "Where one weight is everything, the reported error is 1, its ceiling. Yours is not."
    return None


def by_standard_deviation(log_weights):
    """Spread of the relative weights over the root of K."""
    weights = (log_weights - log_weights.amax(0)).exp()
    return weights.std(0, correction=1) / weights.mean(0) / len(weights) ** 0.5


def by_hand(log_weights):
    """The relative spread over the root of K."""
    weights = (log_weights - log_weights.amax(0)).exp()
    return weights.std(0) / weights.mean(0) / math.sqrt(len(log_weights))


def by_variances(log_weights):
    """The root of the variance of the mean."""
    count = len(log_weights)
    relative = log_weights.softmax(0) * count
    return (relative.var(0) / count) ** 0.5


EXERCISE = Exercise(
    name="03-standard-error",
    title="An error bar with a ceiling",
    difficulty=2,
    minutes=15,
    parameters=("log_weights",),
    cases=cases,
    truth=truth,
    vectorized=True,
    properties=(between_zero_and_one,),
    hints=(
        "What is the standard error of the mean weight? What does a logarithm do to a small error?",
        "The slope of log at m is 1/m: divide the standard error of the mean weight by the mean "
        "weight. Take the largest weight out first, it cancels.",
        "`w = (log_weights - log_weights.amax(0)).exp()`, then `w.std(0) / w.mean(0) / "
        "math.sqrt(len(w))`.",
    ),
    mistakes=(
        of_one_sample,
        of_the_logs,
        not_relative,
        variance_returned,
        divided_by_k,
        log_of_the_error,
    ),
    alternatives=(by_standard_deviation,),
    formulas=(
        by_hand,
        by_variances,
    ),
    right="It never exceeds 1 nat, however wrong the estimate is.",
)
