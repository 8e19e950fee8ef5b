"""Prediction and consistency constraints against straight computations, value and gradient."""

import pytest
import torch
from torch import distributions as td

import vaecourse as vc
from vaecourse.objectives import consistency_constrained, elbo, prediction_constrained
from vaecourse.runtime import isolated_rng

D, L, C = 5, 2, 3
MIXED, ALL, NONE = [-1, 2, -1, 0, -1, 1], [0, 2, 1], [-1, -1, -1]


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def _model():
    return vc.mlp_prediction_constrained_vae(D, L, C, (7,)).double()


def _batch(y):
    x = torch.rand(len(y), D, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return vc.Batch(x, torch.tensor(y))


def _posterior(model, x):
    mean, log_variance = model.encoder[0](x).chunk(2, -1)
    return td.Normal(mean, (log_variance / 2).exp())


def _noise(*shape):
    return torch.normal(
        torch.zeros(*shape, dtype=torch.float64), torch.ones((), dtype=torch.float64)
    )


def _straight(model, batch, num_samples, *, detach=True, prior=None):
    """Return bound, label error, its error after a redraw, disagreement and aggregate cost.

    Loops over samples and rows; noise is drawn as the objective draws it.
    """
    q = _posterior(model, batch.x)
    first = q.mean + q.stddev * _noise(num_samples, len(batch.x), L)
    drawn = torch.stack([model.decoder[0](z).sigmoid() for z in first])
    redrawn = _posterior(model, drawn.detach() if detach else drawn)
    second = redrawn.mean + redrawn.stddev * _noise(num_samples, len(batch.x), L)
    classifier = model.classifier[0]
    p, p_again = classifier(first).softmax(-1), classifier(second).softmax(-1)
    likelihood = td.Bernoulli(drawn, validate_args=False)
    kl = td.kl_divergence(q, td.Normal(0.0, 1.0)).sum(-1)
    bound = likelihood.log_prob(batch.x).sum(-1).mean(0) - kl
    labels = batch.y.tolist()
    known = [n for n, y in enumerate(labels) if y >= 0]
    unknown = [n for n, y in enumerate(labels) if y < 0]

    def mean(values):
        return sum(values) / len(values) if values else torch.zeros((), dtype=torch.float64)

    each = range(num_samples)
    error = mean([-p[k, n, labels[n]].log() for n in known for k in each])
    again = mean([-p_again[k, n, labels[n]].log() for n in known for k in each])
    pairs = [(p[k, n], p_again[k, n]) for n in unknown for k in each]
    disagreement = mean([-(one * other.log()).sum() for one, other in pairs])
    average = mean([p[k, n] for n in unknown or known for k in each])
    prior = torch.full((C,), 1 / C, dtype=torch.float64) if prior is None else prior
    aggregate = -(prior * average.log()).sum()
    return bound, error, again, disagreement, aggregate


def _gradients(loss, model):
    parameters = list(model.parameters())
    found = torch.autograd.grad(loss, parameters, allow_unused=True, retain_graph=True)
    return [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, found, strict=True)]


def _assert_same_loss(model, loss, expected):
    torch.testing.assert_close(loss, expected)
    for one, other in zip(_gradients(loss, model), _gradients(expected, model), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("num_samples", [1, 3])
@pytest.mark.parametrize("y", [MIXED, ALL, NONE])
def test_prediction_constrained_equals_a_straight_computation(y, num_samples):
    model, batch = _model(), _batch(y)
    with isolated_rng(3):
        bound, error, *_ = _straight(model, batch, num_samples)
    with isolated_rng(3):
        terms = prediction_constrained(model, batch, multiplier=9.0, num_samples=num_samples)
    torch.testing.assert_close(terms["elbo"], bound)
    torch.testing.assert_close(terms["prediction"].mean(), error)
    _assert_same_loss(model, terms["loss"].mean(), -bound.mean() + 9 * error)


@pytest.mark.parametrize("detach", [True, False])
@pytest.mark.parametrize("num_samples", [1, 3])
@pytest.mark.parametrize("y", [MIXED, ALL, NONE])
def test_consistency_constrained_equals_a_straight_computation(y, num_samples, detach):
    model, batch = _model(), _batch(y)
    prior = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    with isolated_rng(3):
        bound, *costs = _straight(model, batch, num_samples, detach=detach, prior=prior)
    error, again, disagreement, aggregate = costs
    expected = error + 0.7 * (again + disagreement) + 0.4 * aggregate
    options = {"consistency": 0.7, "aggregate": 0.4, "num_samples": num_samples}
    options |= {"label_prior": prior, "detach_reconstruction": detach}
    with isolated_rng(3):
        terms = consistency_constrained(model, batch, multiplier=9.0, **options)
    assert all(term.shape == (len(y),) for term in terms.values())
    torch.testing.assert_close(terms["prediction"].mean(), error)
    torch.testing.assert_close(terms["consistency"].mean(), again + disagreement)
    torch.testing.assert_close(terms["aggregate"].mean(), aggregate)
    _assert_same_loss(model, terms["loss"].mean(), -bound.mean() + 9 * expected)


def test_the_reference_would_notice_each_term():
    """Every term of the straight loss has a gradient of its own; detaching changes one of them."""
    model, batch = _model(), _batch(MIXED)
    with isolated_rng(3):
        parts = _straight(model, batch, 1)
    with isolated_rng(3):
        through = _straight(model, batch, 1, detach=False)
    for part in parts[1:]:
        assert any(g.any() for g in _gradients(part, model))
    pairs = zip(_gradients(parts[3], model), _gradients(through[3], model), strict=True)
    assert any(not torch.allclose(one, other) for one, other in pairs)


def test_the_default_label_prior_is_uniform():
    model, batch = _model(), _batch(MIXED)
    with isolated_rng(3):
        *_, aggregate = _straight(model, batch, 1)
    with isolated_rng(3):
        terms = consistency_constrained(model, batch, multiplier=1.0)
    torch.testing.assert_close(terms["aggregate"], aggregate.expand(len(MIXED)))


def test_a_multiplier_of_zero_leaves_a_vae():
    model, batch = _model(), _batch(MIXED)
    results = []
    for objective in (prediction_constrained, consistency_constrained):
        with isolated_rng(3):
            results.append(objective(model, batch, multiplier=0.0, beta=2.0))
    with isolated_rng(3):
        expected = elbo(model, batch, beta=2.0)
    for terms in results:
        for name in ("reconstruction", "kl", "elbo", "loss"):
            torch.testing.assert_close(terms[name], expected[name])


@pytest.mark.parametrize("objective", [prediction_constrained, consistency_constrained])
def test_the_multiplier_is_per_labeled_example_whatever_the_batch(objective):
    """More rows without labels do not dilute the label term, nor do repeated rows add to it."""
    model, batch = _model(), _batch(MIXED)
    model.encoder[1] = vc.Deterministic(2 * L)
    model.encode = lambda x: _Still(_posterior(model, x))
    labeled, other = batch.y >= 0, batch.y < 0
    variants = [
        batch,
        vc.Batch(torch.cat([batch.x, batch.x[other]]), torch.cat([batch.y, batch.y[other]])),
        vc.Batch(torch.cat([batch.x, batch.x[labeled]]), torch.cat([batch.y, batch.y[labeled]])),
    ]
    means = []
    for one in variants:
        terms = objective(model, one, multiplier=1.0, labeled_share=0.5)
        means.append(torch.stack([terms["prediction"].mean(), terms["loss"].mean()]))
    torch.testing.assert_close(means[0], means[1])
    torch.testing.assert_close(means[0], means[2])


class _Still(td.Independent):
    """A Gaussian that always draws its mean, so that equal rows have equal terms."""

    def __init__(self, normal):
        super().__init__(normal, 1)

    def rsample(self, sample_shape=()):
        return self.mean.expand(*sample_shape, *self.mean.shape)


def test_an_aggregate_of_vanishing_probabilities_is_finite():
    model, batch = _model(), _batch(NONE)
    with torch.no_grad():
        model.classifier[0].layers[0].bias.copy_(torch.tensor([2000.0, 0, 0]))
    terms = consistency_constrained(model, batch, multiplier=1.0)
    terms["loss"].mean().backward()
    assert terms["aggregate"].isfinite().all()
    assert terms["aggregate"][0] > 1000
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("objective", [prediction_constrained, consistency_constrained])
def test_refusals(objective):
    model, batch = _model(), _batch(MIXED)
    with pytest.raises(TypeError, match="multiplier"):
        objective(model, batch)
    with pytest.raises(ValueError, match="num_samples must be a positive integer, got 0"):
        objective(model, batch, multiplier=1.0, num_samples=0)
    with pytest.raises(ValueError, match="labeled_share must lie between 0 and 1, got -1"):
        objective(model, batch, multiplier=1.0, labeled_share=-1)
