"""What holds on the CPU holds on a GPU: `pytest -m cuda` runs these tests there if it can."""

from functools import partial

import numpy as np
import pytest
import torch
import toy
from linear_vae import linear_gaussian

import vaecourse as vc
from vaecourse.data import labels
from vaecourse.evaluation import evaluate
from vaecourse.evaluation.marginal import log_marginal
from vaecourse.experiments import run_trial
from vaecourse.objectives import elbo, reconstruction
from vaecourse.runtime import PRECISIONS, device_name, isolated_rng
from vaecourse.training.history import CAPTURED, STEP_BY_STEP

STEPS = 30
"""Not a multiple of the 4 steps of an epoch, nor of the 7 steps between checkpoints."""
CUDA = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU and `pytest -m cuda`"),
]
each_device = pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=CUDA)])
on_a_gpu = pytest.mark.parametrize("device", [pytest.param("cuda", marks=CUDA)])


def _train(device, objective=elbo, **options):
    model = toy.model()
    options = {"steps": STEPS, "lr": 1e-2, "transform": labels.dynamic_binarization, **options}
    return model, toy.fit(model, objective, toy.split(), device=device, **options)


def _same(one, other):
    (model, history), (other_model, other_history) = one, other
    assert toy.same(model.state_dict(), other_model.state_dict())
    for record in ("terms", "validation"):
        rows, other_rows = getattr(history, record), getattr(other_history, record)
        assert rows.keys() == other_rows.keys()
        assert all(np.array_equal(rows[name], other_rows[name]) for name in rows)


@each_device
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_seed_gives_the_same_bits_again(device, precision):
    first, again = (_train(device, precision=precision, seed=3) for _ in range(2))
    _same(first, again)
    other, _ = _train(device, precision=precision, seed=4)
    assert not toy.same(first[0].state_dict(), other.state_dict())


class Stopped(Exception):
    """Training was stopped from outside."""


class Stopping:
    """The ELBO, whose training call number `at` raises `Stopped`."""

    def __init__(self, at):
        self.left = at

    def __repr__(self):
        return "elbo, which may stop"

    def __call__(self, model, batch):
        self.left -= model.training
        if self.left < 0:
            raise Stopped
        return elbo(model, batch)


@each_device
@pytest.mark.parametrize("at", [7, 17, 29])
def test_a_stopped_run_ends_with_the_bits_of_a_whole_one(device, at, tmp_path):
    whole = _train(device, Stopping(STEPS))
    options = {"checkpoint": tmp_path / "run.safetensors", "checkpoint_every": 7}
    with pytest.raises(Stopped):
        _train(device, Stopping(at), **options)
    _same(_train(device, Stopping(STEPS - at // 7 * 7), **options), whole)


@each_device
def test_weights_go_from_every_device_to_every_other(device, tmp_path):
    model = toy.model().to(device)
    path = vc.save_model(model, tmp_path / "weights.safetensors")
    for other in {"cpu", device}:
        again = toy.model(seed=1).to(other)
        vc.load_model(again, path)
        assert {weights.device.type for weights in again.parameters()} == {other}
        assert toy.same(again.cpu().state_dict(), toy.model().state_dict())


@on_a_gpu
@pytest.mark.parametrize("back", [True, False], ids=["to the CPU", "to a GPU"])
def test_a_run_goes_on_on_another_device(device, back, tmp_path):
    path = tmp_path / "run.safetensors"
    then, now = (device, "cpu") if back else ("cpu", device)
    _, history = _train(then, steps=20, checkpoint=path)
    with pytest.warns(UserWarning, match=f"device = {then}; this run has device = {now}; it goes"):
        _, whole = _train(now, checkpoint=path)
    assert np.array_equal(whole["loss"][:20], history["loss"])
    assert np.isfinite(whole["loss"]).all()
    assert len(whole["loss"]) == STEPS


@each_device
def test_a_model_is_trained_where_it_was_told_and_comes_home(device):
    recorder = toy.Recorder(elbo)
    model, _ = _train(device, recorder)
    assert {call.batch.x.device.type for call in recorder.calls} == {device}
    weights = [weight for call in recorder.calls for weight in call.weights.values()]
    assert {weight.device.type for weight in weights} == {device}
    assert {weight.device.type for weight in model.parameters()} == {"cpu"}


@on_a_gpu
def test_without_noise_a_gpu_learns_as_the_cpu(device):
    """In float64 the two differ by the order of their sums alone."""

    def losses(device):
        model = toy.model(partial(vc.mlp_autoencoder, hidden=(16,))).double()
        data = toy.batch(dtype=torch.float64)
        return toy.fit(model, reconstruction, data, steps=STEPS, lr=1e-2, device=device)["loss"]

    np.testing.assert_allclose(losses(device), losses("cpu"), rtol=1e-5)


@each_device
def test_evaluate_is_the_mean_over_all_examples(device):
    model, data = toy.model().double(), toy.batch(dtype=torch.float64)
    expected = reconstruction(model, data)["loss"].mean().item()
    model.to(device)
    assert evaluate(model, reconstruction, data, batch_size=7)["loss"] == pytest.approx(expected)
    one, again, other = (evaluate(model, elbo, data, seed=seed) for seed in (3, 3, 4))
    assert one == again != other


@each_device
@pytest.mark.parametrize("proposal", ["posterior", "prior"])
def test_log_marginal_lies_within_its_standard_error(device, proposal):
    model, x, exact = linear_gaussian(shift=0.1, widen=1.3)
    found = log_marginal(model.to(device), x, 20_000, proposal=proposal, chunk=1000)
    assert (found.standard_error > 0).all()
    assert (found.standard_error < 0.2).all()
    assert ((found.value - exact).abs() < 4 * found.standard_error).all()


@each_device
def test_isolated_random_numbers_follow_their_seed_and_leave_the_others(device):
    torch.rand(3, device=device)
    read = torch.cuda.get_rng_state if device == "cuda" else torch.get_rng_state
    before, draws = read(), []
    for _ in range(2):
        with isolated_rng(7, torch.device(device)):
            draws.append(torch.rand(5, device=device))
    assert torch.equal(*draws)
    assert torch.equal(read(), before)


@each_device
def test_an_embedding_is_trained_where_it_was_told_and_embeds_at_home(device):
    x = toy.batch().x.numpy()
    found = vc.VAEEmbedding(2, hidden=(8,), epochs=3, device=device, random_state=0).fit(x)
    assert found.history_.route == (CAPTURED if device == "cuda" else STEP_BY_STEP)
    assert {weight.device.type for weight in found.model_.parameters()} == {"cpu"}
    assert found.transform(x).shape == (len(x), 2)


@each_device
@pytest.mark.parametrize("name", ["m2", "m1_m2", "pc_vae"])
def test_a_row_says_where_it_was_made_and_how_long_that_took(device, name, private):
    from toy_experiments import trial

    row = run_trial(trial(name, budget=0.02), device=device)
    assert row["device"] == device_name(torch.device(device))
    assert (row["device_seconds"] > 0) == (device == "cuda")
    assert 0 <= row["test_error"] <= 1


@on_a_gpu
def test_labels_and_binarization_are_those_of_the_cpu(device):
    x = torch.rand(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    y = torch.arange(300) % 3
    there = labels.static_binarization(x.to(device), 0)
    assert there.device.type == device
    assert torch.equal(there.cpu(), labels.static_binarization(x, 0))
    assert torch.equal(labels.label_subset(y.to(device), 57).cpu(), labels.label_subset(y, 57))
    parts = labels.stratified_split(y, 57), labels.stratified_split(y.to(device), 57)
    assert all(torch.equal(one, other.cpu()) for one, other in zip(*parts, strict=True))
    generator = torch.Generator(device).manual_seed(0)
    assert labels.dynamic_binarization(x.to(device), generator).device.type == device
