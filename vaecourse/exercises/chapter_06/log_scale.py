"""The other parameterization."""

import torch
from torch import distributions as td

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Posteriors that are narrow in some units and wide in others, and noise."""
    cases = []
    for seed, (shape, dtype) in enumerate(
        [((3, 2), torch.float32), ((60, 5), torch.float32), ((4, 3), torch.float64)]
    ):
        cases.append(tuple(normal(shape, 10 * seed + i, dtype, 0.9) for i in range(3)))
    return cases


def truth(mean, log_scale, eps):
    """PyTorch's own divergence."""
    posterior = td.Normal(mean, log_scale.exp())
    kl = td.kl_divergence(posterior, td.Normal(0 * mean, torch.ones_like(mean)))
    return mean + posterior.scale * eps, kl.sum(-1)


def sample(mean, log_scale, eps):
    """Code of a posterior."""
    return mean + log_scale.exp() * eps


def divergence(mean, log_variance):
    """KL divergence from the prior, of a log variance."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)


def both_as_log_variance(mean, log_scale, eps):
    """You left both lines as they were: they take log σ for the log variance."""
    return sample(mean, log_scale / 2, eps), divergence(mean, log_scale)


def half_kept_in_the_sample(mean, log_scale, eps):
    """Your KL is right, but z is not: `exp` of log σ is the scale already, without a half."""
    return sample(mean, log_scale / 2, eps), divergence(mean, 2 * log_scale)


def log_variance_in_the_kl(mean, log_scale, eps):
    """Your z is right, but the KL takes log σ for the log variance.

    It charges too little for a narrow posterior.
    """
    return sample(mean, log_scale, eps), divergence(mean, log_scale)


def doubled_once(mean, log_scale, eps):
    """You doubled log σ in one place of the KL and not in the other. It may become negative."""
    kl = 0.5 * (mean.square() + (2 * log_scale).exp() - 1 - log_scale).sum(-1)
    return sample(mean, log_scale, eps), kl


def no_half(mean, log_scale, eps):
    """Your KL is twice the right one: the ½ in front is still needed."""
    return sample(mean, log_scale, eps), 2 * divergence(mean, 2 * log_scale)


def shifted_then_scaled(mean, log_scale, eps):
    """You scaled the mean, too. The scale stretches the noise alone."""
    return (eps + mean) * log_scale.exp(), divergence(mean, 2 * log_scale)


def softplus(mean, log_scale, eps):
    """You put log σ through a softplus. It is a logarithm already: take `exp`."""
    scale = torch.nn.functional.softplus(log_scale)
    return mean + scale * eps, divergence(mean, 2 * scale.log())


def averaged(mean, log_scale, eps):
    """You averaged the KL over the units. Independent units add up: sum over them."""
    return sample(mean, log_scale, eps), divergence(mean, 2 * log_scale) / mean.shape[-1]


def by_log_variance(mean, log_scale, eps):
    """Go back to the log variance first."""
    log_variance = 2 * log_scale
    return torch.addcmul(mean, (log_variance / 2).exp(), eps), divergence(mean, log_variance)


def by_hand(mean, log_scale, eps):
    """The scale, and the divergence."""
    variance = log_scale.exp() ** 2
    kl = 0.5 * (mean**2 + variance - 1 - 2 * log_scale).sum(1)
    return mean + log_scale.exp() * eps, kl


def by_terms(mean, log_scale, eps):
    """Term by term."""
    scale, double = log_scale.exp(), 2 * log_scale
    kl = 0.5 * mean**2 + 0.5 * double.exp() - 0.5 - log_scale
    return mean + scale * eps, kl.sum(-1)


EXERCISE = Exercise(
    name="06-log-scale",
    title="The other parameterization",
    difficulty=1,
    minutes=10,
    parameters=("mean", "log_scale", "eps"),
    cases=cases,
    truth=truth,
    returns=(torch.Tensor, torch.Tensor),
    gradients=("mean", "log_scale"),
    vectorized=True,
    hints=(
        "What is the log variance, in terms of log σ? Where in the two lines does it stand?",
        "log σ² = 2 log σ. Replace the log variance wherever it stands, inside `exp` and outside.",
        "`z = mean + log_scale.exp() * eps` and `kl = 0.5 * (mean**2 + (2 * log_scale).exp() - 1 - "
        "2 * log_scale).sum(1)`.",
    ),
    mistakes=(
        both_as_log_variance,
        half_kept_in_the_sample,
        log_variance_in_the_kl,
        doubled_once,
        no_half,
        shifted_then_scaled,
        softplus,
        averaged,
    ),
    alternatives=(by_log_variance,),
    formulas=(
        by_hand,
        by_terms,
    ),
    right="Either parameterization will do, as long as every line knows which one it is.",
)
