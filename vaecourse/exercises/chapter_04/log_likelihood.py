"""Squared error and the constant."""

import math

import torch
from torch import distributions as td

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def likelihood_cases():
    """Data, means and one standard deviation."""
    return [
        (normal((3, 4), 1), normal((3, 4), 2), 0.3),
        (normal((60, 9), 3), normal((60, 9), 4), 2.0),
        (normal((2, 4), 5, torch.float64), normal((2, 4), 6, torch.float64), 1.0),
    ]


def likelihood_truth(x, mean, scale):
    """PyTorch's normal density."""
    return td.Normal(mean, scale).log_prob(x).sum(-1)


def no_constant(x, mean, scale):
    """You returned scaled squared error alone.

    The normalizing constant is missing, and it depends on the scale.
    """
    return -0.5 * ((x - mean) / scale).square().sum(-1)


def no_two_pi(x, mean, scale):
    """The log 2π is missing, once in each dimension."""
    return no_constant(x, mean, scale) - x.shape[-1] * math.log(scale)


def constant_once(x, mean, scale):
    """The constant is there once. Every one of the D dimensions has its own."""
    return no_constant(x, mean, scale) - 0.5 * math.log(2 * math.pi * scale**2)


def log_scale_once(x, mean, scale):
    """The log of the scale is there once. Every one of the D dimensions has its own."""
    squared = no_constant(x, mean, scale)
    return squared - math.log(scale) - 0.5 * x.shape[-1] * math.log(2 * math.pi)


def scale_as_variance(x, mean, scale):
    """You used the standard deviation where the variance belongs: square it."""
    return likelihood_truth(x, mean, math.sqrt(scale))


def pixel_mean(x, mean, scale):
    """You averaged over the dimensions. A log density of D independent pixels is a sum."""
    return td.Normal(mean, scale).log_prob(x).mean(-1)


def no_half_in_the_error(x, mean, scale):
    """The ½ of the squared error is missing."""
    return likelihood_truth(x, mean, scale) + no_constant(x, mean, scale)


def minus_log_likelihood(x, mean, scale):
    """You returned minus the log-likelihood: a loss. Return the log density."""
    return -likelihood_truth(x, mean, scale)


def likelihood_by_multivariate(x, mean, scale):
    """A right answer by a full covariance."""
    covariance = scale**2 * torch.eye(x.shape[-1], dtype=x.dtype)
    return td.MultivariateNormal(mean, covariance).log_prob(x)


def by_hand(x, mean, scale):
    """Squares, log scale and constant."""
    squares = ((x - mean) / scale) ** 2
    return (-0.5 * squares - math.log(scale) - 0.5 * math.log(2 * math.pi)).sum(-1)


def by_dimension(x, mean, scale):
    """Count the constants by dimensions."""
    size = x.shape[1]
    constant = 0.5 * size * math.log(2 * math.pi)
    return -((x - mean) ** 2).sum(-1) / (2 * scale**2) - size * math.log(scale) - constant


EXERCISE = Exercise(
    name="04-log-likelihood",
    title="Squared error and the constant",
    difficulty=1,
    minutes=10,
    parameters=("x", "mean", "scale"),
    cases=likelihood_cases,
    truth=likelihood_truth,
    gradients=("mean",),
    vectorized=True,
    hints=(
        "Take the logarithm of the Gaussian density in one dimension. How many terms has it?",
        "Three: squared error over twice the variance, the log of the scale, and half of log 2π. "
        "Each of the D dimensions brings all three.",
        "`-0.5 * ((x - mean) / scale)**2 - math.log(scale) - 0.5 * math.log(2 * math.pi)`, then "
        "sum over `-1`.",
    ),
    mistakes=(
        no_constant,
        no_two_pi,
        constant_once,
        log_scale_once,
        scale_as_variance,
        pixel_mean,
        no_half_in_the_error,
        minus_log_likelihood,
    ),
    alternatives=(likelihood_by_multivariate,),
    formulas=(
        by_hand,
        by_dimension,
    ),
    right="Squared error plus KL is minus an ELBO for σ² = ½; a pixel mean claims σ² = D/2.",
)
