"""Moments of the aggregate posterior."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(rows, units, seed, dtype=torch.float32):
    """Posteriors with correlated means, some units wide and some narrow."""
    mean = normal((rows, units), seed, dtype) @ normal((units, units), seed + 1, dtype) + 0.5
    return mean, (normal((rows, units), seed + 2, dtype, 0.7) - 0.5).exp()


def cases():
    """A few images, many images, double precision."""
    return [case(3, 2, 1), case(60, 4, 10), case(8, 3, 20, torch.float64)]


def truth(mean, variance):
    """Second moments image by image, less the square of the mean."""
    second = torch.zeros(mean.shape[1], mean.shape[1], dtype=mean.dtype)
    for m, v in zip(mean, variance, strict=True):
        second = second + (torch.outer(m, m) + torch.diag(v)) / len(mean)
    center = mean.sum(0) / len(mean)
    return center, second - torch.outer(center, center)


def between(mean, correction=0):
    """Covariance of the posterior means."""
    return torch.cov(mean.T, correction=correction)


def means_alone(mean, variance):
    """You returned the covariance of the means. Samples also have the posteriors' own noise."""
    return mean.mean(0), between(mean)


def noise_alone(mean, variance):
    """You averaged the posterior variances. The posteriors also stand in different places."""
    return mean.mean(0), torch.diag(variance.mean(0))


def no_covariance(mean, variance):
    """You left out what is off the diagonal: dimensions of q(z) may be correlated."""
    return mean.mean(0), torch.diag(between(mean).diagonal() + variance.mean(0))


def scales_averaged(mean, variance):
    """You averaged standard deviations, and squared them. Average the variances."""
    return mean.mean(0), between(mean) + torch.diag(variance.sqrt().mean(0).square())


def not_centered(mean, variance):
    """You returned second moments. Take off the square of the mean."""
    second = mean.T @ mean / len(mean)
    return mean.mean(0), second + torch.diag(variance.mean(0))


def less_one(mean, variance):
    """You divided by N − 1. The aggregate posterior is a mean over exactly these N images."""
    return mean.mean(0), between(mean, 1) + torch.diag(variance.mean(0))


def divided_twice(mean, variance):
    """You divided the noise by N, as for the error of a mean. A sample has all of it."""
    return mean.mean(0), between(mean) + torch.diag(variance.mean(0) / len(mean))


def of_the_prior_moments(answer):
    """One image whose posterior is the prior has the prior's moments."""
    mean, covariance = answer(torch.zeros(2, 3), torch.ones(2, 3))
    if mean.abs().max() > 1e-4 or (covariance - torch.eye(3)).abs().max() > 1e-4:
        return "Where every posterior is the prior, your moments are not those of the prior."
    return None


def by_centering(mean, variance):
    """Center the means, and add the noise to the diagonal."""
    center = mean.mean(0)
    offset = mean - center
    return center, torch.einsum("ni,nj->ij", offset, offset) / len(mean) + variance.mean(0).diag()


def by_hand(mean, variance):
    """Between and within."""
    centered = mean - mean.mean(0)
    between = centered.T @ centered / len(mean)
    return mean.mean(0), between + variance.mean(0).diag()


def by_moments(mean, variance):
    """Second moments, less the product of means."""
    average = mean.mean(0)
    second = mean.T @ mean / len(mean) + variance.mean(0).diag()
    return average, second - average[:, None] * average


EXERCISE = Exercise(
    name="07-aggregate",
    title="Moments of the aggregate posterior",
    difficulty=2,
    minutes=15,
    parameters=("mean", "variance"),
    cases=cases,
    truth=truth,
    returns=(torch.Tensor, torch.Tensor),
    vectorized=True,
    properties=(of_the_prior_moments,),
    hints=(
        "To sample q(z), pick an image, then sample its posterior. Both steps scatter.",
        "The law of total covariance: the covariance of the means, with 1/N, plus the mean of the "
        "covariances. A diagonal posterior has a diagonal covariance.",
        "`torch.cov(mean.T, correction=0) + variance.mean(0).diag()`.",
    ),
    mistakes=(
        means_alone,
        noise_alone,
        no_covariance,
        scales_averaged,
        not_centered,
        less_one,
        divided_twice,
    ),
    alternatives=(by_centering,),
    formulas=(
        by_hand,
        by_moments,
    ),
    right="This matrix, and not the twenty panels, tells whether the dimensions are independent.",
)
