"""The trick in one line."""

import torch
from torch.nn import functional

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Means, log variances and noise."""
    return [
        (normal((3, 2), 1), normal((3, 2), 2), normal((4, 3, 2), 3)),
        (normal((50, 5), 4), normal((50, 5), 5), normal((2, 50, 5), 6)),
        tuple(normal(shape, 7, torch.float64) for shape in ((3, 1), (3, 1), (1, 3, 1))),
    ]


def truth(mean, log_variance, eps):
    """An affine transform of the noise."""
    transform = torch.distributions.AffineTransform(mean, log_variance.exp().sqrt())
    return transform(eps)


def mean_scaled_too(mean, log_variance, eps):
    """You wrote (eps + mean) * scale. The scale stretches the noise and leaves the mean alone."""
    return (eps + mean) * (log_variance / 2).exp()


def variance_for_scale(mean, log_variance, eps):
    """You multiplied the noise by the variance. Halve the log variance before `exp`."""
    return mean + log_variance.exp() * eps


def log_variance_for_scale(mean, log_variance, eps):
    """You multiplied the noise by the log variance. It may be negative: take its exponential."""
    return mean + log_variance * eps


def softplus(mean, log_variance, eps):
    """You put a softplus on the log variance. It is a log: only `exp` undoes it."""
    return mean + functional.softplus(log_variance) * eps


def twice_the_log(mean, log_variance, eps):
    """You doubled the log variance where it is halved: the scale is the root of the variance."""
    return mean + (2 * log_variance).exp() * eps


def detached(mean, log_variance, eps):
    """Your codes are right, but cut off: no gradient reaches mean and log variance."""
    return truth(mean, log_variance, eps).detach()


def mean_detached(mean, log_variance, eps):
    """No gradient reaches the mean: do not detach it."""
    return truth(mean.detach(), log_variance, eps)


def by_location_and_scale(mean, log_variance, eps):
    """With addcmul and the root of the exponential."""
    return torch.addcmul(mean.expand_as(eps), log_variance.exp().sqrt().expand_as(eps), eps)


def by_hand(mean, log_variance, eps):
    """Stretch and shift."""
    return mean + (log_variance / 2).exp() * eps


EXERCISE = Exercise(
    name="05-reparameterize",
    title="The trick in one line",
    difficulty=1,
    minutes=5,
    parameters=("mean", "log_variance", "eps"),
    cases=cases,
    truth=truth,
    gradients=("mean", "log_variance"),
    vectorized=True,
    hints=(
        "Standard noise has mean 0 and variance 1. Which two steps give it the mean and variance?",
        "Stretch, then shift. The stretch is a standard deviation: the root of the variance.",
        "`mean + (log_variance / 2).exp() * eps`.",
    ),
    mistakes=(
        mean_scaled_too,
        variance_for_scale,
        log_variance_for_scale,
        softplus,
        twice_the_log,
        detached,
        mean_detached,
    ),
    alternatives=(by_location_and_scale,),
    formulas=(by_hand,),
    right="The noise stands beside the path, and the gradient passes.",
)
