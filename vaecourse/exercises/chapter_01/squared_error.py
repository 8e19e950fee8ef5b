"""Sum over pixels, mean over images."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Images and reconstructions."""
    return [
        (normal((3, 1, 4, 4), 1), normal((3, 1, 4, 4), 2)),
        (normal((40, 3, 6, 5), 3), normal((40, 3, 6, 5), 4)),
        (normal((2, 1, 3, 3), 5, torch.float64), normal((2, 1, 3, 3), 6, torch.float64)),
    ]


def truth(x, x_hat):
    """Squared distance of every pair of rows, averaged."""
    rows = [torch.dist(a, b).square() for a, b in zip(x, x_hat, strict=True)]
    return sum(rows) / len(rows)


def mean_over_pixels(x, x_hat):
    """You averaged over the pixels. Sum over pixels, and average over images only."""
    return (x - x_hat).square().mean()


def sum_over_images(x, x_hat):
    """You summed over the images. Then the number grows with the size of the batch."""
    return (x - x_hat).square().sum()


def pixel_sums(x, x_hat):
    """You averaged over the images, and summed over only one axis of the pixels."""
    return (x - x_hat).square().sum(-1).mean()


def divided_twice(x, x_hat):
    """You divided by the number of images twice."""
    return (x - x_hat).square().sum() / len(x) ** 2


def lengths(x, x_hat):
    """You averaged the lengths of the errors. Average their squares."""
    return (x - x_hat).flatten(1).norm(dim=1).mean()


def halved(x, x_hat):
    """You returned half the squared error. That is a log-likelihood up to a constant."""
    return 0.5 * truth(x, x_hat)


def per_image(x, x_hat):
    """You returned one error for each image. Average them."""
    return (x - x_hat).square().flatten(1).sum(1)


def by_loss_function(x, x_hat):
    """PyTorch's mean squared error, times the number of pixels."""
    return torch.nn.functional.mse_loss(x_hat, x) * x[0].numel()


def by_hand(x, x_hat):
    """Square, sum, average."""
    return ((x - x_hat) ** 2).flatten(1).sum(1).mean(0)


def by_axes(x, x_hat):
    """Square, sum axis by axis, divide."""
    return (x - x_hat).square().sum(-1).sum(-1).sum(-1).sum(0) / len(x)


EXERCISE = Exercise(
    name="01-squared-error",
    title="Sum over pixels, mean over images",
    difficulty=1,
    minutes=5,
    parameters=("x", "x_hat"),
    cases=cases,
    truth=truth,
    gradients=("x_hat",),
    vectorized=True,
    hints=(
        "One image has one error. Which axes belong to the image, and which to the batch?",
        "Square the differences. Sum over everything but the first axis. Then average over it.",
        "`(x - x_hat).square().flatten(1).sum(1).mean()`.",
    ),
    mistakes=(
        mean_over_pixels,
        sum_over_images,
        pixel_sums,
        divided_twice,
        lengths,
        halved,
        per_image,
    ),
    alternatives=(by_loss_function,),
    formulas=(
        by_hand,
        by_axes,
    ),
    right="Sums over pixels are what a likelihood needs. Their mean is D times too small.",
)
