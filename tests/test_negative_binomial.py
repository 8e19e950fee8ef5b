"""The negative binomial head against scipy, and against exact sums in double precision."""

from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from mpmath import mp
from scipy import special, stats
from torch import distributions as td

import vaecourse as vc

MEANS = (1e-3, 0.1, 1.0, 9.5, 300.0, 1e4, 1e5)
THETAS = (1e-3, 0.05, 1.0, 9.99, 10.01, 400.0, 1e4, 1e6)
COUNTS = (0, 1, 2, 9, 10, 150, 1000, 99_999, 100_000)
GRID = np.array(list(product(MEANS, THETAS, COUNTS)))


def _given(dtype, requires_grad=False):
    columns = (torch.tensor(column, dtype=dtype) for column in GRID.T)
    mean, theta, x = (column.unsqueeze(-1) for column in columns)
    return mean.requires_grad_(requires_grad), theta.requires_grad_(requires_grad), x


def _distribution(mean, theta):
    """Return the head's distribution over one dimension for any means and inverse dispersions."""
    head = vc.NegativeBinomial(1).to(mean.dtype)
    del head.log_theta
    head.log_theta = theta.log()
    likelihood = head(mean.log())
    likelihood.base_dist.__init__(mean, theta)  # free of the rounding of exp(log(.))
    return likelihood


def _relative(found, expected):
    return np.max(np.abs(found - expected) / np.maximum(1, np.abs(expected)))


def _exact(mean, theta, x):
    """Return the log density by the textbook formula with 40 digits."""
    with mp.workdps(40):
        m, t, k = mp.mpf(mean), mp.mpf(theta), mp.mpf(x)
        gammas = mp.loggamma(k + t) - mp.loggamma(t) - mp.loggamma(k + 1)
        return float(gammas + t * mp.log(t / (t + m)) + k * mp.log(m / (t + m)))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 3e-6), (torch.float64, 1e-13)])
def test_log_prob_is_exact(dtype, tolerance):
    mean, theta, x = _given(dtype)
    found = _distribution(mean, theta).log_prob(x).double().numpy()
    given = torch.cat([mean, theta, x], 1).double().tolist()
    assert _relative(found, np.array([_exact(*row) for row in given])) < tolerance


def test_log_prob_is_scipys():
    mean, theta, x = _given(torch.float64)
    found = _distribution(mean, theta).log_prob(x).numpy()
    m, t, k = (tensor.squeeze(-1).numpy() for tensor in (mean, theta, x))
    # It is scipy that loses digits here: see the test with 40 of them.
    assert _relative(found, stats.nbinom.logpmf(k, t, t / (t + m))) < 1e-7


def test_the_textbook_formula_would_not_do_in_single_precision():
    mean, theta, x = _given(torch.float32)
    right = _distribution(*(tensor.double() for tensor in (mean, theta))).log_prob(x.double())
    logits = mean.log() - theta.log()
    textbook = td.NegativeBinomial(theta, logits=logits).log_prob(x).double().squeeze(-1)
    assert _relative(textbook.numpy(), right.numpy()) > 1e-2


@pytest.mark.parametrize("mean", [0.3, 5.0, 80.0])
def test_large_theta_is_poisson(mean):
    x = torch.arange(0.0, 200.0).unsqueeze(-1)
    likelihood = _distribution(torch.full_like(x, mean), torch.full_like(x, 1e6))
    expected = stats.poisson.logpmf(x.squeeze(-1).numpy(), mean)
    # The two differ by ((x - mean)^2 - x) / (2 theta) to first order.
    difference = ((x.squeeze(-1).numpy() - mean) ** 2 - x.squeeze(-1).numpy()) / 2e6
    np.testing.assert_allclose(likelihood.log_prob(x), expected + difference, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-5), (torch.float64, 1e-8)])
def test_gradients_are_finite_and_those_of_the_textbook_in_double_precision(dtype, tolerance):
    mean, theta, x = _given(dtype, requires_grad=True)
    log_prob = _distribution(mean, theta).log_prob(x).sum()
    by_mean, by_theta = torch.autograd.grad(log_prob, (mean, theta))
    m, t, k = (tensor.detach().double().numpy() for tensor in (mean, theta, x))
    digammas = special.digamma(k + t) - special.digamma(t)
    expected = k / m - (k + t) / (t + m), digammas - np.log1p(m / t) + (m - k) / (t + m)
    for found, exact, scale in zip((by_mean, by_theta), expected, (m, t), strict=True):
        assert found.isfinite().all()
        # In log mean and log theta, the parameters that are trained.
        assert _relative(found.double().numpy() * scale, exact * scale) < tolerance


def test_gradients_are_those_of_finite_differences():
    generator = torch.Generator().manual_seed(0)
    head = vc.NegativeBinomial(4).double()
    inputs = torch.randn(3, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    x = torch.tensor([0.0, 1.0, 7.0, 40.0], dtype=torch.float64)

    def log_prob(log_mean, log_theta):
        return torch.func.functional_call(head, {"log_theta": log_theta}, (log_mean,)).log_prob(x)

    thetas = torch.tensor([-3.0, 0.0, 2.0, 6.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(log_prob, (inputs, thetas))


def test_probabilities_add_up_and_give_mean_and_variance():
    x = torch.arange(4000.0, dtype=torch.float64)
    for mean, theta in product((0.4, 6.0, 40.0), (0.5, 2.0, 50.0)):
        head = vc.NegativeBinomial(1, theta).double()
        likelihood = head(torch.full((4000, 1), mean, dtype=torch.float64).log())
        p = likelihood.log_prob(x.unsqueeze(-1)).exp()
        moments = p.sum(), (p * x).sum(), (p * (x - mean) ** 2).sum()
        expected = 1.0, mean, mean + mean**2 / theta
        torch.testing.assert_close(torch.stack(moments), torch.tensor(expected).double())
        torch.testing.assert_close(likelihood.mean[0, 0], moments[1])
        torch.testing.assert_close(likelihood.variance[0, 0], moments[2])


def test_samples_follow_the_probabilities():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        draws = vc.NegativeBinomial(1, 2.0)(torch.full((1,), 3.0).log()).sample((20_000,))
    top = 12
    seen = np.bincount(draws.flatten().int().clamp(max=top).numpy(), minlength=top + 1)
    p = stats.nbinom.pmf(np.arange(top), 2, 0.4)
    expected = 20_000 * np.append(p, 1 - p.sum())
    assert stats.chisquare(seen, expected).pvalue > 1e-3


def test_the_head_keeps_shapes_and_broadcasts():
    head = vc.NegativeBinomial((2, 3), 0.7)
    likelihood = head(torch.zeros(5, 4, 2, 3))
    assert (likelihood.batch_shape, likelihood.event_shape) == ((5, 4), (2, 3))
    assert likelihood.log_prob(torch.ones(4, 2, 3)).shape == (5, 4)
    assert likelihood.expand((7, 5, 4)).log_prob(torch.ones(2, 3)).shape == (7, 5, 4)
    assert head.log_theta.exp().allclose(torch.tensor(0.7))


def test_the_smallest_and_largest_inputs_stay_finite():
    head = vc.NegativeBinomial(2)
    log_mean = torch.tensor([-500.0, 80.0], requires_grad=True)
    log_prob = head(log_mean).log_prob(torch.tensor([[0.0, 0.0], [3.0, 1e5]]))
    log_prob.sum().backward()
    assert log_prob.isfinite().all()
    assert log_mean.grad.isfinite().all()
    assert head.log_theta.grad.isfinite().all()


def test_autocast_does_not_shorten_densities():
    head, x = vc.NegativeBinomial(4), torch.full((4,), 11.0)
    assert head(torch.ones(4, dtype=torch.bfloat16)).log_prob(x).dtype == torch.float32


@pytest.mark.parametrize("theta", [0, -1.0, float("nan")])
def test_theta_must_be_positive(theta):
    with pytest.raises(ValueError) as caught:
        partial(vc.NegativeBinomial, initial_theta=theta)(3)
    assert str(caught.value) == f"initial_theta must be a positive number, got {theta!r}"
