"""Free bits."""

import torch
from torch import distributions as td

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(rows, floor, seed, dtype=torch.float32, units=5, top=0.5):
    """Posteriors whose units carry between almost nothing and a few nats."""
    spread = torch.logspace(-2, top, units, dtype=dtype)
    mean = spread * normal((rows, units), seed, dtype)
    return mean, -spread + 0.1 * normal((rows, units), seed + 1, dtype), floor


def cases():
    """A few images, many images, double precision, and units that are all below the floor."""
    return [
        case(4, 0.2, 1),
        case(60, 0.1, 2),
        case(5, 0.4, 3, torch.float64, 4),
        case(4, 2.0, 4, top=-1.0),
    ]


def rates(mean, log_variance):
    """Average KL of every unit."""
    posterior = td.Normal(mean, (log_variance / 2).exp())
    return td.kl_divergence(posterior, td.Normal(0 * mean, torch.ones_like(mean))).mean(0)


def truth(mean, log_variance, floor):
    """The excess over the floor, where there is any, and the floors."""
    rate = rates(mean, log_variance)
    above = (rate > floor).to(rate.dtype)
    return (above * (rate - floor)).sum() + floor * rate.numel()


def floor_on_the_sum(mean, log_variance, floor):
    """You compared the whole rate with the floor. Every unit has its own allowance."""
    return rates(mean, log_variance).sum().clamp(min=floor)


def floor_for_every_image(mean, log_variance, floor):
    """You applied the floor to every image. Average over the batch first, then compare."""
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)
    return kl.clamp(min=floor).mean(0).sum()


def ceiling(mean, log_variance, floor):
    """You took the smaller of the two: a ceiling. Nobody would then pay for a large rate."""
    return rates(mean, log_variance).clamp(max=floor).sum()


def excess_alone(mean, log_variance, floor):
    """You returned the excess over the floor.

    Its gradient is the same, but the loss would lie below the negative ELBO.
    """
    return (rates(mean, log_variance) - floor).relu().sum()


def floor_added(mean, log_variance, floor):
    """You added the floor to every unit. Then no nat is free: all gradients are as before."""
    return (rates(mean, log_variance) + floor).sum()


def summed_over_images(mean, log_variance, floor):
    """You summed over the batch. Average over it, or the floor means less in a larger batch."""
    return (len(mean) * rates(mean, log_variance)).clamp(min=floor).sum()


def averaged_over_units(mean, log_variance, floor):
    """You averaged over the units. The KL term sums over them."""
    return rates(mean, log_variance).clamp(min=floor).mean()


def no_floor(mean, log_variance, floor):
    """You returned the plain rate: the floor has no effect yet."""
    return rates(mean, log_variance).sum()


def by_where(mean, log_variance, floor):
    """Choose with `where`."""
    rate = (0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)).mean(0)
    return torch.where(rate > floor, rate, torch.full_like(rate, floor)).sum()


def by_hand(mean, log_variance, floor):
    """Average, then floor, then sum."""
    variance = log_variance.exp()
    kl = 0.5 * (mean**2 + variance - 1 - log_variance)
    return kl.mean(0).clamp(min=floor).sum()


def by_terms(mean, log_variance, floor):
    """Term by term, and the larger of two."""
    kl = 0.5 * mean**2 + 0.5 * log_variance.exp() - 0.5 - 0.5 * log_variance
    rate = kl.mean(0)
    return torch.where(rate > floor, rate, floor).sum(0)


EXERCISE = Exercise(
    name="06-free-bits",
    title="Free bits",
    difficulty=2,
    minutes=15,
    parameters=("mean", "log_variance", "floor"),
    cases=cases,
    truth=truth,
    gradients=("mean", "log_variance"),
    vectorized=True,
    hints=(
        "What has one number for each unit: the KL of one image, or its average over the batch?",
        "Keep the KL term apart by units, average it over the batch, take the larger of it and "
        "the floor, and only then sum over the units.",
        "`(0.5 * (mean**2 + log_variance.exp() - 1 - log_variance)).mean(0).clamp(min=floor)"
        ".sum()`.",
    ),
    mistakes=(
        floor_on_the_sum,
        floor_for_every_image,
        ceiling,
        excess_alone,
        floor_added,
        summed_over_images,
        averaged_over_units,
        no_floor,
    ),
    alternatives=(by_where,),
    formulas=(
        by_hand,
        by_terms,
    ),
    right="Below the floor a unit feels no pull to the prior: its gradient is zero.",
)
