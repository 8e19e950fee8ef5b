"""A VAE whose log p(x) and posterior are known exactly, for the tests of estimators."""

import numpy as np
import torch
from scipy import stats

import vaecourse as vc
from vaecourse.runtime import isolated_rng

SIGMA = 0.6


def linear_gaussian(dim=4, latent_dim=2, shift=0.0, widen=1.0):
    """Return a float64 linear VAE, 12 points from it, and their exact log p(x).

    Orthogonal columns of W make the posterior diagonal, so the encoder holds it exactly unless
    `shift` moves its mean or `widen` scales its standard deviation.
    """
    rng = np.random.default_rng(0)
    weight = np.linalg.qr(rng.normal(size=(dim, latent_dim)))[0] * [1.5, 0.8][:latent_dim]
    bias = rng.normal(size=dim)
    variance = 1 / (1 + (weight**2).sum(0) / SIGMA**2)
    gain = variance[:, None] * weight.T / SIGMA**2
    with isolated_rng(0):
        model = vc.linear_vae(dim, latent_dim).double()
    model.decoder[1].scale.fill_(SIGMA)
    log_variance = np.log(variance * widen**2)
    values = (
        np.concatenate([gain, np.zeros_like(gain)]),
        np.concatenate([shift - gain @ bias, log_variance]),
        weight,
        bias,
    )
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), values, strict=True):
            parameter.copy_(torch.from_numpy(value))
    covariance = weight @ weight.T + SIGMA**2 * np.eye(dim)
    marginal = stats.multivariate_normal(bias, covariance)
    x = marginal.rvs(12, random_state=1).reshape(12, dim)
    return model, torch.from_numpy(x), torch.from_numpy(np.atleast_1d(marginal.logpdf(x)))
