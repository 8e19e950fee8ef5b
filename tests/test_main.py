"""The command line: what it runs, what it refuses, what it prints."""

import csv
import io
import json
import os
import re
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

import vaecourse
from vaecourse.__main__ import main
from vaecourse.data import identity
from vaecourse.data.labels import dynamic_binarization
from vaecourse.evaluation import evaluate
from vaecourse.objectives import elbo
from vaecourse.pretrained import RECIPES
from vaecourse.training.checkpoints import save_model

TOY = ["--datasets", "digits", "--labels", "50", "--seeds", "2", "--budget", "0.02"]


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "rows"


def _experiments(folder, *arguments):
    return main(["experiments", *arguments, *TOY, "--folder", str(folder)])


def test_rows_are_made_once_and_shown(folder, capsys):
    assert _experiments(folder, "pixels_logistic", "m1_logistic") == 0
    first = capsys.readouterr().out
    assert "[4/4] digits, 50 labels, m1_logistic, seed 1: test error" in first
    assert len(list(folder.glob("*.json"))) == 4
    assert _experiments(folder, "pixels_logistic", "m1_logistic") == 0
    again = capsys.readouterr().out
    assert "[1/" not in again
    assert again.strip() == first[first.index("data  ") :].strip()


def test_other_formats_print_the_table_alone(folder, capsys):
    assert _experiments(folder, "pixels_logistic", "--format", "csv") == 0
    (line,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (line["experiment"], line["seeds"], line["labels"]) == ("pixels_logistic", "2", "50")


def test_a_dry_run_makes_nothing(folder, capsys):
    assert _experiments(folder, "encoder", "--dry-run") == 0
    assert "2 rows to make; 0 are there" in capsys.readouterr().out
    assert not folder.exists()


def test_a_row_of_another_making_stops_the_command(folder, capsys):
    assert _experiments(folder, "pixels_logistic") == 0
    path = folder / "digits-50-pixels_logistic-0.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace(vaecourse.__version__, "0.0.1"), encoding="utf-8"
    )
    assert _experiments(folder, "pixels_logistic") == 1
    assert "--redo" in capsys.readouterr().err
    assert _experiments(folder, "pixels_logistic", "--redo") == 0
    assert vaecourse.__version__ in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["experiments", "m3"], "unknown experiment 'm3'; there are pixels_logistic"),
        (["experiments", "--datasets", "svhn"], "unknown data set 'svhn'"),
        (["experiments", "--labels", "half"], "labels must be like 100 or 80/20"),
        (["experiments", "--seeds", "0"], "must be a positive integer"),
        (["experiments", "--jobs", "-1"], "must be a positive integer"),
        (["experiments", "--budget", "0"], "must be a positive number, got '0'"),
        ([], "required: command"),
    ],
)
def test_what_is_wrong_is_named(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_too_many_labels_are_refused_in_one_line(folder, capsys):
    assert main(["experiments", "encoder", *TOY, "--labels", "9999", "--folder", str(folder)]) == 1
    assert capsys.readouterr().err.startswith("vaecourse: num must be from 0 to")


def test_the_module_is_the_command(repository):
    done = subprocess.run(
        [sys.executable, "-m", "vaecourse", "--version"],
        env=os.environ | {"PYTHONPATH": str(repository)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.strip() == vaecourse.__version__


def test_an_interrupted_command_says_that_it_goes_on(monkeypatch, folder, capsys):
    def interrupt(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("vaecourse.experiments.cli.run_grid", interrupt)
    assert _experiments(folder, "encoder") == 130
    assert "goes on from here" in capsys.readouterr().err


def test_the_doctor_finds_nothing_wrong(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VAECOURSE_DATA", str(tmp_path / "data"))
    assert main(["doctor"]) == 0
    text = capsys.readouterr().out
    assert f"vaecourse {vaecourse.__version__}" in text
    assert re.search(r"mnist +not here\n", text)
    assert re.search(rf"digits +{identity('digits')[:12]} in scikit-learn\n", text)
    assert f"note: VAECOURSE_DATA names {tmp_path / 'data'}, which is no readable folder" in text
    assert "without a network strokes stand in for MNIST" in text
    assert text.endswith("nothing is wrong\n")


def test_the_doctor_names_damaged_data_and_a_folder_that_is_none(monkeypatch, tmp_path, capsys):
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    (tmp_path / "mnist.npz").write_bytes(b"nothing of the kind")
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VAECOURSE_DATA", str(tmp_path))
    assert main(["doctor"]) == 1
    text = capsys.readouterr().out
    assert "name another folder in VAECOURSE_CACHE" in text
    assert f"wrong: {tmp_path / 'mnist.npz'}" in text


def test_a_model_is_trained_kept_and_evaluated(tmp_path, capsys):
    path = tmp_path / "vae.safetensors"
    assert main(["train", "vae", str(path), "--data", "digits", "--seed", "3"]) == 0
    assert str(path) in capsys.readouterr().out
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert main(["evaluate", str(path)]) == 0
    found = json.loads(capsys.readouterr().out)
    split = vaecourse.load("digits")
    model, _ = RECIPES["vae"].train(split, 3, progress=False)
    terms = evaluate(model, elbo, split.test, transform=dynamic_binarization)
    assert found["terms"] == pytest.approx(terms)
    assert (found["recipe"], found["data"], found["images"]) == ("vae", "digits", 299)


@pytest.mark.parametrize("kind", ["missing", "folder", "text", "foreign", "damaged"])
def test_what_is_no_file_of_the_package_is_named_and_left_alone(tmp_path, capsys, kind):
    path = tmp_path / "some"
    if kind == "folder":
        path.mkdir()
    if kind == "text":
        path.write_text("a letter to my aunt", encoding="utf-8")
    if kind == "foreign":
        save_file({"weight": torch.zeros(2)}, path)
    if kind == "damaged":
        save_model(vaecourse.mlp_vae((1, 8, 8), 2), path)
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    before = sorted(tmp_path.iterdir())
    assert main(["evaluate", str(path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert str(path) in line
    assert line.endswith("; give another path")
    assert "delete" not in line
    assert sorted(tmp_path.iterdir()) == before


def test_other_weights_and_other_data_are_refused(tmp_path, capsys):
    path = save_model(vaecourse.mlp_vae((1, 8, 8), 2), tmp_path / "some")
    assert main(["evaluate", str(path)]) == 1
    assert "was not written by vaecourse train" in capsys.readouterr().err
    save_model(vaecourse.mlp_vae((1, 8, 8), 2), path, {"recipe": "vae"})
    assert main(["evaluate", str(path)]) == 1
    assert "was not written by vaecourse train" in capsys.readouterr().err
    meta = {"recipe": "vae", "data": "digits", "identity": "other", "seed": 0}
    save_model(vaecourse.mlp_vae((1, 8, 8), 20), path, meta)
    assert main(["evaluate", str(path)]) == 1
    assert "other digits" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "experiments"])
def test_where_nothing_can_be_written_is_said_before_the_work(
    tmp_path, monkeypatch, capsys, command
):
    taken = tmp_path / "taken"
    taken.write_text("text", encoding="utf-8")
    monkeypatch.setattr("vaecourse.commands._split", None)
    monkeypatch.setattr("vaecourse.experiments.cli.run_grid", None)
    if command == "train":
        code = main(["train", "vae", str(taken / "model"), "--data", "digits"])
    else:
        code = _experiments(taken, "pixels_logistic")
    assert code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert str(taken) in line and "cannot be written (Not a directory)" in line
