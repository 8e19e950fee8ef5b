"""The density of a learned prior."""

import math

import torch
from torch import distributions as td

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def mixture_cases():
    """Codes, and the logits, means and log scales of a mixture."""
    return [
        (normal((5, 2), 1), normal((3,), 2), normal((3, 2), 3), normal((3, 2), 4, scale=0.5)),
        (normal((60, 4), 5), normal((6,), 6), normal((6, 4), 7), normal((6, 4), 8, scale=0.5)),
        tuple(
            normal(s, 9 + i, torch.float64) for i, s in enumerate([(4, 1), (2,), (2, 1), (2, 1)])
        ),
    ]


def density_truth(z, logits, means, log_scales):
    """The density of torch.distributions."""
    parts = td.Independent(td.Normal(means, log_scales.exp()), 1)
    return td.MixtureSameFamily(td.Categorical(logits=logits), parts).log_prob(z)


def parts_of(z, means, log_scales):
    """Return the log density of each part, (B, M)."""
    return td.Normal(means, log_scales.exp()).log_prob(z[:, None]).sum(-1)


def mean_of_log_densities(z, logits, means, log_scales):
    """You averaged log densities. A mixture averages densities, and then takes the log."""
    return (logits.softmax(0) * parts_of(z, means, log_scales)).sum(-1)


def weights_not_normalized(z, logits, means, log_scales):
    """You added the raw logits: the weights do not sum to 1. Use their log softmax."""
    return (logits + parts_of(z, means, log_scales)).logsumexp(-1)


def equal_weights(z, logits, means, log_scales):
    """You gave every part the same weight: the logits have no effect."""
    return density_truth(z, torch.zeros_like(logits), means, log_scales)


def scales_as_log_variances(z, logits, means, log_scales):
    """You took the log scales for log variances."""
    return density_truth(z, logits, means, log_scales / 2)


def mixed_in_each_dimension(z, logits, means, log_scales):
    """You mixed every dimension on its own. One part is chosen for all dimensions together."""
    parts = td.Normal(means, log_scales.exp()).log_prob(z[:, None])
    return (logits.log_softmax(0)[:, None] + parts).logsumexp(1).sum(-1)


def nearest_part(z, logits, means, log_scales):
    """You kept the best part alone. The others add to the density too."""
    return (logits.log_softmax(0) + parts_of(z, means, log_scales)).amax(-1)


def density_by_shares(z, logits, means, log_scales):
    """A right answer that writes the Gaussian out."""
    scaled = (z[:, None] - means) / log_scales.exp()
    constant = torch.log(torch.tensor(2 * torch.pi, dtype=z.dtype))
    parts = -(0.5 * scaled**2 + log_scales + 0.5 * constant).sum(-1)
    return torch.logsumexp(logits - logits.logsumexp(0) + parts, 1)


def by_hand(z, logits, means, log_scales):
    """Every part's density, and its weight."""
    squares = ((z[:, None] - means) / log_scales.exp()) ** 2
    parts = (-0.5 * squares - log_scales - 0.5 * math.log(2 * math.pi)).sum(-1)
    return (logits.log_softmax(0) + parts).logsumexp(-1)


EXERCISE = Exercise(
    name="13-mixture",
    title="The density of a learned prior",
    difficulty=2,
    minutes=15,
    parameters=("z", "logits", "means", "log_scales"),
    cases=mixture_cases,
    truth=density_truth,
    gradients=("logits", "means", "log_scales"),
    vectorized=True,
    hints=(
        "First the log density of every code under every part, of shape (B, M). Over which axis "
        "does it sum?",
        "Give z an axis for the parts, `z[:, None]`, and sum log densities over the L dimensions. "
        "Then add log weights, and leave the logarithm only inside `logsumexp`.",
        "`(logits.log_softmax(0) + parts).logsumexp(-1)`, where `parts = td.Normal(means, "
        "log_scales.exp()).log_prob(z[:, None]).sum(-1)`.",
    ),
    mistakes=(
        mean_of_log_densities,
        weights_not_normalized,
        equal_weights,
        scales_as_log_variances,
        mixed_in_each_dimension,
        nearest_part,
    ),
    alternatives=(density_by_shares,),
    formulas=(by_hand,),
    right="Its gradient reaches all weights, so the prior is trained by the bound like the rest.",
)
