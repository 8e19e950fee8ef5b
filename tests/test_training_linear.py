"""Linear models reach the optimum that PCA and probabilistic PCA have in closed form."""

from functools import partial

import numpy as np
import pytest
import torch
import toy
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from toy import D

import vaecourse as vc
from vaecourse.objectives import elbo, reconstruction


def _gaussian_data(num, scales, noise):
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(D, len(scales))))[0] * scales
    x = rng.normal(size=(num, len(scales))) @ basis.T + noise * rng.normal(size=(num, D)) + 0.5
    return torch.from_numpy(x).float()


def _batch_of(x):
    return vc.Batch(x, torch.full((len(x),), -1))


def test_linear_autoencoder_finds_the_principal_subspace():
    """Baldi and Hornik (1989): the optimum spans the leading principal components."""
    x = _gaussian_data(300, [2.0, 1.5], 0.3)
    model = toy.model(vc.linear_autoencoder)
    steps = 800
    rate = vc.warmup_cosine(3e-2, 20, steps)
    toy.fit(model, reconstruction, _batch_of(x), steps=steps, batch_size=300, lr=rate)
    pca = PCA(2).fit(x.numpy())
    decoder = model.decoder[0].layers[0].weight.detach().numpy()
    angles = np.degrees(subspace_angles(decoder, pca.components_.T))
    assert angles.max() < 1
    best = pca.inverse_transform(pca.transform(x.numpy()))
    error = (model.decode(model.encode(x).mean).mean.detach().numpy() - x.numpy()) ** 2
    assert error.sum() == pytest.approx(((best - x.numpy()) ** 2).sum(), rel=1e-3)


def test_linear_vae_reaches_the_likelihood_of_probabilistic_pca():
    """Lucas et al. (2019): with a learned scale the ELBO's optimum is the maximum likelihood.

    scikit-learn divides its covariance by N - 1, the maximum itself by N.
    """
    x = _gaussian_data(400, [2.0, 1.2], 0.4)
    model = toy.model(vc.linear_vae, likelihood=vc.GaussianSharedScale)
    steps = 1500
    rate = vc.warmup_cosine(2e-2, 20, steps)
    toy.fit(model, partial(elbo, num_samples=4), _batch_of(x), steps=steps, batch_size=400, lr=rate)
    reached = vc.oracle.as_linear_gaussian(model).log_marginal(x).mean().item()
    best = vc.LinearGaussian.fit(x, 2).log_marginal(x).mean().item()
    assert reached == pytest.approx(PCA(2).fit(x.numpy()).score(x.numpy()), rel=1e-3)
    assert best * (1 + 1e-3) < reached <= best
