"""What can be known before the work is asked before the work: each refusal comes unworked."""

import argparse
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import toy

import vaecourse as vc
from vaecourse import pretrained
from vaecourse.__main__ import main
from vaecourse.data import own_images
from vaecourse.data.labels import label_subset
from vaecourse.evaluation import disentanglement, neighbors
from vaecourse.runtime.files import writable

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import draw_cover  # noqa: E402
import soak  # noqa: E402
import student  # noqa: E402
import weather  # noqa: E402


def worked(*_arguments, **_options):
    raise AssertionError("the work began")


TRAIN = {
    "a folder in the file's place": (["FOLDER"], "is a folder or a device"),
    "a file in the folder's place": (["FILE/model"], "Not a directory"),
    "too long a name": (["n" * 240], "File name too long"),
    "no such device": (["model", "--device", "abacus"], "a device that this machine has"),
    "too large a seed": (["model", "--seed", str(2**70)], "at most 64 bits"),
}


@pytest.mark.parametrize("case", TRAIN)
def test_the_command_train(tmp_path, monkeypatch, capsys, case):
    (tmp_path / "FOLDER").mkdir()
    (tmp_path / "FILE").touch()
    monkeypatch.setattr("vaecourse.commands._split", worked)
    (name, *options), words = TRAIN[case]
    assert main(["train", "vae", str(tmp_path / name), "--data", "digits", *options]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["FILE", "FOLDER"]


EXPERIMENTS = {
    "too many labels": (["--labels", "50,9999"], "num must be from 0 to"),
    "labels of one class": (["--labels", "50,1"], "needs two classes at least"),
    "a share of none": (["--labels", "50,1/99999"], "keeps 0 of 1249 labels"),
    "no such device": (["--labels", "50", "--device", "cuda"], "a device that this machine has"),
    "a folder for a row": (["--labels", "50"], "is a folder or a device"),
}


@pytest.mark.parametrize("case", EXPERIMENTS)
def test_the_command_experiments(tmp_path, monkeypatch, capsys, case):
    monkeypatch.setattr("vaecourse.experiments.cli.run_grid", worked)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    options, words = EXPERIMENTS[case]
    if case == "a folder for a row":
        (tmp_path / "digits-50-m1_svm-0.json").mkdir()
    chosen = ["m1_svm", "--datasets", "digits", "--seeds", "1", "--folder", str(tmp_path)]
    assert main(["experiments", *chosen, *options]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


def test_a_model_of_the_cache(tmp_path, monkeypatch):
    """The warning comes before the training, which then goes on."""
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / "taken" / "cache"))
    (tmp_path / "taken").touch()
    monkeypatch.setattr(pretrained, "fit", worked)
    with (
        pytest.warns(UserWarning, match=r"cannot be kept in .*\(\[Errno 20\] Not a dir") as caught,
        pytest.raises(AssertionError, match="the work began"),
    ):
        pretrained.fitted("vae", toy.split())
    assert caught[0].filename == __file__


def test_validation_examples_of_another_shape(monkeypatch):
    split = toy.split()
    other = vc.Batch(split.valid.x[:, :-1], split.valid.y)
    changed = vc.Split("toy", split.train, other, split.test, "")
    monkeypatch.setattr("vaecourse.training.fitting.Run", worked)
    with pytest.raises(ValueError, match=r"valid has examples of shape \(\d+,\) and train of"):
        toy.fit(toy.model(), data=changed, epochs=1)


def test_a_split_without_validation_examples_trains():
    batch = vc.Batch(torch.rand(20, toy.D), torch.arange(20) % 2)
    history = toy.fit(toy.model(), data=vc.data.split_of(batch, valid=0), epochs=1)
    assert history.validation == {}


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1, 1.5, True, None])
def test_seeds_that_no_generator_takes(monkeypatch, seed):
    monkeypatch.setattr("vaecourse.training.fitting.Run", worked)
    with pytest.raises(ValueError, match="seed must be an integer"):
        toy.fit(toy.model(), steps=1, seed=seed)
    if isinstance(seed, int) and not isinstance(seed, bool):
        with pytest.raises(ValueError, match="seed must be an integer"):
            vc.evaluation.evaluate(toy.model(), vc.objectives.elbo, toy.split().train, seed=seed)


def test_labels_in_a_file_of_images(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 4, 4), "u1"), y=[0.5, 1, 2])
    monkeypatch.setattr(own_images, "to_channels", worked)
    with pytest.raises(vc.data.DataError, match=r"y holds 0\.5, in row 0"):
        vc.data.from_images(tmp_path / "a.npz", size=64)


@pytest.mark.parametrize("num", [2.0, True, "2", None])
def test_a_number_of_labels_that_is_none(num):
    with pytest.raises(ValueError, match="num must be a whole number of labels"):
        label_subset(torch.arange(4), num)


def test_labels_to_keep_come_in_every_form():
    wanted = label_subset(torch.arange(4).repeat(5), 8, seed=3)
    for y in (list(range(4)) * 5, np.tile(np.arange(4, dtype="u1"), 5), ["a", "b", "c", "d"] * 5):
        assert torch.equal(label_subset(y, np.int64(8), seed=3), wanted)


def test_images_that_cannot_be_neighbors(monkeypatch):
    monkeypatch.setattr(neighbors, "embed", worked)
    monkeypatch.setattr(torch, "cdist", worked)
    small, large = torch.rand(4, 1, 3, 3), torch.rand(4, 1, 5, 5)
    with pytest.raises(ValueError, match="first and second and reference must hold the same shape"):
        neighbors.midpoint_ratio(None, small, small, large)
    with pytest.raises(ValueError, match="images and reference must hold the same shape"):
        neighbors.neighbor_agreement(small, vc.Batch(large, torch.zeros(4).long()), num=1)
    with pytest.raises(ValueError, match="a label for every image"):
        neighbors.neighbor_agreement(small, vc.Batch(small, torch.full((4,), -1)), num=1)


def test_a_factor_that_cannot_be_scored(monkeypatch):
    monkeypatch.setattr(disentanglement, "_predict", worked)
    factors = {"a": np.arange(8), "b": np.array([1, 2, 3, 4, 5, 5, 5, 5])}
    with pytest.raises(ValueError, match="'b' never varies in the second half"):
        disentanglement.factor_prediction(np.eye(8), factors)


TOOLS = {
    "student": (student, ["--out", "TAKEN"], [(student, "collect")]),
    "weather report": (weather, ["report"], [(weather, "report")]),
    "weather run": (weather, ["run", "plain"], [(weather, "run_missing")]),
    "no such chapter": (weather, ["run", "--chapters", "99"], [(weather, "run_missing")]),
    "soak": (soak, ["--share", "-1"], [(soak, "tried")]),
    "soak without end": (soak, ["--share", "inf"], [(soak, "tried")]),
}


@pytest.mark.parametrize("case", TOOLS)
def test_the_tools(tmp_path, monkeypatch, capsys, case):
    taken = tmp_path / "TAKEN"
    taken.touch()
    tool, arguments, work = TOOLS[case]
    for module, name in work:
        monkeypatch.setattr(module, name, worked)
    if tool is weather and case != "no such chapter":
        monkeypatch.setattr(weather, "RUNS", taken / "weather")
        monkeypatch.setattr(weather, "RECORD", taken / "weather.json")
    arguments = [str(taken) if word == "TAKEN" else word for word in arguments]
    monkeypatch.setattr(sys, "argv", ["tool", *arguments])
    with pytest.raises(SystemExit) as stopped:
        tool.main()
    assert stopped.value.code == 2
    line = capsys.readouterr().err.splitlines()[-1]
    words = "must be a positive number|cannot be written|no chapter begins with 99; there are 01"
    assert ": error: " in line and re.search(words, line)


def test_the_drawings(tmp_path, monkeypatch):
    (tmp_path / "taken").touch()
    monkeypatch.setattr(draw_cover, "STATIC", tmp_path / "taken")
    monkeypatch.setattr(draw_cover, "cover", worked)
    with pytest.raises(OSError, match="cannot be written"):
        draw_cover.main()


def test_a_file_on_the_command_line_of_a_benchmark(tmp_path, capsys):
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=writable)
    assert parser.parse_args(["--json", str(tmp_path / "a")]).json == tmp_path / "a"
    with pytest.raises(SystemExit):
        parser.parse_args(["--json", str(tmp_path)])
    assert "argument --json" in capsys.readouterr().err
    for path in (ROOT / "benchmarks").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "write_json(" in text:
            assert "writable" in text, path
