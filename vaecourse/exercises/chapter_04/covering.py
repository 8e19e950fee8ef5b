"""The Gaussian that covers the mass."""

import torch

from vaecourse.exercises.exercise import Exercise

__all__ = ["EXERCISE"]


def mixture_cases():
    """Mixtures of two and of three Gaussians in one dimension."""
    return [
        tuple(torch.tensor(x) for x in ([0.5, 0.5], [-2.0, 2.0], [0.6, 0.6])),
        tuple(torch.tensor(x) for x in ([0.2, 0.3, 0.5], [-1.0, 0.5, 3.0], [0.4, 1.0, 0.7])),
        tuple(torch.tensor(x).double() for x in ([0.9, 0.1], [1.0, 5.0], [0.5, 2.0])),
    ]


def covering_truth(weights, means, scales):
    """Mean and standard deviation of the mixture, by the law of total variance."""
    mean = (weights * means).sum()
    return mean, (weights * (scales.square() + (means - mean).square())).sum().sqrt()


def only_within(weights, means, scales):
    """You forgot the spread between the parts.

    It is what makes q wide enough to cover them all.
    """
    return (weights * means).sum(), (weights * scales.square()).sum().sqrt()


def averaged_scales(weights, means, scales):
    """You averaged the standard deviations.

    Variances add up, and so does the spread between the parts.
    """
    return (weights * means).sum(), (weights * scales).sum()


def variance_returned(weights, means, scales):
    """You returned the variance where the scale is asked for: take the root."""
    mean, scale = covering_truth(weights, means, scales)
    return mean, scale.square()


def one_mode(weights, means, scales):
    """Your q sits on one part. That is what minimizing KL(q‖p) does. Average over p."""
    best = weights.argmax()
    return means[best], scales[best]


def unweighted(weights, means, scales):
    """You ignored the weights of the parts."""
    return covering_truth(torch.full_like(weights, 1 / len(weights)), means, scales)


def second_moment(weights, means, scales):
    """You took the root of the mean square. Subtract the squared mean first."""
    moment = (weights * (scales.square() + means.square())).sum()
    return (weights * means).sum(), moment.sqrt()


def covering_by_moments(weights, means, scales):
    """A right answer by raw moments and dot products."""
    mean = weights @ means
    return mean, (weights @ (scales**2 + means**2) - mean**2) ** 0.5


def by_hand(weights, means, scales):
    """Within and between."""
    mean = (weights * means).sum()
    return mean, (weights * (scales**2 + (means - mean) ** 2)).sum().sqrt()


def by_moments(weights, means, scales):
    """The second moment, less the squared mean."""
    mean = (weights * means).sum()
    second = (weights * scales**2).sum() + (weights * means**2).sum()
    return mean, (second - mean**2).sqrt()


EXERCISE = Exercise(
    name="04-covering",
    title="The Gaussian that covers the mass",
    difficulty=2,
    minutes=15,
    parameters=("weights", "means", "scales"),
    cases=mixture_cases,
    truth=covering_truth,
    returns=(torch.Tensor, torch.Tensor),
    hints=(
        "Write KL(p‖q) as an average over p. Which part of it depends on q?",
        "Only −E[log q] does. Set its derivatives in the mean and in the variance of q to zero: q "
        "takes the mean and the variance of p. What is the variance of a mixture?",
        "`mean = (weights * means).sum()`; the variance is `(weights * (scales**2 + (means - "
        "mean)**2)).sum()`: the spread within the parts plus the spread between them.",
    ),
    mistakes=(
        only_within,
        averaged_scales,
        variance_returned,
        one_mode,
        unweighted,
        second_moment,
    ),
    alternatives=(covering_by_moments,),
    formulas=(
        by_hand,
        by_moments,
    ),
    right="Averaging over p matches moments. Averaging over q would sit on a mode.",
)
