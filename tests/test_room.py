"""Passes are as large as memory allows, whoever wrote the networks, and no number shows it."""

from functools import partial
from math import prod

import numpy as np
import pytest
import torch
from torch import distributions as td
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

import vaecourse as vc
from vaecourse.distributions import Categorical, UniformClasses
from vaecourse.evaluation import (
    embed,
    evaluate,
    log_marginal,
    midpoint_ratio,
    predict,
    reconstruct,
    sample_prior,
)
from vaecourse.evaluation.averages import averaged
from vaecourse.models import M2, latent_batch, mlp_count_vae
from vaecourse.objectives import (
    consistency_constrained,
    elbo,
    given_covariates,
    iwae,
    m2,
    prediction_constrained,
    reconstruction,
    sampled_elbo,
)
from vaecourse.runtime import isolated_rng, passes
from vaecourse.runtime.private import most_held
from vaecourse.training import run

EVENT, L, C, N = (1, 16, 16), 3, 5, 120
NUMBERS = 2**16
"""Most numbers in a tensor of a pass, in the tests: far fewer than all rows take at once."""


class Largest(TorchDispatchMode):
    """Remembers how many numbers the largest new tensor held."""

    numbers = 0

    @classmethod
    def _should_skip_dynamo(cls):
        return False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        made = func(*args, **(kwargs or {}))
        given = {a.untyped_storage().data_ptr() for a in args if isinstance(a, torch.Tensor)}
        for one in made if isinstance(made, tuple | list) else (made,):
            if not isinstance(one, torch.Tensor):
                continue
            if one.untyped_storage().data_ptr() not in given:  # no view
                self.numbers = max(self.numbers, prod(one.shape))
        return made


class Wide(nn.Module):
    """Someone's own network of images and classes, whose inner layers are the largest."""

    def __init__(self, in_size, out_shape):
        super().__init__()
        self.label = nn.Embedding(C, in_size)
        self.first, self.last = nn.Linear(in_size, 1000), nn.Linear(1000, prod(out_shape))
        self.out_shape = out_shape

    def forward(self, x, y=None):
        # Not through a module: hooks on modules would not see it.
        flat = x.reshape(*x.shape[: x.dim() - (3 if x.shape[-3:] == EVENT else 1)], -1)
        inner = torch.tanh(self.first(flat if y is None else flat + self.label(y)))
        return self.last(inner * 0.5 + inner * 0.5).unflatten(-1, self.out_shape)


class WithHead(nn.Module):
    def __init__(self, network, head):
        super().__init__()
        self.network, self.head = network, head

    def forward(self, x, y=None, rows=None):
        return self.head(self.network(x if rows is None else x[rows], y))


def _own_m2():
    to_z, to_x, to_y = vc.Gaussian(L), vc.Bernoulli(EVENT), Categorical(C)
    return M2(
        WithHead(Wide(256, to_z.in_shape), to_z),
        WithHead(Wide(L, EVENT), to_x),
        WithHead(Wide(256, (C,)), to_y),
        vc.StandardNormal(L),
        UniformClasses(C),
    )


def _own_vae():
    to_z, to_x = vc.Gaussian(L), vc.Bernoulli(EVENT)
    encoder, decoder = WithHead(Wide(256, to_z.in_shape), to_z), WithHead(Wide(L, EVENT), to_x)
    return vc.VAE(encoder, decoder, vc.StandardNormal(L))


def _wide_pc():
    return vc.mlp_prediction_constrained_vae(EVENT, L, C, hidden=(1000,))


def own_bound(model, batch):
    """An objective that asks the networks and not the model."""
    q = model.encoder(batch.x)
    log_p = model.decoder(q.rsample((1,))).log_prob(batch.x)[0]
    return {"loss": td.kl_divergence(q.base_dist, model.prior().base_dist).sum(-1) - log_p}


CASES = {
    "elbo, convolutions": (partial(vc.conv_vae, EVENT, L, (64, 32)), elbo),
    "elbo, own networks": (_own_vae, partial(elbo, num_samples=3)),
    "sampled elbo": (_own_vae, partial(sampled_elbo, num_samples=2)),
    "iwae": (_own_vae, partial(iwae, num_samples=3)),
    "iwae, few gradients": (_own_vae, partial(iwae, num_samples=4, gradient_samples=2)),
    "autoencoder": (partial(vc.mlp_autoencoder, EVENT, L, (2000,)), reconstruction),
    "m2": (partial(vc.mlp_m2, EVENT, L, C, hidden=(1000,)), partial(m2, alpha=1.0)),
    "m2, own networks": (_own_m2, partial(m2, alpha=1.0, labeled_share=0.2)),
    "m2, one class drawn": (_own_m2, partial(m2, alpha=1.0, sum_labels=False)),
    "pc": (_wide_pc, partial(prediction_constrained, multiplier=2.0, num_samples=3)),
    "cpc": (_wide_pc, partial(consistency_constrained, multiplier=2.0)),
    "own objective": (_own_vae, own_bound),
}
LABELS = {"none": lambda y: y < 0, "some": lambda y: y % 4 == 0, "all": lambda y: y >= 0}


def _data(labels="some"):
    with isolated_rng(0):
        x, y = torch.rand(N, *EVENT), torch.arange(N)
    return vc.Batch(x, torch.where(LABELS[labels](y), y % C, -1))


def _made(build):
    with isolated_rng(1):
        return build()


def _both(ask, monkeypatch):
    """Return what `ask` gives with all the room it wants and with little, and the sizes."""
    found = []
    for size in (2**40, 4 * NUMBERS):
        monkeypatch.setattr(passes, "ROOM", size)
        with Largest() as seen:
            found.append((ask(), seen.numbers))
    (whole, much), (parts, little) = found
    return whole, parts, much, little


WHICH = [(case, "some") for case in CASES] + [("m2, own networks", "none"), ("cpc", "all")]


@pytest.mark.parametrize(("case", "labels"), WHICH)
def test_evaluate_makes_no_tensor_without_room(case, labels, monkeypatch):
    build, objective = CASES[case]
    model = _made(build)
    ask = partial(evaluate, model, objective, _data(labels), batch_size=N)
    whole, parts, much, little = _both(ask, monkeypatch)
    assert little <= NUMBERS < much
    assert parts == pytest.approx(whole, rel=2e-5, abs=2e-5)


PASSES = {
    "embed": (partial(vc.conv_vae, EVENT, L, (64, 32)), embed),
    "reconstruct": (_own_vae, reconstruct),
    "predict": (_own_m2, predict),
    "latent batch": (_own_vae, lambda model, x: latent_batch(model, vc.Batch(x, x[:, 0, 0, 0])).x),
    "sample": (_own_vae, lambda model, x: sample_prior(model, 200, seed=3)),
    "midpoints": (_own_vae, lambda model, x: midpoint_ratio(model, x[:80], x[40:], x).images),
    "log p(x)": (_own_vae, lambda model, x: log_marginal(model, x[:50], 5).value),
}


@pytest.mark.parametrize("case", PASSES)
def test_a_pass_makes_no_tensor_without_room(case, monkeypatch):
    build, ask = PASSES[case]
    model, x = _made(build), _data().x
    whole, parts, much, little = _both(partial(ask, model, x), monkeypatch)
    assert little <= NUMBERS < much
    torch.testing.assert_close(parts, whole, rtol=1e-5, atol=1e-5)


def test_the_embedding_decodes_in_passes(monkeypatch):
    rows = _data().x.flatten(1).numpy()
    embedding = vc.VAEEmbedding(2, hidden=(1000,), epochs=1, random_state=0).fit(rows)
    codes = embedding.transform(rows)
    whole, parts, much, little = _both(lambda: embedding.inverse_transform(codes), monkeypatch)
    assert little <= NUMBERS < much
    np.testing.assert_allclose(parts, whole, rtol=1e-9)


def test_validation_has_the_room_of_a_pass(monkeypatch):
    """Small training batches, and all validation rows for each of the classes."""
    sizes = []

    def watched(*args, **options):
        with Largest() as seen:
            terms = averaged(*args, **options)
        sizes.append(seen.numbers)
        return terms

    monkeypatch.setattr(run, "averaged", watched)
    monkeypatch.setattr(passes, "ROOM", 4 * NUMBERS)
    split = vc.data.split_of(_data("none"), valid=0.6, test=0.2)
    options = {"epochs": 1, "batch_size": 8, "progress": False, "device": "cpu"}
    vc.fit(_made(_own_m2), partial(m2, alpha=1.0), split, **options)
    assert len(sizes) == 1
    assert sizes[0] <= NUMBERS < len(split.valid.x) * C * 1000


def test_counts_go_through_a_few_rows_at_a_time(monkeypatch):
    """The decoder is told something of each row, so rows are taken apart and not its answers."""
    model = _made(partial(mlp_count_vae, 200, L))
    with isolated_rng(0):
        counts = torch.poisson(torch.full((600, 200), 2.0))
    data = vc.Batch(torch.cat([counts, torch.zeros(600, 1)], 1), torch.full((600,), -1))

    def told(model, batch):  # of nobody's package: the support of all data is not looked at
        return given_covariates(model, batch)

    ask = partial(evaluate, model, told, data)
    whole, parts, much, little = _both(ask, monkeypatch)
    assert little <= NUMBERS < much
    assert parts == pytest.approx(whole, rel=1e-5)


def test_rows_that_need_one_another_stay_together(monkeypatch):
    def centered(model, batch):
        image = model.decoder(model.encoder(batch.x).mean).mean
        return {"loss": (image - image.mean(0)).square().flatten(1).sum(1)}

    ask = partial(evaluate, _made(_own_vae), centered, _data())
    whole, parts, *_ = _both(ask, monkeypatch)
    assert parts == whole


def test_what_has_room_is_asked_once_and_whole(monkeypatch):
    sizes = []

    def objective(model, batch):
        sizes.append(len(batch.x))
        return elbo(model, batch)

    evaluate(_made(_own_vae), objective, _data(), batch_size=50)
    assert sizes == [1, 50, 50, 20]


def test_a_pytorch_that_cannot_say_has_whole_passes(monkeypatch):
    monkeypatch.setattr(passes, "most_held", lambda _ask: None)
    model, data = _made(_own_m2), _data()
    ask = partial(evaluate, model, partial(m2, alpha=1.0), data)
    whole, same, much, as_much = _both(ask, monkeypatch)
    assert (whole, much) == (same, as_much)


def test_memory_is_counted_while_it_is_held():
    a = torch.zeros(1000)
    with torch.no_grad():
        assert most_held(lambda: a + 1) == 4000
        assert most_held(lambda: ((a + 1) + 1) + 1) == 8000
        assert most_held(lambda: [a + n for n in range(5)]) == 20_000
        assert most_held(lambda: a.view(10, 100).T.flatten(0, 0)) == 0
        assert most_held(lambda: a.clone().add_(1).view(-1)) == 4000
