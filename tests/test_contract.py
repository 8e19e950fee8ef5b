"""What `fit` and `evaluate` say to an objective that is not one, and what they cost one that is."""

from functools import partial

import pytest
import torch
import toy
from torch import nn

import vaecourse as vc
from vaecourse.objectives import elbo, m2
from vaecourse.objectives.contract import Checked


def no_loss(model, batch):
    terms = elbo(model, batch)
    del terms["loss"]
    return terms


def mean(model, batch):
    return {name: values.mean() for name, values in elbo(model, batch).items()}


def bare(model, batch):
    return elbo(model, batch)["loss"]


def average(model, batch):
    return elbo(model, batch)["loss"].mean()


def longer(model, batch):
    terms = elbo(model, batch)
    return terms | {"pixels": batch.x}


def detached(model, batch):
    return {"loss": elbo(model, batch)["loss"].detach()}


def number(model, batch):
    return {"loss": elbo(model, batch)["loss"].mean().item()}


def nothing(model, batch):
    elbo(model, batch)


STRANGER = nn.Linear(toy.D, 1)


def elsewhere(model, batch):
    return {"loss": STRANGER(batch.x).squeeze(1)}


def with_default(model, batch, beta=1.0):
    return elbo(model, batch, beta=beta)


WRONG = {
    no_loss: (
        ValueError,
        "no_loss returned 'reconstruction', 'kl', 'elbo' and no 'loss'; training minimizes its "
        "mean",
    ),
    mean: (
        ValueError,
        "mean returned 'reconstruction' of shape () for 16 examples, wanted shape (16,), one "
        "number for each; leave out the mean or sum over the batch",
    ),
    bare: (
        TypeError,
        "bare returned Tensor of shape (16,); return a dict of terms of shape (16,), one number "
        "for each example, a 'loss' among them",
    ),
    average: (
        TypeError,
        "average returned Tensor of shape (); return a dict of terms of shape (16,), one number "
        "for each example, a 'loss' among them",
    ),
    longer: (
        ValueError,
        "longer returned 'pixels' of shape (16, 6) for 16 examples, wanted shape (16,), one "
        "number for each; sum over the dimensions of an example and keep the batch",
    ),
    detached: (
        ValueError,
        "the 'loss' of detached has no gradient, so no weight can learn from it; compute it from "
        "the model's output, without detach, item or torch.no_grad",
    ),
    number: (
        TypeError,
        "number returned float as 'loss'; return a dict of terms of shape (16,), one number for "
        "each example",
    ),
    nothing: (
        TypeError,
        "nothing returned NoneType; return a dict of terms of shape (16,), one number for each "
        "example, a 'loss' among them",
    ),
    elsewhere: (
        ValueError,
        "the 'loss' of elsewhere depends on no weight of the model that is trained; compute it "
        "from what that model returns",
    ),
}


@pytest.mark.parametrize("objective", WRONG, ids=lambda objective: objective.__name__)
def test_fit_says_what_an_objective_returned_and_what_it_wanted(objective):
    error, message = WRONG[objective]
    model = toy.model()
    before = toy.weights(model)
    with pytest.raises(error) as caught:
        toy.fit(model, objective, epochs=2)
    assert str(caught.value) == message
    assert toy.same(toy.weights(model), before)


@pytest.mark.parametrize(
    "objective", [mean, bare, number], ids=lambda objective: objective.__name__
)
def test_evaluate_says_the_same(objective):
    error, message = WRONG[objective]
    with pytest.raises(error, match=message[:30].replace("(", r"\(").replace(")", r"\)")):
        vc.evaluation.evaluate(toy.model(), objective, toy.batch(16))


def test_evaluate_needs_no_loss():
    assert set(vc.evaluation.evaluate(toy.model(), no_loss, toy.batch(16))) == {
        "reconstruction",
        "kl",
        "elbo",
    }


@pytest.mark.parametrize(
    ("objective", "schedules", "message"),
    [
        (elbo, {"gamma": 1.0}, "schedules names 'gamma', but elbo takes beta, num_samples"),
        (no_loss, {"beta": 1.0}, "schedules names 'beta', but no_loss takes no keyword"),
        (m2, {}, "m2 cannot be called as m2(model, batch): missing a required argument: 'alpha'"),
        (lambda model: {}, {}, "cannot be called as"),
    ],
    ids=["unknown", "none", "missing", "one argument"],
)
def test_keywords_are_checked_before_the_work_begins(objective, schedules, message):
    with pytest.raises(TypeError) as caught:
        toy.fit(toy.model(), objective, steps=1, schedules=schedules)
    assert message in str(caught.value)


def test_a_keyword_may_be_written_as_a_default():
    history = toy.fit(
        toy.model(), with_default, steps=2, schedules={"beta": vc.linear_schedule(0, 1, 2)}
    )
    assert len(history) == 2


@pytest.mark.parametrize("returned", [None, torch.rand(3, toy.D)], ids=["nothing", "fewer rows"])
def test_a_transform_must_return_the_rows_it_was_given(returned):
    with pytest.raises(TypeError, match=r"transform .*lambda.* returned .* for 16 examples"):
        toy.fit(toy.model(), steps=1, transform=lambda x, _generator: returned)


def test_only_the_first_result_is_looked_at():
    checked = Checked(lambda _model, batch: {"loss": batch.x.sum(1)}, trains=False)
    checked(None, toy.batch(4))
    checked.objective = bare
    assert isinstance(checked(toy.model(), toy.batch(4)), torch.Tensor)


def test_nothing_is_written_for_an_objective_that_is_not_one(tmp_path):
    with pytest.raises(ValueError, match="shape"):
        toy.fit(toy.model(), mean, steps=3, checkpoint=tmp_path / "run")
    assert not list(tmp_path.iterdir())


def _stops(message, objective=elbo, data=None, model=None, **options):
    with pytest.raises(FloatingPointError) as caught:
        toy.fit(model or toy.model(), objective, data, **{"steps": 4} | options)
    assert message in str(caught.value)


def test_an_option_that_is_not_a_number_is_named():
    late = vc.Schedule(lambda step: float("nan") if step == 2 else 1.0, 3, "late")
    _stops("loss became nan at step 2: beta is nan at that step", schedules={"beta": late})


def test_the_first_step_does_not_blame_the_learning_rate():
    data = toy.batch()
    data = vc.Batch(1e30 * data.x, data.y)
    gaussian = toy.model(partial(vc.mlp_vae, hidden=(16,), likelihood=vc.GaussianFixedScale))
    message = "at step 0: no update came before it, so the learning rate is not the cause; x runs "
    _stops(message, data=data, model=gaussian)


def test_weights_that_were_never_finite_are_named():
    model = toy.model()
    next(model.parameters()).data.fill_(torch.nan)
    _stops("its weights are not finite before training", model=model)


def test_a_later_step_blames_the_learning_rate():
    _stops("try a learning rate below 1e+10", lr=1e10, steps=9)
