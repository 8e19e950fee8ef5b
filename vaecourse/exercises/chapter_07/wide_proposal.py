"""A better proposal."""

import math

import torch
from torch import distributions as td

from vaecourse.data.linear_gaussian import LinearGaussian
from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(seed, rows, samples, factor, latent_dim=2):
    """A linear-Gaussian model, an encoder that is a little off, and noise."""
    oracle = LinearGaussian.random(6, latent_dim, seed=seed)
    x, _ = oracle.sample(rows, seed=seed)
    posterior = oracle.posterior(x)
    mean = posterior.mean + 0.2 * normal((rows, latent_dim), seed, torch.float64)
    prior = td.Independent(td.Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)

    def log_joint(z):
        return oracle.log_likelihood(x, z) + prior.log_prob(z)

    eps = normal((samples, rows, latent_dim), seed + 1, torch.float64)
    inputs = log_joint, mean, 0.8 * posterior.stddev, factor, eps
    return inputs, oracle.log_marginal(x)


def cases():
    """Wider and narrower than the encoder."""
    return [case(1, 3, 6, 1.3)[0], case(2, 40, 9, 2.0)[0], case(3, 4, 5, 0.7, 3)[0]]


def result(logs):
    """Log of the mean weight, and the effective sample size."""
    size = 2 * logs.logsumexp(0) - (2 * logs).logsumexp(0)
    return logs.logsumexp(0) - math.log(len(logs)), size.exp()


def weights(log_joint, mean, scale, eps, wide, density):
    """Log weights of codes drawn with one scale and weighted with another."""
    z = mean + wide * scale * eps
    return log_joint(z) - td.Normal(mean, density * scale).log_prob(z).sum(-1)


def truth(log_joint, mean, scale, factor, eps):
    """Weights divided by their largest, and summed."""
    logs = weights(log_joint, mean, scale, eps, factor, factor)
    top = logs.amax(0)
    w = (logs - top).exp()
    return top + w.mean(0).log(), w.sum(0) ** 2 / (w**2).sum(0)


def old_density(log_joint, mean, scale, factor, eps):
    """You drew from the new proposal and divided by the density of the old one."""
    return result(weights(log_joint, mean, scale, eps, factor, 1.0))


def old_samples(log_joint, mean, scale, factor, eps):
    """You divided by the density of the new proposal, but the codes come from the old one."""
    return result(weights(log_joint, mean, scale, eps, 1.0, factor))


def not_widened(log_joint, mean, scale, factor, eps):
    """You used the encoder's posterior as it is: the factor has no effect."""
    return result(weights(log_joint, mean, scale, eps, 1.0, 1.0))


def variance_scaled(log_joint, mean, scale, factor, eps):
    """You multiplied the variance. The factor is one of the standard deviation."""
    root = factor**0.5
    return result(weights(log_joint, mean, scale, eps, root, root))


def mean_of_logs(log_joint, mean, scale, factor, eps):
    """You averaged the log weights: that is the ELBO of the new proposal."""
    logs = weights(log_joint, mean, scale, eps, factor, factor)
    return logs.mean(0), result(logs)[1]


def no_minus_log_k(log_joint, mean, scale, factor, eps):
    """You returned the log of the sum of weights. For the mean, subtract the log of K."""
    logs = weights(log_joint, mean, scale, eps, factor, factor)
    return logs.logsumexp(0), result(logs)[1]


def sizes_of_logs(log_joint, mean, scale, factor, eps):
    """Your effective sample size counts log weights. It needs the weights themselves."""
    logs = weights(log_joint, mean, scale, eps, factor, factor)
    return result(logs)[0], logs.sum(0) ** 2 / (logs**2).sum(0)


def share_for_size(log_joint, mean, scale, factor, eps):
    """You returned the effective *share* of the samples. The size is K times that."""
    value, size = truth(log_joint, mean, scale, factor, eps)
    return value, size / len(eps)


def with_the_noise(log_joint, mean, scale, factor, eps):
    """Write the density by means of the noise, and normalize the weights."""
    wide = factor * scale
    log_q = -(0.5 * (eps**2 + math.log(2 * math.pi)) + wide.log()).sum(-1)
    logs = log_joint(torch.addcmul(mean, wide, eps)) - log_q
    return logs.logsumexp(0) - math.log(eps.shape[0]), 1 / logs.softmax(0).square().sum(0)


def by_hand(log_joint, mean, scale, factor, eps):
    """Weights at the codes of a wider Gaussian."""
    wide = factor * scale
    z = mean + wide * eps
    squares = ((z - mean) / wide) ** 2
    log_q = (-0.5 * squares - wide.log() - 0.5 * math.log(2 * math.pi)).sum(-1)
    logs = log_joint(z) - log_q
    return logs.logsumexp(0) - math.log(len(eps)), 1 / logs.softmax(0).square().sum(0)


def by_noise(log_joint, mean, scale, factor, eps):
    """The density of the noise, and the volume of the stretch."""
    z = mean + factor * scale * eps
    log_noise = (-0.5 * eps**2 - 0.5 * math.log(2 * math.pi)).sum(-1)
    log_q = log_noise - scale.log().sum(-1) - scale.shape[-1] * math.log(factor)
    logs = log_joint(z) - log_q
    shares = (logs - logs.amax(0)).exp()
    size = shares.sum(0) ** 2 / (shares**2).sum(0)
    return logs.amax(0) + shares.mean(0).log(), size


EXERCISE = Exercise(
    name="07-wide-proposal",
    title="A better proposal",
    difficulty=3,
    minutes=20,
    parameters=("log_joint", "mean", "scale", "factor", "eps"),
    cases=cases,
    truth=truth,
    returns=(torch.Tensor, torch.Tensor),
    hints=(
        "You may sample from any density, if you divide by that very density.",
        "The codes are the mean plus factor times scale times noise. Their density is a normal "
        "one with factor times scale. The effective size is (Σw)² / Σw², safe in logs.",
        "`logs = log_joint(z) - torch.distributions.Normal(mean, factor * scale).log_prob(z)"
        ".sum(-1)`; `1 / logs.softmax(0).square().sum(0)` is the effective sample size.",
    ),
    mistakes=(
        old_density,
        old_samples,
        not_widened,
        variance_scaled,
        mean_of_logs,
        no_minus_log_k,
        sizes_of_logs,
        share_for_size,
    ),
    alternatives=(with_the_noise,),
    formulas=(
        by_hand,
        by_noise,
    ),
    right="Too narrow is worse than too wide: what the proposal never draws has a huge weight.",
)
