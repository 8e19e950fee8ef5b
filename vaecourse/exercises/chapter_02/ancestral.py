"""Parents first."""

import torch

from vaecourse.exercises.answers import Trouble
from vaecourse.exercises.exercise import Estimate, Exercise

__all__ = ["EXERCISE"]

CALLS, COUNT = 200, 50


def cases():
    """Means of the classes, the scale, and how many points to draw."""
    return [
        (torch.tensor([-1.0, 0.0, 2.0]), 0.5, COUNT),
        (torch.tensor([3.0, -3.0]), 1.5, COUNT),
    ]


def measure(answer, means, scale, count):
    """Moments of the points, and how much points of one call vary."""
    x = torch.stack([answer(means, scale, count).double() for _ in range(CALLS)])
    if x.shape != (CALLS, count):
        words = f"It returns points of shape {tuple(x.shape[1:])}, where ({count},) is wanted."
        raise Trouble("shape", words)
    columns = [x.mean(1), x.square().mean(1), x.var(1), x.pow(4).mean(1)]
    return tuple(Estimate(c.mean(), c.std() / CALLS**0.5) for c in columns)


def truth(means, scale, count):
    """Exact moments of the mixture."""
    variance = means.var(correction=0) + scale**2
    fourth = (means**4 + 6 * means**2 * scale**2 + 3 * scale**4).mean()
    return tuple(
        Estimate(value, torch.zeros_like(value))
        for value in (means.mean(), variance + means.mean() ** 2, variance, fourth)
    )


def draw(means, scale, count):
    """Draw one class for each point, then the point."""
    z = torch.randint(len(means), (count,))
    return means[z] + scale * torch.randn(count)


def one_code_for_all(means, scale, count):
    """You drew one code for all points. Every point has a code of its own."""
    return means[torch.randint(len(means), (1,))] + scale * torch.randn(count)


def averaged_means(means, scale, count):
    """You averaged the means. A mixture draws one of them; it does not stand between them."""
    return means.mean() + scale * torch.randn(count)


def matched_gaussian(means, scale, count):
    """You drew from one Gaussian with the right mean and variance. The mixture has humps."""
    return means.mean() + (means.var(correction=0) + scale**2).sqrt() * torch.randn(count)


def scale_ignored(means, scale, count):
    """Your noise has scale one, whatever the scale is."""
    return means[torch.randint(len(means), (count,))] + torch.randn(count)


def noise_alone(means, scale, count):
    """You returned the noise without the means of the classes."""
    return scale * torch.randn(count)


def uniform_noise(means, scale, count):
    """Your noise is uniform and lies between 0 and 1. It is to be Gaussian: `randn`."""
    return means[torch.randint(len(means), (count,))] + scale * torch.rand(count)


def last_class_lost(means, scale, count):
    """You never draw the last class: the upper end of `randint` is not drawn itself."""
    return means[torch.randint(len(means) - 1, (count,))] + scale * torch.randn(count)


def mean_scaled_too(means, scale, count):
    """You multiplied the means by the scale as well. Only the noise is scaled."""
    return scale * (means[torch.randint(len(means), (count,))] + torch.randn(count))


def first_class_alone(means, scale, count):
    """Your points all come from the first class."""
    return means[0] + scale * torch.randn(count)


def no_noise(means, scale, count):
    """You returned the means of x given z. Draw x around them."""
    return means[torch.randint(len(means), (count,))]


def scale_as_variance(means, scale, count):
    """You took the scale for a variance. The scale multiplies standard noise."""
    z = torch.randint(len(means), (count,))
    return means[z] + scale**0.5 * torch.randn(count)


def variance_as_scale(means, scale, count):
    """You squared the scale. Noise of scale σ is σ times standard noise."""
    z = torch.randint(len(means), (count,))
    return means[z] + scale**2 * torch.randn(count)


def by_distributions(means, scale, count):
    """A mixture of PyTorch's distributions."""
    weights = torch.distributions.Categorical(logits=torch.zeros(len(means)))
    parts = torch.distributions.Normal(means, scale)
    return torch.distributions.MixtureSameFamily(weights, parts).sample((count,))


EXERCISE = Exercise(
    name="02-ancestral",
    title="Parents first",
    difficulty=1,
    minutes=5,
    parameters=("means", "scale", "count"),
    cases=cases,
    truth=truth,
    measure=measure,
    hints=(
        "Which of x and z has no parent? Draw it first, once for each point.",
        "Draw `count` classes with equal probability. Each picks its mean. Then add noise.",
        "`z = torch.randint(len(means), (count,))`, then `means[z] + scale * torch.randn(count)`.",
    ),
    mistakes=(
        one_code_for_all,
        averaged_means,
        matched_gaussian,
        scale_ignored,
        noise_alone,
        uniform_noise,
        last_class_lost,
        mean_scaled_too,
        first_class_alone,
        no_noise,
        scale_as_variance,
        variance_as_scale,
    ),
    alternatives=(draw, by_distributions),
    right="Two plain draws, and the density of the points has several humps.",
)
