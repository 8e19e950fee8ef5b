"""What a checkpoint can tell apart, and what it refuses because it cannot."""

import importlib
import subprocess
import sys
from functools import partial, wraps

import pytest
import torch
import toy
from torch import nn

import vaecourse as vc
from vaecourse.objectives import elbo, iwae
from vaecourse.training.identity import identity_of

BETA = 1.0


def by_global(model, batch):
    return elbo(model, batch, beta=BETA)


def helped(model, batch):
    return by_global(model, batch)


def by_default(model, batch, *, beta=1.0):
    return elbo(model, batch, beta=beta)


def closure(beta):
    def objective(model, batch):
        return elbo(model, batch, beta=beta)

    return objective


class Weighted:
    """An objective with a state, as a learner may write it."""

    def __init__(self, beta):
        self.beta = beta

    def __call__(self, model, batch):
        return elbo(model, batch, beta=self.beta)

    def method(self, model, batch):
        return self(model, batch)


class Printed(Weighted):
    def __repr__(self):
        return f"Printed({self.beta})"


quiet = torch.no_grad()


def louder(times):
    def decorate(function):
        @wraps(function)
        def inner(model, batch):
            return {name: times * value for name, value in function(model, batch).items()}

        return inner

    return decorate


def noisy(x, generator, scale=0.1):
    return (x + scale * torch.randn(x.shape, generator=generator)).clamp(0, 1)


DIFFERENT = {
    "two functions": (elbo, iwae),
    "a value of a partial": (partial(elbo, beta=1.0), partial(elbo, beta=50.0)),
    "a tensor of a partial": (
        partial(elbo, beta=torch.tensor(1.0)),
        partial(elbo, beta=torch.tensor(1.0).double()),
    ),
    "a partial in a partial": (
        partial(vc.objectives.given_covariates, objective=partial(elbo, beta=1.0)),
        partial(vc.objectives.given_covariates, objective=partial(elbo, beta=2.0)),
    ),
    "two objects": (Printed(1.0), Printed(50.0)),
    "a method of two objects": (Printed(1.0).method, Printed(50.0).method),
    "an optimizer's option": (
        partial(torch.optim.SGD, momentum=0.9),
        partial(torch.optim.SGD, momentum=0.5),
    ),
    "two schedules of one name": (
        vc.Schedule(partial(pow, 2.0), 3, "mine"),
        vc.Schedule(partial(pow, 3.0), 3, "mine"),
    ),
    "weights of a module": (nn.Linear(2, 1), nn.Linear(2, 1)),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_differs_is_described_differently(name):
    first, second = (identity_of(value, "objective") for value in DIFFERENT[name])
    assert first != second
    assert first == identity_of(DIFFERENT[name][0], "objective")


def documented(model, batch, *, beta=1.0):
    """The same in other words."""
    return elbo(model, batch, beta=beta)


def redocumented(model, batch, *, beta=1.0):
    """What `documented` says, said anew."""
    return elbo(model, batch, beta=beta)


def test_a_docstring_is_no_behavior(monkeypatch):
    before = identity_of(documented, "objective")
    for part in ("__code__", "__doc__"):
        monkeypatch.setattr(documented, part, getattr(redocumented, part))
    assert identity_of(documented, "objective") == before


def test_a_decorator_is_seen_and_so_is_its_value():
    assert identity_of(quiet(by_global), "objective") != identity_of(by_global, "objective")
    assert identity_of(louder(2)(by_global), "o") != identity_of(louder(3)(by_global), "o")


def test_the_body_a_default_and_a_named_number_are_seen(monkeypatch):
    before = [identity_of(function, "objective") for function in (by_global, helped, by_default)]
    monkeypatch.setattr(sys.modules[__name__], "BETA", 50.0)
    monkeypatch.setattr(by_default, "__kwdefaults__", {"beta": 50.0})
    after = [identity_of(function, "objective") for function in (by_global, helped, by_default)]
    assert all(one != other for one, other in zip(before, after, strict=True))
    monkeypatch.setattr(by_global, "__code__", by_default.__code__)
    assert identity_of(by_global, "objective") != after[0]


REFUSED = {
    "lambda": (lambda model, batch: elbo(model, batch), "objective is a lambda"),
    "partial of a lambda": (
        partial(lambda model, batch, beta: elbo(model, batch), beta=1.0),
        "a lambda",
    ),
    "lambda in a partial": (partial(elbo, beta=lambda step: step), "objective is a lambda"),
    "closure": (closure(1.0), "closure.<locals>.objective, made in a function"),
    "object": (Weighted(1.0), "object of Weighted that does not print what it is"),
    "method": (Weighted(1.0).method, "object of Weighted that does not print what it is"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_told_apart_is_refused(name, tmp_path):
    objective, message = REFUSED[name]
    with pytest.raises(ValueError, match="give a named function or a functools") as caught:
        toy.fit(toy.model(), objective, steps=1, checkpoint=tmp_path / "run")
    assert message in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options",
    [
        {"transform": lambda x, _generator: x},
        {"optimizer": lambda parameters: torch.optim.SGD(parameters)},
        {"lr": vc.Schedule(lambda _step: 1e-3, 1, "mine")},
        {"schedules": {"beta": vc.Schedule(lambda _step: 1.0, 1, "mine")}},
    ],
    ids=["transform", "optimizer", "lr", "schedule"],
)
def test_so_are_a_transform_an_optimizer_and_schedules(options, tmp_path):
    with pytest.raises(ValueError, match="is a lambda: a checkpoint cannot tell it"):
        toy.fit(toy.model(), steps=1, checkpoint=tmp_path / "run", **options)
    toy.fit(toy.model(), steps=1, **options)


def _resumes(tmp_path, monkeypatch, first, second):
    path = tmp_path / "run"
    toy.fit(steps=2, checkpoint=path, **first)
    with pytest.raises(ValueError, match=r"was made with .*; this run has") as caught:
        toy.fit(steps=4, checkpoint=path, **second)
    return str(caught.value)


@pytest.mark.parametrize(
    "part", ["objective", "transform", "optimizer", "lr", "schedules", "model"]
)
def test_a_checkpoint_does_not_take_another(part, tmp_path, monkeypatch):
    pairs = {
        "objective": (partial(elbo, beta=1.0), partial(elbo, beta=50.0)),
        "transform": (partial(noisy, scale=0.1), partial(noisy, scale=0.2)),
        "optimizer": DIFFERENT["an optimizer's option"],
        "lr": (
            vc.Schedule(partial(pow, 0.1), 2, "mine"),
            vc.Schedule(partial(pow, 0.2), 2, "mine"),
        ),
        "schedules": ({"beta": 1.0}, {"beta": 50.0}),
        "model": (_gaussian(1.0), _gaussian(0.5)),
    }
    runs = [{"model": toy.model()} | {part: value} for value in pairs[part]]
    message = _resumes(tmp_path, monkeypatch, *runs)
    if part == "model":
        assert "GaussianFixedScale(scale=1); this run has" in message


def _gaussian(scale):
    likelihood = partial(vc.GaussianFixedScale, scale=scale)
    return toy.model(partial(vc.mlp_vae, hidden=(16,), likelihood=likelihood))


def test_descriptions_are_the_same_in_every_process():
    """Sets come in another order, and addresses differ; a description must not."""
    program = (
        "import os, vaecourse as vc; from functools import partial\n"
        "from vaecourse.training.identity import identity_of\n"
        "def mine(model, batch):\n    return model in {'a', 'b', 'loss'} or batch in {1, 'x'}\n"
        "given = mine, {'b', 'a'}, partial(vc.objectives.m2, alpha=2.0)\n"
        "print(identity_of(given, 'objective'))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
    assert "partial(vaecourse.objectives.class_sums.m2 [" in said.pop()


def seeded(model, batch, *, seed=0, model_scale=1.0):
    """An objective whose keywords have the names of other things that a checkpoint compares."""
    return elbo(model, batch, beta=model_scale + 0 * seed)


def test_a_keyword_may_be_called_as_an_argument_of_fit(tmp_path):
    options = {"checkpoint": tmp_path / "run", "schedules": {"seed": 3.0}}
    toy.fit(toy.model(), seeded, steps=2, seed=1, **options)
    assert len(toy.fit(toy.model(), seeded, steps=4, seed=1, **options)) == 4
    with pytest.raises(ValueError, match="made with seed = 1; this run has seed = 2"):
        toy.fit(toy.model(), seeded, steps=4, seed=2, **options)


HELPERS = {
    "by name": "from {second} import helper\ndef objective(m, b):\n    return helper(b)\n",
    "by module": "import {second}\ndef objective(m, b):\n    return {second}.helper(b)\n",
    "by a partial": "from functools import partial\nfrom {second} import helper\n"
    "mine = partial(helper)\ndef objective(m, b):\n    return mine(b)\n",
    "in a function inside": "from {second} import helper\ndef objective(m, b):\n"
    "    def inner(c):\n        return helper(c)\n    return inner(b)\n",
}


@pytest.mark.parametrize("way", HELPERS)
@pytest.mark.parametrize("folder", ["mine", "site-packages"])
def test_a_helper_in_a_second_file_is_seen_by_its_body(way, folder, tmp_path, monkeypatch):
    """That of an installed package is seen by its name: its version is its own affair."""
    place = tmp_path / folder
    place.mkdir()
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def description(body):
        (place / "first_file.py").write_text(HELPERS[way].format(second="second_file"), "utf-8")
        (place / "second_file.py").write_text(
            f"from third_file import factor\ndef helper(x):\n    return {body}\n", "utf-8"
        )
        (place / "third_file.py").write_text(f"def factor():\n    return {len(body)}\n", "utf-8")
        for name in ("first_file", "second_file", "third_file"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        return identity_of(importlib.import_module("first_file").objective, "objective")

    base, *others = (description(body) for body in ("factor()", "1 + factor()", "factor()  # same"))
    same_body, same_third = others[0] == base, others[1] == base
    assert (same_body, same_third) == ((False, False) if folder == "mine" else (True, True))
