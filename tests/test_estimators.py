"""Importance sampling against the exact log p(x) of linear-Gaussian models."""

from math import log

import numpy as np
import pytest
import torch
from linear_vae import SIGMA, linear_gaussian
from scipy import stats
from scipy.special import logsumexp
from torch import nn

import vaecourse as vc
from vaecourse.evaluation.marginal import log_marginal
from vaecourse.runtime import isolated_rng


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("num_samples", [1, 2, 100])
def test_exact_posterior_has_no_error(num_samples):
    model, x, exact = linear_gaussian()
    value, error, ess = log_marginal(model, x, num_samples)
    torch.testing.assert_close(value, exact, rtol=1e-6, atol=1e-6)
    assert (error < 1e-6).all() or num_samples == 1
    np.testing.assert_allclose(ess, num_samples, rtol=1e-10)


def test_one_sample_has_no_standard_error():
    model, x, _ = linear_gaussian(widen=1.3)
    assert log_marginal(model, x, 1).standard_error.isinf().all()
    assert log_marginal(model, x, 2).standard_error.isfinite().all()


@pytest.mark.parametrize(("proposal", "widen"), [("posterior", 1.3), ("prior", 1.0)])
def test_estimates_lie_within_their_standard_errors(proposal, widen):
    model, x, exact = linear_gaussian(shift=0.1, widen=widen)
    value, error, ess = log_marginal(model, x, 20_000, proposal=proposal, chunk=1000)
    assert (error > 0).all()
    assert (error < 0.2).all()
    assert ((value - exact).abs() < 4 * error).all()
    assert (ess >= 1).all()
    assert (ess < 20_000).all()


def _weights(model, x, proposal, num_samples, seed):
    """Return log weights (K, B) written out with scipy, on draws made one by one."""
    posterior = model.encode(x)
    mean, scale = (p.detach().numpy() for p in (posterior.mean, posterior.stddev))
    if proposal == "prior":
        mean, scale = np.zeros_like(mean), np.ones_like(scale)
    with isolated_rng(seed):
        noise = np.stack(
            [
                torch.normal(torch.zeros(mean.shape).double(), torch.ones(mean.shape).double())
                for _ in range(num_samples)
            ]
        )
    z = mean + scale * noise
    decoded = model.decode(torch.from_numpy(z)).mean.detach().numpy()
    return (
        stats.norm.logpdf(x.numpy(), decoded, model.decoder[1].scale.item()).sum(-1)
        + stats.norm.logpdf(z).sum(-1)
        - stats.norm.logpdf(z, mean, scale).sum(-1)
    )


@pytest.mark.parametrize("proposal", ["prior", "posterior"])
def test_equals_the_formulas_on_the_same_draws(proposal):
    model, x, _ = linear_gaussian(shift=0.2, widen=1.5)
    got = log_marginal(model, x, 40, proposal=proposal, seed=3)
    log_w = _weights(model, x, proposal, 40, seed=3)
    weights = np.exp(log_w)
    np.testing.assert_allclose(got.value, logsumexp(log_w, 0) - log(40), rtol=1e-9)
    ess = weights.sum(0) ** 2 / (weights**2).sum(0)
    np.testing.assert_allclose(got.effective_sample_size, ess, rtol=1e-9)
    delta = weights.std(0, ddof=1) / 40**0.5 / weights.mean(0)
    np.testing.assert_allclose(got.standard_error, delta, rtol=1e-7)


@pytest.mark.parametrize("proposal", ["prior", "posterior"])
@pytest.mark.parametrize("chunk", [1, 7, 50, 1000])
def test_chunks_do_not_change_the_result(proposal, chunk):
    model, x, _ = linear_gaussian(shift=0.2)
    expected = log_marginal(model, x, 100, proposal=proposal, chunk=100)
    got = log_marginal(model, x, 100, proposal=proposal, chunk=chunk)
    for one, two in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("proposal", ["prior", "posterior"])
def test_the_mean_weight_is_unbiased(proposal):
    """Over many seeds exp(value) averages to p(x), while the values average to less."""
    model, x, exact = linear_gaussian(2, 1, shift=0.3)
    runs = 400
    values = torch.stack(
        [log_marginal(model, x, 5, proposal=proposal, seed=seed).value for seed in range(runs)]
    )
    density = values.exp()
    error = density.std(0) / runs**0.5
    assert ((density.mean(0) - exact.exp()).abs() < 4 * error).all()
    log_error = values.std(0) / runs**0.5
    assert ((exact - values.mean(0)) > -4 * log_error).all()
    assert ((exact - values.mean(0)) > 2 * log_error).any()


def test_huge_negative_densities_do_not_underflow():
    """At 2,000 standard deviations p(x) is far below the smallest number."""
    model, _, _ = linear_gaussian()
    x = torch.full((1, 4), 1200.0, dtype=torch.float64)
    got = log_marginal(model, x, 50)
    weight, bias = (p.detach().numpy() for p in model.decoder.parameters())
    exact = stats.multivariate_normal(bias, weight @ weight.T + SIGMA**2 * np.eye(4)).logpdf(x)
    assert exact < -1e5
    assert got.value.item() == pytest.approx(exact, rel=1e-6)


@pytest.mark.parametrize("batch_size", [1, 5, 100])
def test_batches_keep_the_order_of_examples(batch_size):
    model, x, exact = linear_gaussian()
    got = log_marginal(model, x, 10, batch_size=batch_size)
    assert all(part.shape == (12,) and part.dtype == torch.float64 for part in got)
    torch.testing.assert_close(got.value, exact, rtol=1e-6, atol=1e-6)


def test_images_work_and_float32_is_close():
    with isolated_rng(0):
        model = vc.mlp_vae((1, 4, 4), 3, (8,))
    x = torch.rand(5, 1, 4, 4).round()
    single = log_marginal(model, x, 200)
    assert (single.value < 0).all()
    exact = log_marginal(model, x, 20_000, proposal="prior", chunk=2000)
    error = (single.standard_error**2 + exact.standard_error**2).sqrt()
    assert ((single.value - exact.value).abs() < 5 * error).all()


def test_random_state_and_mode_are_left_alone():
    model, x, _ = linear_gaussian(shift=0.3)
    expected = log_marginal(model, x, 5)
    model.encoder = nn.Sequential(nn.Dropout(0.5), model.encoder)
    model.train()
    before = torch.get_rng_state()
    got = log_marginal(model, x, 5)
    assert torch.equal(torch.get_rng_state(), before)
    assert model.training
    assert torch.equal(got.value, expected.value)
    assert not torch.equal(got.value, log_marginal(model, x, 5, seed=1).value)


@pytest.mark.parametrize("name", ["num_samples", "chunk", "batch_size"])
@pytest.mark.parametrize("count", [0, -2, 1.5, True])
def test_counts_must_be_positive_integers(name, count):
    model, x, _ = linear_gaussian()
    with pytest.raises(ValueError, match=f"{name} must be a positive integer, got {count}"):
        log_marginal(model, x, **{"num_samples": 3, name: count})


def test_proposal_must_be_known():
    model, x, _ = linear_gaussian()
    with pytest.raises(ValueError, match='proposal must be "prior" or "posterior", got \'guess\''):
        log_marginal(model, x, 3, proposal="guess")
