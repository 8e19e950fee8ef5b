"""The linear marginal."""

import torch

from vaecourse.data.linear_gaussian import LinearGaussian
from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Decoders of different size."""
    return [
        (normal((3, 2), 1), normal(3, 2), 0.5),
        (normal((10, 4), 3), normal(10, 4), 1.7),
        (normal((2, 1), 5, torch.float64), normal(2, 6, torch.float64), 0.2),
    ]


def truth(weight, bias, scale):
    """The marginal of the package's linear-Gaussian model."""
    marginal = LinearGaussian(weight, bias, scale).marginal
    return marginal.mean, marginal.covariance_matrix


def noise_everywhere(weight, bias, scale):
    """You added σ² to every entry. Independent noise has a covariance on the diagonal only."""
    return bias, weight @ weight.T + scale**2


def no_noise(weight, bias, scale):
    """You forgot the noise: without it the covariance has no inverse."""
    return bias, weight @ weight.T


def scale_not_squared(weight, bias, scale):
    """You added σ. A covariance holds variances: σ²."""
    return bias, weight @ weight.T + scale * torch.eye(len(weight), dtype=weight.dtype)


def no_bias(weight, bias, scale):
    """You forgot the bias: it is the mean of x."""
    return 0 * bias, weight @ weight.T + scale**2 * torch.eye(len(weight), dtype=weight.dtype)


def codes_covariance(weight, bias, scale):
    """You multiplied in the wrong order: WᵀW lives in the space of codes."""
    return bias, weight.T @ weight + scale**2 * torch.eye(weight.shape[1], dtype=weight.dtype)


def only_variances(weight, bias, scale):
    """You kept variances and dropped the covariances. A shared code makes the parts of x depend."""
    return bias, torch.diag(weight.square().sum(1) + scale**2)


def by_sums(weight, bias, scale):
    """Add up the columns, and change the diagonal."""
    covariance = sum(column.outer(column) for column in weight.T)
    covariance.diagonal().add_(scale * scale)
    return bias.clone(), covariance


def by_hand(weight, bias, scale):
    """The signal and the noise."""
    identity = torch.eye(len(weight), dtype=weight.dtype)
    return bias, weight @ weight.T + scale**2 * identity


EXERCISE = Exercise(
    name="02-linear-marginal",
    title="The linear marginal",
    difficulty=2,
    minutes=10,
    parameters=("weight", "bias", "scale"),
    cases=cases,
    truth=truth,
    returns=(torch.Tensor, torch.Tensor),
    hints=(
        "x is a sum of three things. Which of them are random, and do they depend on each other?",
        "Means add up. Covariances of independent parts add up, too. The covariance of Wz is W "
        "times that of z times Wᵀ.",
        "The mean is `bias`; the covariance is `weight @ weight.T + scale**2 * "
        "torch.eye(len(weight), dtype=weight.dtype)`.",
    ),
    mistakes=(
        noise_everywhere,
        no_noise,
        scale_not_squared,
        no_bias,
        codes_covariance,
        only_variances,
    ),
    alternatives=(by_sums,),
    formulas=(by_hand,),
    right="Every W with the same WWᵀ gives the same marginal: no single code has a meaning.",
)
