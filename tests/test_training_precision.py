"""The three precisions of `fit`."""

import numpy as np
import pytest
import torch
import toy

from vaecourse import runtime
from vaecourse.objectives import elbo


@pytest.mark.parametrize("before", ["highest", "high", "medium"])
@pytest.mark.parametrize(
    ("precision", "inside"),
    [("float32", "highest"), ("fast-float32", "medium"), ("bfloat16", "medium")],
)
def test_matmul_precision_is_set_and_put_back(precision, inside, before):
    found = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision(before)
    try:
        toy.fit(toy.model(), _expect_precision(inside), steps=2, precision=precision)
        assert torch.get_float32_matmul_precision() == before
        with pytest.raises(ZeroDivisionError):
            toy.fit(toy.model(), lambda model, batch: 1 / 0, steps=2, precision=precision)
        assert torch.get_float32_matmul_precision() == before
    finally:
        torch.set_float32_matmul_precision(found)


def _expect_precision(inside):
    def objective(model, batch):
        assert torch.get_float32_matmul_precision() == inside
        return elbo(model, batch)

    return objective


@pytest.mark.parametrize(
    ("precision", "shortens"),
    [("float32", True), ("fast-float32", True), ("bfloat16", True), ("bfloat16", False)],
)
def test_precisions_learn_alike(monkeypatch, precision, shortens):
    """Terms stay float32; short layers change a mean loss by far less than their own rounding."""
    monkeypatch.setattr(runtime.devices, "multiplies_in_bfloat16", lambda: shortens)
    dtypes = set()

    def objective(model, batch):
        terms = elbo(model, batch)
        dtypes.update(term.dtype for term in terms.values())
        return terms

    exact = toy.fit(toy.model(), objective, epochs=10)
    short = toy.fit(toy.model(), objective, epochs=10, precision=precision)
    assert dtypes == {torch.float32}
    scale = np.abs(exact["loss"]).max()
    unit = torch.finfo(torch.bfloat16).eps
    np.testing.assert_allclose(short["loss"], exact["loss"], rtol=0, atol=4 * unit * scale)
    if precision == "float32":
        assert np.array_equal(short["loss"], exact["loss"])


@pytest.mark.parametrize("shortens", [True, False])
def test_bfloat16_follows_the_weights(monkeypatch, shortens):
    """Autocast keeps shortened weights until its block ends, so every step needs a block."""
    monkeypatch.setattr(runtime.devices, "multiplies_in_bfloat16", lambda: shortens)
    model = toy.model()
    recorder = toy.Recorder(elbo)
    history = toy.fit(model, recorder, steps=30, lr=3e-2, precision="bfloat16")
    batch, options, state, weights, _ = recorder.calls[-1]
    model.load_state_dict(weights)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.set_rng_state(state)
        terms = elbo(model, batch, **options)
    unit = torch.finfo(torch.bfloat16).eps
    assert history["loss"][-1] == pytest.approx(terms["loss"].mean().item(), rel=4 * unit)
    assert abs(history["loss"][-1] - history["loss"][0]) > 8 * unit * history["loss"][0]
