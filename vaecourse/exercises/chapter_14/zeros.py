"""How many zeros dropout makes."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def zero_case(shape, seed, dtype=torch.float32):
    """Return means, inverse dispersions and probabilities of dropout."""
    return (
        normal(shape, seed, dtype).exp(),
        normal(shape[-1:], seed + 1, dtype).exp(),
        normal(shape, seed + 2, dtype).sigmoid(),
    )


def zero_cases():
    """Cells in rows, genes in columns."""
    return [zero_case((3, 4), 1), zero_case((40, 5), 4), zero_case((4, 2), 7, torch.float64)]


def chance(mean, theta):
    """Return the negative binomial's probability of zero."""
    return (theta / (theta + mean)) ** theta


def zero_truth(mean, theta, dropout):
    """One minus the probability that it is neither missed nor zero by chance."""
    seen = -torch.expm1(-theta * torch.log1p(mean / theta))
    return 1 - (1 - dropout) * seen


def causes_added(mean, theta, dropout):
    """You added two probabilities that overlap: a count can be missed and be zero anyway."""
    return dropout + chance(mean, theta)


def causes_multiplied(mean, theta, dropout):
    """You multiplied, so a zero would need both causes at once. One is enough."""
    return dropout * chance(mean, theta)


def only_chance_left(mean, theta, dropout):
    """You kept the zeros of chance among the cells that were not missed, and lost the missed."""
    return (1 - dropout) * chance(mean, theta)


def poisson_zero(mean, theta, dropout):
    """You used the zero of a Poisson distribution. Overdispersion makes more of them."""
    return dropout + (1 - dropout) * (-mean).exp() + 0 * theta


def power_forgotten(mean, theta, dropout):
    """The probability θ/(θ+μ) is raised to the power θ; the power is missing."""
    return dropout + (1 - dropout) * theta / (theta + mean)


def chance_ignored(mean, theta, dropout):
    """You counted the missed ones only. A count can be zero without being missed."""
    return dropout + 0 * mean * theta


def zero_in_logs(mean, theta, dropout):
    """A right answer through the log probability."""
    return dropout + (1 - dropout) * (theta * (theta.log() - (theta + mean).log())).exp()


def by_hand(mean, theta, dropout):
    """Dropped, or zero by itself."""
    zero = (theta / (theta + mean)) ** theta
    return dropout + (1 - dropout) * zero


EXERCISE = Exercise(
    name="14-zeros",
    title="Two ways to be zero",
    difficulty=2,
    minutes=10,
    parameters=("mean", "theta", "dropout"),
    cases=zero_cases,
    truth=zero_truth,
    gradients=("mean", "theta"),
    hints=(
        "List the ways in which a zero comes about. Which of them exclude each other?",
        "Either the gene is missed, or it is not missed and the negative binomial draws zero.",
        "`dropout + (1 - dropout) * (theta / (theta + mean)) ** theta`.",
    ),
    mistakes=(
        causes_added,
        causes_multiplied,
        only_chance_left,
        poisson_zero,
        power_forgotten,
        chance_ignored,
    ),
    alternatives=(zero_in_logs,),
    formulas=(by_hand,),
    right="Where μ is small most zeros are chance. A zero alone does not tell which kind it is.",
)
