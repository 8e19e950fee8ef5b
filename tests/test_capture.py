"""Captured steps are the steps that Python runs: `pytest -m cuda` shows it where there is a GPU."""

import random
import re
import warnings
from contextlib import nullcontext
from functools import partial

import numpy as np
import pytest
import torch
import toy

import vaecourse as vc
from vaecourse.data import labels
from vaecourse.data.labels import dynamic_binarization, label_subset
from vaecourse.objectives import (
    consistency_constrained,
    elbo,
    iwae,
    m2,
    prediction_constrained,
    sampled_elbo,
    total_correlation,
)
from vaecourse.runtime import PRECISIONS
from vaecourse.schedules import Schedule
from vaecourse.training import adam, capture, fitting, python_state
from vaecourse.training.capture import check_capture, route_of
from vaecourse.training.history import CAPTURED

CUDA = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU and `pytest -m cuda`"),
]
on_a_gpu = pytest.mark.parametrize("device", [pytest.param("cuda", marks=CUDA)])
GPU, STEPS = torch.device("cuda"), 200


def _own(model, batch):
    return elbo(model, batch)


FUNCTIONS = {"objective": partial(elbo, beta=2.0), "transform": None, "optimizer": adam}


def test_the_package_is_captured_and_a_function_of_ones_own_only_on_request():
    route = partial(route_of, device=GPU, together=False)
    assert route("auto", functions=FUNCTIONS) == CAPTURED
    mine = FUNCTIONS | {"objective": partial(_own)}
    assert "_own is not of this package" in route("auto", functions=mine)
    assert route(True, functions=mine) == CAPTURED
    inside = FUNCTIONS | {"objective": partial(vc.objectives.given_covariates, objective=_own)}
    assert "step by step" in route("auto", functions=inside)


@pytest.mark.parametrize("capture", ["auto", True, False])
def test_without_a_gpu_or_together_steps_are_run_one_by_one(capture):
    cpu = torch.device("cpu")
    assert route_of(capture, cpu, together=False, functions=FUNCTIONS) == "step by step"
    assert "several" in route_of(True, GPU, together=True, functions=FUNCTIONS)
    assert "capture=False" in route_of(False, GPU, together=False, functions=FUNCTIONS)


def test_history_says_how_steps_were_run_and_fit_refuses_another_word():
    assert toy.fit(toy.model(), steps=2).route == "step by step"
    with pytest.raises(ValueError, match='capture must be "auto", True or False'):
        toy.fit(toy.model(), steps=2, capture="graph")
    check_capture("auto")


def _model(build=vc.mlp_vae, **options):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build(toy.D, 2, **options)


VAE, M2, PC = (
    partial(vc.mlp_vae, hidden=(16,)),
    partial(vc.mlp_m2, num_classes=3, hidden=(16,)),
    partial(vc.mlp_prediction_constrained_vae, num_classes=3, hidden=(16,), dropout=0.2),
)
ramp = {"beta": vc.linear(0.1, 1.0, 40)}
CASES = {
    "elbo": (VAE, elbo, {"schedules": ramp, "transform": dynamic_binarization}),
    "iwae": (VAE, partial(iwae, num_samples=5, gradient_samples=2), {}),
    "double": (VAE, partial(iwae, num_samples=5, doubly_reparameterized=True), {}),
    "sampled": (VAE, partial(sampled_elbo, sticking_the_landing=True), {"schedules": ramp}),
    "correlation": (VAE, partial(total_correlation, num_data=50), {"schedules": ramp}),
    "m2": (M2, partial(m2, alpha=1.0, labeled_share=0.4), {"labeled_batch_size": 5}),
    "lottery": (M2, partial(m2, alpha=1.0, roulette=0.3), {"labeled_batch_size": 5}),
    "drawn": (M2, partial(m2, alpha=1.0, sum_labels=False), {}),
    "prediction": (
        PC,
        prediction_constrained,
        {"schedules": {"multiplier": vc.linear(0, 9, 40)}, "labeled_batch_size": 5},
    ),
    "consistency": (
        PC,
        partial(consistency_constrained, multiplier=9.0, labeled_share=0.4),
        {"labeled_batch_size": 5},
    ),
}


def _data():
    x, y = toy.batch()
    return vc.Batch(x, label_subset(y, 20))


def _train(build, objective, steps=STEPS, **options):
    model, lr = _model(build), vc.warmup_cosine(1e-2, 10, steps)
    options = {"steps": steps, "lr": lr, "device": "cuda", **options}
    return model, toy.fit(model, objective, _data(), **options)


@on_a_gpu
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", CASES)
def test_captured_steps_find_the_terms_of_steps_run_one_by_one(device, case, precision):
    build, objective, options = CASES[case]
    options = {"precision": precision, **options}
    _, captured = _train(build, objective, **options)
    _, plain = _train(build, objective, capture=False, **options)
    assert captured.route == CAPTURED
    assert plain.route == "step by step: capture=False"
    # A rounding grows from step to step; 200 steps make of 1e-7 what this allows.
    tolerance = (
        {"rtol": 2e-3, "atol": 2e-3} if precision == "float32" else {"rtol": 0.05, "atol": 0.1}
    )
    for name, values in plain.terms.items():
        np.testing.assert_allclose(captured[name], values, **tolerance)


@on_a_gpu
@pytest.mark.parametrize("case", CASES)
def test_captured_steps_have_the_same_bits_again(device, case):
    build, objective, options = CASES[case]
    (model, one), (other_model, other) = (_train(build, objective, **options) for _ in range(2))
    assert toy.same(model.state_dict(), other_model.state_dict())
    assert all(np.array_equal(one[name], other[name]) for name in one.terms)


class Graph:
    """A CUDA graph for a machine without a GPU: it runs the step's Python again."""

    def __init__(self, steps, index, terms):
        self.steps, self.index, self.terms = steps, index, terms

    def replay(self):
        with capture._rates_on_device(self.steps.optimizer, self.steps.rates):
            self.terms.copy_(self.steps.step(self.index, self.steps.options))


class Stream:
    def __init__(self, *device):
        pass

    def wait_stream(self, other):
        pass


@pytest.fixture
def without_a_gpu(monkeypatch):
    """Let the CPU stand in for a GPU, but for the graph itself."""

    def record(steps, index):
        kept = capture._Kept(steps.tensors(), steps.generators)
        terms = steps.step(index, steps.options).clone()
        kept.put_back()
        return Graph(steps, index, terms), terms

    def told(value, told=python_state._told):
        return value.data_ptr() if isinstance(value, torch.Tensor) else told(value)

    def states(states=python_state.random_states):
        return *states()[:2], torch.zeros(1)  # PyTorch's own play the device's here

    def refuse(tensor):
        raise RuntimeError("called a synchronizing CUDA operation")

    def set_mode(mode, read=torch.Tensor.item):
        monkeypatch.setattr(torch.Tensor, "item", refuse if mode == "error" else read)

    monkeypatch.setattr(labels, "check_inside", lambda *_: None)  # as on a device
    monkeypatch.setattr(capture.CapturedSteps, "_record", record)
    monkeypatch.setattr(python_state, "_told", told)
    monkeypatch.setattr(python_state, "random_states", states)
    monkeypatch.setattr(
        fitting, "route_of", lambda asked, device, *rest: route_of(asked, GPU, *rest)
    )
    monkeypatch.setattr(torch.cuda, "default_generators", [torch.default_generator], raising=False)
    for name, value in {
        "Stream": Stream,
        "current_stream": Stream,
        "stream": lambda stream: nullcontext(),
        "get_sync_debug_mode": lambda: 0,
        "set_sync_debug_mode": set_mode,
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)


@pytest.mark.parametrize("case", CASES)
def test_trials_and_repeated_steps_are_those_of_one_run(without_a_gpu, case):
    """The trials leave nothing behind, and every number comes in its turn."""
    build, objective, options = CASES[case]
    _, repeated = _train(build, objective, steps=45, device="cpu", **options)
    _, plain = _train(build, objective, steps=45, device="cpu", capture=False, **options)
    assert repeated.route == CAPTURED
    for name, values in plain.terms.items():
        np.testing.assert_allclose(repeated[name], values, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("habit", ["_counts", "_prints", "_draws"])
def test_a_step_with_a_habit_goes_on_as_if_it_had_not_been_tried(without_a_gpu, habit):
    objective, found = globals()[habit], []
    for asked in (True, False):
        random.seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found.append(_train(VAE, objective, steps=30, device="cpu", capture=asked))
    assert re.search(HABITS[objective], found[0][1].route)
    if objective is not _counts:  # which the trials have called too
        assert toy.same(found[0][0].state_dict(), found[1][0].state_dict())


def test_a_weight_that_stops_being_there_is_no_step_to_repeat(without_a_gpu):
    class Rebinding(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = _model(VAE)
            self.register_buffer("seen", torch.zeros(()))

        def encode(self, x):
            self.seen = self.seen + 1
            return self.inner.encode(x)

        def decode(self, z):
            return self.inner.decode(z)

        def prior(self):
            return self.inner.prior()

    with pytest.warns(UserWarning, match="training goes on step by step: every step"):
        history = toy.fit(Rebinding(), elbo, steps=5)
    assert history.route.startswith("step by step")


class Stopped(Exception):
    """Training was stopped from outside."""


def _rate(stop, step):
    if step == stop.at:
        raise Stopped
    return 1e-2 / (1 + step)


class _Stop:
    at = None

    def __repr__(self):
        return "where it may stop"


@pytest.mark.parametrize("at", [1, 17, 30])
def test_repeated_steps_resume_without_a_gpu(without_a_gpu, at, tmp_path):
    _check_resumed("cpu", "elbo", at, tmp_path)


@on_a_gpu
@pytest.mark.parametrize("at", [1, 17, 30])
@pytest.mark.parametrize("case", ["elbo", "m2"])
def test_a_stopped_run_of_captured_steps_ends_with_the_bits_of_a_whole_one(
    device, case, at, tmp_path
):
    _check_resumed(device, case, at, tmp_path)


def _check_resumed(device, case, at, tmp_path):
    build, objective, options = CASES[case]
    stop = _Stop()

    def run(**more):
        lr = Schedule(partial(_rate, stop), 1, "rate")
        return _train(build, objective, steps=40, lr=lr, device=device, **options, **more)

    whole, history = run()
    place = {"checkpoint": tmp_path / "run.safetensors", "checkpoint_every": 7}
    stop.at = at
    with pytest.raises(Stopped):
        run(**place)
    stop.at = None
    resumed, again = run(**place)
    assert again.route == history.route == CAPTURED
    assert toy.same(whole.state_dict(), resumed.state_dict())
    assert np.array_equal(history["loss"], again["loss"])


CALLS = 0


def _counts(model, batch):
    global CALLS
    CALLS += 1
    terms = elbo(model, batch)
    return {"loss": terms["loss"] * min(1.0, CALLS / 100)}


def _prints(model, batch):
    print("a step")
    return elbo(model, batch)


def _draws(model, batch):
    return elbo(model, batch, beta=random.random())


def _reads(model, batch):
    terms = elbo(model, batch)
    assert terms["loss"].mean().item() < 1e6
    return terms


def _branches(model, batch):
    return elbo(model, batch, beta=2.0 if batch.x.mean() > 0.5 else 1.0)


def _waits(model, batch):
    torch.cuda.synchronize()
    return elbo(model, batch)


def _copies(model, batch):
    weight = torch.tensor([0.5], device=batch.x.device)
    return {"loss": elbo(model, batch)["loss"] * weight}


HABITS = {
    _counts: "changes objective: CALLS",
    _prints: "prints",
    _draws: "random",
    _reads: "_reads|item",
    _branches: "batch.x.mean",
    _waits: "synchronize|capture",
    _copies: "torch.tensor",
}


@on_a_gpu
@pytest.mark.parametrize("objective", HABITS, ids=lambda f: f.__name__)
def test_what_cannot_be_captured_goes_on_step_by_step_and_says_why(device, objective):
    global CALLS
    found = []
    for asked in (True, False):
        CALLS = 0
        random.seed(0)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            found.append(_train(VAE, objective, steps=40, capture=asked))
        ours = [str(one.message) for one in seen if "step by step" in str(one.message)]
        assert len(ours) == asked
    tried, plain = found
    assert re.search(HABITS[objective], tried[1].route), tried[1].route
    if objective is not _counts:  # which the trials have called too
        assert toy.same(tried[0].state_dict(), plain[0].state_dict())


@on_a_gpu
def test_a_function_of_ones_own_is_captured_on_request(device):
    _, history = _train(VAE, _own, capture=True)
    assert history.route == CAPTURED
    _, plain = _train(VAE, _own)
    np.testing.assert_allclose(history["loss"], plain["loss"], rtol=2e-3)


@on_a_gpu
@pytest.mark.parametrize(
    ("optimizer", "route"),
    [
        (torch.optim.Adam, CAPTURED),
        (torch.optim.AdamW, CAPTURED),
        (partial(torch.optim.SGD, lr=0.1, momentum=0.9), None),
        (partial(torch.optim.RMSprop), None),
    ],
)
def test_optimizers_of_pytorch_are_captured_or_go_on_step_by_step(device, optimizer, route):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, history = _train(VAE, elbo, optimizer=optimizer, steps=60)
        _, plain = _train(VAE, elbo, optimizer=optimizer, steps=60, capture=False)
    assert route in (None, history.route)
    np.testing.assert_allclose(history["loss"], plain["loss"], rtol=2e-3)


@on_a_gpu
def test_a_term_that_is_not_finite_stops_captured_steps(device):
    lr = Schedule(lambda step: 1e-2 if step < 100 else float("nan"), 1, "rate")
    with pytest.raises(FloatingPointError, match="step 10"):
        _train(VAE, elbo, lr=lr)
