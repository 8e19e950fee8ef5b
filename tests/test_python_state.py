"""What a step does besides computing is seen: it would happen once if the step were captured."""

import itertools
import random
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from vaecourse.objectives import elbo
from vaecourse.training.python_state import PythonState, watching

CALLS = 0
LOG, TOTALS, COUNTER = [], {}, itertools.count()
KEPT, ON_CPU, ARRAY = SimpleNamespace(last=None), torch.zeros(3), np.zeros(3)
RNG, DICE = np.random.default_rng(0), random.Random(0)


def _global():
    global CALLS
    CALLS += 1


def _appends():
    LOG.append(torch.ones(()))


def _fills():
    TOTALS[len(TOTALS)] = 1.0


def _counts():
    next(COUNTER)


def _keeps():
    KEPT.last = torch.ones(())


def _writes_on_the_cpu():
    ON_CPU.add_(1)


def _writes_an_array():
    ARRAY[0] += 1


def _draws():
    random.random()


def _draws_from_numpy():
    np.random.rand()  # noqa: NPY002 - as a learner may


def _draws_from_torch():
    torch.rand(1)


def _draws_from_its_own():
    RNG.random()


def _throws_its_dice():
    DICE.random()


def _default(seen=[]):  # noqa: B006 - the habit under test
    seen.append(1)


def _attribute():
    _attribute.calls = getattr(_attribute, "calls", 0) + 1


def _asks_another():
    _global()


def _closure():
    calls = 0

    def step():
        nonlocal calls
        calls += 1

    return step


class Counting:
    def __init__(self):
        self.calls = 0

    def __call__(self):
        self.calls += 1

    def method(self):
        self.calls += 1


class Module(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.inner.calls = nn.Linear(2, 2), 0

    def forward(self):
        self.inner.calls += 1


class Rebinding(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(2))

    def forward(self):
        self.mean = 0.9 * self.mean


HABITS = {
    **{
        function.__name__: lambda function=function: function
        for function in (
            _global,
            _appends,
            _fills,
            _counts,
            _keeps,
            _writes_on_the_cpu,
            _writes_an_array,
            _draws,
            _draws_from_numpy,
            _draws_from_torch,
            _draws_from_its_own,
            _throws_its_dice,
            _default,
            _attribute,
            _asks_another,
        )
    },
    "closure": _closure,
    "object": Counting,
    "method": lambda: Counting().method,
    "partial": lambda: partial(Counting()),
    "module": Module,
    "rebinding": Rebinding,
}


@pytest.mark.parametrize("habit", HABITS)
def test_a_step_that_does_more_than_compute_is_seen(habit):
    function = HABITS[habit]()
    function()
    before = PythonState({"step": function})
    assert before.difference(PythonState({"step": function})) is None
    function()
    assert before.difference(PythonState({"step": function})).startswith("every step changes ")


def test_the_difference_says_where_it_is():
    counting = Counting()
    before = PythonState({"objective": counting})
    counting()
    after = PythonState({"objective": counting})
    assert before.difference(after) == "every step changes objective.calls"


def test_training_itself_changes_nothing_that_is_seen(repository):
    import toy

    model = toy.model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    roots = {"objective": partial(elbo, beta=2.0), "model": model, "optimizer": optimizer}
    with torch.random.fork_rng():
        terms = elbo(model, toy.batch())
        state = torch.get_rng_state()
        before = PythonState(roots)
        elbo(model, toy.batch())
        torch.set_rng_state(state)
        assert before.difference(PythonState(roots)) is None
    terms["loss"].mean().backward()
    optimizer.step()
    changed = before.difference(PythonState(roots))
    assert changed is not None, "weights on the CPU are written by Python's steps"


def test_what_a_step_prints_is_passed_on_and_witnessed(capsys):
    with watching() as streams:
        pass
    assert not any(stream.printed for stream in streams)
    with watching() as streams:
        print("loss", 1.0)
    assert streams[0].printed
    assert capsys.readouterr().out == "loss 1.0\n"
