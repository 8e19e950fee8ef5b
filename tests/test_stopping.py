"""A run that is stopped: what it leaves behind, and that the next one is as good as ever."""

import os
import signal
import threading

import numpy as np
import pytest
import stopped_starts
import torch
import toy

import vaecourse as vc
from vaecourse.objectives import elbo
from vaecourse.runtime.interrupts import uninterrupted
from vaecourse.training.history import History


class StopsAt:
    """An objective that is stopped at a step of training."""

    def __init__(self, step, error=KeyboardInterrupt):
        self.left, self.error = step, error

    def __call__(self, model, batch, beta=1.0):
        if model.training and self.left == 0:
            raise self.error
        self.left -= model.training
        return elbo(model, batch, beta=beta)


@pytest.mark.parametrize("error", [KeyboardInterrupt, FloatingPointError])
@pytest.mark.parametrize("step", [0, 1, 6, 9])
def test_what_stops_a_run_brings_its_history(step, error):
    """Epochs have four steps, so the last of these stops in the third epoch."""
    whole = toy.fit(toy.model(), data=toy.split(), steps=12)
    model, same = toy.model(), toy.model()
    with pytest.raises(error) as caught:
        toy.fit(model, StopsAt(step, error), toy.split(), steps=12)
    history = caught.value.history
    assert isinstance(history, History)
    assert len(history) == step
    for name, values in history.terms.items():
        assert np.array_equal(values, whole[name][:step])
    assert bool(history.validation) == (step >= 4)
    for name, values in history.validation.items():
        assert np.array_equal(values, whole.validation[name][: step // 4])
    if step:
        toy.fit(same, data=toy.split(), steps=step)
    assert toy.same(toy.weights(model), toy.weights(same))
    assert not any(module.training for module in model.modules())


class _Stop(torch.autograd.Function):
    @staticmethod
    def forward(_context, x):
        return x.clone()

    @staticmethod
    def backward(_context, _gradient):
        raise KeyboardInterrupt


def test_a_step_that_was_not_completed_is_not_in_the_history():
    """Its terms are known when its gradient is computed, and its weights have not moved."""

    def objective(model, batch):
        terms = elbo(model, batch)
        objective.calls += 1
        return terms | {"loss": _Stop.apply(terms["loss"])} if objective.calls == 4 else terms

    objective.calls = 0
    with pytest.raises(KeyboardInterrupt) as caught:
        toy.fit(toy.model(), objective, steps=9)
    assert len(caught.value.history) == 3


def test_gradients_that_a_stopped_run_left_behind_go_nowhere():
    model, fresh = toy.model(), toy.model()
    for weight in model.parameters():
        weight.grad = torch.ones_like(weight)
    toy.fit(model, steps=3)
    toy.fit(fresh, steps=3)
    assert toy.same(toy.weights(model), toy.weights(fresh))


def test_a_stop_before_training_brings_an_empty_history(monkeypatch):
    def stop(_parameters):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        toy.fit(toy.model(), steps=3, optimizer=stop)
    assert len(caught.value.history) == 0


@pytest.fixture
def interruptible():
    """Let interrupts be heard, also in a shell's background, where they are ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _interrupt():
    signal.raise_signal(signal.SIGINT)


def test_an_interrupt_waits_for_the_end_of_the_block(interruptible):
    reached = []
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        _interrupt()
        reached.append(True)
    assert reached
    with pytest.raises(KeyboardInterrupt):
        _interrupt()


def test_an_interrupt_comes_with_the_error_of_its_block(interruptible):
    with pytest.raises(KeyboardInterrupt) as caught, uninterrupted():
        _interrupt()
        raise ZeroDivisionError
    assert isinstance(caught.value.__context__, ZeroDivisionError)


def test_other_threads_do_not_touch_the_handler(interruptible):
    found = []

    def look():
        before = signal.getsignal(signal.SIGINT)
        with uninterrupted():
            found.append(signal.getsignal(signal.SIGINT) is before)

    _in_threads(look)
    assert found == [True]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("kind", ["adam", pytest.param("sgd", marks=pytest.mark.slow)])
def test_a_first_fit_that_is_stopped_leaves_the_process_able_to_fit(kind):
    """At ten moments, spread over PyTorch's calls and the modules that an optimizer imports."""
    whole, *trials = stopped_starts.asked(kind)
    assert not whole["stopped"]
    assert (whole["imports"] > 0) == (kind == "sgd")
    assert len(trials) == stopped_starts.STOPS
    for trial in trials:
        assert trial["stopped"], trial
        assert trial["loss"] == whole["loss"], trial


def _in_threads(*calls):
    threads = [threading.Thread(target=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=100)
    assert not any(thread.is_alive() for thread in threads)


def test_two_threads_train_as_one_after_another():
    """Each meets the other between its steps if nothing keeps them apart."""
    together = threading.Barrier(2)
    found = {}

    def objective(model, batch):
        # Whoever is alone inside waits in vain, and goes on.
        if not objective.alone:
            try:
                together.wait(timeout=0.5)
            except threading.BrokenBarrierError:
                objective.alone = True
        return elbo(model, batch)

    objective.alone = False

    def train(seed):
        model = toy.model()
        found[seed] = toy.fit(model, objective, seed=seed, steps=6), toy.weights(model)

    _in_threads(lambda: train(1), lambda: train(2))
    for seed in (1, 2):
        model = toy.model()
        history = toy.fit(model, seed=seed, steps=6)
        assert np.array_equal(found[seed][0]["loss"], history["loss"])
        assert toy.same(found[seed][1], toy.weights(model))


def test_an_evaluation_waits_for_the_training_of_another_thread():
    """Without that, its seed becomes the run's, and its mode the model's."""
    model, inside, results = toy.model(), threading.Event(), []

    def look():
        inside.wait(timeout=100)
        results.append(vc.evaluation.evaluate(model, elbo, toy.batch()))

    def objective(model, batch):
        assert model.training
        inside.set()
        return elbo(model, batch)

    thread = threading.Thread(target=look)
    thread.start()
    history = toy.fit(model, objective, steps=6)
    thread.join(timeout=100)
    assert results == [vc.evaluation.evaluate(model, elbo, toy.batch())]
    assert np.array_equal(history["loss"], toy.fit(toy.model(), steps=6)["loss"])


def test_a_run_inside_a_run_changes_neither():
    inner = []

    def objective(model, batch):
        inner.append(toy.fit(toy.model(seed=5), seed=9, steps=2)["loss"])
        return elbo(model, batch)

    nested = toy.fit(toy.model(), objective, steps=3)
    assert np.array_equal(nested["loss"], toy.fit(toy.model(), steps=3)["loss"])
    alone = toy.fit(toy.model(seed=5), seed=9, steps=2)["loss"]
    assert all(np.array_equal(loss, alone) for loss in inner)
