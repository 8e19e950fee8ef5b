"""Everything that `fit` promises to refuse or to stop."""

import pytest
import torch
import toy
from torch import nn
from toy import D

import vaecourse as vc
from vaecourse.objectives import elbo


class Untouchable:
    """Test images that nobody may read."""

    def __getattribute__(self, name):
        raise AssertionError(f"the test split's {name} was read")


def test_test_images_are_never_read():
    split = toy.split()
    object.__setattr__(split, "test", Untouchable())
    toy.fit(toy.model(), data=split, epochs=2)


def test_a_test_split_is_refused():
    model = toy.model()
    before = toy.weights(model)
    with pytest.raises(TypeError, match="test images never reach training"):
        toy.fit(model, data=toy.split().test, steps=1)
    assert toy.same(toy.weights(model), before)


@pytest.mark.parametrize("data", [torch.rand(5, D), (torch.rand(5, D), torch.zeros(5)), None])
def test_data_must_be_a_batch_or_a_split(data):
    with pytest.raises(TypeError, match=f"Batch or a Split, got {type(data).__name__}"):
        vc.fit(toy.model(), elbo, data, steps=1)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ValueError, "give either epochs or steps, got epochs=None and steps=None"),
        ({"epochs": 1, "steps": 1}, ValueError, "got epochs=1 and steps=1"),
        ({"epochs": 0}, ValueError, "epochs must be a positive integer, got 0"),
        ({"steps": 2.5}, ValueError, "steps must be a positive integer, got 2.5"),
        ({"steps": 1, "batch_size": -4}, ValueError, "batch_size must be .* got -4"),
        ({"steps": 1, "checkpoint_every": 0}, ValueError, "checkpoint_every must be .* got 0"),
        ({"steps": 1, "lr": -0.1}, ValueError, "lr must be a positive number .* got -0.1"),
        ({"steps": 1, "lr": float("nan")}, ValueError, "lr must be a positive number .* got nan"),
        ({"steps": 1, "seed": 1.5}, ValueError, "seed must be an integer, got 1.5"),
        (
            {"steps": 1, "precision": "half"},
            ValueError,
            "precision must be one of float32, fast-float32, bfloat16, got 'half'",
        ),
        ({"steps": 1, "device": "abacus"}, ValueError, "a device .* got 'abacus'"),
        (
            {"steps": 9, "schedules": {"beta": vc.linear(0, 1, 10)}},
            ValueError,
            r"linear\(0, 1, 10\) of beta takes 10 steps, but training has 9",
        ),
        (
            {"epochs": 2, "lr": vc.warmup_cosine(1e-3, 3, 9)},
            ValueError,
            r"warmup_cosine\(0.001, 3, 9\) of lr takes 9 steps, but training has 8",
        ),
        (
            {"steps": 1, "schedules": {"gamma": 1.0}},
            TypeError,
            "schedules names 'gamma', but elbo takes beta, num_samples",
        ),
        ({"steps": 1, "schedules": {"lr": 1.0}}, TypeError, "a learning rate is given as lr"),
    ],
)
def test_arguments_that_make_no_run(options, error, message):
    model = toy.model()
    before = toy.weights(model)
    with pytest.raises(error, match=message):
        toy.fit(model, **options)
    assert toy.same(toy.weights(model), before)


def test_labels_must_match_examples():
    with pytest.raises(ValueError, match="got 5 examples and 4 labels"):
        toy.fit(toy.model(), data=vc.Batch(torch.rand(5, D), torch.zeros(4)), steps=1)
    with pytest.raises(ValueError, match="got 0 examples and 0 labels"):
        toy.fit(toy.model(), data=vc.Batch(torch.rand(0, D), torch.zeros(0)), steps=1)


def test_a_schedule_may_last_exactly_as_long_as_training():
    assert len(toy.fit(toy.model(), steps=10, schedules={"beta": vc.linear(0, 1, 10)})) == 10


def test_nan_in_the_data_stops_before_it_does_harm():
    data = toy.batch(50)
    data.x[17, 2] = torch.nan
    model = toy.model()
    recorder = toy.Recorder(elbo)
    with pytest.raises(FloatingPointError, match=r"reconstruction became nan at step \d+") as error:
        toy.fit(model, recorder, data, epochs=1, lr=2e-3)
    batch, _, _, weights, _ = recorder.calls[-1]
    assert batch.x.isnan().any()
    assert not any(call.batch.x.isnan().any() for call in recorder.calls[:-1])
    step = len(recorder.calls) - 1
    assert f"at step {step}: x is not finite in 1 of 50 rows, first in row 17" in str(error.value)
    assert toy.same(toy.weights(model), weights)
    assert not model.training


def test_infinite_slope_stops_at_the_end():
    """The loss is finite and its gradient is not: no later step is there to notice."""

    def objective(model, batch):
        zero = (model(batch.x) * 0).square().sum(1)
        return {"loss": zero.sqrt()}

    with pytest.raises(FloatingPointError, match="weights stopped being finite before step 1"):
        toy.fit(nn.Linear(D, 2), objective, steps=1)


def test_divergence_names_the_term():
    def objective(model, batch, *, scale):
        value = model(batch.x).square().sum(1)
        return {"fine": value, "huge": value * scale, "loss": value}

    grow = vc.Schedule(lambda step: 10.0 ** (20 * step), 3, "grow")
    with pytest.raises(FloatingPointError, match="huge became inf at step 2"):
        toy.fit(nn.Linear(D, 2), objective, steps=5, schedules={"scale": grow})
