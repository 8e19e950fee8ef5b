"""Two ways to see that a unit is silent."""

import torch
from torch import distributions as td

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(rows, seed, dtype=torch.float32, units=4):
    """Posteriors of a batch: some units move a lot, the others hardly."""
    spread = torch.logspace(-2, 0.3, units, dtype=dtype)
    mean = spread * normal((rows, units), seed, dtype) + 0.3
    return mean, -0.8 * spread + 0.2 * normal((rows, units), seed + 1, dtype)


def cases():
    """A few images, many images, double precision."""
    return [case(5, 1), case(80, 2), case(6, 3, torch.float64, units=3)]


def truth(mean, log_variance):
    """NumPy's variance and PyTorch's divergence."""
    posterior = td.Normal(mean, (log_variance / 2).exp())
    kl = td.kl_divergence(posterior, td.Normal(0 * mean, torch.ones_like(mean)))
    activity = mean.detach().numpy().var(0, ddof=1)
    return torch.from_numpy(activity), kl.mean(0)


def rates(mean, log_variance):
    """KL divergence of every image and unit."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def noise_counted(mean, log_variance):
    """You added the posterior's own variance. That is near one for a silent unit, too."""
    return mean.var(0) + log_variance.exp().mean(0), rates(mean, log_variance).mean(0)


def noise_alone(mean, log_variance):
    """You averaged the posterior variance. Activity is how much the *means* vary over images."""
    return log_variance.exp().mean(0), rates(mean, log_variance).mean(0)


def not_centered(mean, log_variance):
    """You took the mean square. A unit that stands still away from zero is not active."""
    return mean.square().mean(0), rates(mean, log_variance).mean(0)


def scale_for_variance(mean, log_variance):
    """You took the standard deviation. Activity is a variance, and 0.01 its threshold."""
    return mean.std(0), rates(mean, log_variance).mean(0)


def over_units(mean, log_variance):
    """You went along the units. Every unit has a number of its own: go over the images."""
    return mean.var(1), rates(mean, log_variance).mean(1)


def rate_of_an_average(mean, log_variance):
    """You computed the KL of an average posterior. Average the KL of each image."""
    return mean.var(0), rates(mean.mean(0), log_variance.mean(0))


def rate_without_half(mean, log_variance):
    """The activity is right. The KL is twice the right one: the ½ is missing."""
    return mean.var(0), 2 * rates(mean, log_variance).mean(0)


def rate_summed(mean, log_variance):
    """The activity is right. The KL is summed over the images: average it."""
    return mean.var(0), rates(mean, log_variance).sum(0)


def by_moments(mean, log_variance):
    """Center by hand, and add up."""
    count = len(mean)
    activity = (mean - mean.mean(0, keepdim=True)).square().sum(0) / (count - 1)
    prior = td.Normal(mean.new_zeros(()), mean.new_ones(()))
    kl = td.kl_divergence(td.Normal(mean, log_variance.mul(0.5).exp()), prior)
    return activity, kl.sum(0) / count


def by_hand(mean, log_variance):
    """Variance of means, and average divergence."""
    variance = log_variance.exp()
    kl = 0.5 * (mean**2 + variance - 1 - log_variance)
    return mean.var(0), kl.mean(0)


def by_terms(mean, log_variance):
    """Term by term."""
    kl = 0.5 * mean**2 + 0.5 * log_variance.exp() - 0.5 - 0.5 * log_variance
    return ((mean - mean.mean(0)) ** 2).sum(0) / (len(mean) - 1), kl.mean(0)


EXERCISE = Exercise(
    name="06-two-counts",
    title="Two ways to see that a unit is silent",
    difficulty=2,
    minutes=10,
    parameters=("mean", "log_variance"),
    cases=cases,
    truth=truth,
    returns=(torch.Tensor, torch.Tensor),
    vectorized=True,
    hints=(
        "Both answers have one number for each unit. Over which axis do you go?",
        "The activity is the variance of the posterior means over the batch. The rate is the KL "
        "term before it is summed over units, averaged over the batch.",
        "`mean.var(0)` and `(0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)).mean(0)`.",
    ),
    mistakes=(
        noise_counted,
        noise_alone,
        not_centered,
        scale_for_variance,
        over_units,
        rate_of_an_average,
        rate_without_half,
        rate_summed,
    ),
    alternatives=(by_moments,),
    formulas=(
        by_hand,
        by_terms,
    ),
    right="A unit may pass the threshold of activity and still carry hardly any nats.",
)
