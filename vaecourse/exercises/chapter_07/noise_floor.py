"""The noise that nobody can predict."""

import math

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(rows, side, seed, dtype=torch.float32):
    """Images with ink, paper and gray edges."""
    gray = (0.5 + normal((rows, 1, side, side), seed, dtype)).clamp(0, 1)
    return (gray,)


def cases():
    """A few images, many images, double precision."""
    return [case(3, 4, 1), case(40, 6, 2), case(4, 5, 3, torch.float64)]


def of_pixel(g):
    """Entropy of one coin."""
    return -sum(p * math.log(p) for p in (g, 1 - g) if p > 0)


def truth(gray):
    """Add up pixel by pixel."""
    rows = gray.flatten(1).tolist()
    return torch.tensor([math.fsum(map(of_pixel, row)) for row in rows], dtype=gray.dtype)


def safe(gray):
    """Entropy of every coin, (B, D)."""
    return (torch.special.entr(gray) + torch.special.entr(1 - gray)).flatten(1)


def nan_at_the_ends(gray):
    """0 times log 0 is NaN in floating point, and ink and paper have such a factor.

    Their entropy is zero.
    """
    return -(gray * gray.log() + (1 - gray) * (1 - gray).log()).flatten(1).sum(1)


def half_of_the_coin(gray):
    """You counted only the pixels that turn black. A coin has two sides."""
    return torch.special.entr(gray).flatten(1).sum(1)


def in_bits(gray):
    """You counted in bits. The book counts in nats: the natural logarithm."""
    return safe(gray).sum(1) / math.log(2)


def per_pixel(gray):
    """You averaged over the pixels. An image pays for all of them: sum."""
    return safe(gray).mean(1)


def whole_batch(gray):
    """You summed over the batch as well. Every image has a floor of its own: `(B,)`."""
    return safe(gray).sum()


def minus(gray):
    """You returned minus the entropy. A cost in nats is positive."""
    return -safe(gray).sum(1)


def variances(gray):
    """You returned the variances of the pixels. They are largest at gray, too, but no nats."""
    return (gray * (1 - gray)).flatten(1).sum(1)


def likelier_side(gray):
    """You counted only the likelier side of each coin. The other comes up, too, and costs more."""
    likely = torch.maximum(gray, 1 - gray)
    return -likely.log().flatten(1).sum(1)


def by_cross_entropy(gray):
    """Binary cross-entropy of the image with itself."""
    g = gray.flatten(1)
    return torch.nn.functional.binary_cross_entropy(g, g, reduction="none").sum(1)


def by_hand(gray):
    """The entropy of every pixel."""
    paper = 1 - gray
    coins = -torch.xlogy(gray, gray) - torch.xlogy(paper, paper)
    return coins.flatten(1).sum(1)


EXERCISE = Exercise(
    name="07-noise-floor",
    title="The noise that nobody can predict",
    difficulty=1,
    minutes=10,
    parameters=("gray",),
    cases=cases,
    truth=truth,
    vectorized=True,
    hints=(
        "The best decoder knows every gray level. What does it pay, on average, for one coin toss?",
        "The entropy of a coin: −g log g − (1 − g) log(1 − g), summed over the pixels. Mind pixels "
        "that are exactly 0 or 1.",
        "`(torch.special.entr(gray) + torch.special.entr(1 - gray)).flatten(1).sum(1)`.",
    ),
    mistakes=(
        nan_at_the_ends,
        half_of_the_coin,
        in_bits,
        per_pixel,
        whole_batch,
        minus,
        variances,
        likelier_side,
    ),
    alternatives=(by_cross_entropy,),
    formulas=(by_hand,),
    right="No model comes below this on average, however good it is.",
)
