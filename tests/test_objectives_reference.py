"""A trained model's bounds against numpy and scipy, which know nothing of this package."""

from functools import partial

import numpy as np
import pytest
import torch
import toy
from scipy import stats
from scipy.special import expit, logsumexp

import vaecourse as vc
from vaecourse.objectives import elbo, iwae, sampled_elbo
from vaecourse.runtime import isolated_rng

SAMPLES, SEED = 8, 5


@pytest.fixture(scope="module")
def trained():
    """A Bernoulli VAE of binarized digits with one hidden layer, and 100 held-out images."""
    split = vc.load("digits")
    images = vc.Batch(split.train.x.round(), split.train.y)
    model = toy.model(partial(_mlp, hidden=(32,)))
    toy.fit(model, data=images, epochs=10, batch_size=64, lr=3e-3)
    return model, split.valid.x[:100].round()


def _mlp(_dim, latent_dim, **options):
    return vc.mlp_vae((1, 8, 8), latent_dim, **options)


def _layers(half):
    return [
        (layer.weight.detach().double().numpy(), layer.bias.detach().double().numpy())
        for layer in half[0].layers
        if isinstance(layer, torch.nn.Linear)
    ]


def _forward(layers, x):
    (first, first_bias), (second, second_bias) = layers
    return np.maximum(x @ first.T + first_bias, 0) @ second.T + second_bias


def _reference(model, x):
    """Return log likelihood and log weights ``(K, B)`` and the analytic KL ``(B,)``."""
    pixels = x.flatten(1).double().numpy()
    mean, log_variance = np.split(_forward(_layers(model.encoder), pixels), 2, axis=1)
    scale = np.exp(log_variance / 2)
    with isolated_rng(SEED):
        noise = torch.randn(SAMPLES, *mean.shape).double().numpy()
    z = mean + scale * noise
    p = expit(_forward(_layers(model.decoder), z))
    log_likelihood = stats.bernoulli.logpmf(pixels, p).sum(-1)
    log_ratio = stats.norm.logpdf(z).sum(-1) - stats.norm.logpdf(z, mean, scale).sum(-1)
    kl = 0.5 * (scale**2 + mean**2 - 1 - log_variance).sum(-1)
    return log_likelihood, log_likelihood + log_ratio, kl


def _ours(objective, model, x):
    with isolated_rng(SEED), torch.no_grad():
        return objective(model, vc.Batch(x, torch.zeros(len(x)).long()), num_samples=SAMPLES)


def test_the_model_is_trained(trained):
    """It beats independent pixels, so the comparison below is not one of trivial numbers."""
    model, x = trained
    bound = _ours(elbo, model, x)["elbo"].mean()
    frequency = vc.load("digits").train.x.round().mean(0).clamp(1e-3, 1 - 1e-3).double().numpy()
    assert bound > stats.bernoulli.logpmf(x.double().numpy(), frequency).sum((1, 2, 3)).mean() + 1


def test_elbo_equals_the_reference(trained):
    log_likelihood, _, kl = _reference(*trained)
    terms = _ours(elbo, *trained)
    np.testing.assert_allclose(terms["elbo"], log_likelihood.mean(0) - kl, rtol=1e-4)
    np.testing.assert_allclose(terms["kl"], kl, rtol=1e-4)


def test_sampled_elbo_equals_the_reference(trained):
    _, log_weights, _ = _reference(*trained)
    np.testing.assert_allclose(
        _ours(sampled_elbo, *trained)["elbo"], log_weights.mean(0), rtol=1e-4
    )


@pytest.mark.parametrize("doubly", [False, True])
def test_iwae_equals_the_reference(trained, doubly):
    _, log_weights, _ = _reference(*trained)
    terms = _ours(partial(iwae, doubly_reparameterized=doubly), *trained)
    expected = logsumexp(log_weights, axis=0) - np.log(SAMPLES)
    np.testing.assert_allclose(terms["iwae"], expected, rtol=1e-4)
    np.testing.assert_allclose(-terms["loss"], expected, rtol=1e-4)
