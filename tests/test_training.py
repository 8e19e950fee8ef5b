"""`fit` against hand-written steps, batch by batch."""

from functools import partial

import numpy as np
import pytest
import torch
import toy
from torch import nn

import vaecourse as vc
from vaecourse.data.labels import dynamic_binarization
from vaecourse.evaluation import evaluate
from vaecourse.objectives import elbo, reconstruction


def test_history_holds_every_term_of_every_step():
    """Each row is recomputed from the step's own weights, batch and random state."""
    model = toy.model()
    recorder = toy.Recorder(elbo)
    history = toy.fit(model, recorder, steps=9, lr=1e-2)
    assert len(history) == len(recorder.calls) == 9
    assert set(history.terms) == {"reconstruction", "kl", "elbo", "loss"}
    for step, (batch, options, state, weights, training) in enumerate(recorder.calls):
        model.load_state_dict(weights)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.set_rng_state(state)
            terms = elbo(model, batch, **options)
        assert training
        for name, values in terms.items():
            assert history[name][step] == pytest.approx(values.double().mean().item(), rel=1e-6)


@pytest.mark.parametrize("objective", [reconstruction, elbo])
def test_steps_are_adam(objective):
    """Adam as in Kingma and Ba (2015), algorithm 1, written out in float64."""
    model = toy.model().double()
    recorder = toy.Recorder(objective)
    toy.fit(model, recorder, toy.batch(dtype=torch.float64), steps=4, lr=3e-3)
    after = [call.weights for call in recorder.calls[1:]] + [toy.weights(model)]
    moments = {name: (0.0, 0.0) for name, _ in model.named_parameters()}
    for step, (batch, options, state, before, _) in enumerate(recorder.calls, start=1):
        model.load_state_dict(before)
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(state)
            loss = objective(model, batch, **options)["loss"].mean()
        names, parameters = zip(*model.named_parameters(), strict=True)
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        for name, gradient in zip(names, gradients, strict=True):
            first = 0.9 * moments[name][0] + 0.1 * gradient
            second = 0.999 * moments[name][1] + 0.001 * gradient**2
            moments[name] = first, second
            slope = first / (1 - 0.9**step)
            spread = (second / (1 - 0.999**step)).sqrt() + 1e-8
            expected = before[name] - 3e-3 * slope / spread
            torch.testing.assert_close(after[step - 1][name], expected, rtol=1e-10, atol=1e-12)


def _parameters(dtypes):
    generator = torch.Generator().manual_seed(3)
    shapes = [(5, 7), (7,), (33, 40), ()]
    return [
        nn.Parameter(torch.randn(shape, generator=generator).to(dtype))
        for shape, dtype in zip(shapes, dtypes, strict=True)
    ]


@pytest.mark.parametrize(
    "dtypes",
    [[torch.float32] * 4, [torch.float64] * 4, [torch.float64, *[torch.float32] * 3]],
    ids=["single", "double", "mixed"],
)
def test_adam_is_that_of_torch_bit_for_bit(dtypes):
    """Its rates, parameters without a gradient, its state, and a state that changes hands."""
    ours, theirs = _parameters(dtypes), _parameters(dtypes)
    optimizers = vc.training.adam(ours), torch.optim.Adam(theirs, fused=True)
    generator = torch.Generator().manual_seed(4)
    for step in range(12):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            gradient = torch.randn(one.shape, generator=generator).to(one.dtype)
            absent = index == step % 5
            one.grad, other.grad = (None if absent else gradient.clone() for _ in range(2))
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = 0.1 / (step + 1)
            optimizer.step()
        if step == 6:
            states = [optimizer.state_dict() for optimizer in optimizers]
            for optimizer, state in zip(optimizers, reversed(states), strict=True):
                optimizer.load_state_dict(state)
        assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))
    one, other = (optimizer.state_dict()["state"] for optimizer in optimizers)
    assert one.keys() == other.keys()
    for index, entries in one.items():
        assert entries.keys() == other[index].keys()
        assert all(torch.equal(value, other[index][name]) for name, value in entries.items())


def test_adam_takes_subnormal_moments_for_zero():
    """Without a gradient, moments decay below 1.2e-38; the weights are those of torch all along."""
    if not torch.set_flush_denormal(False):
        pytest.skip("needs a processor that can take subnormal numbers for zero")
    weights = [nn.Parameter(torch.linspace(-1, 1, 64)) for _ in range(2)]
    optimizers = vc.training.adam(weights[:1]), torch.optim.Adam(weights[1:], fused=True)
    for step in range(1000):
        for weight, optimizer in zip(weights, optimizers, strict=True):
            weight.grad = (1e-3 if step == 0 else 0.0) * torch.ones(64)
            optimizer.step()
        assert torch.equal(*weights)
    ours, theirs = (
        optimizer.state[weight]["exp_avg"]
        for weight, optimizer in zip(weights, optimizers, strict=True)
    )
    assert not ours.any()
    assert (theirs != 0).all()
    assert theirs.abs().max() < torch.finfo(torch.float32).tiny


def test_one_plain_gradient_step():
    """With stochastic gradient descent the update is -lr times the gradient, bit for bit."""
    model = toy.model(vc.mlp_autoencoder)
    recorder = toy.Recorder(reconstruction)
    toy.fit(model, recorder, steps=1, lr=0.25, optimizer=torch.optim.SGD)
    batch, _, _, before, _ = recorder.calls[0]
    after = toy.weights(model)
    model.load_state_dict(before)
    loss = reconstruction(model, batch)["loss"].mean()
    names, parameters = zip(*model.named_parameters(), strict=True)
    for name, gradient in zip(names, torch.autograd.grad(loss, parameters), strict=True):
        assert torch.equal(after[name], before[name] - 0.25 * gradient)


@pytest.mark.parametrize("objective", [elbo, reconstruction])
def test_loss_falls(objective):
    loss = toy.fit(toy.model(), objective, epochs=60, lr=1e-2).epochs("loss")
    assert loss.shape == (60,)
    assert loss[-5:].mean() < loss[0] - 0.3


def test_an_epoch_visits_every_example_once_and_differs_from_the_next():
    model, data = toy.model(), toy.batch(50)
    recorder = toy.Recorder(reconstruction)
    history = toy.fit(model, recorder, data, epochs=2)
    sizes = [len(call.batch.x) for call in recorder.calls]
    assert sizes == [16, 16, 16, 2] * 2
    assert history.steps_per_epoch == 4
    first, second = (
        torch.cat([call.batch.x for call in recorder.calls[i : i + 4]]) for i in (0, 4)
    )
    for order in (first, second):
        assert sorted(order.tolist()) == sorted(data.x.tolist())
    assert not torch.equal(first, data.x)
    assert not torch.equal(first, second)


def test_labels_travel_with_their_examples():
    data = toy.batch(50)
    data = vc.Batch(data.x, torch.where(torch.arange(50) % 5 == 0, torch.arange(50), -1))
    model = toy.model()
    recorder = toy.Recorder(reconstruction)
    toy.fit(model, recorder, data, epochs=1)
    seen = {tuple(x.tolist()): y.item() for call in recorder.calls for x, y in zip(*call.batch)}  # noqa: B905
    assert seen == {tuple(x.tolist()): y.item() for x, y in zip(data.x, data.y, strict=True)}
    assert sum(y == -1 for y in seen.values()) == 40


def test_batch_size_may_exceed_the_data():
    model = toy.model()
    recorder = toy.Recorder(reconstruction)
    toy.fit(model, recorder, toy.batch(5), steps=3, batch_size=100)
    assert [len(call.batch.x) for call in recorder.calls] == [5, 5, 5]


@pytest.mark.parametrize("seed", [0, 7])
def test_the_model_draws_from_the_seed(seed):
    model = toy.model()
    recorder = toy.Recorder(elbo)
    toy.fit(model, recorder, steps=2, seed=seed)
    first, second = (call.random_state for call in recorder.calls)
    assert torch.equal(first, torch.Generator().manual_seed(seed).get_state())
    assert not torch.equal(first, second)


@pytest.mark.parametrize("transform", [None, dynamic_binarization])
def test_the_seed_decides_every_bit(transform):
    def run(seed):
        model = toy.model(build=_with_dropout)
        history = toy.fit(model, seed=seed, epochs=3, transform=transform)
        return toy.weights(model), history["loss"]

    torch.manual_seed(1)
    first, loss = run(7)
    torch.manual_seed(2)
    second, same_loss = run(7)
    third, other_loss = run(8)
    assert toy.same(first, second)
    assert np.array_equal(loss, same_loss)
    assert not toy.same(first, third)
    assert not np.array_equal(loss, other_loss)


def _with_dropout(event_shape, latent_dim):
    model = vc.mlp_vae(event_shape, latent_dim, hidden=(8,))
    model.encoder = nn.Sequential(nn.Dropout(0.3), model.encoder)
    return model


def test_random_state_outside_is_neither_read_nor_changed():
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    toy.fit(
        toy.model(build=_with_dropout), data=toy.split(), epochs=2, transform=dynamic_binarization
    )
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.array_equal(np.random.get_state()[1], numpy_before[1])  # noqa: NPY002


def test_transform_gets_each_batch_and_one_running_generator():
    seen = []

    def transform(x, generator):
        seen.append((x.clone(), torch.rand(3, generator=generator)))
        return x + 1

    model = toy.model()
    recorder = toy.Recorder(reconstruction)
    toy.fit(model, recorder, epochs=1, transform=transform, seed=4)
    expected = torch.rand(4, 3, generator=torch.Generator().manual_seed(4))
    for (x, draw), call, row in zip(seen, recorder.calls, expected, strict=True):
        assert torch.equal(call.batch.x, x + 1)
        assert torch.equal(draw, row)


def test_schedules_and_constants_reach_the_objective():
    model, beta = toy.model(), vc.linear(0.0, 3.0, 5)
    recorder = toy.Recorder(elbo)
    objective = partial(_forward, recorder)
    toy.fit(model, objective, steps=6, schedules={"beta": beta, "num_samples": 2})
    assert [call.options["beta"] for call in recorder.calls] == [beta(step) for step in range(6)]
    assert {call.options["num_samples"] for call in recorder.calls} == {2}


def _forward(recorder, model, batch, *, beta=1.0, num_samples=1):
    return recorder(model, batch, beta=beta, num_samples=num_samples)


def test_learning_rate_follows_its_schedule():
    """The gradient of sum(w) is one, so each plain step moves w by exactly the learning rate."""
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    moves = []

    def objective(model, batch):
        moves.append(model.weight.item())
        return {"loss": model.weight.sum().expand(len(batch.x))}

    rates = vc.linear(1.0, 0.5, 4)
    toy.fit(model, objective, steps=4, lr=rates, optimizer=torch.optim.SGD)
    np.testing.assert_allclose(-np.diff([*moves, model.weight.item()]), [1, 0.875, 0.75, 0.625])


def test_objectives_may_be_partial():
    model, fixed = toy.model(), toy.model()
    history = toy.fit(model, partial(elbo, beta=4.0), steps=5)
    np.testing.assert_allclose(
        history["loss"], 4 * history["kl"] - history["reconstruction"], rtol=1e-5
    )
    toy.fit(fixed, elbo, steps=5, schedules={"beta": 4.0})
    assert toy.same(toy.weights(model), toy.weights(fixed))
    with pytest.raises(TypeError, match=r"schedules names 'gamma', but elbo.* takes beta, num_sam"):
        toy.fit(model, partial(elbo, beta=4.0), steps=5, schedules={"gamma": 1.0})


def test_validation_after_every_epoch():
    """The last row is the model's own mean over ``valid``, at the last step's options."""
    model, split = toy.model(), toy.split()
    history = toy.fit(
        model, elbo, split, epochs=3, schedules={"beta": vc.linear(0.0, 1.0, 12)}, seed=3
    )
    assert all(values.shape == (3,) for values in history.validation.values())
    expected = evaluate(model, partial(elbo, beta=11 / 12), split.valid, seed=3)
    assert {name: values[-1] for name, values in history.validation.items()} == expected
    assert toy.fit(toy.model(), elbo, split.train, epochs=1).validation == {}


def test_data_are_asked_about_once(monkeypatch):
    """At the start; an epoch's validation asks no more."""
    asked = []
    for place in ("training.fitting", "evaluation.averages"):
        for check in ("check_support", "check_labels"):
            name = f"vaecourse.{place}.{check}"
            monkeypatch.setattr(name, lambda *_, check=check: asked.append(check))
    toy.fit(toy.model(), data=toy.split(), epochs=3)
    assert sorted(asked) == ["check_labels"] * 2 + ["check_support"] * 2


def test_validation_does_not_change_training():
    first, second = toy.model(build=_with_dropout), toy.model(build=_with_dropout)
    split = toy.split()
    with_validation = toy.fit(first, data=split, epochs=3)
    without = toy.fit(second, data=split.train, epochs=3)
    assert toy.same(toy.weights(first), toy.weights(second))
    assert np.array_equal(with_validation["loss"], without["loss"])


def test_the_model_comes_back_in_evaluation_mode():
    model = toy.model(build=_with_dropout)
    recorder = toy.Recorder(elbo)
    for _ in range(2):
        toy.fit(model, recorder, steps=1)
        assert not any(module.training for module in model.modules())
    assert [call.training for call in recorder.calls] == [True, True]
    toy.fit(model, steps=1, device="auto")
    assert {p.device.type for p in model.parameters()} == {"cpu"}


def test_every_order_drawn_is_used(monkeypatch):
    """Two epochs need two orders, also where training stops at the end of the second."""
    draws, randperm = [], torch.randperm

    def counted(*args, **options):
        draws.append(args)
        return randperm(*args, **options)

    monkeypatch.setattr(torch, "randperm", counted)
    toy.fit(toy.model(), reconstruction, toy.batch(50), epochs=2)
    assert len(draws) == 2
