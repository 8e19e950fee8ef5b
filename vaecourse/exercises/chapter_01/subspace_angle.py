"""The angle between two subspaces."""

import math

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Two sets of columns, in general position."""
    return [
        (normal((6, 2), 1), normal((6, 2), 2)),
        (normal((30, 4), 3), normal((30, 4), 3) + normal((30, 4), 4, scale=0.4)),
        (normal((5, 1), 5, torch.float64), normal((5, 1), 6, torch.float64)),
    ]


def truth(a, b):
    """Arcsine of the largest part of one subspace outside the other."""
    a, b = torch.linalg.qr(a).Q, torch.linalg.qr(b).Q
    outside = b - a @ (a.T @ b)
    return torch.linalg.matrix_norm(outside, 2).clamp(max=1).asin().rad2deg()


def cosines(a, b):
    """Cosines of the principal angles, largest first."""
    return torch.linalg.svdvals(torch.linalg.qr(a).Q.T @ torch.linalg.qr(b).Q).clamp(max=1)


def smallest_angle(a, b):
    """You returned the smallest principal angle: the largest cosine has the smallest angle."""
    return cosines(a, b)[0].acos().rad2deg()


def in_radians(a, b):
    """You returned radians. Degrees are asked for."""
    return truth(a, b) * math.pi / 180


def not_orthonormal(a, b):
    """Your columns are not perpendicular, only scaled to length one. Orthonormalize them first."""
    a, b = torch.nn.functional.normalize(a, dim=0), torch.nn.functional.normalize(b, dim=0)
    return torch.linalg.svdvals(a.T @ b)[-1].clamp(max=1).acos().rad2deg()


def columns_by_pairs(a, b):
    """You compared columns one by one. The same subspace has many sets of columns."""
    cosine = torch.nn.functional.cosine_similarity(a, b, dim=0).abs()
    return cosine.min().acos().rad2deg()


def cosine_returned(a, b):
    """You returned the cosine. The angle is its arccosine, in degrees."""
    return cosines(a, b)[-1]


def blind_to_the_columns(answer):
    """A mixture of the columns spans the same subspace."""
    a, b, mix = normal((7, 3), 8), normal((7, 3), 9), normal((3, 3), 10)
    if (answer(a, b) - answer(a, b @ mix)).abs() > 0.05:
        return (
            "Mix the columns of `b` by an invertible matrix, and your angle changes. It should not."
        )
    return None


def finite_for_one_subspace(answer):
    """Rounding lifts a cosine above one."""
    for seed in range(20):
        a = normal((6, 2), 20 + seed)
        if not torch.as_tensor(answer(a, a @ normal((2, 2), 50 + seed))).isfinite().all():
            return (
                "For two sets of columns that span the same subspace it returns NaN: rounding "
                "lifts a cosine above one. Clamp it."
            )
    return None


def by_projections(a, b):
    """Compare the projections on the two subspaces."""
    a, b = torch.linalg.svd(a, full_matrices=False).U, torch.linalg.svd(b, full_matrices=False).U
    return torch.rad2deg(torch.arccos(torch.linalg.svdvals(b.T @ a).min().clamp(max=1)))


def by_hand(a, b):
    """The arccosine of the smallest cosine."""
    cosines = torch.linalg.svdvals(torch.linalg.qr(a).Q.T @ torch.linalg.qr(b).Q)
    return cosines.min().clamp(max=1).acos() * 180 / math.pi


EXERCISE = Exercise(
    name="01-subspace-angle",
    title="The angle between two subspaces",
    difficulty=2,
    minutes=15,
    parameters=("a", "b"),
    cases=cases,
    truth=truth,
    properties=(
        blind_to_the_columns,
        finite_for_one_subspace,
    ),
    hints=(
        "A subspace has many sets of columns. Which set makes scalar products into cosines?",
        "Orthonormalize both sets with `torch.linalg.qr`. The singular values of the product of "
        "the two are the cosines of the principal angles.",
        "`cosine = torch.linalg.svdvals(torch.linalg.qr(a).Q.T @ torch.linalg.qr(b).Q).min()`, "
        "then `cosine.clamp(max=1).acos().rad2deg()`.",
    ),
    mistakes=(
        smallest_angle,
        in_radians,
        not_orthonormal,
        columns_by_pairs,
        cosine_returned,
    ),
    alternatives=(by_projections,),
    formulas=(by_hand,),
    right="An error near PCA's would not have shown a direction that is off by 90 degrees.",
)
