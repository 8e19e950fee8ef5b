"""The KL divergence of two Gaussians."""

import torch
from torch import distributions as td

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def kl_cases():
    """Pairs of Gaussians: a few rows, many rows, double precision."""
    cases = []
    for seed, (shape, dtype) in enumerate(
        [((3, 2), torch.float32), ((60, 5), torch.float32), ((3, 1), torch.float64)]
    ):
        cases.append(tuple(normal(shape, 10 * seed + i, dtype, 0.8) for i in range(4)))
    return cases


def kl_truth(mean_q, log_variance_q, mean_p, log_variance_p):
    """PyTorch's own divergence of two normal distributions, summed over dimensions."""
    q = td.Normal(mean_q, (log_variance_q / 2).exp())
    p = td.Normal(mean_p, (log_variance_p / 2).exp())
    return td.kl_divergence(q, p).sum(-1)


def kl_terms(mean_q, log_variance_q, mean_p, log_variance_p, minus=1.0):
    """The summands of the closed form, before the factor."""
    ratio = (log_variance_q - log_variance_p).exp()
    squared = (mean_q - mean_p).square() / log_variance_p.exp()
    return ratio + squared - minus - (log_variance_q - log_variance_p)


def no_half(mean_q, log_variance_q, mean_p, log_variance_p):
    """You returned twice the KL: the ½ is missing."""
    return kl_terms(mean_q, log_variance_q, mean_p, log_variance_p).sum(-1)


def wrong_sign(mean_q, log_variance_q, mean_p, log_variance_p):
    """You returned minus the KL. The ELBO subtracts it; the KL itself is positive."""
    return -0.5 * no_half(mean_q, log_variance_q, mean_p, log_variance_p)


def swapped(mean_q, log_variance_q, mean_p, log_variance_p):
    """You computed the KL of p from q. KL is not symmetric: average over q."""
    return 0.5 * no_half(mean_p, log_variance_p, mean_q, log_variance_q)


def log_scale_for_log_variance(mean_q, log_variance_q, mean_p, log_variance_p):
    """You took the log variance for a log standard deviation.

    `exp(log_variance)` is the variance already.
    """
    return 0.5 * no_half(mean_q, 2 * log_variance_q, mean_p, 2 * log_variance_p)


def no_minus_one(mean_q, log_variance_q, mean_p, log_variance_p):
    """The minus one is missing, once in each dimension.

    Without it the KL of a Gaussian from itself is not zero.
    """
    return 0.5 * kl_terms(mean_q, log_variance_q, mean_p, log_variance_p, 0.0).sum(-1)


def mean_over_dimensions(mean_q, log_variance_q, mean_p, log_variance_p):
    """You averaged over the dimensions. Independent dimensions add up: sum over them."""
    return 0.5 * kl_terms(mean_q, log_variance_q, mean_p, log_variance_p).mean(-1)


def summed_over_rows(mean_q, log_variance_q, mean_p, log_variance_p):
    """You summed over the batch as well. Every row has a KL of its own: return `(B,)`."""
    return 0.5 * kl_terms(mean_q, log_variance_q, mean_p, log_variance_p).sum()


def standard_prior(mean_q, log_variance_q, mean_p, log_variance_p):
    """You computed the KL from a standard normal. Here p has a mean and a variance, too."""
    return 0.5 * (mean_q.square() + log_variance_q.exp() - 1 - log_variance_q).sum(-1)


def kl_is_zero_at_equal(answer):
    """Every distribution is at distance zero from itself."""
    mean, log_variance = normal((4, 3), 50), normal((4, 3), 51)
    if answer(mean, log_variance, mean, log_variance).abs().max() > 1e-4:
        return "The divergence of a distribution from itself must be zero. Yours is not."
    return None


def kl_is_never_negative(answer):
    """Gibbs' inequality."""
    cases = [normal((50, 2), 60 + i) for i in range(4)]
    if answer(*cases).min() < -1e-4:
        return "A KL divergence is never negative. Yours is, for some pairs of Gaussians."
    return None


def kl_by_distributions(mean_q, log_variance_q, mean_p, log_variance_p):
    """A right answer by PyTorch's distributions."""
    q = td.Independent(td.Normal(mean_q, (0.5 * log_variance_q).exp()), 1)
    p = td.Independent(td.Normal(mean_p, (0.5 * log_variance_p).exp()), 1)
    return td.kl_divergence(q, p)


def by_hand(mean_q, log_variance_q, mean_p, log_variance_p):
    """Ratio of variances, distance of means, minus one, and the log ratio."""
    ratio = log_variance_q.exp() / log_variance_p.exp()
    distance = (mean_q - mean_p) ** 2 / log_variance_p.exp()
    return 0.5 * (ratio + distance - 1 + log_variance_p - log_variance_q).sum(-1)


def by_scales(mean_q, log_variance_q, mean_p, log_variance_p):
    """With standard deviations, every dimension summed apart."""
    s_q, s_p = (log_variance_q / 2).exp(), (log_variance_p / 2).exp()
    squares = (s_q**2 + (mean_q - mean_p) ** 2).div(2 * s_p**2).sum(1)
    return (s_p / s_q).log().sum(1) + squares - 0.5 * mean_q.shape[1]


EXERCISE = Exercise(
    name="04-gaussian-kl",
    title="The KL divergence of two Gaussians",
    difficulty=1,
    minutes=10,
    parameters=("mean_q", "log_variance_q", "mean_p", "log_variance_p"),
    cases=kl_cases,
    truth=kl_truth,
    gradients=("mean_q", "log_variance_q"),
    vectorized=True,
    properties=(kl_is_zero_at_equal, kl_is_never_negative),
    hints=(
        "Both Gaussians are diagonal. Solve it for one dimension; then what happens to L of them?",
        "In one dimension there are four terms: a ratio of variances, a squared distance of means "
        "in units of p's variance, minus one, and a log ratio of variances.",
        "`ratio = (log_variance_q - log_variance_p).exp()`. Add `(mean_q - mean_p)**2 / "
        "log_variance_p.exp()`, subtract 1 and the log of `ratio`. Halve it and sum over `-1`.",
    ),
    mistakes=(
        no_half,
        wrong_sign,
        swapped,
        log_scale_for_log_variance,
        no_minus_one,
        mean_over_dimensions,
        summed_over_rows,
        standard_prior,
    ),
    alternatives=(kl_by_distributions,),
    formulas=(
        by_hand,
        by_scales,
    ),
    right="It is the rate of every VAE in this book, with p the prior.",
)
