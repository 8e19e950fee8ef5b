"""Means or samples."""

import torch

from vaecourse.exercises.exercise import Estimate, Exercise, normal

__all__ = ["EXERCISE"]


def case(rows, units, seed, dtype=torch.float32):
    """Posteriors of two batches of images; half of the units say little."""
    speak = torch.linspace(0, 1, units, dtype=dtype)
    parts = []
    for k in (0, 2):
        parts.append(speak * normal((rows, units), seed + k, dtype, 1.5))
        parts.append((-2 * speak + 0.2 * normal((rows, units), seed + k + 1, dtype)).exp())
    return tuple(parts)


def cases():
    """A few pairs, many pairs, double precision."""
    return [case(3, 4, 1), case(50, 6, 5), case(4, 3, 9, torch.float64)]


def truth(mean_a, variance_a, mean_b, variance_b):
    """E[(a − b)²] = E[a²] − 2 E[a] E[b] + E[b²], unit by unit."""
    squares = mean_a**2 + variance_a + mean_b**2 + variance_b
    return (squares - 2 * mean_a * mean_b).sum(-1)


def between_means(mean_a, variance_a, mean_b, variance_b):
    """You returned the distance of the means. Two samples differ by their noise, too."""
    return (mean_a - mean_b).square().sum(-1)


def one_noise(mean_a, variance_a, mean_b, variance_b):
    """You counted the noise of one sample. Both are drawn."""
    return ((mean_a - mean_b).square() + variance_a).sum(-1)


def noises_cancel(mean_a, variance_a, mean_b, variance_b):
    """You subtracted one variance from the other. Independent noise does not cancel: it adds."""
    return ((mean_a - mean_b).square() + variance_a - variance_b).sum(-1)


def scales_added(mean_a, variance_a, mean_b, variance_b):
    """You added standard deviations. Of independent noise the *variances* add."""
    noise = (variance_a.sqrt() + variance_b.sqrt()).square()
    return ((mean_a - mean_b).square() + noise).sum(-1)


def variance_for_scale(mean_a, variance_a, mean_b, variance_b):
    """You squared the variances. They are squares already."""
    noise = variance_a.square() + variance_b.square()
    return ((mean_a - mean_b).square() + noise).sum(-1)


def averaged(mean_a, variance_a, mean_b, variance_b):
    """You averaged over the units. A squared distance is their sum."""
    return truth(mean_a, variance_a, mean_b, variance_b) / mean_a.shape[-1]


def rooted(mean_a, variance_a, mean_b, variance_b):
    """You took the root. The *squared* distance is asked for."""
    return truth(mean_a, variance_a, mean_b, variance_b).sqrt()


def by_second_moments(mean_a, variance_a, mean_b, variance_b):
    """The variance of the difference, and its mean squared."""
    difference = mean_a - mean_b
    total = torch.stack([difference * difference, variance_a, variance_b])
    return total.sum((0, -1))


def agrees_with_samples(answer):
    """Compare with the distances of samples, judged by their standard error."""
    mean_a, variance_a, mean_b, variance_b = inputs = case(2, 4, 20, torch.float64)
    eps = normal((2, 20_000, 2, 4), 30, torch.float64)
    a = mean_a + variance_a.sqrt() * eps[0]
    b = mean_b + variance_b.sqrt() * eps[1]
    found = (a - b).square().sum(-1)
    seen = Estimate(found.mean(0), found.std(0) / len(found) ** 0.5)
    if ((answer(*inputs) - seen.value).abs() > 6 * seen.error).any():
        return "The squared distances of 20,000 pairs of samples have another mean."
    return None


def by_hand(mean_a, variance_a, mean_b, variance_b):
    """Distance of means, and both variances."""
    return ((mean_a - mean_b) ** 2 + variance_a + variance_b).sum(-1)


EXERCISE = Exercise(
    name="08-sample-distance",
    title="How far apart are two samples?",
    difficulty=1,
    minutes=10,
    parameters=("mean_a", "variance_a", "mean_b", "variance_b"),
    cases=cases,
    truth=truth,
    vectorized=True,
    properties=(agrees_with_samples,),
    hints=(
        "What is the mean of the difference of two independent samples, and what its variance?",
        "The mean of a square is the square of the mean plus the variance. The variance of a "
        "difference of independent numbers is the *sum* of their variances.",
        "`((mean_a - mean_b) ** 2 + variance_a + variance_b).sum(-1)`.",
    ),
    mistakes=(
        between_means,
        one_noise,
        noises_cancel,
        scales_added,
        variance_for_scale,
        averaged,
        rooted,
    ),
    alternatives=(by_second_moments,),
    formulas=(by_hand,),
    right="An inactive unit adds 2 to the squared distance of any two samples, and no information.",
)
