"""The three parts of the KL term: against quadrature, the Gaussian closed form, and `elbo`."""

from math import log

import numpy as np
import pytest
import torch
from scipy import stats
from torch import distributions as td
from torch import nn

import vaecourse as vc
from vaecourse.objectives import elbo, total_correlation
from vaecourse.runtime import isolated_rng

PARTS = ("index_code", "total_correlation", "dimension_wise")
MEANS = np.array([[-1.2, -0.9], [0.1, 0.3], [1.3, 0.8]])
SCALES = np.array([[0.5, 0.7], [0.4, 0.3], [0.6, 0.5]])


class Table(nn.Module):
    """A posterior for each row, whatever the image."""

    def __init__(self, means, scales, copies=1):
        super().__init__()
        self.loc = nn.Parameter(torch.from_numpy(means).repeat(copies, 1))
        self.scale = nn.Parameter(torch.from_numpy(scales).repeat(copies, 1))

    def forward(self, x):
        return td.Independent(td.Normal(self.loc, self.scale), 1)


def _model(means, scales, copies=1):
    torch.manual_seed(0)
    model = vc.mlp_vae(4, means.shape[1], (3,)).double()
    model.encoder = Table(means, scales, copies)
    return model, vc.Batch(torch.rand(len(means) * copies, 4).double(), torch.zeros(len(means)))


def _terms(model, batch, seed=0, **options):
    with isolated_rng(seed):
        return total_correlation(model, batch, **options)


def _exact_parts():
    """Compute the three parts for three posteriors in the plane by quadrature."""
    axis = np.linspace(-7, 7, 1401)
    step = axis[1] - axis[0]
    each = stats.norm.pdf(axis, MEANS[..., None], SCALES[..., None])  # (row, dimension, place)
    joint = np.einsum("ma,mb->ab", each[:, 0], each[:, 1]) / len(MEANS)
    marginals, prior = each.mean(0), stats.norm.pdf(axis)

    def mean_log_ratio(p, a, b, cell):
        return (p * np.log(np.maximum(a, 1e-300) / np.maximum(b, 1e-300))).sum() * cell

    posteriors = each[:, 0, :, None] * each[:, 1, None, :]
    return {
        "index_code": np.mean([mean_log_ratio(q, q, joint, step**2) for q in posteriors]),
        "total_correlation": mean_log_ratio(joint, joint, np.outer(*marginals), step**2),
        "dimension_wise": sum(mean_log_ratio(q, q, prior, step) for q in marginals),
    }


def test_quadrature_itself_sums_to_the_divergence():
    exact = sum(_exact_parts().values())
    q = td.Normal(torch.from_numpy(MEANS), torch.from_numpy(SCALES))
    expected = td.kl_divergence(q, td.Normal(0.0, 1.0)).sum(1).mean().item()
    assert exact == pytest.approx(expected, rel=1e-6)


def test_parts_agree_with_quadrature():
    """A thousand copies of three rows have the same q(z): so many samples of it."""
    model, batch = _model(MEANS, SCALES, copies=1000)
    with torch.no_grad():
        terms = _terms(model, batch)
    for name, expected in _exact_parts().items():
        error = terms[name].std().item() / len(batch.x) ** 0.5
        assert 0 < error < 0.03
        assert abs(terms[name].mean().item() - expected) < 4 * error, name
        assert expected > 5 * error


def test_total_correlation_of_a_correlated_gaussian():
    """Narrow posteriors about draws of a Gaussian: q(z) is nearly that Gaussian."""
    rng = np.random.default_rng(0)
    correlation, width = 0.8, 0.3
    covariance = np.array([[1, correlation], [correlation, 1]])
    means = rng.multivariate_normal([0, 0], covariance, size=3000)
    model, batch = _model(means, np.full_like(means, width))
    with torch.no_grad():
        terms = _terms(model, batch)
    rho = correlation / (1 + width**2)
    expected = -0.5 * log(1 - rho**2)
    assert terms["total_correlation"].mean().item() == pytest.approx(expected, rel=0.1)


def test_parts_sum_to_one_sample_of_the_divergence():
    model, batch = _model(MEANS, SCALES)
    with torch.no_grad():
        terms = _terms(model, batch)
        with isolated_rng(0):
            posterior = model.encode(batch.x)
            z = posterior.rsample((1,))[0]
    expected = posterior.log_prob(z) - model.prior().log_prob(z)
    torch.testing.assert_close(sum(terms[name] for name in PARTS), expected)


def test_beta_of_one_is_the_bound_to_its_gradient():
    torch.manual_seed(1)
    model = vc.mlp_vae((1, 4, 4), 3, (8,))
    batch = vc.Batch(torch.rand(6, 1, 4, 4), torch.zeros(6))
    with isolated_rng(3):
        expected = elbo(model, batch)
    terms = _terms(model, batch, seed=3)
    for name, value in expected.items():
        assert terms[name].shape == (6,)
        torch.testing.assert_close(terms[name], value)
    parameters = list(model.parameters())
    pairs = zip(
        torch.autograd.grad(terms["loss"].mean(), parameters),
        torch.autograd.grad(expected["loss"].mean(), parameters),
        strict=True,
    )
    for ours, wanted in pairs:
        torch.testing.assert_close(ours, wanted)


@pytest.mark.parametrize("beta", [0.0, 4.0])
def test_beta_weights_the_total_correlation_alone(beta):
    model, batch = _model(MEANS, SCALES)
    plain, terms = _terms(model, batch), _terms(model, batch, beta=beta)
    torch.testing.assert_close(terms["elbo"], plain["elbo"])
    parts = plain["total_correlation"]
    torch.testing.assert_close(terms["loss"], -plain["elbo"] + (beta - 1) * parts)
    assert ((beta - 1) * parts).abs().max() > 0.1


def test_the_size_of_the_data_shifts_the_parts_and_no_gradient():
    model, batch = _model(MEANS, SCALES)
    few, many = (_terms(model, batch, beta=5.0, num_data=num) for num in (1, 50_000))
    shift = log(50_000)
    for name, factor in zip(PARTS, (1, 2 - 1, -2), strict=True):
        torch.testing.assert_close(many[name], few[name] + factor * shift)
    torch.testing.assert_close(_terms(model, batch, beta=5.0)["loss"], few["loss"])
    gradients = [torch.autograd.grad(t["loss"].mean(), model.encoder.loc) for t in (few, many)]
    torch.testing.assert_close(*gradients)


def test_the_posterior_must_be_a_diagonal_gaussian():
    model, batch = _model(MEANS, SCALES)
    model.encode = lambda x: td.Independent(td.Laplace(torch.zeros(3, 2), torch.ones(3, 2)), 1)
    with pytest.raises(TypeError, match="must be a diagonal Gaussian, got Laplace"):
        total_correlation(model, batch)
