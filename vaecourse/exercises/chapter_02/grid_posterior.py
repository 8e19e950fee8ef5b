"""The posterior on a grid."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(num, rows, seed, step, dtype=torch.float64):
    """Log likelihoods far below zero, as images have them, and the log density of a prior."""
    codes = step * (torch.arange(num, dtype=torch.float64) - num / 2)
    log_prior = torch.distributions.Normal(0.0, 1.0).log_prob(codes)
    center = normal((1, rows), seed, torch.float64)
    log_likelihood = -900.0 - 3 * (codes[:, None] - center).square()
    return log_likelihood.to(dtype), log_prior.to(dtype), step


def apart(rows, seed):
    """Three examples whose likelihoods are far from each other."""
    log_likelihood, log_prior, step = case(rows, 3, seed, 0.3)
    return log_likelihood + torch.tensor([0.0, -1500.0, 900.0]).to(log_prior), log_prior, step


def cases():
    """Grids of different size."""
    return [
        case(41, 3, 1, 0.25),
        case(101, 50, 2, 0.1),
        case(60, 2, 3, 0.2, torch.float32),
        apart(30, 4),
    ]


def truth(log_likelihood, log_prior, step):
    """Bayes' rule, after the largest likelihood has been taken out."""
    joint = (log_likelihood - log_likelihood.amax(0)).exp() * log_prior.exp()[:, None]
    return joint / (joint.sum(0) * step)


def joint(log_likelihood, log_prior):
    """Log joint density."""
    return log_likelihood + log_prior[:, None]


def underflow(log_likelihood, log_prior, step):
    """Densities of exp(−900) are zero in floating point: stay in logs until you have divided."""
    density = joint(log_likelihood, log_prior).exp()
    return density / (density.sum(0) * step)


def no_prior(log_likelihood, log_prior, step):
    """You forgot the prior: the likelihood is no density over codes."""
    return log_likelihood.softmax(0) / step


def sums_to_one(log_likelihood, log_prior, step):
    """Your values sum to one. A density integrates to one: the step of the grid belongs in."""
    return joint(log_likelihood, log_prior).softmax(0)


def over_the_batch(log_likelihood, log_prior, step):
    """You normalized over the batch. Each x has a posterior of its own: normalize over codes."""
    return joint(log_likelihood, log_prior).softmax(1) / step


def over_everything(log_likelihood, log_prior, step):
    """You normalized over codes and examples together. Each column is a density of its own."""
    density = joint(log_likelihood, log_prior)
    return (density - density.flatten().logsumexp(0)).exp() / step


def times_the_step(log_likelihood, log_prior, step):
    """You multiplied by the step. Density times step is a probability: divide."""
    return joint(log_likelihood, log_prior).softmax(0) * step


def log_returned(log_likelihood, log_prior, step):
    """You returned the log density. The density itself is asked for."""
    return truth(log_likelihood, log_prior, step).log()


def by_softmax(log_likelihood, log_prior, step):
    """Softmax over the codes."""
    return (log_likelihood + log_prior.unsqueeze(1)).softmax(dim=0) / step


def by_hand(log_likelihood, log_prior, step):
    """Joint, less its log sum, over the step."""
    joint = log_likelihood + log_prior[:, None]
    return (joint - joint.logsumexp(0)).exp() / step


def by_weights(log_likelihood, log_prior, step):
    """Softmax over the grid."""
    return (log_likelihood + log_prior[:, None]).softmax(0) / step


def by_maximum(log_likelihood, log_prior, step):
    """Take the maximum off, and normalize."""
    joint = log_likelihood + log_prior[:, None]
    weights = (joint - joint.amax(0)).exp()
    return weights / weights.sum(0) / step


EXERCISE = Exercise(
    name="02-grid-posterior",
    title="Bayes' rule on a grid",
    difficulty=2,
    minutes=10,
    parameters=("log_likelihood", "log_prior", "step"),
    cases=cases,
    truth=truth,
    vectorized=True,
    hints=(
        "Bayes' rule has a product above and an integral below. What are they on a grid, in logs?",
        "Add the logs. The integral is a sum over codes times the step. Take its logarithm with "
        "`logsumexp`, because exp(−900) is zero in floating point.",
        "`log_joint = log_likelihood + log_prior[:, None]`, then `(log_joint - "
        "log_joint.logsumexp(0)).exp() / step`.",
    ),
    mistakes=(
        underflow,
        no_prior,
        sums_to_one,
        over_the_batch,
        over_everything,
        times_the_step,
        log_returned,
    ),
    alternatives=(by_softmax,),
    formulas=(
        by_hand,
        by_weights,
        by_maximum,
    ),
    right="This is what an encoder approximates where no grid is fine enough.",
)
