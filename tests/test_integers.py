"""NumPy's integers and arrays are as good as Python's, and are told apart by nothing afterwards."""

import json
from functools import partial

import numpy as np
import pytest
import torch
import toy

import vaecourse as vc
from vaecourse.checks import as_positive, as_seed, as_shape, as_widths
from vaecourse.evaluation import evaluate, log_marginal
from vaecourse.objectives import elbo
from vaecourse.training.identity import identity_of

NUMPY = [np.int64, np.int32, np.uint8]
NO_COUNT = [True, np.True_, 2.0, np.float64(2), -1, np.int64(0), "2", None, np.array([2])]


@pytest.mark.parametrize("kind", NUMPY)
def test_integers_of_numpy_become_those_of_python(kind):
    for found in (as_positive(kind(3), "n"), as_seed(kind(3)), *as_shape(kind(3), "n")):
        assert type(found) is int
        assert found == 3


@pytest.mark.parametrize("wrong", NO_COUNT, ids=repr)
def test_what_is_no_count(wrong):
    with pytest.raises(ValueError, match=r"^latent_dim must be a positive integer, got .*$"):
        vc.mlp_vae(4, wrong)


@pytest.mark.parametrize(
    "shape",
    [[2, 3], (2, 3), range(2, 4), np.array([2, 3]), torch.Size([2, 3]), (np.int64(2), np.uint8(3))],
    ids=repr,
)
def test_shapes_may_be_any_sequence(shape):
    found = as_shape(shape, "shape")
    assert found == (2, 3)
    assert json.dumps(found) == "[2, 3]"


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        [],
        np.array([], int),
        np.array([2.0]),
        np.array([True]),
        np.array([[2, 3]]),
        (2, True),
        (2, -1),
        0,
        "23",
        None,
    ],
    ids=repr,
)
def test_what_is_no_shape(wrong):
    with pytest.raises(ValueError, match=r"^event_shape must be positive integers, got "):
        vc.mlp_vae(wrong, 2)


@pytest.mark.parametrize(
    ("hidden", "widths"),
    [(400, (400,)), (np.array([8, 5]), (8, 5)), ((), ()), (np.array([], int), ()), (range(0), ())],
    ids=repr,
)
def test_hidden_layers_may_be_one_many_or_none(hidden, widths):
    assert as_widths(hidden) == widths
    for build in (
        vc.mlp_vae,
        vc.mlp_autoencoder,
        partial(vc.mlp_m2, num_classes=2),
        partial(vc.mlp_prediction_constrained_vae, num_classes=2),
    ):
        assert repr(build(4, latent_dim=2, hidden=hidden)) == repr(
            build(4, latent_dim=2, hidden=widths)
        )


@pytest.mark.parametrize("wrong", [0, True, "8", None, [8.0], [8, 0]], ids=repr)
def test_what_are_no_hidden_layers(wrong):
    with pytest.raises(ValueError, match=r"^hidden must be positive integers, got "):
        vc.mlp_vae(4, 2, hidden=wrong)


def test_channels_may_be_an_array():
    model = vc.conv_vae(np.array([1, 8, 8]), np.int64(2), channels=np.array([2, 3]))
    assert repr(model) == repr(vc.conv_vae((1, 8, 8), 2, channels=(2, 3)))


def test_a_run_goes_on_with_either_kind_of_integer(tmp_path):
    options = {"checkpoint": tmp_path / "run.safetensors", "checkpoint_every": np.int64(2)}
    counts = {"seed": 7, "batch_size": 16, "labeled_batch_size": 4}
    whole = toy.fit(toy.model(), epochs=2, **counts)
    integers = {name: np.int64(count) for name, count in counts.items()}
    toy.fit(toy.model(), steps=np.int64(4), **integers, **options)
    again = toy.fit(toy.model(), epochs=np.int32(2), **counts, **options)
    assert np.array_equal(again["loss"], whole["loss"])


@pytest.mark.parametrize("name", ["seed", "steps", "epochs", "batch_size", "labeled_batch_size"])
@pytest.mark.parametrize("wrong", [True, 2.0], ids=repr)
def test_fit_takes_no_other_number_for_an_integer(name, wrong):
    options = {"steps": 1} if name != "epochs" else {}
    with pytest.raises(ValueError, match=rf"^{name} must be an? (positive )?integer, got {wrong}$"):
        toy.fit(toy.model(), **options | {name: wrong})


def test_evaluations_take_them():
    model, data = toy.model(), toy.batch()
    plain = evaluate(model, elbo, data, batch_size=16, seed=3)
    assert evaluate(model, elbo, data, batch_size=np.int64(16), seed=np.int64(3)) == plain
    options = {"num_samples": 6, "chunk": 2, "batch_size": 20, "seed": 3}
    integers = {name: np.int64(count) for name, count in options.items()}
    first, second = (log_marginal(model, data.x, **given) for given in (options, integers))
    assert torch.equal(first.value, second.value)


def test_schedules_are_told_apart_by_their_values_alone():
    for build in (partial(vc.linear_schedule, 0, 1), lambda n: vc.warmup_cosine(0.1, n, 9)):
        plain, other = build(3), build(np.int64(3))
        assert repr(plain) == repr(other)
        assert identity_of(plain, "lr") == identity_of(other, "lr")


def test_an_embedding_takes_them():
    x = np.random.default_rng(0).normal(size=(40, 6))
    plain = {"latent_dim": 3, "hidden": (8,), "epochs": 2, "batch_size": 16}
    other = {"hidden": np.array([8]), "latent_dim": np.int64(3)}
    other |= {"epochs": np.int64(2), "batch_size": np.int64(16)}
    first, second = (
        vc.VAEEmbedding(**given, device="cpu", random_state=0).fit_transform(x)
        for given in (plain, other)
    )
    np.testing.assert_array_equal(first, second)
    assert vc.VAEEmbedding(3, hidden=8, epochs=1).fit_transform(x).shape == (40, 3)


@pytest.mark.parametrize(
    ("option", "error", "message"),
    [
        ({"lr": 0.0}, ValueError, "lr must be a positive number, got 0.0"),
        ({"lr": float("nan")}, ValueError, "lr must be a positive number, got nan"),
        ({"lr": "fast"}, ValueError, "lr must be a positive number, got 'fast'"),
        ({"beta": -1}, ValueError, "beta must be a number of at least zero, got -1"),
        ({"epochs": 0}, ValueError, "epochs must be a positive integer, got 0"),
        ({"epochs": 2.5}, ValueError, "epochs must be a positive integer, got 2.5"),
        ({"batch_size": -3}, ValueError, "batch_size must be a positive integer, got -3"),
        ({"latent_dim": True}, ValueError, "latent_dim must be a positive integer, got True"),
        (
            {"likelihood": "bernoulli"},
            TypeError,
            "likelihood must build a head from an event shape, such as vae.Bernoulli, got "
            "'bernoulli'; give the class, or a functools.partial of it",
        ),
    ],
    ids=repr,
)
def test_an_embedding_says_what_it_cannot_take(option, error, message):
    with pytest.raises(error) as caught:
        vc.VAEEmbedding(**{"latent_dim": 2, "hidden": (4,)} | option).fit(np.ones((5, 3)))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "build",
    [vc.mlp_vae, vc.linear_vae, vc.mlp_autoencoder, partial(vc.mlp_m2, num_classes=2)],
    ids=["mlp_vae", "linear_vae", "mlp_autoencoder", "mlp_m2"],
)
@pytest.mark.parametrize("likelihood", ["bernoulli", vc.Bernoulli(4)], ids=["name", "head"])
def test_a_likelihood_is_something_that_builds_a_head(build, likelihood):
    with pytest.raises(TypeError, match=r"such as vae\.Bernoulli, got"):
        build(4, latent_dim=2, likelihood=likelihood)


@pytest.mark.parametrize("peak", [0, -0.1, float("inf"), "high"])
def test_a_peak_is_positive(peak):
    with pytest.raises(ValueError, match=r"^peak must be a positive number, got "):
        vc.warmup_cosine(peak, 3, 9)


@pytest.mark.parametrize(
    ("name", "options"),
    [("lr", {"lr": abs}), ("beta", {"schedules": {"beta": abs}})],
)
def test_a_plain_function_is_no_schedule(name, options):
    with pytest.raises(TypeError) as caught:
        toy.fit(toy.model(), steps=1, **options)
    assert str(caught.value) == (
        f"{name} must be a number or a Schedule, got {abs!r}; wrap a function of the step as "
        "vae.Schedule(function, steps, name)"
    )
