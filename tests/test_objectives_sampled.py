"""Sampled objectives: their values on known noise, their gradients against the exact ones."""

from functools import partial
from math import log

import numpy as np
import pytest
import torch
from torch import distributions as td
from torch import nn

import vaecourse as vc
from vaecourse import LinearGaussian
from vaecourse.objectives import elbo, importance, iwae, sampled_elbo, score_function_elbo
from vaecourse.runtime import isolated_rng

D, L, COPIES = 5, 2, 20_000

SAMPLED = {
    "analytic KL": elbo,
    "all Monte Carlo": sampled_elbo,
    "three samples": partial(sampled_elbo, num_samples=3),
    "sticking the landing": partial(sampled_elbo, sticking_the_landing=True),
    "score function": partial(score_function_elbo, num_samples=2),
    "with a baseline": partial(score_function_elbo, num_samples=2, baseline=True),
    "iwae of one": partial(iwae, num_samples=1),
    "doubly reparameterized iwae of one": partial(iwae, num_samples=1, doubly_reparameterized=True),
}


class Table(nn.Module):
    """An encoder with a mean and a log variance for each row: gradients then come per row."""

    def __init__(self, mean, log_variance, rows):
        super().__init__()
        self.mean = nn.Parameter(mean.double().expand(rows, -1).clone())
        self.log_variance = nn.Parameter(log_variance.double().expand(rows, -1).clone())

    def forward(self, x):
        return td.Independent(td.Normal(self.mean, (self.log_variance / 2).exp()), 1)


def _batch(x):
    return vc.Batch(x, torch.full((len(x),), -1))


def _off_posterior(copies=COPIES, latent_dim=L):
    """Return an oracle, a VAE with a wrong posterior for one x, ``copies`` times, and its batch."""
    oracle = LinearGaussian.random(D, latent_dim)
    x, _ = oracle.sample(1, seed=1)
    exact = oracle.posterior(x)
    model = vc.oracle.as_vae(oracle)
    model.encoder = Table(exact.mean[0] + 0.3, exact.variance[0].log() + 0.5, copies)
    return oracle, model, _batch(x.expand(copies, D))


def _gradients(objective, model, batch, seed=0):
    """Return the gradient of each row's own mean and log variance, ``(rows, 2 L)``."""
    parts = [model.encoder.mean, model.encoder.log_variance]
    with isolated_rng(seed):
        loss = objective(model, batch)["loss"]
    return torch.cat(torch.autograd.grad(loss.sum(), parts), dim=1)


def _exact_gradient(oracle, model, batch):
    parts = [model.encoder.mean, model.encoder.log_variance]
    bound = oracle.elbo(batch.x, model.encode(batch.x))
    return -torch.cat(torch.autograd.grad(bound.sum(), parts), dim=1)[0]


@pytest.mark.parametrize("name", SAMPLED)
def test_gradient_of_the_encoder_is_unbiased(name):
    oracle, model, batch = _off_posterior()
    gradients = _gradients(SAMPLED[name], model, batch)
    error = gradients.std(0) / COPIES**0.5
    exact = _exact_gradient(oracle, model, batch)
    assert (exact.abs() > 4 * error).all(), "too noisy to tell a gradient from none"
    assert ((gradients.mean(0) - exact).abs() < 4 * error).all()


@pytest.mark.parametrize("name", SAMPLED)
def test_gradient_of_the_decoder_is_unbiased(name):
    oracle, model, batch = _off_posterior(500)
    affine = model.decoder[0].layers[0]
    blocks = []
    for seed in range(40):
        with isolated_rng(seed):
            loss = SAMPLED[name](model, batch)["loss"].mean()
        blocks.append(torch.autograd.grad(loss, affine.weight)[0])
    blocks = torch.stack(blocks)
    weight = oracle.weight.clone().requires_grad_()
    bound = LinearGaussian(weight, oracle.bias, oracle.scale).elbo(batch.x, model.encode(batch.x))
    exact = -torch.autograd.grad(bound.mean(), weight)[0]
    error = blocks.std(0) / len(blocks) ** 0.5
    assert exact.abs().max() > 20 * error.max()
    assert ((blocks.mean(0) - exact).abs() < 4 * error).all()


@pytest.mark.parametrize("name", SAMPLED)
def test_reported_bound_is_unbiased_and_is_minus_the_loss(name):
    oracle, model, batch = _off_posterior()
    with isolated_rng(0):
        terms = SAMPLED[name](model, batch)
    error = terms["elbo"].std() / COPIES**0.5
    exact = oracle.elbo(batch.x[:1], model.encode(batch.x[:1]).expand((COPIES,)))[0]
    assert 0 < error < 0.05
    assert (terms["elbo"].mean() - exact).abs() < 4 * error
    torch.testing.assert_close(terms["loss"], -terms["elbo"], rtol=1e-12, atol=1e-12)


def test_estimators_with_one_sample_see_the_same_bound():
    """Same noise, same z, same weight: only the gradients differ."""
    _, model, batch = _off_posterior(50)
    values = []
    for name in ("all Monte Carlo", "sticking the landing", "iwae of one"):
        with isolated_rng(0):
            values.append(SAMPLED[name](model, batch)["elbo"])
    with isolated_rng(0):
        values.append(score_function_elbo(model, batch)["elbo"])
    for value in values[1:]:
        torch.testing.assert_close(value, values[0], rtol=1e-12, atol=1e-12)


def test_variances_fall_in_the_order_that_theory_gives():
    _, model, batch = _off_posterior()
    names = ("score function", "with a baseline", "all Monte Carlo")
    spreads = [_gradients(SAMPLED[name], model, batch).var(0).sum() for name in names]
    # Of the three only the last draws a single sample, and still it is the calmest.
    assert spreads[0] > 2 * spreads[1] > 4 * spreads[2]


def test_sticking_the_landing_has_no_variance_at_the_exact_posterior():
    oracle, model, batch = _off_posterior(100)
    exact = oracle.posterior(batch.x[:1])
    model.encoder = Table(exact.mean[0], exact.variance[0].log(), 100)
    gradients = _gradients(SAMPLED["sticking the landing"], model, batch)
    assert gradients.abs().max() < 1e-10
    assert _gradients(sampled_elbo, model, batch).std() > 0.1


def test_beta_weights_the_sampled_rate_in_the_loss_alone():
    _, model, batch = _off_posterior(50)
    with isolated_rng(0):
        plain = sampled_elbo(model, batch)
    with isolated_rng(0):
        weighted = sampled_elbo(model, batch, beta=4.0)
    assert torch.equal(plain["elbo"], weighted["elbo"])
    expected = 4 * plain["kl"] - plain["reconstruction"]
    torch.testing.assert_close(weighted["loss"], expected)


def _log_weights(model, x, num_samples):
    """Return ``(K, B)`` log weights with torch.distributions on noise drawn as `rsample` does."""
    q = model.encode(x)
    noise = torch.normal(torch.zeros(num_samples, *q.mean.shape).double(), torch.ones(()).double())
    z = q.mean + q.stddev * noise
    affine, scale = model.decoder[0].layers[0], model.decoder[1].scale
    p = td.Normal(z @ affine.weight.T + affine.bias, scale)
    q = td.Normal(q.mean, q.stddev)
    return p.log_prob(x).sum(-1) + (td.Normal(0, 1).log_prob(z) - q.log_prob(z)).sum(-1)


@pytest.mark.parametrize("doubly", [False, True])
@pytest.mark.parametrize("num_samples", [1, 2, 50])
def test_iwae_equals_a_straight_computation(num_samples, doubly):
    _, model, batch = _off_posterior(30)
    with isolated_rng(4):
        log_w = _log_weights(model, batch.x, num_samples)
    with isolated_rng(4):
        terms = iwae(model, batch, num_samples=num_samples, doubly_reparameterized=doubly)
    expected = log_w.exp().mean(0).log()
    torch.testing.assert_close(terms["iwae"], expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(terms["loss"], -expected, rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(terms["elbo"], log_w.mean(0), rtol=1e-9, atol=1e-9)
    if not doubly:
        parts = [model.encoder.mean, model.encoder.log_variance]
        ours = torch.autograd.grad(terms["loss"].sum(), parts)
        theirs = torch.autograd.grad(-expected.sum(), parts)
        torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-10)


def test_iwae_rises_with_the_number_of_samples_towards_log_p():
    oracle, model, batch = _off_posterior(4000)
    means, errors = [], []
    for num_samples in (1, 2, 5, 20, 100):
        with isolated_rng(0), torch.no_grad():
            bound = iwae(model, batch, num_samples=num_samples)["iwae"]
        means.append(bound.mean().item())
        errors.append(bound.std().item() / len(bound) ** 0.5)
    exact = oracle.log_marginal(batch.x[:1]).item()
    rises = np.diff(means)
    assert (rises > 2 * np.hypot(errors[1:], errors[:-1])).all()
    assert means[-1] < exact + 4 * errors[-1]
    assert exact - means[-1] < 0.05 * (exact - means[0])


def _quadrature_gradient(oracle, model, x, nodes=80):
    """Return the exact gradient of the bound of two samples of a one-dimensional z.

    The bound is an integral over two standard normals, taken by the Gauss-Hermite rule.
    """
    points, mass = (torch.from_numpy(v) for v in np.polynomial.hermite_e.hermegauss(nodes))
    mass = mass / mass.sum()
    parts = [p[:1].detach().requires_grad_() for p in model.encoder.parameters()]
    scale = (parts[1] / 2).exp()
    z = (parts[0] + scale * points[:, None])[:, None]
    log_q = td.Independent(td.Normal(parts[0], scale), 1).log_prob(z)
    prior = td.Independent(td.Normal(torch.zeros(1).double(), 1.0), 1).log_prob(z)
    log_w = (oracle.log_likelihood(x, z) + prior - log_q)[:, 0]
    bound = torch.logaddexp(log_w[:, None], log_w) - log(2)
    return -torch.cat(torch.autograd.grad(mass @ bound @ mass, parts), dim=1)[0]


@pytest.mark.parametrize("gradient_samples", [None, 1])
@pytest.mark.parametrize("doubly", [False, True])
def test_all_gradients_of_iwae_are_unbiased(doubly, gradient_samples):
    oracle, model, batch = _off_posterior(200_000, latent_dim=1)
    exact = _quadrature_gradient(oracle, model, batch.x[:1])
    coarser = _quadrature_gradient(oracle, model, batch.x[:1], nodes=60)
    torch.testing.assert_close(exact, coarser, rtol=1e-6, atol=1e-8)
    options = {"doubly_reparameterized": doubly, "gradient_samples": gradient_samples}
    objective = partial(iwae, num_samples=2, **options)
    gradients = _gradients(objective, model, batch)
    error = gradients.std(0) / len(gradients) ** 0.5
    assert (exact.abs() > 10 * error).all()
    assert ((gradients.mean(0) - exact).abs() < 4 * error).all()


@pytest.mark.parametrize("doubly", [False, True])
def test_the_decoder_learns_from_few_samples_what_it_would_from_all(doubly):
    _, model, batch = _off_posterior(1000)
    weight, sums = model.decoder[0].layers[0].weight, []
    for count in (None, 3):
        options = {"doubly_reparameterized": doubly, "gradient_samples": count}
        bounds, grads = [], []
        for seed in range(50):
            with isolated_rng(seed):
                terms = iwae(model, batch, num_samples=20, **options)
            bounds.append(terms["iwae"])
            grads.append(torch.autograd.grad(terms["loss"].mean(), weight)[0])
        sums.append((torch.stack(bounds), torch.stack(grads)))
    (bound, all_of_them), (same_bound, few) = sums
    torch.testing.assert_close(bound, same_bound, rtol=1e-12, atol=1e-12)
    difference = few - all_of_them  # the same noise of z: only the draw among the samples differs
    error = difference.std(0) / len(few) ** 0.5
    assert (difference.mean(0).abs() < 4 * error).all()
    assert (all_of_them.mean(0).abs() > 10 * error).all()


def test_few_samples_are_drawn_by_their_weights():
    share = torch.tensor([0.5, 0.05, 0.0, 0.45]).double().unsqueeze(1).expand(-1, 20_000)
    with isolated_rng(0):
        drawn = importance._systematic(share, 10)
    counts = torch.stack([(drawn == k).sum(0) for k in range(4)])
    assert counts[0].unique().tolist() == [5] and counts[1].unique().tolist() == [0, 1]
    assert not counts[2].any() and counts[1].double().mean() == pytest.approx(0.5, abs=0.02)


def test_doubly_reparameterized_gradient_keeps_its_signal():
    """With many samples the plain gradient of the encoder is noise; the other is not."""
    _, model, batch = _off_posterior(2000)
    plain, doubly = (
        _gradients(partial(iwae, num_samples=100, doubly_reparameterized=choice), model, batch)
        for choice in (False, True)
    )
    ratio = [(g.mean(0).abs() / g.std(0)).mean() for g in (plain, doubly)]
    assert ratio[1] > 3 * ratio[0]


class Coins(nn.Module):
    """A posterior over two bits: what no reparameterization can reach."""

    def __init__(self, rows):
        super().__init__()
        self.logits = nn.Parameter(torch.tensor([0.4, -0.7]).double().expand(rows, 2).clone())

    def forward(self, x):
        return td.Independent(td.Bernoulli(logits=self.logits), 1)


class FairCoins(nn.Module):
    """The prior of two bits."""

    def forward(self):
        return td.Independent(td.Bernoulli(torch.full((2,), 0.5).double()), 1)


@pytest.mark.parametrize("baseline", [False, True])
def test_score_function_takes_a_discrete_z(baseline):
    _, model, batch = _off_posterior()
    model.encoder, model.prior = Coins(COPIES), FairCoins()
    with isolated_rng(0):
        objective = partial(score_function_elbo, num_samples=3, baseline=baseline)
        loss = objective(model, batch)["loss"]
    (gradients,) = torch.autograd.grad(loss.sum(), model.encoder.logits)
    logits = model.encoder.logits[:1].detach().requires_grad_()
    states = torch.cartesian_prod(*[torch.tensor([0.0, 1.0]).double()] * 2)[:, None]
    q = td.Independent(td.Bernoulli(logits=logits), 1).log_prob(states)
    f = model.decode(states).log_prob(batch.x[:1]) + model.prior().log_prob(states) - q
    (exact,) = torch.autograd.grad(-(q.exp() * f).sum(), logits)
    error = gradients.std(0) / COPIES**0.5
    assert (exact.abs() > 4 * error).all()
    assert ((gradients.mean(0) - exact).abs() < 4 * error).all()


@pytest.mark.parametrize("objective", [sampled_elbo, score_function_elbo, iwae])
def test_count_is_checked(objective):
    _, model, batch = _off_posterior(2)
    with pytest.raises(ValueError, match="num_samples must be a positive integer, got 0"):
        objective(model, batch, num_samples=0)


def test_count_of_gradients_is_checked():
    _, model, batch = _off_posterior(2)
    with pytest.raises(ValueError, match="gradient_samples must be a positive integer, got 0"):
        iwae(model, batch, gradient_samples=0)


def test_a_baseline_needs_two_samples():
    _, model, batch = _off_posterior(2)
    with pytest.raises(ValueError, match="at least 2 with a baseline, got 1"):
        score_function_elbo(model, batch, baseline=True)


def test_detached_scores_need_a_normal_posterior():
    _, model, batch = _off_posterior(2)
    model.encode = lambda x: td.Independent(
        td.Laplace(torch.zeros(2, L).double(), torch.ones(2, L).double()), 1
    )
    with pytest.raises(TypeError, match="must be a normal distribution, got Laplace"):
        sampled_elbo(model, batch, sticking_the_landing=True)
    with pytest.raises(TypeError, match="must be a normal distribution, got Laplace"):
        iwae(model, batch, doubly_reparameterized=True)
