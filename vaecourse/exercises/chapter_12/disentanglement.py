"""Disentanglement of a matrix of importances."""

import math

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def importance_cases():
    """Matrices of importance, (L, K), all entries positive."""
    return [
        (normal((4, 3), 1).square() + 0.01,),
        (normal((10, 6), 2).square() + 0.01,),
        (normal((3, 7), 3, torch.float64).square() + 0.01,),
    ]


def importance_truth(importance):
    """Divergence of each row's shares from the uniform, in units of log K, weighted."""
    total, score = importance.sum(), 0.0
    for row in importance:
        shares = row / row.sum()
        score = score + row.sum() / total * (shares * (shares * len(row)).log()).sum()
    return score / math.log(importance.shape[1])


def completeness(importance):
    """You took shares down the columns: that is completeness. Disentanglement asks each unit."""
    shares = importance / importance.sum(0)
    return (1 + (shares * shares.log()).sum(0) / math.log(len(importance))).mean()


def unweighted(importance):
    """You counted every unit alike. A unit that serves nothing must not count: weigh by use."""
    shares = importance / importance.sum(1, keepdim=True)
    return (1 + (shares * shares.log()).sum(1) / math.log(importance.shape[1])).mean()


def natural_logarithm(importance):
    """You left the entropy in nats. Divide by its largest value, so that even use scores 0."""
    shares = importance / importance.sum(1, keepdim=True)
    weights = importance.sum(1) / importance.sum()
    return (weights * (1 + (shares * shares.log()).sum(1))).sum()


def entropy_itself(importance):
    """You returned the average entropy. Low entropy is what is good: subtract it from 1."""
    return 1 - importance_truth(importance)


def logarithm_of_the_units(importance):
    """You divided by the logarithm of the number of units; a row has one entry per factor."""
    shares = importance / importance.sum(1, keepdim=True)
    weights = importance.sum(1) / importance.sum()
    return (weights * (1 + (shares * shares.log()).sum(1) / math.log(len(importance)))).sum()


def by_categorical(importance):
    """A right answer by the entropy of torch.distributions."""
    entropy = torch.distributions.Categorical(probs=importance).entropy()
    weights = importance.sum(1) / importance.sum()
    return 1 - weights @ entropy / math.log(importance.shape[1])


def by_hand(importance):
    """One minus the entropy of every row, weighted."""
    shares = importance / importance.sum(1, keepdim=True)
    entropy = -(shares * shares.log()).sum(1)
    scores = 1 - entropy / math.log(importance.shape[1])
    weights = importance.sum(1) / importance.sum()
    return (weights * scores).sum()


EXERCISE = Exercise(
    name="12-disentanglement",
    title="Does each unit serve one factor?",
    difficulty=2,
    minutes=15,
    parameters=("importance",),
    cases=importance_cases,
    truth=importance_truth,
    hints=(
        "Turn each row into shares that sum to 1. What is their entropy if the unit serves one "
        "factor only, and what if it serves all alike?",
        "A unit's score is 1 minus entropy over log K. Average the scores with the units' parts "
        "of the total importance as weights.",
        "`1 + torch.xlogy(shares, shares).sum(1) / math.log(K)`, times "
        "`importance.sum(1) / importance.sum()`, summed.",
    ),
    mistakes=(
        completeness,
        unweighted,
        natural_logarithm,
        entropy_itself,
        logarithm_of_the_units,
    ),
    alternatives=(by_categorical,),
    formulas=(by_hand,),
    right="A unit without use has a weight of 0: spare units do no harm.",
)
