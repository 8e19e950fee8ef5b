"""The best flat code."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def data(rows, columns, seed, dtype=torch.float32):
    """Draw rows with correlated columns and a mean that is not zero."""
    mix = normal((columns, columns), seed, torch.float64)
    x = normal((rows, columns), seed + 1, torch.float64) @ mix
    return (x + 2 + normal(columns, seed + 2, torch.float64)).to(dtype)


def cases():
    """Data sets of different size."""
    return [
        (data(12, 5, 1), 2),
        (data(200, 8, 2), 3),
        (data(30, 4, 3, torch.float64), 1),
    ]


def truth(x, num):
    """Singular values, the smallest of them set to zero."""
    mean = x.mean(0)
    u, s, v = torch.linalg.svd(x - mean, full_matrices=False)
    return mean + (u[:, :num] * s[:num]) @ v[:num]


def directions(x, num, from_end=True):
    """Eigenvectors of the covariance, as columns."""
    vectors = torch.linalg.eigh(torch.cov(x.T)).eigenvectors
    return vectors[:, -num:] if from_end else vectors[:, :num]


def not_centered(x, num):
    """You did not subtract the mean before you projected."""
    v = directions(x, num)
    return x @ v @ v.T


def mean_not_added(x, num):
    """You did not add the mean again after you projected."""
    v = directions(x, num)
    return (x - x.mean(0)) @ v @ v.T


def smallest_directions(x, num):
    """You took the directions of the smallest variance: `eigh` sorts upward."""
    v = directions(x, num, from_end=False)
    return x.mean(0) + (x - x.mean(0)) @ v @ v.T


def rows_for_columns(x, num):
    """You took rows of the matrix of eigenvectors. Its columns are the directions."""
    v = torch.linalg.eigh(torch.cov(x.T)).eigenvectors.flip(1)[:num].T
    return x.mean(0) + (x - x.mean(0)) @ v @ v.T


def mean_over_columns(x, num):
    """You subtracted each row's own mean. The mean is taken over the examples."""
    mean = x.mean(1, keepdim=True)
    v = torch.linalg.svd(x - mean, full_matrices=False).Vh[:num].T
    return mean + (x - mean) @ v @ v.T


def code_returned(x, num):
    """You returned the code. Decode it: back to the space of the data."""
    v = directions(x, num).flip(1)
    return (x - x.mean(0)) @ v


def by_low_rank_approximation(x, num):
    """Project with eigenvectors of the covariance."""
    centered = x - x.mean(0, keepdim=True)
    vectors = torch.linalg.eigh(centered.T @ centered)[1][:, x.shape[1] - num :]
    return centered @ (vectors @ vectors.T) + x.mean(0)


def by_hand(x, num):
    """Center, project and come back."""
    mean = x.mean(0)
    v = torch.linalg.svd(x - mean, full_matrices=False).Vh[:num].T
    return mean + (x - mean) @ v @ v.T


def by_singular_values(x, num):
    """Put the three parts of the decomposition together again."""
    mean = x.mean(0)
    u, s, vh = torch.linalg.svd(x - mean, full_matrices=False)
    return mean + u[:, :num] @ s[:num].diag() @ vh[:num]


EXERCISE = Exercise(
    name="01-flat-code",
    title="The best flat code",
    difficulty=2,
    minutes=15,
    parameters=("x", "num"),
    cases=cases,
    truth=truth,
    tolerance=3e-4,
    hints=(
        "What does PCA do to the data before it looks for directions, and what undoes it?",
        "Subtract the mean. Project on the `num` directions of largest variance, and go back: the "
        "product of the two steps is a projection. Add the mean.",
        "With `v = torch.linalg.eigh(torch.cov(x.T)).eigenvectors[:, -num:]`, return `mean + (x - "
        "mean) @ v @ v.T`.",
    ),
    mistakes=(
        not_centered,
        mean_not_added,
        smallest_directions,
        rows_for_columns,
        mean_over_columns,
        code_returned,
    ),
    alternatives=(by_low_rank_approximation,),
    formulas=(
        by_hand,
        by_singular_values,
    ),
    right="No linear code of this size reconstructs these data better.",
)
