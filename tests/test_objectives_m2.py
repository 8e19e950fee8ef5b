"""M2's bound against straight loops, exact enumeration and its own special cases."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy import stats
from torch import distributions as td

import vaecourse as vc
from tests.small_m2 import C, D, L, average_exactly, some_batch, some_model
from vaecourse.objectives import m2
from vaecourse.runtime import isolated_rng

SIGMA = 0.6


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def _joined(network, x, y):
    """Run a `ConditionalMLP` as one network on x beside a one-hot y, row by row."""
    weight = torch.cat([network.first.weight, network.label.weight.T], dim=1)
    one_hot = torch.nn.functional.one_hot(torch.tensor(y), C).to(x.dtype)
    return network.layers(weight @ torch.cat([x, one_hot]) + network.first.bias)


def _one_label(model, x, y, noise):
    """Return reconstruction and KL of one x with one y, on given noise ``(K, L)``."""
    mean, log_variance = _joined(model.encoder.network, x, y).chunk(2)
    q = td.Normal(mean, (log_variance / 2).exp())
    log_likelihood = 0.0
    for one in noise:
        p = td.Bernoulli(logits=_joined(model.decoder.network, q.mean + q.stddev * one, y))
        log_likelihood += torch.nn.functional.binary_cross_entropy(p.probs, x, reduction="sum")
    kl = td.kl_divergence(q, td.Normal(0.0, 1.0)).sum()
    return -log_likelihood / len(noise), kl


def _straight(model, batch, num_samples):
    """Compute M2's terms by loops over rows and classes, on the noise that `m2` draws."""
    dtype = batch.x.dtype
    known = [n for n, y in enumerate(batch.y.tolist()) if y >= 0]
    unknown = [n for n, y in enumerate(batch.y.tolist()) if y < 0]
    ones = torch.ones((), dtype=dtype)
    of_known = torch.normal(torch.zeros(num_samples, len(known), L, dtype=dtype), ones)
    of_unknown = torch.normal(torch.zeros(num_samples, C, len(unknown), L, dtype=dtype), ones)
    rows = [None] * len(batch.y)
    for i, n in enumerate(known):
        parts = _one_label(model, batch.x[n], batch.y[n].item(), of_known[:, i])
        rows[n] = (*parts, torch.tensor(C, dtype=dtype).log())
    for i, n in enumerate(unknown):
        q = model.classifier[0](batch.x[n]).softmax(0)
        parts = [_one_label(model, batch.x[n], y, of_unknown[:, y, i]) for y in range(C)]
        entropy = -sum(p * p.log() for p in q)
        rows[n] = (
            sum(p * part[0] for p, part in zip(q, parts, strict=True)),
            sum(p * part[1] for p, part in zip(q, parts, strict=True)),
            torch.tensor(C, dtype=dtype).log() - entropy,
        )
    return [torch.stack(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("num_samples", [1, 4])
@pytest.mark.parametrize("y", [[-1, 2, -1, 0, -1, 1, 1], [-1, -1], [0, 2, 1]])
def test_terms_and_gradients_equal_a_loop_over_rows_and_classes(y, num_samples):
    model, batch = some_model(), some_batch(y)
    with isolated_rng(3):
        reconstruction, kl, label_kl = _straight(model, batch, num_samples)
    elbo = reconstruction - kl - label_kl
    logits = model.classifier[0](batch.x)
    labeled = [n for n, label in enumerate(y) if label >= 0]
    errors = [-logits[n].log_softmax(0)[y[n]] for n in labeled]
    expected_loss = 1.5 * kl.mean() + (label_kl - reconstruction).mean()
    if errors:
        expected_loss = expected_loss + 7 * sum(errors) / len(errors)
    expected = torch.autograd.grad(expected_loss, list(model.parameters()), allow_unused=True)

    with isolated_rng(3):
        terms = m2(model, batch, alpha=7.0, beta=1.5, num_samples=num_samples)
    values = {"reconstruction": reconstruction, "kl": kl, "label_kl": label_kl, "elbo": elbo}
    for name, value in values.items():
        torch.testing.assert_close(terms[name], value)
    torch.testing.assert_close(terms["loss"].mean(), expected_loss)
    gradients = torch.autograd.grad(
        terms["loss"].mean(), list(model.parameters()), allow_unused=True
    )
    for gradient, other in zip(gradients, expected, strict=True):
        zero = torch.zeros(())
        torch.testing.assert_close(
            zero if gradient is None else gradient.sum(),
            zero if other is None else other.sum(),
            check_dtype=False,
        )
        if gradient is not None and other is not None:
            torch.testing.assert_close(gradient, other)


def _mixture():
    """Return a linear-Gaussian M2 with exact q(z|x, y), its log p(x, y) and some x.

    Given y it is factor analysis with mean b_y and columns of W that are orthogonal, so that the
    posterior is diagonal. Its marginal is a mixture of C Gaussians.
    """
    rng = np.random.default_rng(0)
    weight = np.linalg.qr(rng.normal(size=(D, L)))[0] * [1.5, 0.8]
    means = rng.normal(size=(C, D))
    variance = 1 / (1 + (weight**2).sum(0) / SIGMA**2)
    gain = variance[:, None] * weight.T / SIGMA**2
    likelihood = partial(vc.GaussianFixedScale, scale=SIGMA)
    model = vc.mlp_m2(D, L, C, (), likelihood=likelihood).double()
    model.decoder.head.scale.fill_(SIGMA)
    encoder, decoder = model.encoder.network, model.decoder.network
    values = {
        encoder.first.weight: np.concatenate([gain, np.zeros((L, D))]),
        encoder.first.bias: np.concatenate([np.zeros(L), np.log(variance)]),
        encoder.label.weight: np.concatenate([-means @ gain.T, np.zeros((C, L))], axis=1),
        decoder.first.weight: weight,
        decoder.first.bias: np.zeros(D),
        decoder.label.weight: means,
    }
    with torch.no_grad():
        for parameter, value in values.items():
            parameter.copy_(torch.from_numpy(value))
    x = torch.from_numpy(means[rng.integers(C, size=20)] + rng.normal(size=(20, D)))
    covariance = weight @ weight.T + SIGMA**2 * np.eye(D)
    log_joint = [stats.multivariate_normal(mean, covariance).logpdf(x.numpy()) for mean in means]
    average_exactly(model)
    return model, torch.from_numpy(np.stack(log_joint)) - np.log(C), x


def test_labeled_bound_is_log_joint_at_the_exact_posterior():
    model, log_joint, x = _mixture()
    y = torch.arange(20) % C
    terms = m2(model, vc.Batch(x, y), alpha=0.0, num_samples=2 * L)
    expected = log_joint.gather(0, y[None])[0]
    torch.testing.assert_close(terms["elbo"].detach(), expected, rtol=1e-6, atol=1e-6)


def test_unlabeled_bound_lies_below_log_marginal_by_the_divergence_of_the_classifier():
    """log p(x) + U(x) = KL(q(y|x) || p(y|x)), every sum over y by enumeration."""
    model, log_joint, x = _mixture()
    terms = m2(model, vc.Batch(x, torch.full((20,), -1)), alpha=0.0, num_samples=2 * L)
    log_marginal = log_joint.logsumexp(0)
    log_q = model.classify(x).logits.T.detach()
    gap = (log_q.exp() * (log_q - (log_joint - log_marginal))).sum(0)
    assert (gap > 1e-3).all()
    expected = log_marginal - gap
    torch.testing.assert_close(terms["elbo"].detach(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "sampling", [{"sum_labels": False}, {"roulette": 0.8}, {"roulette": 1.0}], ids=str
)
def test_sampled_labels_are_right_on_average_and_so_is_their_gradient(sampling):
    """Value and classifier gradient of many draws lie within four standard errors of the sum."""
    model, _, x = _mixture()
    size = 20_000
    batch = vc.Batch(x[:1].expand(size, D), torch.full((size,), -1))
    unequal = torch.tensor([0.0, 1.0, -1.0], dtype=torch.float64)
    logits = unequal.expand(size, C).clone().requires_grad_()
    model.classify = lambda x: td.Categorical(logits=logits[: len(x)])
    options = {"alpha": 0.0, "num_samples": 2 * L}
    with isolated_rng(0):
        sampled = m2(model, batch, **sampling, **options)
    summed = m2(model, vc.Batch(batch.x[:1], batch.y[:1]), **options)
    expected = torch.autograd.grad(summed["loss"].sum(), logits)[0][0]
    draws = torch.autograd.grad(sampled["loss"].sum(), logits)[0]
    value, error = sampled["elbo"].mean(), sampled["elbo"].std() / size**0.5
    assert error > 0
    assert (value - summed["elbo"][0]).abs() < 4 * error
    assert (expected.abs() > 10 * draws.std(0) / size**0.5).any()
    assert ((draws.mean(0) - expected).abs() < 4 * draws.std(0) / size**0.5).all()
    torch.testing.assert_close(sampled["loss"], -sampled["elbo"])


def test_with_every_label_known_the_classifier_takes_no_part_in_the_bound():
    model, batch = some_model(), some_batch([0, 1, 2, 1])
    with isolated_rng(3):
        terms = m2(model, batch, alpha=0.0)
    terms["loss"].mean().backward()
    assert not any(p.grad is not None and p.grad.any() for p in model.classifier.parameters())
    with isolated_rng(3):
        posterior = model.encode(batch.x, batch.y)
        z = posterior.rsample((1,))
    log_likelihood = model.decode(z, batch.y).log_prob(batch.x)[0]
    kl = td.kl_divergence(posterior, model.prior())
    expected = log_likelihood - kl - np.log(C)
    torch.testing.assert_close(terms["elbo"], expected)
    torch.testing.assert_close(terms["loss"], -expected)


@pytest.mark.parametrize("sampling", [{}, {"sum_labels": False}, {"roulette": 0.9}], ids=str)
@pytest.mark.parametrize("y", [[-1, 0, -1, 2], [-1, -1], [1, 0]])
def test_every_parameter_is_trained(y, sampling):
    model, batch = some_model(), some_batch(y)
    m2(model, batch, alpha=1.0, **sampling)["loss"].mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 1.0])
def test_labeled_share_weighs_the_two_kinds_of_rows_as_the_data_hold_them(share):
    model, batch = some_model(), some_batch([-1, 0, -1, 2, -1])
    terms = m2(model, batch, alpha=3.0, labeled_share=share)
    labeled, bound = batch.y >= 0, terms["elbo"]
    expected = -(1 - share) * bound[~labeled].mean() - share * bound[labeled].mean()
    guess = model.classify(batch.x[labeled])
    expected = expected - 3 * guess.log_prob(batch.y[labeled]).mean()
    torch.testing.assert_close(terms["loss"].mean(), expected)


def test_alpha_is_per_labeled_example_whatever_the_batch():
    """Twice the unlabeled rows, or every labeled row twice: the label term's mean is the same."""
    model = some_model()
    small = some_batch([0, 2, -1, -1])
    repeated = vc.Batch(small.x[[0, 1, 0, 1, 2, 3]], small.y[[0, 1, 0, 1, 2, 3]])
    larger = vc.Batch(small.x[[0, 1, 2, 3, 2, 3]], small.y[[0, 1, 2, 3, 2, 3]])
    values = [
        m2(model, batch, alpha=1.0)["prediction"].mean() for batch in (small, repeated, larger)
    ]
    torch.testing.assert_close(values[0], values[1])
    torch.testing.assert_close(values[0], values[2])


def test_a_sure_classifier_costs_nothing_but_finite_numbers():
    """Probabilities that underflow to 0 leave bound and gradient finite."""
    model, batch = some_model(), some_batch([-1, -1, 1])
    with torch.no_grad():
        model.classifier[0].layers[-1].bias.copy_(torch.tensor([2000.0, 0, 0]))
    terms = m2(model, batch, alpha=1.0)
    terms["loss"].mean().backward()
    assert all(term.isfinite().all() for term in terms.values())
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_refusals():
    model, batch = some_model(), some_batch([-1, 0])
    with pytest.raises(TypeError, match="alpha"):
        m2(model, batch)
    with pytest.raises(ValueError, match="num_samples must be a positive integer, got 0"):
        m2(model, batch, alpha=1.0, num_samples=0)
    with pytest.raises(ValueError, match="labeled_share must lie between 0 and 1, got 100"):
        m2(model, batch, alpha=1.0, labeled_share=100)
    with pytest.raises(ValueError, match="roulette must lie between 0 and 1, got 2"):
        m2(model, batch, alpha=1.0, roulette=2)
    with pytest.raises(ValueError, match="leave sum_labels=True, or roulette=0"):
        m2(model, batch, alpha=1.0, roulette=0.1, sum_labels=False)
