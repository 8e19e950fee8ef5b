"""The rate of one level of a diffusion model."""

import torch
from torch import distributions as td

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def level_cases():
    """Data, guesses, and the signal-to-noise ratios of two levels."""
    return [
        (normal((3, 2), 1), normal((3, 2), 2), 0.3, 1.7),
        (normal((60, 5), 3), normal((60, 5), 4), 2.0, 2.5),
        (normal((4, 3), 5, torch.float64), normal((4, 3), 6, torch.float64), 0.01, 9.0),
    ]


def step_back(z, x, noisy, clean):
    """q(z_t | z_{t+1}, x) by the rule for two Gaussian sources of knowledge."""
    keep = ((noisy / (1 + noisy)) / (clean / (1 + clean))) ** 0.5
    prior_mean, prior_variance = (clean / (1 + clean)) ** 0.5 * x, 1 / (1 + clean)
    noise = 1 / (1 + noisy) - keep**2 * prior_variance
    precision = 1 / prior_variance + keep**2 / noise
    mean = (prior_mean / prior_variance + keep * z / noise) / precision
    return td.Independent(td.Normal(mean, precision**-0.5), 1)


def rate_truth(x, guess, noisy, clean):
    """KL divergence of the two Gaussians, at one noisy z: it is the same for all."""
    z = 0.7 * torch.ones_like(x)
    return td.kl_divergence(step_back(z, x, noisy, clean), step_back(z, guess, noisy, clean))


def squares(x, guess):
    """Squared errors of the guess."""
    return (x - guess).square().sum(-1)


def no_half(x, guess, noisy, clean):
    """You returned twice the rate: the ½ is missing."""
    return (clean - noisy) * squares(x, guess)


def negative_rate(x, guess, noisy, clean):
    """Your rate is negative. The cleaner level has the larger ratio; subtract from it."""
    return 0.5 * (noisy - clean) * squares(x, guess)


def mean_over_dimensions(x, guess, noisy, clean):
    """You averaged over the dimensions of x. A rate adds up over them."""
    return 0.5 * (clean - noisy) * (x - guess).square().mean(-1)


def ratio_of_ratios(x, guess, noisy, clean):
    """You weighted by the quotient of the two ratios. It is their difference."""
    return 0.5 * clean / noisy * squares(x, guess)


def log_ratios(x, guess, noisy, clean):
    """You weighted by the difference of the log ratios: that belongs to an error in the noise."""
    weight = torch.tensor(clean / noisy, dtype=x.dtype).log()
    return 0.5 * weight * squares(x, guess)


def unweighted(x, guess, noisy, clean):
    """You left the weight out. Training often does, but then it is no bound."""
    return squares(x, guess)


def not_squared(x, guess, noisy, clean):
    """You took the distance. The rate has its square."""
    return 0.5 * (clean - noisy) * squares(x, guess).sqrt()


def rate_by_precisions(x, guess, noisy, clean):
    """A right answer: what the levels know about x, as precisions, times a Gaussian KL."""
    known, before = td.Normal(x, clean**-0.5), td.Normal(x, noisy**-0.5)
    weight = known.scale.pow(-2) - before.scale.pow(-2)
    return (weight * (x - guess) ** 2 / 2).sum(1)


def by_hand(x, guess, noisy, clean):
    """Half the gain of signal to noise times the squared error."""
    return 0.5 * (clean - noisy) * ((x - guess) ** 2).sum(-1)


EXERCISE = Exercise(
    name="15-denoising",
    title="The rate of one level",
    difficulty=3,
    minutes=25,
    parameters=("x", "guess", "noisy", "clean"),
    cases=level_cases,
    truth=rate_truth,
    gradients=("guess",),
    vectorized=True,
    hints=(
        "Both Gaussians have the same variance. What is left of their KL divergence?",
        "The squared distance of the means over twice the variance. The means differ by a factor "
        "times x − guess. Square that factor, divide by the variance, and it simplifies.",
        "`0.5 * (clean - noisy) * (x - guess).square().sum(-1)`.",
    ),
    mistakes=(
        no_half,
        negative_rate,
        mean_over_dimensions,
        ratio_of_ratios,
        log_ratios,
        unweighted,
        not_squared,
    ),
    alternatives=(rate_by_precisions,),
    formulas=(by_hand,),
    right="The KL divergence of a level is a squared error: what every diffusion model trains on.",
)
