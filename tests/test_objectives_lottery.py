"""M2's lottery of classes: right on average, and the sum itself where that is cheaper."""

import pytest
import torch

import vaecourse as vc
from tests.small_m2 import D, L, average_exactly, some_batch, some_model
from vaecourse.objectives import m2
from vaecourse.runtime import isolated_rng

ROULETTE = 0.84


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def _sure(model, logit):
    """Make the classifier favor class 1 by so much."""
    with torch.no_grad():
        model.classifier[0].layers[-1].weight.zero_()
        model.classifier[0].layers[-1].bias.copy_(torch.tensor([0.0, logit, 0]))


@pytest.mark.parametrize(("logit", "draws_lots"), [(1.15, True), (0.95, False), (0.0, False)])
def test_roulette_has_the_exact_sum_as_its_mean_on_either_side_of_its_threshold(logit, draws_lots):
    """The lottery would let 48.7 and 50.6 % of the classes in; beyond a half it is the sum."""
    model, batch = some_model(), some_batch([-1, 2, -1, 0])
    _sure(model, logit)
    average_exactly(model)
    options = {"alpha": 1.0, "num_samples": 2 * L}
    exact = m2(model, batch, **options)
    draws = [m2(model, batch, roulette=ROULETTE, **options) for _ in range(500)]
    for name in ("reconstruction", "kl"):
        drawn = torch.stack([terms[name].detach() for terms in draws])[:, batch.y < 0]
        error = drawn.std(0) / len(draws) ** 0.5
        assert (error > 1e-9).all() == draws_lots, name
        distance = (drawn.mean(0) - exact[name][batch.y < 0]).abs()
        assert (distance < 4 * error + 1e-12).all(), name


def test_roulette_that_would_keep_most_classes_is_the_sum_with_its_very_noise_and_gradient():
    model, batch = some_model(), some_batch([-1, 2, -1, 0, -1])
    _sure(model, 0.5)
    weights = list(model.parameters())
    results = []
    for roulette in (0.0, 0.3):
        with isolated_rng(3):
            terms = m2(model, batch, alpha=1.0, num_samples=2, roulette=roulette)
        results.append((terms, torch.autograd.grad(terms["loss"].mean(), weights)))
    torch.testing.assert_close(results[0], results[1], rtol=0, atol=0)


def test_roulette_multiplies_every_image_once_however_many_classes_it_keeps():
    model = some_model()
    _sure(model, 1.15)
    images, codes = [], []
    first, decode = model.encoder.network.first, model.decode
    first.register_forward_hook(lambda module, inputs, output: images.append(len(output)))
    model.decode = lambda z, y: codes.append(z.shape[1]) or decode(z, y)
    x = torch.rand(1000, D, dtype=torch.float64)
    m2(model, vc.Batch(x, torch.full((1000,), -1)), alpha=0.0, roulette=ROULETTE)
    assert images == [1000]
    assert codes[0] > 1300


def test_roulette_decodes_only_the_classes_that_matter():
    """Three classes, one of them sure: a thousand rows decode about a thousand codes."""
    model = some_model()
    with torch.no_grad():
        model.classifier[0].layers[-1].bias.copy_(torch.tensor([0.0, 12, 0]))
    x = torch.rand(1000, D, dtype=torch.float64)
    decoded, decode = [], model.decode
    model.decode = lambda z, y: decoded.append(z.shape[1]) or decode(z, y)
    m2(model, vc.Batch(x, torch.full((1000,), -1)), alpha=0.0, roulette=0.01)
    assert 1000 <= decoded[0] < 1050
