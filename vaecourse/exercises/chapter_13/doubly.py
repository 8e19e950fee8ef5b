"""The gradient that gets clearer with K."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def gradient_cases():
    """Log weights, and the gradients of each along the path of its sample."""
    return [
        (normal((4, 3), 1) - 90, normal((4, 3, 2), 2)),
        (normal((30, 40), 3, scale=2.0) - 90, normal((30, 40, 5), 4)),
        (normal((8, 2), 5, torch.float64) - 900, normal((8, 2, 3), 6, torch.float64)),
    ]


def gradient_truth(log_w, path):
    """The squared shares as an outer product's diagonal, contracted with the paths."""
    w = (log_w - log_w.amax(0)).exp()
    share = w / w.sum(0)
    return torch.einsum("kb,kb,kbl->bl", share, share, path)


def share_not_squared(log_w, path):
    """You weighted by the share itself.

    That is what the plain estimator does to its path term, and it leaves out the other term.
    """
    return (log_w.softmax(0)[..., None] * path).sum(0)


def equal_weights(log_w, path):
    """You averaged the samples equally: that is the gradient of the ELBO."""
    return path.mean(0)


def renormalized(log_w, path):
    """You divided the squared shares by their sum. They need not add up to 1."""
    return ((2 * log_w).softmax(0)[..., None] * path).sum(0)


def shares_of_the_batch(log_w, path):
    """You normalized over examples. The weights of one example compete among its own samples."""
    return (log_w.softmax(1).square()[..., None] * path).sum(0)


def averaged_over_samples(log_w, path):
    """You divided by K once more. The shares already hold that division."""
    return (log_w.softmax(0).square()[..., None] * path).mean(0)


def the_loss(log_w, path):
    """You returned minus the gradient. That belongs to the loss; the bound is asked for."""
    return -gradient_truth(log_w, path)


def gradient_by_products(log_w, path):
    """A right answer by a product of matrices for each example."""
    share = log_w.softmax(0).square().T[:, None]
    return (share @ path.transpose(0, 1))[:, 0]


def by_hand(log_w, path):
    """Squared shares."""
    shares = log_w.softmax(0)
    return (shares[..., None] ** 2 * path).sum(0)


EXERCISE = Exercise(
    name="13-doubly",
    title="The gradient that gets clearer with K",
    difficulty=2,
    minutes=15,
    parameters=("log_w", "path"),
    cases=gradient_cases,
    truth=gradient_truth,
    vectorized=True,
    hints=(
        "The share of a sample is its weight over the sum of all K weights of the same example.",
        "Square the shares after normalizing, over the first axis alone. Then give them an axis "
        "for the L dimensions.",
        "`(log_w.softmax(0).square()[..., None] * path).sum(0)`.",
    ),
    mistakes=(
        share_not_squared,
        equal_weights,
        renormalized,
        shares_of_the_batch,
        averaged_over_samples,
        the_loss,
    ),
    alternatives=(gradient_by_products,),
    formulas=(by_hand,),
    right="At the exact posterior every path is zero, and so is this estimate, without noise.",
)
