"""The ELBO from samples."""

import math

import torch
from torch import distributions as td

from vaecourse.data.linear_gaussian import LinearGaussian
from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def oracle_case(seed, data_dim, latent_dim, rows, samples):
    """A linear-Gaussian model and a Gaussian q that is not its posterior, with noise."""
    oracle = LinearGaussian.random(data_dim, latent_dim, seed=seed)
    x, _ = oracle.sample(rows, seed=seed)
    posterior = oracle.posterior(x)
    mean = posterior.mean + 0.3 * normal((rows, latent_dim), seed, torch.float64)
    log_variance = 2 * posterior.stddev.log() + 0.5
    prior = td.Independent(td.Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)

    def log_joint(z):
        return oracle.log_likelihood(x, z) + prior.log_prob(z)

    eps = normal((samples, rows, latent_dim), seed + 1, torch.float64)
    return (log_joint, mean, log_variance, eps), oracle.log_marginal(x)


def elbo_cases():
    """Two models, of different size."""
    return [oracle_case(1, 6, 2, 3, 4)[0], oracle_case(2, 8, 3, 30, 7)[0]]


def log_weights(log_joint, mean, log_variance, eps):
    """Log weights of reparameterized samples, (K, B)."""
    scale = (log_variance / 2).exp()
    z = mean + scale * eps
    return log_joint(z) - td.Normal(mean, scale).log_prob(z).sum(-1)


def elbo_truth(log_joint, mean, log_variance, eps):
    """Mean of the log weights."""
    return log_weights(log_joint, mean, log_variance, eps).mean(0)


def no_entropy(log_joint, mean, log_variance, eps):
    """You left out −log q(z). Without it a q that shrinks to a point would look best."""
    return log_joint(mean + (log_variance / 2).exp() * eps).mean(0)


def log_of_the_mean(log_joint, mean, log_variance, eps):
    """You took the log of the mean weight.

    The ELBO is the mean of the log weights; the other is the tighter bound of importance
    weighting.
    """
    return log_weights(log_joint, mean, log_variance, eps).logsumexp(0) - math.log(len(eps))


def shifted_then_scaled(log_joint, mean, log_variance, eps):
    """You wrote (eps + mean) * scale. The scale stretches the noise and leaves the mean alone."""
    scale = (log_variance / 2).exp()
    z = (eps + mean) * scale
    return (log_joint(z) - td.Normal(mean, scale).log_prob(z).sum(-1)).mean(0)


def log_variance_as_log_scale(log_joint, mean, log_variance, eps):
    """You took the log variance for a log standard deviation: halve it before `exp`."""
    return elbo_truth(log_joint, mean, 2 * log_variance, eps)


def sum_over_samples(log_joint, mean, log_variance, eps):
    """You summed over the K samples. An expectation is their mean."""
    return log_weights(log_joint, mean, log_variance, eps).sum(0)


def plus_log_q(log_joint, mean, log_variance, eps):
    """You added log q(z). It is subtracted: the weight is p(x, z) / q(z)."""
    return 2 * no_entropy(log_joint, mean, log_variance, eps) - elbo_truth(
        log_joint, mean, log_variance, eps
    )


def mean_over_rows(log_joint, mean, log_variance, eps):
    """You averaged over the batch as well. Each x has a bound of its own: `(B,)`."""
    return log_weights(log_joint, mean, log_variance, eps).mean()


def detached(log_joint, mean, log_variance, eps):
    """You cut the graph: no slope of log p(x, z) reaches the mean and the scale.

    Do not detach z, and do not draw it with `sample()`.
    """
    scale = (log_variance / 2).exp()
    z = (mean + scale * eps).detach()
    return (log_joint(z) - td.Normal(mean, scale).log_prob(z).sum(-1)).mean(0)


def elbo_below_log_p(answer):
    """The bound of the model, with many samples."""
    inputs, log_p = oracle_case(3, 6, 2, 5, 4000)
    if (answer(*inputs) > log_p + 0.05).any():
        return "With 4,000 samples your bound lies above log p(x). An ELBO never does."
    return None


def elbo_by_entropy(log_joint, mean, log_variance, eps):
    """A right answer that writes log q from the noise."""
    z = mean + log_variance.div(2).exp() * eps
    log_q = -0.5 * (eps.square() + log_variance + math.log(2 * math.pi)).sum(-1)
    return torch.stack([log_joint(z), -log_q]).sum(0).sum(0) / eps.shape[0]


def with_exact_entropy(log_joint, mean, log_variance, eps):
    """The log joint from samples, and the entropy of q in closed form."""
    q = torch.distributions.Normal(mean, (log_variance / 2).exp())
    return log_joint(q.mean + q.stddev * eps).mean(0) + q.entropy().sum(-1)


def by_hand(log_joint, mean, log_variance, eps):
    """Log joint less log q, at the codes."""
    scale = (log_variance / 2).exp()
    z = mean + scale * eps
    squares = ((z - mean) / scale) ** 2
    log_q = (-0.5 * squares - scale.log() - 0.5 * math.log(2 * math.pi)).sum(-1)
    return (log_joint(z) - log_q).mean(0)


def by_noise(log_joint, mean, log_variance, eps):
    """The density of the noise, and the volume of the stretch."""
    z = mean + (0.5 * log_variance).exp() * eps
    log_noise = (-0.5 * eps**2 - 0.5 * math.log(2 * math.pi)).sum(-1)
    return (log_joint(z) - (log_noise - 0.5 * log_variance.sum(-1))).mean(0)


def by_distribution(log_joint, mean, log_variance, eps):
    """With a distribution."""
    z = mean + (log_variance / 2).exp() * eps
    log_q = torch.distributions.Normal(mean, (log_variance / 2).exp()).log_prob(z)
    return log_joint(z).mean(0) - log_q.sum(-1).mean(0)


EXERCISE = Exercise(
    name="04-elbo",
    title="The ELBO from samples",
    difficulty=2,
    minutes=15,
    parameters=("log_joint", "mean", "log_variance", "eps"),
    cases=elbo_cases,
    truth=elbo_truth,
    also=(with_exact_entropy,),
    gradients=("mean", "log_variance"),
    properties=(elbo_below_log_p,),
    hints=(
        "The ELBO is a mean of log weights. What is one log weight, and where do you get z from?",
        "Turn the noise into codes, `(K, B, L)`. A log weight is `log_joint(z)` minus the log "
        "density of q at the same z. Average over the first axis only.",
        "`z = mean + (log_variance / 2).exp() * eps`, then `log_joint(z) - Normal(mean, "
        "(log_variance / 2).exp()).log_prob(z).sum(-1)`, then `.mean(0)`.",
    ),
    mistakes=(
        no_entropy,
        log_of_the_mean,
        shifted_then_scaled,
        log_variance_as_log_scale,
        sum_over_samples,
        plus_log_q,
        mean_over_rows,
        detached,
    ),
    alternatives=(elbo_by_entropy,),
    formulas=(
        by_hand,
        by_noise,
        by_distribution,
    ),
    right="Its mean lies below log p(x), by exactly the KL of q from the posterior.",
)
