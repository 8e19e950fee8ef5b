"""Objectives against torch.distributions on the same noise, and against exact log p(x)."""

from math import log, pi

import numpy as np
import pytest
import torch
from scipy import stats
from torch import distributions as td

import vaecourse as vc
from vaecourse.objectives import elbo, reconstruction
from vaecourse.runtime import isolated_rng

D, L, SIGMA = 5, 2, 0.6


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def _batch(x):
    return vc.Batch(x, torch.full((len(x),), -1))


def _linear_gaussian():
    """Return a linear VAE whose encoder is its exact posterior, with W, b and some x.

    Orthogonal columns of W make the posterior's covariance diagonal, so the encoder can hold it.
    """
    rng = np.random.default_rng(0)
    weight = np.linalg.qr(rng.normal(size=(D, L)))[0] * [1.5, 0.8]
    bias = rng.normal(size=D)
    variance = 1 / (1 + (weight**2).sum(0) / SIGMA**2)
    gain = variance[:, None] * weight.T / SIGMA**2
    model = vc.linear_vae(D, L).double()
    model.decoder[1].scale.fill_(SIGMA)
    values = (
        np.concatenate([gain, np.zeros((L, D))]),
        np.concatenate([-gain @ bias, np.log(variance)]),
        weight,
        bias,
    )
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), values, strict=True):
            parameter.copy_(torch.from_numpy(value))
    z, noise = rng.normal(size=(20, L)), rng.normal(size=(20, D))
    return model, weight, bias, torch.from_numpy(z @ weight.T + bias + SIGMA * noise)


def _log_marginal(weight, bias, x):
    covariance = weight @ weight.T + SIGMA**2 * np.eye(D)
    return torch.from_numpy(stats.multivariate_normal(bias, covariance).logpdf(x.numpy()))


class _Cubature(td.Independent):
    """A Gaussian whose 2L 'samples' average every quadratic function exactly."""

    def rsample(self, sample_shape=()):
        num = self.event_shape[0]
        assert tuple(sample_shape) == (2 * num,)
        points = num**0.5 * torch.cat([torch.eye(num), -torch.eye(num)]).double()
        return self.mean + self.stddev * points[:, None]


def _exact_elbo(model, x):
    """Return the ELBO of a linear-Gaussian model without noise: its integrand is quadratic."""
    encode = model.encode
    model.encode = lambda x: _Cubature(encode(x).base_dist, 1)
    try:
        return elbo(model, _batch(x), num_samples=2 * L)["elbo"].detach()
    finally:
        model.encode = encode


def test_elbo_is_log_marginal_at_the_exact_posterior():
    model, weight, bias, x = _linear_gaussian()
    expected = _log_marginal(weight, bias, x)
    torch.testing.assert_close(_exact_elbo(model, x), expected, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(("name", "shift"), [("bias", 0.3), ("bias", -1.0), ("weight", 0.05)])
def test_elbo_lies_below_by_the_divergence_from_the_posterior(name, shift):
    """log p(x) - ELBO = KL(q || p(z|x)), for an encoder that is off."""
    model, weight, bias, x = _linear_gaussian()
    exact = model.encode(x)
    with torch.no_grad():
        getattr(model.encoder[0].layers[0], name).add_(shift)
    gap = td.kl_divergence(model.encode(x), exact).detach()
    bound = _exact_elbo(model, x)
    assert (gap > 1e-3).all()
    torch.testing.assert_close(_log_marginal(weight, bias, x) - bound, gap, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("num_samples", [1, 5])
def test_elbo_is_unbiased(num_samples):
    """Many independent estimates average to the exact value, within four standard errors."""
    model, _, _, x = _linear_gaussian()
    copies = x[:1].expand(20_000, D)
    with torch.no_grad(), isolated_rng(0):
        estimates = elbo(model, _batch(copies), num_samples=num_samples)["elbo"]
    error = estimates.std() / len(copies) ** 0.5
    assert 0 < error < 0.05
    assert (estimates.mean() - _exact_elbo(model, x[:1])).abs() < 4 * error


def _straight(model, x, likelihood, num_samples):
    """Compute reconstruction and KL with torch.distributions on noise drawn as `rsample` does."""
    mean, log_variance = model.encoder[0](x).chunk(2, -1)
    scale = (log_variance / 2).exp()
    noise = torch.normal(torch.zeros(num_samples, *mean.shape), torch.ones(()))
    log_likelihood = torch.zeros(len(x))
    for one in noise:
        p = likelihood(model.decoder[0](mean + scale * one))
        log_likelihood += p.log_prob(x).flatten(1).sum(1) / num_samples
    kl = td.kl_divergence(td.Normal(mean, scale), td.Normal(0, 1)).sum(-1)
    return log_likelihood, kl


@pytest.mark.parametrize("num_samples", [1, 7])
@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
@pytest.mark.parametrize(
    ("head", "likelihood"),
    [
        (vc.Bernoulli, lambda y: td.Bernoulli(logits=y, validate_args=False)),
        (vc.GaussianFixedScale, lambda y: td.Normal(y, 1.0)),
        (vc.Gaussian, lambda y: td.Normal(y[:, :1], (y[:, 1:] / 2).exp())),
    ],
)
def test_elbo_equals_a_straight_computation(head, likelihood, beta, num_samples):
    x = torch.rand(6, 1, 4, 4)
    model = vc.mlp_vae((1, 4, 4), 3, (8,), likelihood=head)
    with torch.no_grad(), isolated_rng(3):
        log_likelihood, kl = _straight(model, x, likelihood, num_samples)
    with torch.no_grad(), isolated_rng(3):
        terms = elbo(model, _batch(x), beta=beta, num_samples=num_samples)
    expected = {
        "reconstruction": log_likelihood,
        "kl": kl,
        "elbo": log_likelihood - kl,
        "loss": beta * kl - log_likelihood,
    }
    assert terms.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_reconstruction_of_an_autoencoder_is_its_squared_error(scale):
    model = vc.mlp_autoencoder((2, 3), 2, likelihood=lambda e: vc.GaussianFixedScale(e, scale))
    model.double()
    x = torch.randn(7, 2, 3, dtype=torch.float64)
    terms = reconstruction(model, _batch(x))
    squared_error = (x - model.decoder[0](model.encoder[0](x))).square().sum((1, 2))
    expected = -squared_error / (2 * scale**2) - 6 / 2 * log(2 * pi * scale**2)
    # The scale itself is stored in float32.
    torch.testing.assert_close(terms["reconstruction"], expected, rtol=1e-6, atol=0)
    assert torch.equal(terms["loss"], -terms["reconstruction"])


def test_reconstruction_of_a_vae_decodes_the_posterior_mean():
    model, weight, bias, x = _linear_gaussian()
    decoded = model.encode(x).mean.detach().numpy() @ weight.T + bias
    expected = stats.norm.logpdf(x.numpy(), decoded, SIGMA).sum(1)
    got = reconstruction(model, _batch(x))["reconstruction"].detach()
    np.testing.assert_allclose(got, expected, rtol=1e-6)


@pytest.mark.parametrize("num_samples", [0, -1, 2.0, "3", True])
def test_num_samples_must_be_a_positive_integer(num_samples):
    model, _, _, x = _linear_gaussian()
    with pytest.raises(ValueError) as caught:
        elbo(model, _batch(x), num_samples=num_samples)
    assert str(caught.value) == f"num_samples must be a positive integer, got {num_samples!r}"
