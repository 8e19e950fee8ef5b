"""Live figures of inference: models that are known exactly, and need no training."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from vaecourse.data.linear_gaussian import LinearGaussian
from vaecourse.interactive import pictures
from vaecourse.interactive.digits import rounded
from vaecourse.interactive.host import LiveFigure

__all__ = ["elbo_gap", "gradients", "marginal", "monte_carlo"]

CODES = np.linspace(-4, 4, 401)
STRIDES = [80, 50, 40, 25, 20, 16, 10, 8, 5, 4, 2, 1]  # all divide the 400 steps between codes


def marginal(curve: nn.Module, *, scale: float = 0.15, extent: float = 3.0) -> LiveFigure:
    r"""Show the marginal of a decoder with one code, while its scale changes.

    .. math::
        p(x) \approx \sum_{k=1}^{K} w_k\, \mathcal{N}(x; g(z_k), \sigma^2 I),
        \qquad w_k \propto p(z_k),

    with codes :math:`z_k` evenly spaced from -4 to 4.

    Parameters
    ----------
    curve : Module
        The decoder's network g, from codes ``(K, 1)`` to points ``(K, 2)`` of the plane.
    scale : float
        Standard deviation :math:`\sigma` at the start, between 0.05 and 1.2.
    extent : float
        The plane is shown from ``-extent`` to ``extent``.

    Returns
    -------
    LiveFigure
        Its state: ``scale``, ``stride`` (the place in a list of numbers of components) and ``cut``.

    Raises
    ------
    ValueError
        If `scale` or `extent` is out of range, or the curve does not lie in the plane.
    """
    if not 0.05 <= scale <= 1.2 or not extent > 0:
        raise ValueError(
            "scale must lie between 0.05 and 1.2 and extent must be positive, "
            f"got {scale!r} and {extent!r}"
        )
    codes = torch.from_numpy(CODES).float().unsqueeze(-1)
    with torch.no_grad():
        points = curve(codes)
    if points.shape != (len(CODES), 2):
        raise ValueError(
            f"curve must map codes of shape (K, 1) to points (K, 2), got {tuple(points.shape)}"
        )
    options = {
        "codes": CODES.round(4).tolist(),
        "points": rounded(points, 4),
        "extent": extent,
        "strides": STRIDES,
    }
    return LiveFigure(
        "marginal",
        options,
        {"scale": scale, "stride": len(STRIDES) - 1, "cut": 0.0},
        picture=lambda: pictures.marginal(points.double().numpy(), CODES, scale, extent),
        description="The density of a mixture of Gaussians along a curve, for four scales of the "
        "decoder: a thin line, a soft band, a blurred ring and a round blob.",
    )


def monte_carlo(
    *, length: float = 1.5, scale: float = 0.5, data_dim: int = 64, latent_dim: int = 10
) -> LiveFigure:
    r"""Show direct Monte Carlo on the linear-Gaussian model, beside the exact value.

    The columns of W are perpendicular and of equal length, and x is typical: one standard deviation
    of p(x) from the mean, along each of ``data_dim`` perpendicular directions.

    Parameters
    ----------
    length : float
        Length of each column of W.
    scale : float
        Standard deviation of x given z.
    data_dim : int
        Dimension of x, at least 50.
    latent_dim : int
        Dimension of z at the start, from 1 to 50.

    Returns
    -------
    LiveFigure
        Its state: ``latentDim``, ``power`` (K is two to this power) and ``seed``.

    Raises
    ------
    ValueError
        If a dimension is out of range, or `length` or `scale` is not positive.
    """
    if not (length > 0 and scale > 0):
        raise ValueError(f"length and scale must be positive, got {length!r} and {scale!r}")
    if data_dim < 50 or not 1 <= latent_dim <= 50:
        raise ValueError(
            "data_dim must be at least 50 and latent_dim between 1 and 50, "
            f"got {data_dim} and {latent_dim}"
        )
    options = {"length": length, "scale": scale, "dataDim": data_dim}
    return LiveFigure(
        "monte-carlo",
        options,
        {"latentDim": latent_dim, "power": 10, "seed": 3},
        picture=lambda: pictures.monte_carlo(length, scale, latent_dim),
        description="Ten runs of direct Monte Carlo over the number of samples, in nats from the "
        "exact log p(x). All start far below zero and climb in steps.",
    )


def elbo_gap(oracle: LinearGaussian, x: Tensor) -> LiveFigure:
    """Show a Gaussian q over the exact posterior of one code, and the bound's bookkeeping.

    Parameters
    ----------
    oracle : LinearGaussian
        A model with one latent dimension.
    x : Tensor
        One example, shape ``(1, D)``.

    Returns
    -------
    LiveFigure
        Its state: ``mean`` and ``deviation`` of q.

    Raises
    ------
    ValueError
        If the model has more latent dimensions, or log p(x) is not negative.
    """
    _check_one_latent(oracle, x)
    log_marginal = oracle.log_marginal(x).item()
    if log_marginal >= 0:
        raise ValueError(
            f"the bars hang from zero, so log p(x) must be negative, got {log_marginal:.2f}"
        )
    posterior = oracle.posterior(x)
    mean, deviation = posterior.mean.item(), posterior.covariance_matrix.sqrt().item()
    start = {"mean": round(mean - 2.2 * deviation - 0.4, 2), "deviation": round(1.7 * deviation, 2)}
    near = min(-2.5, mean - 3.5), max(2.5, mean + 2.5)
    view = {
        "axis": near,
        "means": (near[0] + 0.5, near[1] - 0.5),
        "widths": (round(0.35 * deviation, 2), 1.2),
        "floor": round(3.2 * log_marginal, 1),
    }
    return LiveFigure(
        "elbo-gap",
        {**_sufficient(oracle, x), "view": view, "start": start},
        start,
        picture=lambda: pictures.elbo_gap(mean, deviation, log_marginal, start, near),
        description="Density curves of a posterior and of a wider q beside it, and bars: the ELBO "
        "lies below log p(x) by exactly the KL divergence from q to the posterior.",
    )


def gradients(oracle: LinearGaussian, x: Tensor) -> LiveFigure:
    """Show pathwise and score-function estimates of the bound's gradient, from the same noise.

    Parameters
    ----------
    oracle : LinearGaussian
        A model with one latent dimension.
    x : Tensor
        One example, shape ``(1, D)``.

    Returns
    -------
    LiveFigure
        Its state: ``mean`` and ``logVariance`` of q, ``samples`` (the place in a list of numbers of
        samples), ``baseline``, ``drawn`` and ``seed``. q starts one posterior standard deviation
        off, and twice as wide as the posterior.

    Raises
    ------
    ValueError
        If the model has more latent dimensions.
    """
    _check_one_latent(oracle, x)
    posterior = oracle.posterior(x)
    center, variance = posterior.mean.item(), posterior.covariance_matrix.item()
    deviation = math.sqrt(variance)
    problem = {
        "center": center,
        "precision": 1 / variance,
        "logMarginal": oracle.log_marginal(x).item(),
    }
    view = {
        "means": (center - 4 * deviation, center + 4 * deviation),
        "logVariances": (math.log(variance) - 3.5, math.log(variance) + 2.5),
    }
    state = {"mean": center + deviation, "logVariance": math.log(4 * variance)}
    return LiveFigure(
        "gradients",
        {"problem": problem, "view": view},
        {**state, "samples": 0, "baseline": False, "drawn": 100, "seed": 1},
        picture=lambda: pictures.gradients(**problem, **state),
        description="Tips of 300 pathwise and 300 score-function estimates of one gradient. The "
        "pathwise tips lie close around the exact gradient; the others spread far around it.",
    )


def _check_one_latent(oracle: LinearGaussian, x: Tensor) -> None:
    if oracle.latent_dim != 1 or x.shape != (1, oracle.data_dim):
        raise ValueError(
            "the figure shows one code and one example: it needs latent_dim 1 and x of shape "
            f"(1, {oracle.data_dim}), got latent_dim {oracle.latent_dim} and x {tuple(x.shape)}"
        )


def _sufficient(oracle: LinearGaussian, x: Tensor) -> dict[str, float]:
    """Return the inner products that the posterior and the bound depend on."""
    residual, weight = x[0].double() - oracle.bias, oracle.weight[:, 0]
    return {
        "weightSquare": (weight @ weight).item(),
        "weightResidual": (weight @ residual).item(),
        "residualSquare": (residual @ residual).item(),
        "dataDim": oracle.data_dim,
        "scale": oracle.scale,
    }
