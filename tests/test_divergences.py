"""The KL divergence: closed form, Monte Carlo and torch.distributions agree where they should."""

import pytest
import torch
from torch import distributions as td

from vaecourse.divergences import kl, sampled_kl
from vaecourse.runtime import isolated_rng


def _gaussian(*shape, seed=0, dims=1, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    mean, log_scale = (torch.randn(shape, generator=generator, dtype=dtype) for _ in range(2))
    return td.Independent(td.Normal(mean, log_scale.exp()), dims)


def _standard(*shape, dims=1):
    return td.Independent(td.Normal(torch.zeros(shape).double(), torch.ones(shape).double()), dims)


@pytest.mark.parametrize(
    ("q", "p"),
    [
        (_gaussian(7, 3), _gaussian(7, 3, seed=1)),
        (_gaussian(7, 3), _standard(3)),
        (_gaussian(3), _gaussian(7, 3, seed=1)),
        (_gaussian(5, 7, 3), _gaussian(7, 3, seed=1)),
        (_gaussian(7, 2, 3, dims=2), _standard(2, 3, dims=2)),
    ],
)
def test_closed_form_is_that_of_torch(q, p):
    torch.testing.assert_close(kl(q, p), td.kl_divergence(q, p), rtol=1e-12, atol=1e-12)


def test_it_is_zero_for_equals_and_positive_else():
    q = _gaussian(100, 4)
    assert torch.equal(kl(q, q), torch.zeros(100).double())
    assert (kl(q, _gaussian(100, 4, seed=1)) > 0).all()


def test_gradient_is_that_of_torch():
    q = _gaussian(7, 3)
    parts = [part.requires_grad_() for part in (q.base_dist.loc, q.base_dist.scale)]
    ours = torch.autograd.grad(kl(q, _standard(3)).sum(), parts)
    theirs = torch.autograd.grad(td.kl_divergence(q, _standard(3)).sum(), parts)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_tiny_scales_in_float32_stay_finite():
    """1e-25 squared is no float32, yet the ratio of two such scales is harmless."""
    scale = torch.full((2, 3), 1e-25)
    q = td.Independent(td.Normal(torch.zeros(2, 3), 2 * scale), 1)
    p = td.Independent(td.Normal(torch.zeros(2, 3), scale), 1)
    expected = 3 * 0.5 * (4 - 1 - torch.tensor(4.0).log())
    torch.testing.assert_close(kl(q, p), expected.expand(2))


def test_other_pairs_go_to_torch():
    q, p = td.Categorical(torch.tensor([[0.2, 0.8]])), td.Categorical(torch.tensor([0.5, 0.5]))
    assert torch.equal(kl(q, p), td.kl_divergence(q, p))
    with pytest.raises(NotImplementedError):
        kl(q, _standard(2))


@pytest.mark.parametrize("num_samples", [1, 10])
def test_sampled_divergence_is_unbiased(num_samples):
    copies = 20_000
    q, p = _gaussian(3), _gaussian(3, seed=1)
    many = q.expand((copies,))
    with isolated_rng(0):
        estimates = sampled_kl(many, p, num_samples)
    assert estimates.shape == (copies,)
    error = estimates.std() / copies**0.5
    assert 0 < error < 0.1
    assert (estimates.mean() - kl(q, p)).abs() < 4 * error


def test_sampled_divergence_reaches_the_parameters():
    q = _gaussian(3)
    mean = q.base_dist.loc.requires_grad_()
    with isolated_rng(0):
        sampled_kl(q, _standard(3), 5).backward()
    assert (mean.grad != 0).all()


def test_sampled_divergence_takes_discrete_distributions():
    q, p = td.Categorical(torch.tensor([0.2, 0.8])), td.Categorical(torch.tensor([0.5, 0.5]))
    with isolated_rng(0):
        estimate = sampled_kl(q, p, 40_000)
    weights = q.probs.log() - p.probs.log()
    error = ((q.probs * weights.square()).sum() - kl(q, p) ** 2).sqrt() / 200
    assert (estimate - kl(q, p)).abs() < 4 * error


def test_count_is_checked():
    with pytest.raises(ValueError, match="num_samples must be a positive integer, got 0"):
        sampled_kl(_standard(2), _standard(2), 0)
