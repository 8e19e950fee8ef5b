"""The experiments' rows, their pixels and their table, against exact or independent numbers."""

import csv
import io
import json
import math
import re
from functools import partial

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn
from toy_experiments import BUDGET, GUESS, LABELS, trial

import vaecourse as vc
from vaecourse.data.labels import label_subset
from vaecourse.evaluation.classification import predict
from vaecourse.experiments import EXPERIMENTS, pixels, run_grid, run_trial, table
from vaecourse.experiments.cli import plan
from vaecourse.experiments.estimate import dry_run
from vaecourse.experiments.recipes import CIFAR10, CONV, RECIPES
from vaecourse.experiments.rows import StaleRows, read_rows, sort_out, write_row
from vaecourse.experiments.trials import default_names, label_count, split_of
from vaecourse.experiments.work import Work
from vaecourse.results import read


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / "cache"))


NAMES = [one.name for one in EXPERIMENTS]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Run every experiment for a few steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAECOURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        return {one.experiment.name: row for one, row in run_grid([trial(n) for n in NAMES])}


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_runs(rows, name):
    row = json.loads(json.dumps(rows[name]))
    assert (row["experiment"], row["dataset"], row["labels"]) == (name, "digits", LABELS)
    assert 0 < row["test_error"] < 1
    assert row["cpu_seconds"] >= row["shared_cpu_seconds"]
    assert row["images"] == {"train": 1249, "valid": 249, "test": 299}
    assert row["vaecourse"] == vc.__version__
    assert row["network"] == ("conv" if name.endswith("_conv") else "mlp")
    assert set(row["recipes"]) <= set(RECIPES)
    # Digits are binarized: a bound in nats, and none in bits per dimension.
    assert ("test_elbo" in row) == ("likelihood" in row)
    assert "test_bits_per_dim" not in row


def test_logistic_regression_on_pixels_is_scikit_learns(rows):
    from sklearn.linear_model import LogisticRegression

    split = split_of("digits")
    y = label_subset(split.train.y, LABELS, 0).numpy()
    x = split.train.x.flatten(1).numpy()
    classifier = LogisticRegression(max_iter=2000, C=1.0).fit(x[y >= 0], y[y >= 0])
    wrong = classifier.predict(split.test.x.flatten(1).numpy()) != split.test.y.numpy()
    assert rows["pixels_logistic"]["test_error"] == pytest.approx(wrong.mean())


def test_the_encoder_sees_labelled_images_alone(monkeypatch):
    seen = []
    fit = Work.fit

    def spy(self, model, objective, recipe, steps, **options):
        seen.append(options.get("data", self.train))
        fit(self, model, objective, recipe, steps, **options)

    monkeypatch.setattr(Work, "fit", spy)
    for name in ("encoder", "vae_labeled_logistic", "beta_vae_logistic", "cpc_vae"):
        run_trial(trial(name))
    encoder, labeled, *others = seen
    known = label_subset(split_of("digits").train.y, LABELS, 0)
    for batch in (encoder, labeled):
        assert len(batch.x) == LABELS
        assert torch.equal(batch.y, known[known >= 0])
    for batch in others:
        assert len(batch.x) == len(known)
        assert torch.equal(batch.y, known)


def test_steps_follow_the_budget():
    work = Work(split_of("digits"), LABELS, 0, 0.5, {})
    assert work.steps({"batch": 100}, 20) == round(0.5 * 20 * 1249 / 100)
    assert work.steps({"batch": 100, "updates": 1000}, 20, LABELS) == 500
    assert work.steps({"batch": 10, "updates": 50}, 20, LABELS) == 50


@pytest.mark.parametrize(("text", "count"), [("100", 100), ("80/20", 999), ("50/50", 624)])
def test_labels_by_number_and_share(text, count):
    assert label_count(text, split_of("digits")) == count


def test_every_recipe_is_used():
    used = {name for one in EXPERIMENTS for name in one.uses}
    assert used == set(RECIPES)
    assert set(CONV) | set(CIFAR10) <= used


def test_ablations_run_only_by_name():
    table_of = set(default_names("mnist")) | set(default_names("cifar10"))
    assert set(NAMES) - table_of == {"m1_m2_unweighted"}


def test_an_ablation_changes_one_number():
    full, weighted = (trial(name).recipes for name in ("m1_m2_unweighted", "m1_m2"))
    assert full["m1_m2"] == weighted["m1_m2"]
    changed = full["m1_below_m2_unweighted"].items() ^ weighted["m1_below_m2"].items()
    assert {key for key, _ in changed} == {"beta"}


def test_convolutions_replace_hidden_layers():
    numbers = trial("m1_logistic_conv").recipes["m1"]
    assert "hidden" not in numbers
    assert numbers["channels"] == CONV["m1"]["channels"]
    assert default_names("cifar10")[0] == "pixels_logistic"
    assert all(name.endswith("_conv") for name in default_names("cifar10")[1:])


def test_dequantization_fills_every_level_evenly():
    levels = torch.arange(256).repeat_interleave(2000)
    centers = (levels + 0.5) / 256
    drawn = pixels.dequantize(centers.double(), torch.Generator().manual_seed(0)) * 256
    assert torch.equal(drawn.floor().long(), levels)
    assert stats.kstest((drawn - levels).numpy(), "uniform").pvalue > 1e-3


class _Ignorant(nn.Module):
    """A VAE whose posterior is its prior and whose decoder is one Gaussian: its ELBO is exact."""

    def __init__(self, mean, scale, size):
        super().__init__()
        self.mean, self.head = mean, vc.GaussianSharedScale(size, scale)
        self.prior = vc.StandardNormal(2)

    def encode(self, x):
        return self.prior().expand((len(x),))

    def decode(self, z):
        return self.head(torch.full((*z.shape[:-1], *self.head.event_shape), self.mean))


def test_bits_per_dimension_bound_the_code_of_the_grey_levels():
    """Against the discrete distribution that the Gaussian's bins make, summed exactly."""
    mean, scale = 0.4, 0.05
    levels = np.clip(
        np.random.default_rng(0).normal(256 * mean, 256 * scale, (64, 3, 16, 16)), 0, 255
    )
    levels = levels.astype(int)
    x = torch.tensor(levels / 255, dtype=torch.float32)
    part = vc.Batch(x, torch.zeros(64, dtype=torch.int64))
    split = vc.Split("photos", part, part, vc.HeldOut(*part), identity="photos")
    seen, centered = pixels.pixels_of(split)
    found = pixels.bounds(_Ignorant(mean, scale, (3, 16, 16)), centered, seen, 0)
    edges = stats.norm.cdf(np.arange(257) / 256, mean, scale)
    exact = -np.log2(np.diff(edges)[levels]).mean()
    assert exact < found["test_bits_per_dim"] < exact + 0.01
    nats = found["test_elbo"] / (3 * 16 * 16 * math.log(2))
    assert found["test_bits_per_dim"] == pytest.approx(8 - nats)


def test_grey_images_stay_as_they_are():
    split = split_of("digits")
    seen, same = pixels.pixels_of(split)
    assert seen is pixels.BINARY
    assert same is split


# Rows on disk


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "rows"
    for one, row in run_grid([trial(GUESS, seed) for seed in range(3)]):
        write_row(folder, one, row)
    return folder


def test_what_is_there_is_not_run_again(folder):
    done, missing = sort_out(folder, [trial(GUESS, seed) for seed in range(5)])
    assert [row["seed"] for row in done] == [0, 1, 2]
    assert [one.seed for one in missing] == [3, 4]
    assert read(folder) == read_rows(folder)


def _edit(folder, **changes):
    path = folder / f"{trial(GUESS).name}.json"
    row = json.loads(path.read_text(encoding="utf-8"))
    for name, value in changes.items():
        if value is None:
            del row[name]
        else:
            row[name] = value
    path.write_text(json.dumps(row), encoding="utf-8")


@pytest.mark.parametrize(
    "changes",
    [{"vaecourse": "0.0.1"}, {"data": "other"}, {"recipes": {}}, {"budget": 1.0}, {"seed": 4}],
    ids=str,
)
def test_rows_of_another_making_are_refused(folder, changes):
    _edit(folder, **changes)
    with pytest.raises(StaleRows, match=rf"guess-0\.json \({next(iter(changes))}\).*--redo"):
        sort_out(folder, [trial(GUESS)])
    assert sort_out(folder, [trial(GUESS)], redo=True)[1] == [trial(GUESS)]


def test_older_rows_may_lack_what_they_did_not_record(folder):
    _edit(folder, vaecourse=None, network=None, images=None, shared_cpu_seconds=None)
    rows, missing = sort_out(folder, [trial(GUESS)])
    assert (len(rows), missing) == (1, [])
    assert "A guess" not in table(rows)  # it is no experiment of the course: its name is shown
    assert "guess" in table(rows)


def test_a_row_of_a_worker_with_other_code_is_refused(tmp_path):
    row = run_trial(trial(GUESS)) | {"vaecourse": "0.0.1"}
    with pytest.raises(ValueError, match="was made with another vaecourse than here"):
        write_row(tmp_path / "none", trial(GUESS), row)
    assert not (tmp_path / "none").exists()


# The table


def _row(seed, error, **changes):
    row = {"experiment": "m2", "dataset": "mnist", "data": "d" * 64, "labels": 100, "seed": seed}
    row |= {"budget": 1.0, "test_error": error, "validation_error": error / 2, "cpu_seconds": 9.0}
    return row | changes


ERRORS = [0.031, 0.034, 0.029]
SOME = [_row(seed, error) for seed, error in enumerate(ERRORS)]
CIFAR = _row(
    0,
    0.6,
    experiment="m1_logistic_conv",
    dataset="cifar10",
    test_bits_per_dim=5.5,
    likelihood="Gaussian",
    images={"train": 10, "valid": 2, "test": 3},
)


def test_the_interval_is_students(rows):
    low, high = stats.t.interval(0.95, 2, np.mean(ERRORS), stats.sem(ERRORS))
    expected = f"{100 * np.mean(ERRORS):.2f} ± {100 * (high - low) / 2:.2f}"
    for form in ("text", "markdown"):
        assert expected in table(SOME, form)
    assert expected.replace("±", r"$\pm$") in table(SOME, "latex")
    (line,) = csv.DictReader(io.StringIO(table(SOME, "csv")))
    assert float(line["test_error"]) == pytest.approx(np.mean(ERRORS))
    assert float(line["half_width"]) == pytest.approx((high - low) / 2)
    assert float(line["cpu_seconds"]) == pytest.approx(9)


def test_one_seed_has_no_interval():
    assert "±" not in table(SOME[:1]).split("\n\n")[0]
    (line,) = csv.DictReader(io.StringIO(table(SOME[:1], "csv")))
    assert line["half_width"] == ""


@pytest.mark.parametrize("form", ["markdown", "latex"])
def test_every_line_has_every_column(form):
    lines = table([*SOME, CIFAR], form).splitlines()
    sign = "|" if form == "markdown" else " & "
    counts = {line.count(sign) for line in lines if sign in line}
    assert len(counts) == 1


def test_the_table_says_which_data_and_what_bits_are():
    text = table([*SOME, CIFAR])
    assert "a part of the published set" in text
    assert re.search(r"bits/dim", text)
    assert "5.500" in text
    assert "bits/dim" not in table(SOME)


def test_smaller_budgets_are_other_lines():
    text = table([*SOME, _row(0, 0.5, budget=0.1)])
    assert "[0.1 of the budget]" in text
    assert "50.00" in text


def test_an_unknown_format_is_named():
    with pytest.raises(ValueError, match="format must be one of text, markdown, latex, csv"):
        table(SOME, "html")


# How long


def test_a_dry_run_adds_up_what_was_measured():
    ask = partial(plan, datasets=["digits"], labels=["50"], seeds=2, budget=0.5)
    m1 = {"dataset": "digits", "labels": 50, "shared_cpu_seconds": 1000.0, "network": "mlp"}
    measured = [
        _row(0, 0.1, **m1 | {"experiment": "m1_logistic", "cpu_seconds": 1100.0}),
        _row(0, 0.1, **m1 | {"experiment": "m1_svm", "cpu_seconds": 1400.0}),
    ]
    text = dry_run(ask(["m1_logistic", "m1_svm", "encoder"]), measured, there=0, jobs=2)
    # At half the budget: two M1s of 500 s, two regressions of 50 s, two SVMs of 200 s.
    assert "6 rows to make" in text
    assert re.search(r"m1_logistic .* about 18 min", text)
    assert re.search(r"m1_svm .* about 7 min", text)
    assert re.search(r"encoder .* unknown", text)
    assert "together about 25 min of CPU time, 12 min at 2 jobs, and 2 rows of unknown" in text


def test_old_rows_tell_what_their_m1_cost():
    ask = partial(plan, datasets=["digits"], labels=["50"], seeds=1, budget=1.0)
    old = {"dataset": "digits", "labels": 50, "recipes": {"m1": {}}}
    measured = [
        _row(0, 0.1, **old | {"experiment": "m1_logistic", "cpu_seconds": 60.0}),
        _row(0, 0.1, **old | {"experiment": "m1_svm", "cpu_seconds": 80.0}),
    ]
    assert "together about 80 s" in dry_run(ask(["m1_logistic", "m1_svm"]), measured, there=0)


def test_predictions_of_the_encoder_are_probabilities():
    from vaecourse.experiments.methods import _Classifier
    from vaecourse.models.semi_supervised import Categorical
    from vaecourse.networks import MLP

    model = _Classifier(MLP((1, 8, 8), (4,), (10,)), Categorical(10))
    total = predict(model, split_of("digits").valid.x).sum(1)
    torch.testing.assert_close(total, torch.ones_like(total))
    assert BUDGET < 1


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not JSON"),
        (b"null", "must hold one JSON object, got NoneType"),
        (b"{}", "is no row of an experiment: it lacks experiment, dataset"),
        (b'{"a": 1}', "it lacks experiment"),
    ],
)
def test_a_file_that_is_no_row_is_named_and_left_alone(tmp_path, capsys, content, words):
    path = tmp_path / f"{trial(GUESS).name}.json"
    path.write_bytes(content)
    assert sort_out(tmp_path, [trial(GUESS)]) == ([], [])
    assert read_rows(tmp_path) == []
    for line in capsys.readouterr().err.splitlines():
        assert line.startswith(str(path)) and words in line
    assert path.read_bytes() == content


@pytest.mark.parametrize("value", ["NaN", "null", '"0.1"'])
def test_a_row_without_a_number_is_no_row(tmp_path, capsys, value):
    text = '{"experiment": "m2", "dataset": "mnist", "labels": 100, "seed": 0, "cpu_seconds": 1, '
    (tmp_path / "a.json").write_text(f'{text}"test_error": {value}}}', encoding="utf-8")
    assert read_rows(tmp_path) == []
    assert "a.json must hold a number as test_error" in capsys.readouterr().err
