"""`fit` with labeled rows in every batch: which rows, how often, and the same bits on resuming."""

from collections import Counter
from functools import partial

import pytest
import torch
import toy

import vaecourse as vc
from vaecourse.objectives import consistency_constrained, elbo, m2, prediction_constrained

N, LABELED = 50, 6


def _data(num=N, labeled=LABELED):
    """Return toy rows whose first entry is their number, the last `labeled` with a label."""
    data = toy.batch(num)
    x = data.x.clone()
    x[:, 0] = torch.arange(num) / num
    return vc.Batch(x, torch.where(torch.arange(num) < num - labeled, -1, data.y))


def _numbers(batch):
    return (batch.x[:, 0] * N).round().int().tolist()


def _calls(**options):
    recorder = toy.Recorder(elbo)
    options = {"batch_size": 16, "steps": 9, "seed": 3, **options}
    toy.fit(toy.model(), recorder, _data(), **options)
    return [call.batch for call in recorder.calls]


@pytest.mark.parametrize("extra", [1, 4, 6, 13])
def test_every_batch_is_the_plain_batch_and_labeled_rows(extra):
    plain, batches = _calls(), _calls(labeled_batch_size=extra)
    for batch, expected in zip(batches, plain, strict=True):
        size = len(expected.x)
        assert len(batch.x) == size + extra
        assert torch.equal(batch.x[:size], expected.x)
        assert (batch.y[size:] >= 0).all()
    data = _data()
    for batch in batches:
        assert torch.equal(batch.x, data.x[_numbers(batch)])
        assert torch.equal(batch.y, data.y[_numbers(batch)])


@pytest.mark.parametrize("extra", [1, 4, 6, 13])
def test_labeled_rows_take_turns(extra):
    """Cut into cycles of all labeled rows, the sequence holds each of them once a cycle."""
    drawn = [n for batch in _calls(labeled_batch_size=extra) for n in _numbers(batch)[-extra:]]
    cycles = [drawn[start : start + LABELED] for start in range(0, len(drawn), LABELED)]
    rows = set(range(N - LABELED, N))
    for cycle in cycles[:-1]:
        assert set(cycle) == rows
    assert max(Counter(cycles[-1]).values()) == 1
    if len(cycles) > 2:
        assert len({tuple(cycle) for cycle in cycles[:-1]}) > 1


def test_the_seed_decides_the_order():
    first, again, other = (_calls(labeled_batch_size=4, seed=s) for s in (3, 3, 4))
    assert [_numbers(b) for b in first] == [_numbers(b) for b in again]
    assert [_numbers(b)[-4:] for b in first] != [_numbers(b)[-4:] for b in other]


def _objective(name):
    return {
        "m2": (partial(vc.mlp_m2, num_classes=3, hidden=(16,)), partial(m2, alpha=5.0)),
        "prediction": (
            partial(vc.mlp_prediction_constrained_vae, num_classes=3, hidden=(16,), dropout=0.3),
            partial(prediction_constrained, multiplier=5.0),
        ),
        "consistency": (
            partial(vc.mlp_prediction_constrained_vae, num_classes=3, hidden=(16,)),
            partial(consistency_constrained, multiplier=5.0, labeled_share=LABELED / N),
        ),
    }[name]


class _StopsAt:
    """An objective that fails at one of its calls, as a run that is interrupted does."""

    def __init__(self, objective, call):
        self.objective, self.left = objective, call

    def __repr__(self):
        return f"{self.objective.func.__name__}, which may stop"

    def __call__(self, model, batch):
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt
        return self.objective(model, batch)


@pytest.mark.parametrize("stop", [1, 5, 6, 11, 20])
@pytest.mark.parametrize("name", ["m2", "prediction", "consistency"])
def test_an_interrupted_run_ends_with_the_same_bits(tmp_path, name, stop):
    build, objective = _objective(name)
    options = {"steps": 20, "batch_size": 16, "labeled_batch_size": 4, "lr": 1e-2}
    whole = toy.model(build)
    history = toy.fit(whole, _StopsAt(objective, 0), _data(), **options)
    options |= {"checkpoint": tmp_path / "run.safetensors", "checkpoint_every": 3}
    with pytest.raises(KeyboardInterrupt):
        toy.fit(toy.model(build), _StopsAt(objective, stop), _data(), **options)
    resumed = toy.model(build)
    again = toy.fit(resumed, _StopsAt(objective, 0), _data(), **options)
    assert toy.same(toy.weights(whole), toy.weights(resumed))
    assert all((history[term] == again[term]).all() for term in history.terms)


def test_another_number_of_labeled_rows_is_another_run(tmp_path):
    options = {"steps": 4, "checkpoint": tmp_path / "run.safetensors"}
    toy.fit(toy.model(), data=_data(), labeled_batch_size=4, **options)
    with pytest.raises(ValueError, match="was made with labeled_batch_size = 4"):
        toy.fit(toy.model(), data=_data(), labeled_batch_size=5, **options)


@pytest.mark.parametrize("name", ["m2", "prediction", "consistency"])
def test_six_labels_are_enough_for_three_easy_classes(name):
    """From six labels among 300 rows each model learns the classes that the rows fall into."""
    build, objective = _objective(name)
    options = {"epochs": 30, "lr": 1e-2, "labeled_batch_size": 6}
    model, data = toy.model(build), toy.batch(300)
    hidden = vc.Batch(data.x, torch.where(torch.arange(300) < 294, -1, data.y))
    history = toy.fit(model, objective, hidden, **options)
    assert vc.classification.error_rate(model, toy.batch(90, seed=7)) < 0.05
    assert history.epochs("prediction")[-1] < 0.5 * history.epochs("prediction")[0]


def test_refusals():
    for size in (0, -1, 2.5):
        with pytest.raises(ValueError, match="labeled_batch_size must be a positive integer"):
            toy.fit(toy.model(), data=_data(), steps=1, labeled_batch_size=size)
    with pytest.raises(ValueError, match="labeled_batch_size asks for labelled examples"):
        toy.fit(toy.model(), data=_data(labeled=0), steps=1, labeled_batch_size=2)
