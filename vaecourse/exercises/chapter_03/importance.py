"""Sample near the posterior."""

import math

import torch
from torch import distributions as td

from vaecourse.data.linear_gaussian import LinearGaussian
from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(seed, rows, samples, latent_dim=2, widen=1.3):
    """Log densities at codes drawn from near the posterior, and the exact log p(x)."""
    oracle = LinearGaussian.random(8, latent_dim, seed=seed)
    x, _ = oracle.sample(rows, seed=seed)
    posterior = oracle.posterior(x)
    near = td.Independent(td.Normal(posterior.mean, widen * posterior.stddev), 1)
    eps = normal((samples, rows, latent_dim), seed, torch.float64)
    z = posterior.mean + widen * posterior.stddev * eps
    prior = td.Independent(td.Normal(torch.zeros_like(z), 1.0), 1)
    densities = oracle.log_likelihood(x, z), prior.log_prob(z), near.log_prob(z)
    return densities, oracle.log_marginal(x)


def cases():
    """Few and many examples."""
    return [case(1, 3, 6)[0], case(2, 50, 11)[0]]


def truth(log_likelihood, log_prior, log_proposal):
    """Average the weights after the largest has been taken out."""
    logs = log_likelihood + log_prior - log_proposal
    top = logs.amax(0)
    return top + (logs - top).exp().mean(0).log()


def log_mean(logs):
    """Log of the mean over samples."""
    return logs.logsumexp(0) - math.log(len(logs))


def uncorrected(log_likelihood, log_prior, log_proposal):
    """You averaged the likelihood, as if the codes came from the prior. Correct with weights."""
    return log_mean(log_likelihood)


def no_proposal(log_likelihood, log_prior, log_proposal):
    """You forgot to divide by the density that the codes were drawn from."""
    return log_mean(log_likelihood + log_prior)


def no_prior(log_likelihood, log_prior, log_proposal):
    """You forgot the prior. The weight is p(x, z) / q(z), with the joint density above."""
    return log_mean(log_likelihood - log_proposal)


def upside_down(log_likelihood, log_prior, log_proposal):
    """You turned prior and proposal around: the proposal belongs below."""
    return log_mean(log_likelihood + log_proposal - log_prior)


def bound(log_likelihood, log_prior, log_proposal):
    """You averaged the log weights. That is a lower bound; the estimate averages the weights."""
    return (log_likelihood + log_prior - log_proposal).mean(0)


def no_minus_log_k(log_likelihood, log_prior, log_proposal):
    """You returned the log of the sum of weights. For the mean, subtract the log of K."""
    return (log_likelihood + log_prior - log_proposal).logsumexp(0)


def normalized(log_likelihood, log_prior, log_proposal):
    """You normalized prior over proposal. Then the estimate is biased: divide by K."""
    log_ratio = log_prior - log_proposal
    return (log_likelihood + log_ratio).logsumexp(0) - log_ratio.logsumexp(0)


def near_the_truth(answer):
    """Many samples from near the posterior must find log p(x)."""
    densities, log_p = case(3, 5, 5000)
    if (answer(*densities) - log_p).abs().max() > 0.1:
        return "With 5,000 codes from near the posterior your estimate misses the exact log p(x)."
    return None


def by_logaddexp(log_likelihood, log_prior, log_proposal):
    """Add up in a chain of logaddexp."""
    logs = log_likelihood.add(log_prior).sub(log_proposal)
    return logs.logcumsumexp(0)[-1] - math.log(logs.shape[0])


def by_hand(log_likelihood, log_prior, log_proposal):
    """The log mean of the weights."""
    logs = log_likelihood + log_prior - log_proposal
    return logs.logsumexp(0) - math.log(len(logs))


def by_maximum(log_likelihood, log_prior, log_proposal):
    """Take the maximum off, and put it back."""
    logs = log_likelihood + log_prior - log_proposal
    largest = logs.amax(0)
    return largest + (logs - largest).exp().mean(0).log()


EXERCISE = Exercise(
    name="03-importance",
    title="Sample near the posterior",
    difficulty=2,
    minutes=15,
    parameters=("log_likelihood", "log_prior", "log_proposal"),
    cases=cases,
    truth=truth,
    vectorized=True,
    properties=(near_the_truth,),
    hints=(
        "The codes come from q, not from the prior. What must each be weighted with?",
        "The weight is p(x|z) p(z) / q(z). Add and subtract logs, then take the log of the mean.",
        "`logs = log_likelihood + log_prior - log_proposal`, then `logs.logsumexp(0) - "
        "math.log(len(logs))`.",
    ),
    mistakes=(
        uncorrected,
        no_proposal,
        no_prior,
        upside_down,
        bound,
        no_minus_log_k,
        normalized,
    ),
    alternatives=(by_logaddexp,),
    formulas=(
        by_hand,
        by_maximum,
    ),
    right="From the posterior itself, one sample would be exact.",
)
