"""The best shared scale."""

import math

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Images, and one mean for all or one for each."""
    return [
        (normal((4, 1, 3, 3), 1), normal((1, 3, 3), 2)),
        (normal((60, 1, 5, 5), 3, scale=0.2), normal((60, 1, 5, 5), 4, scale=0.1)),
        (normal((3, 1, 2, 2), 5, torch.float64), normal((1, 2, 2), 6, torch.float64)),
    ]


def at(x, mean, scale):
    """Average log density of the images."""
    log_density = torch.distributions.Normal(mean.expand_as(x), scale).log_prob(x)
    return log_density.flatten(1).sum(1).mean()


def truth(x, mean):
    """Root mean squared error, and the density that PyTorch gives there."""
    scale = torch.nn.functional.mse_loss(x, mean.expand_as(x)).sqrt()
    return scale, at(x, mean, scale)


def not_rooted(x, mean):
    """Your scale is the mean squared error: that is a variance."""
    variance = truth(x, mean)[0] ** 2
    return variance, at(x, mean, variance)


def per_image(x, mean):
    """You averaged the errors of the images after the root. One scale for all: average first."""
    scale = (x - mean).square().flatten(1).mean(1).sqrt().mean()
    return scale, at(x, mean, scale)


def absolute(x, mean):
    """You averaged absolute errors. That is the best scale of a Laplace density."""
    scale = (x - mean).abs().mean()
    return scale, at(x, mean, scale)


def around_own_mean(x, mean):
    """You took the standard deviation of the errors around their own mean."""
    scale = (x - mean).std(correction=0)
    return scale, at(x, mean, scale)


def no_half(x, mean):
    """The ½ per pixel is missing in the density: the squared error at the optimum is not zero."""
    scale, density = truth(x, mean)
    return scale, density + 0.5 * x[0].numel()


def no_two_pi(x, mean):
    """The ½ log 2π per pixel is missing in the density."""
    scale, density = truth(x, mean)
    return scale, density + 0.5 * x[0].numel() * math.log(2 * math.pi)


def per_pixel(x, mean):
    """Your density is that of one pixel. Sum over the D pixels of an image."""
    scale, density = truth(x, mean)
    return scale, density / x[0].numel()


def by_formula(x, mean):
    """The closed form."""
    log_scale = 0.5 * (x - mean).square().mean().log()
    constant = 0.5 + 0.5 * math.log(2 * math.pi)
    return log_scale.exp(), -x[0].numel() * (log_scale + constant)


def by_hand(x, mean):
    """The root of the mean squared error, and the density there."""
    pixels = x[0].numel()
    scale = (x - mean).square().mean().sqrt()
    return scale, -pixels * (scale.log() + 0.5 + 0.5 * math.log(2 * math.pi))


def by_density(x, mean):
    """The density of every pixel at the best scale."""
    scale = ((x - mean) ** 2).mean() ** 0.5
    squares = ((x - mean) / scale) ** 2
    logs = -0.5 * squares - scale.log() - 0.5 * math.log(2 * math.pi)
    return scale, logs.flatten(1).sum(1).mean()


EXERCISE = Exercise(
    name="02-best-scale",
    title="The best shared scale",
    difficulty=2,
    minutes=10,
    parameters=("x", "mean"),
    cases=cases,
    truth=truth,
    returns=(torch.Tensor, torch.Tensor),
    hints=(
        "Write the average log density as a function of log σ. It has two terms with σ in them.",
        "−D log σ falls and −(mean squared distance)/(2σ²) rises. Set the derivative to zero. Put "
        "the σ that you find back in: what becomes of the second term?",
        "`scale = (x - mean).square().mean().sqrt()`; the density there is −D(log scale + ½ + ½ "
        "log 2π) with `D = x[0].numel()`.",
    ),
    mistakes=(
        not_rooted,
        per_image,
        absolute,
        around_own_mean,
        no_half,
        no_two_pi,
        per_pixel,
    ),
    alternatives=(by_formula,),
    formulas=(
        by_hand,
        by_density,
    ),
    right="Squared error with σ = 1 claims far more noise than digits have.",
)
