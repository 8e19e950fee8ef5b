"""Walks and coordinates in a latent space: arrays in, arrays out. No model, no picture."""

from numbers import Integral
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = [
    "PrincipalComponents",
    "interpolate",
    "manifold_grid",
    "principal_components",
    "traverse",
]


def _check_num(num: int) -> None:
    if not isinstance(num, Integral) or isinstance(num, bool) or num < 2:
        raise ValueError(f"num must be an integer of at least 2, got {num!r}")


def interpolate(start: Tensor, end: Tensor, num: int) -> Tensor:
    """Walk in a straight line from `start` to `end`.

    Parameters
    ----------
    start, end : Tensor
        Codes of one shape, ``(L,)`` or ``(B, L)``.
    num : int
        Points on the line, both ends included.

    Returns
    -------
    Tensor
        Shape ``(num, *start.shape)``.

    Raises
    ------
    ValueError
        If the shapes differ or `num` is below 2.

    Examples
    --------
    >>> import torch
    >>> import vaecourse as vae
    >>> vae.latents.interpolate(torch.tensor([0.0, 0.0]), torch.tensor([2.0, 4.0]), num=3)
    tensor([[0., 0.],
            [1., 2.],
            [2., 4.]])
    """
    _check_num(num)
    if start.shape != end.shape:
        raise ValueError(
            f"start and end must have one shape, got {tuple(start.shape)} and {tuple(end.shape)}"
        )
    weight = torch.linspace(0, 1, num, dtype=start.dtype, device=start.device)
    return torch.lerp(start, end, weight.reshape(-1, *[1] * start.dim()))


def manifold_grid(num: int, *, coverage: float = 0.95) -> Tensor:
    """Return a square grid of 2-D codes, spaced evenly in probability under N(0, 1).

    Parameters
    ----------
    num : int
        Points along each side.
    coverage : float
        Prior probability between the outermost points of an axis.

    Returns
    -------
    Tensor
        Shape ``(num, num, 2)``: the first row has the largest second coordinate, as a picture is
        read from the top.

    Raises
    ------
    ValueError
        If `num` is below 2 or `coverage` is not between 0 and 1.
    """
    _check_num(num)
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must lie between 0 and 1, got {coverage!r}")
    tail = (1 - coverage) / 2
    axis = torch.special.ndtri(torch.linspace(tail, 1 - tail, num, dtype=torch.float64)).float()
    rows, columns = torch.meshgrid(axis.flip(0), axis, indexing="ij")
    return torch.stack([columns, rows], dim=-1)


def traverse(z: Tensor, dim: int, values: Tensor) -> Tensor:
    """Copy one code and replace one of its dimensions by each of `values`.

    Parameters
    ----------
    z : Tensor
        Shape ``(L,)``.
    dim : int
        Dimension to vary.
    values : Tensor
        Shape ``(N,)``.

    Returns
    -------
    Tensor
        Shape ``(N, L)``.

    Raises
    ------
    ValueError
        If `z` is not one code or has no such dimension.
    """
    if z.dim() != 1 or not -len(z) <= dim < len(z):
        raise ValueError(f"z must be one code (L,) with a dimension {dim}, got {tuple(z.shape)}")
    codes = z.repeat(len(values), 1)
    codes[:, dim] = values
    return codes


class PrincipalComponents(NamedTuple):
    """Principal component analysis of N points in D dimensions.

    Attributes
    ----------
    mean : Tensor
        Shape ``(D,)``.
    directions : Tensor
        Shape ``(R, D)``, orthonormal, by falling variance.
    variances : Tensor
        Shape ``(R,)``, variance along each direction.
    """

    mean: Tensor
    directions: Tensor
    variances: Tensor

    def project(self, x: Tensor) -> Tensor:
        """Return coordinates ``(N, R)`` of points ``(N, D)``."""
        return (x - self.mean) @ self.directions.T


def principal_components(x: Tensor, num: int | None = None) -> PrincipalComponents:
    """Find the orthogonal directions along which `x` varies most.

    Parameters
    ----------
    x : Tensor
        Shape ``(N, D)`` with at least two points.
    num : int, optional
        Directions to keep; all ``min(N, D)`` without it.

    Returns
    -------
    PrincipalComponents
        Mean, directions and variances, as scikit-learn's ``PCA`` has them up to sign.

    Raises
    ------
    ValueError
        If `x` is no matrix of at least two points, or `num` is out of range.
    """
    if x.dim() != 2 or len(x) < 2:
        raise ValueError(f"x must be (N, D) with N of at least 2, got {tuple(x.shape)}")
    limit = min(x.shape)
    if num is not None and (not isinstance(num, Integral) or not 1 <= num <= limit):
        raise ValueError(f"num must be an integer from 1 to {limit}, got {num!r}")
    mean = x.mean(0)
    covariance = torch.cov((x - mean).double().T).reshape(x.shape[1], x.shape[1])
    variances, directions = torch.linalg.eigh(covariance)
    keep = slice(None, num or limit)
    return PrincipalComponents(
        mean,
        directions.flip(1).T[keep].to(x.dtype),
        variances.flip(0).clamp(min=0)[keep].to(x.dtype),
    )
