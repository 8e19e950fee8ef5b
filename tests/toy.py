"""A toy data set and model, and an objective that records: what the tests of `fit` share."""

from functools import partial
from typing import NamedTuple

import torch

import vaecourse as vc
from vaecourse.objectives import elbo
from vaecourse.runtime import isolated_rng

D = 6


def batch(num=50, seed=0, dtype=torch.float32):
    """Return three classes of grey vectors: a third of each vector is bright."""
    y = torch.arange(num) % 3
    noise = torch.rand(num, D, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return vc.Batch(0.8 * torch.eye(3, dtype=dtype)[y].repeat(1, D // 3) + 0.2 * noise, y)


def split(num=50):
    train, valid, test = batch(num), batch(20, 1), batch(10, 2)
    return vc.Split("toy", train, valid, vc.HeldOut(*test), identity="toy")


def model(build=partial(vc.mlp_vae, hidden=(16,)), seed=0, **options):  # noqa: B008
    with isolated_rng(seed):
        return build(D, 2, **options)


def fit(model, objective=elbo, data=None, **options):
    data = batch() if data is None else data
    options = {"batch_size": 16, "device": "cpu", "progress": False, **options}
    return vc.fit(model, objective, data, **options)


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


class Call(NamedTuple):
    """What an objective was given, and the model's state at that moment."""

    batch: vc.Batch
    options: dict
    random_state: torch.Tensor
    weights: dict
    training: bool


class Recorder:
    """An objective that keeps what it was given."""

    def __init__(self, objective):
        self.objective, self.calls = objective, []

    def __call__(self, model, batch, **options):
        state = torch.get_rng_state()
        self.calls.append(Call(batch, options, state, weights(model), model.training))
        return self.objective(model, batch, **options)
