"""Index-code mutual information of a batch."""

import math

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def pair_cases():
    """Matrices of log q(z_i | x_m), largest near the diagonal."""
    cases = []
    for size, seed, dtype in ((5, 1, torch.float32), (40, 2, torch.float32), (3, 3, torch.float64)):
        z = normal((size,), seed, torch.float64)
        means = z + 0.2 * normal((size,), seed + 10, torch.float64)
        pairs = -0.5 * ((z[:, None] - means) / 0.3) ** 2 - math.log(0.3 * math.sqrt(2 * math.pi))
        cases.append((pairs.to(dtype),))
    return cases


def pair_truth(log_pairs):
    """Average the densities themselves, which double precision bears."""
    return (log_pairs.diagonal() - log_pairs.exp().mean(1).log()).mean()


def sum_for_average(log_pairs):
    """You summed the posteriors where q(z) averages them: log M is missing."""
    return (log_pairs.diagonal() - log_pairs.logsumexp(1)).mean()


def average_of_logarithms(log_pairs):
    """You averaged logarithms. q(z) averages densities, and its logarithm comes after."""
    return (log_pairs.diagonal() - log_pairs.mean(1)).mean()


def other_axis(log_pairs):
    """You averaged over the codes of one posterior.

    q(z) takes one code and averages over the posteriors: row i holds the scores of code i.
    """
    size = math.log(len(log_pairs))
    return (log_pairs.diagonal() - log_pairs.logsumexp(0) + size).mean()


def minus_the_information(log_pairs):
    """You returned minus the information: a code is likelier under its own posterior."""
    return -pair_truth(log_pairs)


def own_left_out(log_pairs):
    """You left the code's own posterior out of the average. q(z) has it among the others."""
    others = log_pairs.masked_fill(torch.eye(len(log_pairs), dtype=torch.bool), -torch.inf)
    return (log_pairs.diagonal() - others.logsumexp(1) + math.log(len(log_pairs) - 1)).mean()


def in_bits(log_pairs):
    """You counted in bits. The book counts in nats: the natural logarithm."""
    return pair_truth(log_pairs) / math.log(2)


def by_softmax(log_pairs):
    """A right answer: log M plus the mean log share of each code's own posterior."""
    return math.log(len(log_pairs)) + log_pairs.log_softmax(1).diagonal().mean()


def by_hand(log_pairs):
    """The own density, less that of the mixture."""
    log_q = log_pairs.logsumexp(1) - math.log(len(log_pairs))
    return (log_pairs.diagonal() - log_q).mean()


EXERCISE = Exercise(
    name="12-index-code",
    title="How much a code says about its index",
    difficulty=2,
    minutes=15,
    parameters=("log_pairs",),
    cases=pair_cases,
    truth=pair_truth,
    hints=(
        "How much likelier is a code under its own posterior than under the average of all?",
        "The numerators stand on the diagonal. The average of densities is a log-mean-exp along "
        "a row.",
        "`log_pairs.diagonal() - (log_pairs.logsumexp(1) - math.log(len(log_pairs)))`, averaged.",
    ),
    mistakes=(
        sum_for_average,
        average_of_logarithms,
        other_axis,
        minus_the_information,
        own_left_out,
        in_bits,
    ),
    alternatives=(by_softmax,),
    formulas=(by_hand,),
    right="It is the accuracy, in nats, of guessing which image a code came from; at most log M.",
)
