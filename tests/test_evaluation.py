"""Evaluation against numpy, scipy and models whose answers are known."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from torch import nn

import vaecourse as vc
from vaecourse.data.labels import dynamic_binarization
from vaecourse.evaluation import (
    active_units,
    embed,
    evaluate,
    nearest_distance,
    reconstruct,
    sample_prior,
)
from vaecourse.objectives import elbo, reconstruction
from vaecourse.runtime import isolated_rng

EVENT = (1, 4, 4)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def _model(build=partial(vc.mlp_vae, hidden=(8,))):  # noqa: B008
    with isolated_rng(0):
        return build(EVENT, 3)


def _batch(num=23):
    x = torch.rand(num, *EVENT, generator=torch.Generator().manual_seed(0))
    return vc.Batch(x, torch.arange(num))


@pytest.mark.parametrize("batch_size", [1, 7, 23, 1000])
def test_evaluate_is_the_mean_over_all_examples(batch_size):
    """The last, smaller batch counts by its size and not as one."""
    model, data = _model().double(), _batch()
    data = vc.Batch(data.x.double(), data.y)
    expected = reconstruction(model, data)["reconstruction"].mean().item()
    got = evaluate(model, reconstruction, data, batch_size=batch_size)
    assert got.keys() == {"reconstruction", "loss"}
    assert got["reconstruction"] == pytest.approx(expected, rel=1e-12)
    assert got["loss"] == -got["reconstruction"]


def test_evaluate_sums_without_losing_digits():
    """One float32 sum would lose the ones beside the large term."""

    def objective(model, batch):
        return {"term": torch.where(batch.y == 0, 2.0**24, 1.0)}

    data = vc.Batch(torch.zeros(101, *EVENT), torch.arange(101))
    got = evaluate(_model(), objective, data, batch_size=7)
    assert got["term"] == (2**24 + 100) / 101


def test_evaluate_accepts_a_held_out_split():
    model, data = _model(), _batch()
    assert evaluate(model, elbo, vc.HeldOut(*data)) == evaluate(model, elbo, data)


def test_evaluate_follows_its_seed():
    model, data = _model(), _batch()
    options = {"transform": dynamic_binarization}
    first, second, third = (evaluate(model, elbo, data, seed=s, **options) for s in (3, 3, 4))
    assert first == second
    assert first["elbo"] != third["elbo"]


def test_evaluate_transforms_with_one_running_generator():
    seen = []

    def transform(x, generator):
        seen.append(torch.rand(2, generator=generator))
        return 1 - x

    model, data = _model(), _batch()
    got = evaluate(model, reconstruction, data, transform=transform, batch_size=10, seed=6)
    expected = torch.rand(3, 2, generator=torch.Generator().manual_seed(6))
    assert torch.equal(torch.stack(seen), expected)
    plain = evaluate(model, reconstruction, vc.Batch(1 - data.x, data.y), batch_size=10)
    assert got == plain


def test_evaluate_needs_examples():
    with pytest.raises(
        ValueError, match="needs as many labels as examples and at least one, got 0"
    ):
        evaluate(_model(), elbo, _batch(0))


FUNCTIONS = [
    lambda model, data: evaluate(model, elbo, data),
    lambda model, data: embed(model, data.x),
    lambda model, data: reconstruct(model, data.x),
    lambda model, data: sample_prior(model, 5),
    lambda model, data: active_units(model, data.x),
]


def _with_dropout():
    model = _model()
    model.encoder = nn.Sequential(nn.Dropout(0.5), model.encoder)
    return model.train()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_model_and_random_state_are_left_alone(function):
    model, data = _with_dropout(), _batch()
    model.decoder.eval()
    before = torch.get_rng_state()
    modes = [module.training for module in model.modules()]
    function(model, data)
    assert [module.training for module in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), before)
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_mode_and_random_state_come_back_after_an_error(function):
    model, data = _with_dropout(), _batch()
    model.encoder, model.decoder = nn.Linear(3, 3), nn.Linear(4, 4)
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError):
        function(model, data)
    assert model.training
    assert torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_is_off_during_evaluation():
    model, data = _with_dropout(), _batch()
    without = _model()
    assert torch.equal(embed(model, data.x), embed(without, data.x))
    assert evaluate(model, elbo, data) == evaluate(without, elbo, data)


@pytest.mark.parametrize("build", [partial(vc.mlp_vae, hidden=(8,)), vc.linear_autoencoder])
@pytest.mark.parametrize("batch_size", [1, 10, 100])
def test_embed_and_reconstruct_are_means(build, batch_size):
    model, data = _model(build).double(), _batch()
    x = data.x.double()
    codes = embed(model, x, batch_size=batch_size)
    images = reconstruct(model, x, batch_size=batch_size)
    assert not codes.requires_grad
    assert not images.requires_grad
    torch.testing.assert_close(codes, model.encode(x).mean.detach())
    torch.testing.assert_close(images, model.decode(model.encode(x).mean).mean.detach())


def test_no_images_have_no_codes():
    assert embed(_model(), torch.zeros(0, *EVENT)).shape == (0, 3)
    assert reconstruct(_model(), torch.zeros(0, *EVENT)).shape == (0, *EVENT)


def test_samples_of_the_prior_are_decoded_standard_normals():
    model = _model()
    images = sample_prior(model, 6, seed=2)
    with isolated_rng(2):
        z = torch.randn(6, 3)
    assert images.shape == (6, *EVENT)
    torch.testing.assert_close(images, model.decode(z).mean.detach())
    assert torch.equal(images, sample_prior(model, 6, seed=2))
    assert not torch.equal(images, sample_prior(model, 6, seed=3))


def test_active_units_of_a_known_encoder():
    """Unit u copies pixel u times a factor, so its activity is factor**2 times that variance."""
    model, data = _model(vc.linear_vae), _batch(200)
    factors = torch.tensor([2.0, 0.1, 0.0])
    layer = model.encoder[0].layers[0]
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[[0, 1, 2], [0, 1, 2]] = factors
    variances = data.x.flatten(1).numpy().var(0, ddof=1)[:3]
    got = active_units(model, data.x)
    np.testing.assert_allclose(got, factors.numpy() ** 2 * variances, rtol=1e-5)
    assert (got > 0.01).tolist() == [True, False, False]


def test_active_units_need_two_examples():
    with pytest.raises(ValueError, match="active_units needs at least two examples, got 1"):
        active_units(_model(), _batch(1).x)


@pytest.mark.parametrize("batch_size", [1, 5, 100])
def test_nearest_distance_equals_scipy(batch_size):
    images, reference = torch.rand(12, 1, 9, 9), torch.rand(40, 1, 9, 9)
    distances = cdist(images.flatten(1).numpy(), reference.flatten(1).numpy())
    got = nearest_distance(images, reference, batch_size=batch_size)
    np.testing.assert_allclose(got, distances.min(1), rtol=1e-5)


def test_a_copy_is_at_distance_zero():
    reference = torch.rand(100, 1, 28, 28)
    images = reference[::2].clone()
    images[0, 0, 0, 0] += 1e-3
    got = nearest_distance(images, reference)
    assert not got[1:].any()
    assert got[0].item() == pytest.approx(1e-3, rel=1e-3)


def test_nearest_distance_needs_one_shape():
    with pytest.raises(ValueError, match=r"same shape, got \(1, 4, 4\) and \(16,\)"):
        nearest_distance(torch.rand(2, 1, 4, 4), torch.rand(3, 16))
