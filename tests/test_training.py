"""`fit` against hand-written steps, and everything that it promises to refuse."""

from functools import partial

import numpy as np
import pytest
import torch
from scipy.linalg import subspace_angles
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA
from torch import nn

import vaecourse as vc
from vaecourse.data.labels import dynamic_binarization
from vaecourse.evaluation import evaluate
from vaecourse.objectives import elbo, reconstruction
from vaecourse.runtime import isolated_rng

D = 6


def _batch(num=50, seed=0, dtype=torch.float32):
    """Return three classes of grey vectors: a third of each vector is bright."""
    y = torch.arange(num) % 3
    noise = torch.rand(num, D, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return vc.Batch(0.8 * torch.eye(3, dtype=dtype)[y].repeat(1, D // 3) + 0.2 * noise, y)


def _split(num=50):
    train, valid, test = _batch(num), _batch(20, 1), _batch(10, 2)
    return vc.Split("toy", train, valid, vc.HeldOut(*test), identity="toy")


def _model(build=partial(vc.mlp_vae, hidden=(16,)), seed=0, **options):  # noqa: B008
    with isolated_rng(seed):
        return build(D, 2, **options)


def _fit(model, objective=elbo, data=None, **options):
    data = _batch() if data is None else data
    options = {"batch_size": 16, "device": "cpu", "progress": False, **options}
    return vc.fit(model, objective, data, **options)


def _weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def _same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


class Recorder:
    """An objective that keeps what it was given and returned."""

    def __init__(self, objective, model):
        self.objective, self.model, self.calls = objective, model, []

    def __call__(self, model, batch, **options):
        state, weights = torch.get_rng_state(), _weights(model)
        terms = self.objective(model, batch, **options)
        self.calls.append((batch, options, state, weights, model.training))
        return terms


def test_history_holds_every_term_of_every_step():
    """Each row is recomputed from the step's own weights, batch and random state."""
    model = _model()
    recorder = Recorder(elbo, model)
    history = _fit(model, recorder, steps=9, lr=1e-2)
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
    model = _model().double()
    recorder = Recorder(objective, model)
    _fit(model, recorder, _batch(dtype=torch.float64), steps=4, lr=3e-3)
    after = [call[3] for call in recorder.calls[1:]] + [_weights(model)]
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


def test_one_plain_gradient_step():
    """With stochastic gradient descent the update is -lr times the gradient, bit for bit."""
    model = _model(vc.mlp_autoencoder)
    recorder = Recorder(reconstruction, model)
    _fit(model, recorder, steps=1, lr=0.25, optimizer=torch.optim.SGD)
    batch, _, _, before, _ = recorder.calls[0]
    after = _weights(model)
    model.load_state_dict(before)
    loss = reconstruction(model, batch)["loss"].mean()
    names, parameters = zip(*model.named_parameters(), strict=True)
    for name, gradient in zip(names, torch.autograd.grad(loss, parameters), strict=True):
        assert torch.equal(after[name], before[name] - 0.25 * gradient)


@pytest.mark.parametrize("objective", [elbo, reconstruction])
def test_loss_falls(objective):
    loss = _fit(_model(), objective, epochs=60, lr=1e-2).epochs("loss")
    assert loss.shape == (60,)
    assert loss[-5:].mean() < loss[0] - 0.3


def test_an_epoch_visits_every_example_once_and_differs_from_the_next():
    model, data = _model(), _batch(50)
    recorder = Recorder(reconstruction, model)
    history = _fit(model, recorder, data, epochs=2)
    sizes = [len(call[0].x) for call in recorder.calls]
    assert sizes == [16, 16, 16, 2] * 2
    assert history.steps_per_epoch == 4
    first, second = (torch.cat([call[0].x for call in recorder.calls[i : i + 4]]) for i in (0, 4))
    for order in (first, second):
        assert sorted(order.tolist()) == sorted(data.x.tolist())
    assert not torch.equal(first, data.x)
    assert not torch.equal(first, second)


def test_labels_travel_with_their_examples():
    data = _batch(50)
    data = vc.Batch(data.x, torch.where(torch.arange(50) % 5 == 0, torch.arange(50), -1))
    model = _model()
    recorder = Recorder(reconstruction, model)
    _fit(model, recorder, data, epochs=1)
    seen = {tuple(x.tolist()): y.item() for call in recorder.calls for x, y in zip(*call[0])}  # noqa: B905
    assert seen == {tuple(x.tolist()): y.item() for x, y in zip(data.x, data.y, strict=True)}
    assert sum(y == -1 for y in seen.values()) == 40


def test_batch_size_may_exceed_the_data():
    model = _model()
    recorder = Recorder(reconstruction, model)
    _fit(model, recorder, _batch(5), steps=3, batch_size=100)
    assert [len(call[0].x) for call in recorder.calls] == [5, 5, 5]


@pytest.mark.parametrize("seed", [0, 7])
def test_the_model_draws_from_the_seed(seed):
    model = _model()
    recorder = Recorder(elbo, model)
    _fit(model, recorder, steps=2, seed=seed)
    first, second = (call[2] for call in recorder.calls)
    assert torch.equal(first, torch.Generator().manual_seed(seed).get_state())
    assert not torch.equal(first, second)


@pytest.mark.parametrize("transform", [None, dynamic_binarization])
def test_the_seed_decides_every_bit(transform):
    def run(seed):
        model = _model(build=_with_dropout)
        history = _fit(model, seed=seed, epochs=3, transform=transform)
        return _weights(model), history["loss"]

    torch.manual_seed(1)
    first, loss = run(7)
    torch.manual_seed(2)
    second, same_loss = run(7)
    third, other_loss = run(8)
    assert _same(first, second)
    assert np.array_equal(loss, same_loss)
    assert not _same(first, third)
    assert not np.array_equal(loss, other_loss)


def _with_dropout(event_shape, latent_dim):
    model = vc.mlp_vae(event_shape, latent_dim, hidden=(8,))
    model.encoder = nn.Sequential(nn.Dropout(0.3), model.encoder)
    return model


def test_random_state_outside_is_neither_read_nor_changed():
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002
    _fit(_model(build=_with_dropout), data=_split(), epochs=2, transform=dynamic_binarization)
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert np.array_equal(np.random.get_state()[1], numpy_before[1])  # noqa: NPY002


def test_transform_gets_each_batch_and_one_running_generator():
    seen = []

    def transform(x, generator):
        seen.append((x.clone(), torch.rand(3, generator=generator)))
        return x + 1

    model = _model()
    recorder = Recorder(reconstruction, model)
    _fit(model, recorder, epochs=1, transform=transform, seed=4)
    expected = torch.rand(4, 3, generator=torch.Generator().manual_seed(4))
    for (x, draw), call, row in zip(seen, recorder.calls, expected, strict=True):
        assert torch.equal(call[0].x, x + 1)
        assert torch.equal(draw, row)


def test_schedules_and_constants_reach_the_objective():
    model, beta = _model(), vc.linear(0.0, 3.0, 5)
    recorder = Recorder(elbo, model)
    objective = partial(_forward, recorder)
    _fit(model, objective, steps=6, schedules={"beta": beta, "num_samples": 2})
    assert [call[1]["beta"] for call in recorder.calls] == [beta(step) for step in range(6)]
    assert {call[1]["num_samples"] for call in recorder.calls} == {2}


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
    _fit(model, objective, steps=4, lr=rates, optimizer=torch.optim.SGD)
    np.testing.assert_allclose(-np.diff([*moves, model.weight.item()]), [1, 0.875, 0.75, 0.625])


def test_objectives_may_be_partial():
    model, fixed = _model(), _model()
    history = _fit(model, partial(elbo, beta=4.0), steps=5)
    np.testing.assert_allclose(
        history["loss"], 4 * history["kl"] - history["reconstruction"], rtol=1e-5
    )
    _fit(fixed, elbo, steps=5, schedules={"beta": 4.0})
    assert _same(_weights(model), _weights(fixed))
    with pytest.raises(TypeError, match=r"schedules names 'gamma', but elbo.* takes beta, num_sam"):
        _fit(model, partial(elbo, beta=4.0), steps=5, schedules={"gamma": 1.0})


def test_validation_after_every_epoch():
    """The last row is the model's own mean over ``valid``, at the last step's options."""
    model, split = _model(), _split()
    history = _fit(
        model, elbo, split, epochs=3, schedules={"beta": vc.linear(0.0, 1.0, 12)}, seed=3
    )
    assert all(values.shape == (3,) for values in history.validation.values())
    expected = evaluate(model, partial(elbo, beta=11 / 12), split.valid, seed=3)
    assert {name: values[-1] for name, values in history.validation.items()} == expected
    assert _fit(_model(), elbo, split.train, epochs=1).validation == {}


def test_validation_does_not_change_training():
    first, second = _model(build=_with_dropout), _model(build=_with_dropout)
    split = _split()
    with_validation = _fit(first, data=split, epochs=3)
    without = _fit(second, data=split.train, epochs=3)
    assert _same(_weights(first), _weights(second))
    assert np.array_equal(with_validation["loss"], without["loss"])


class Untouchable:
    """Test images that nobody may read."""

    def __getattribute__(self, name):
        raise AssertionError(f"the test split's {name} was read")


def test_test_images_are_never_read():
    split = _split()
    object.__setattr__(split, "test", Untouchable())
    _fit(_model(), data=split, epochs=2)


def test_a_test_split_is_refused():
    model = _model()
    before = _weights(model)
    with pytest.raises(TypeError, match="test images never reach training"):
        _fit(model, data=_split().test, steps=1)
    assert _same(_weights(model), before)


@pytest.mark.parametrize("data", [torch.rand(5, D), (torch.rand(5, D), torch.zeros(5)), None])
def test_data_must_be_a_batch_or_a_split(data):
    with pytest.raises(TypeError, match=f"Batch or a Split, got {type(data).__name__}"):
        vc.fit(_model(), elbo, data, steps=1)


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
    model = _model()
    before = _weights(model)
    with pytest.raises(error, match=message):
        _fit(model, **options)
    assert _same(_weights(model), before)


def test_labels_must_match_examples():
    with pytest.raises(ValueError, match="got 5 examples and 4 labels"):
        _fit(_model(), data=vc.Batch(torch.rand(5, D), torch.zeros(4)), steps=1)
    with pytest.raises(ValueError, match="got 0 examples and 0 labels"):
        _fit(_model(), data=vc.Batch(torch.rand(0, D), torch.zeros(0)), steps=1)


def test_a_schedule_may_last_exactly_as_long_as_training():
    assert len(_fit(_model(), steps=10, schedules={"beta": vc.linear(0, 1, 10)})) == 10


def test_nan_in_the_data_stops_before_it_does_harm():
    data = _batch(50)
    data.x[17, 2] = torch.nan
    model = _model()
    recorder = Recorder(elbo, model)
    with pytest.raises(FloatingPointError, match=r"reconstruction became nan at step \d+") as error:
        _fit(model, recorder, data, epochs=1, lr=2e-3)
    bad = len(recorder.calls) - 1
    batch, _, _, weights, _ = recorder.calls[-1]
    assert batch.x.isnan().any()
    assert not any(call[0].x.isnan().any() for call in recorder.calls[:-1])
    assert f"at step {bad};" in str(error.value)
    assert "learning rate below 0.002" in str(error.value)
    assert _same(_weights(model), weights)
    assert not model.training


def test_infinite_slope_stops_at_the_end():
    """The loss is finite and its gradient is not: no later step is there to notice."""

    def objective(model, batch):
        zero = (model(batch.x) * 0).square().sum(1)
        return {"loss": zero.sqrt()}

    with pytest.raises(FloatingPointError, match="weights stopped being finite before step 1"):
        _fit(nn.Linear(D, 2), objective, steps=1)


def test_divergence_names_the_term():
    def objective(model, batch, *, scale):
        value = model(batch.x).square().sum(1)
        return {"fine": value, "huge": value * scale, "loss": value}

    grow = vc.Schedule(lambda step: 10.0 ** (20 * step), 3, "grow")
    with pytest.raises(FloatingPointError, match="huge became inf at step 2"):
        _fit(nn.Linear(D, 2), objective, steps=5, schedules={"scale": grow})


def test_the_model_comes_back_in_evaluation_mode():
    model = _model(build=_with_dropout)
    recorder = Recorder(elbo, model)
    for _ in range(2):
        _fit(model, recorder, steps=1)
        assert not any(module.training for module in model.modules())
    assert [call[4] for call in recorder.calls] == [True, True]
    _fit(model, steps=1, device="auto")
    assert {p.device.type for p in model.parameters()} == {"cpu"}


@pytest.mark.parametrize("before", ["highest", "high", "medium"])
@pytest.mark.parametrize(
    ("precision", "inside"),
    [("float32", "highest"), ("fast-float32", "medium"), ("bfloat16", "medium")],
)
def test_matmul_precision_is_set_and_put_back(precision, inside, before):
    found = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(before)
    try:
        _fit(_model(), _expect_precision(inside), steps=2, precision=precision)
        assert torch.get_float32_matmul_precision() == before
        with pytest.raises(ZeroDivisionError):
            _fit(_model(), lambda model, batch: 1 / 0, steps=2, precision=precision)
        assert torch.get_float32_matmul_precision() == before
    finally:
        torch.set_float32_matmul_precision(found)


def _expect_precision(inside):
    def objective(model, batch):
        assert torch.get_float32_matmul_precision() == inside
        return elbo(model, batch)

    return objective


@pytest.mark.parametrize("precision", ["float32", "fast-float32", "bfloat16"])
def test_precisions_learn_alike(precision):
    """Terms stay float32; short layers change a mean loss by far less than their own rounding."""
    dtypes = set()

    def objective(model, batch):
        terms = elbo(model, batch)
        dtypes.update(term.dtype for term in terms.values())
        return terms

    exact = _fit(_model(), objective, epochs=10)
    short = _fit(_model(), objective, epochs=10, precision=precision)
    assert dtypes == {torch.float32}
    scale = np.abs(exact["loss"]).max()
    unit = torch.finfo(torch.bfloat16).eps
    np.testing.assert_allclose(short["loss"], exact["loss"], rtol=0, atol=4 * unit * scale)
    if precision == "float32":
        assert np.array_equal(short["loss"], exact["loss"])


def test_bfloat16_follows_the_weights():
    """Autocast keeps shortened weights until its block ends, so every step needs a block."""
    model = _model()
    recorder = Recorder(elbo, model)
    history = _fit(model, recorder, steps=30, lr=3e-2, precision="bfloat16")
    batch, options, state, weights, _ = recorder.calls[-1]
    model.load_state_dict(weights)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.set_rng_state(state)
        terms = elbo(model, batch, **options)
    unit = torch.finfo(torch.bfloat16).eps
    assert history["loss"][-1] == pytest.approx(terms["loss"].mean().item(), rel=4 * unit)
    assert abs(history["loss"][-1] - history["loss"][0]) > 8 * unit * history["loss"][0]


def _gaussian_data(num, scales, noise):
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(D, len(scales))))[0] * scales
    x = rng.normal(size=(num, len(scales))) @ basis.T + noise * rng.normal(size=(num, D)) + 0.5
    return torch.from_numpy(x).float()


def _batch_of(x):
    return vc.Batch(x, torch.full((len(x),), -1))


def test_linear_autoencoder_finds_the_principal_subspace():
    """Baldi and Hornik (1989): the optimum spans the leading principal components."""
    x = _gaussian_data(300, [2.0, 1.5], 0.3)
    model = _model(vc.linear_autoencoder)
    steps = 800
    rate = vc.warmup_cosine(3e-2, 20, steps)
    _fit(model, reconstruction, _batch_of(x), steps=steps, batch_size=300, lr=rate)
    pca = PCA(2).fit(x.numpy())
    decoder = model.decoder[0].layers[0].weight.detach().numpy()
    angles = np.degrees(subspace_angles(decoder, pca.components_.T))
    assert angles.max() < 1
    best = pca.inverse_transform(pca.transform(x.numpy()))
    error = (model.decode(model.encode(x).mean).mean.detach().numpy() - x.numpy()) ** 2
    assert error.sum() == pytest.approx(((best - x.numpy()) ** 2).sum(), rel=1e-3)


def test_linear_vae_reaches_the_likelihood_of_probabilistic_pca():
    """Lucas et al. (2019): with a learned scale the ELBO's optimum is the maximum likelihood.

    scikit-learn divides its covariance by N - 1, the maximum itself by N.
    """
    x = _gaussian_data(400, [2.0, 1.2], 0.4)
    model = _model(vc.linear_vae, likelihood=vc.GaussianSharedScale)
    steps = 1500
    rate = vc.warmup_cosine(2e-2, 20, steps)
    _fit(model, partial(elbo, num_samples=4), _batch_of(x), steps=steps, batch_size=400, lr=rate)
    affine = model.decoder[0].layers[0]
    weight, bias = affine.weight.detach().double().numpy(), affine.bias.detach().double().numpy()
    variance = np.exp(2 * model.decoder[1].log_scale.item())
    covariance = weight @ weight.T + variance * np.eye(D)
    reached = multivariate_normal(bias, covariance).logpdf(x.numpy()).mean()
    x = x.double().numpy()
    assert reached == pytest.approx(PCA(2).fit(x).score(x), rel=1e-3)
    spectrum = np.linalg.eigvalsh(np.cov(x.T, bias=True))[::-1]
    log_determinant = np.log(spectrum[:2]).sum() + (D - 2) * np.log(spectrum[2:].mean())
    assert reached <= -0.5 * (D * np.log(2 * np.pi) + log_determinant + D)
