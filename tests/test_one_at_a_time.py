"""Several processes that want one thing: nothing is lost, nothing is made twice."""

import json
import os
import re
from pathlib import Path

import data_files
import numpy as np
import pytest
import toy
import toy_experiments
from filelock import FileLock
from others import Other, together

import vaecourse as vc
from vaecourse import pretrained
from vaecourse.data import torchvision_sets
from vaecourse.exercises import record
from vaecourse.experiments import run, run_grid
from vaecourse.experiments.rows import read_rows, sort_out
from vaecourse.pretrained import Recipe, fitted
from vaecourse.runtime.locks import BusyError, alone, in_turn
from vaecourse.training.run import Run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture
def start(monkeypatch, tmp_path):
    """Return what starts other processes; all end with the test."""
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VAECOURSE_PROGRESS", str(tmp_path / "progress.json"))
    monkeypatch.delenv("VAECOURSE_STATIC", raising=False)
    started = []

    def start(*words, **options):
        started.append(Other(*words, **options))
        return started[-1]

    yield start
    for other in started:
        other.end()


def _waits_for(one, holder):
    """Say whether the next thing that a process says is whom it waits for."""
    return re.fullmatch(rf"waiting for process {holder.pid}, which has .+\n", one.said.readline())


def _nothing_is_left(folder):
    return not [path for path in folder.rglob("*") if path.suffix in (".lock", ".partial")]


def _log(path, word):
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(f"{word}\n")


# The lock itself


def _hold(path, ready):
    with alone(path, "wait"):
        ready()


def test_the_second_is_refused_by_name_and_served_afterwards(start, tmp_path):
    path = tmp_path / "thing"
    holder = start(_hold, path)
    with pytest.raises(BusyError) as caught, alone(path, "wait for it"):
        pass
    assert str(caught.value) == f"process {holder.pid} is at work on {path}; wait for it"
    together(holder)
    with alone(path, "wait for it"):
        assert [file.name for file in tmp_path.iterdir()] == [".thing.lock"]
    assert list(tmp_path.iterdir()) == []


def test_one_who_waits_says_for_whom_and_not_for_ever(start, tmp_path, capsys):
    holder = start(_hold, tmp_path / "thing")
    words = r"did not give .*thing back within 0\.1 s"
    with pytest.raises(BusyError, match=words), in_turn(tmp_path / "thing", 0.1):
        pass
    said = capsys.readouterr().err
    assert said == f"waiting for process {holder.pid}, which has {tmp_path / 'thing'}\n"


def test_a_killed_holder_leaves_no_lock(start, tmp_path):
    holder = start(_hold, tmp_path / "thing")
    holder.end()
    assert (tmp_path / ".thing.lock").exists()
    with alone(tmp_path / "thing", "wait for it"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_link_and_its_file_have_one_lock(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "thing")
    link, thing = tmp_path / "link", tmp_path / "thing"
    with alone(link, "wait"), pytest.raises(BusyError), alone(thing, "wait"):
        pass


def test_a_lock_takes_along_the_folders_that_were_made_for_it_alone(tmp_path):
    path = tmp_path / "one" / "two" / "thing"
    with alone(path, "wait"):
        assert path.parent.is_dir()
    with pytest.raises(BusyError), alone(path, "wait"), alone(path, "wait"):
        pass
    assert list(tmp_path.iterdir()) == []
    with alone(path, "wait"):
        path.touch()
    assert list(path.parent.iterdir()) == [path]


def test_a_run_that_is_refused_leaves_no_folder(tmp_path):
    with pytest.raises(TypeError):
        toy.fit(toy.model(), _no_terms, steps=9, checkpoint=tmp_path / "new" / "run")
    assert list(tmp_path.iterdir()) == []


def _no_terms(model, batch):
    return None


def test_one_who_waits_outlives_the_folder_of_the_lock(tmp_path, monkeypatch):
    """Whoever made the folder takes it away just before the one who waited has the lock."""
    path, acquire = tmp_path / "folder" / "thing", FileLock.acquire

    def too_late(lock, **options):
        monkeypatch.setattr(FileLock, "acquire", acquire)
        path.parent.rmdir()
        return acquire(lock, **options)

    monkeypatch.setattr(FileLock, "acquire", too_late)
    with alone(path, "wait"):
        assert path.parent.is_dir()


def _count(path, ready):
    ready()
    for _ in range(100):
        with in_turn(path):
            number = int(path.read_text(encoding="utf-8")) if path.exists() else 0
            path.write_text(str(number + 1), encoding="utf-8")


def test_many_who_count_in_one_file_lose_nothing(start, tmp_path):
    """Each deletes the lock when it is done, under the eyes of those who wait for it."""
    together(*(start(_count, tmp_path / "number") for _ in range(4)))
    assert (tmp_path / "number").read_text(encoding="utf-8") == "400"
    assert _nothing_is_left(tmp_path)


# A checkpoint


class _HeldUp:
    """The ELBO, held up at its sixth call."""

    def __init__(self, ready):
        self.left, self.ready = 5, ready

    def __repr__(self):
        return "the ELBO, held up"

    def __call__(self, model, batch):
        if self.left == 0:
            self.ready()
        self.left -= 1
        return vc.objectives.elbo(model, batch)


def _fit(path, ready):
    toy.fit(toy.model(), _HeldUp(ready), steps=9, checkpoint=path, checkpoint_every=2)


def test_two_runs_do_not_share_a_checkpoint(start, tmp_path):
    path = tmp_path / "run.safetensors"
    first = start(_fit, path)
    before = path.read_bytes()
    with pytest.raises(BusyError, match=rf"process {first.pid} is at work on .*; two runs would"):
        toy.fit(toy.model(), steps=9, checkpoint=path)
    assert path.read_bytes() == before
    together(first)
    assert path.read_bytes() != before
    assert _nothing_is_left(tmp_path)


def test_a_finished_run_is_read_where_nothing_can_be_written(tmp_path, monkeypatch):
    """The system is asked by a stand-in: to an administrator every folder is open."""
    path = tmp_path / "run.safetensors"
    whole = toy.fit(toy.model(), steps=9, checkpoint=path)

    def refuse(*_arguments, **_options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("vaecourse.training.fitting.alone", refuse)
    again = toy.fit(toy.model(), steps=9, checkpoint=path)
    assert np.array_equal(again["loss"], whole["loss"])
    trained = []
    monkeypatch.setattr(Run, "train", lambda *_: trained.append(True))
    for place, total in ((path, 10), (tmp_path / "new", 9)):
        with pytest.raises(PermissionError):
            toy.fit(toy.model(), steps=total, checkpoint=place)
    assert not trained


# An entry of the cache


def _fitted(log, ready):
    def logged(*arguments, **options):
        _log(log, "trained")
        ready()
        return vc.fit(*arguments, **options)

    pretrained.fit = logged
    pretrained.RECIPES["small"] = Recipe(
        vc.mlp_vae, 2, vc.objectives.elbo, epochs=2, architecture={"hidden": (6,)}
    )
    weights = fitted("small", toy.split(), progress=False).state_dict()
    return [value.tolist() for value in weights.values()]


def test_a_model_is_trained_once_by_whoever_comes_first(start, tmp_path):
    log = tmp_path / "log"
    first = start(_fitted, log)
    others = [start(_fitted, log, first=False) for _ in range(2)]
    assert all(_waits_for(other, first) for other in others)
    first.go()
    found = [other.result() for other in (first, *others)]
    assert found[0] == found[1] == found[2]
    assert log.read_text(encoding="utf-8") == "trained\n"
    assert _nothing_is_left(tmp_path)


def _plan(log, ready):
    """Return a plan of a download that writes small files, and a line in a log."""

    def fill(_mirror, finished):
        _log(log, "downloaded")
        ready()
        made = data_files.write_idx(finished.parent / "made", data_files.arrays())
        for path in made.values():
            path.rename(finished / path.name)

    return lambda _name, folder: (fill, folder / "MNIST" / "raw", ("here/",), "probe")


def _download(folder, ready):
    torchvision_sets.first_answer = lambda urls, _seconds: urls[0]
    torchvision_sets._plan = _plan(folder / "log", ready)
    return int(torchvision_sets.download("mnist", folder)["x_train"].sum(dtype="int64"))


def test_a_data_set_is_downloaded_once(start, tmp_path):
    first = start(_download, tmp_path)
    others = [start(_download, tmp_path, first=False) for _ in range(2)]
    assert all(_waits_for(other, first) for other in others)
    first.go()
    wanted = int(data_files.arrays()["x_train"].sum(dtype="int64"))
    assert [other.result() for other in (first, *others)] == [wanted] * 3
    assert (tmp_path / "log").read_text(encoding="utf-8") == "downloaded\n"
    assert _nothing_is_left(tmp_path)


def test_what_a_killed_download_left_is_deleted(start, tmp_path):
    killed = start(_download, tmp_path)
    other = tmp_path / ".download-cifar10-b"
    other.mkdir()
    killed.end()
    assert len(list(tmp_path.glob(".download-mnist-*"))) == 1
    start(_download, tmp_path, first=False).result()
    assert list(tmp_path.glob(".*")) == [other]


# A row of experiments


def _trials():
    """Return trials of which four share M1s."""
    names = ("m1_logistic", "m1_svm", "vae_labeled_logistic")
    return [toy_experiments.trial(name, seed) for name in names for seed in (0, 1)]


def _rows(folder, ready):
    train, calls = run._work, []

    def logged(one, *arguments):
        _log(folder.with_name("log"), one.name)
        calls.append(1)
        if len(calls) == 2:
            ready()
        return train(one, *arguments)

    run._work = logged
    done = run_grid(sort_out(folder, _trials())[1], folder=folder)
    return sorted(one.name for one, _ in done)


def test_two_commands_make_each_row_once(start, tmp_path):
    """The second comes when the first has trained an M1 and is at work on a row."""
    folder = tmp_path / "rows"
    first = start(_rows, folder)
    other = start(_rows, folder, first=False)
    assert _waits_for(other, first)
    first.go()
    wanted = sorted(one.name for one in _trials())
    assert [first.result(), other.result()] == [wanted] * 2
    assert sorted(f"{row['experiment']}-{row['seed']}" for row in read_rows(folder)) == sorted(
        f"{one.experiment.name}-{one.seed}" for one in _trials()
    )
    made = (tmp_path / "log").read_text(encoding="utf-8").split()
    rows = [name for name in made if "-m1-" not in name]
    assert sorted(rows) == wanted
    assert _nothing_is_left(tmp_path)
    assert list((tmp_path / "cache" / "experiments").iterdir()) == []


# Progress


def _notes(times, ready):
    ready()
    for _ in range(times):
        record.note("04-elbo", False)


def test_no_note_is_lost(start, tmp_path):
    together(*(start(_notes, 25) for _ in range(4)))
    kept = json.loads((tmp_path / "progress.json").read_text(encoding="utf-8"))
    assert kept["04-elbo"]["attempts"] == 100
    assert _nothing_is_left(tmp_path)


def test_a_note_does_not_wait_for_ever(start, tmp_path, monkeypatch, capsys):
    start(_hold, tmp_path / "progress.json")
    monkeypatch.setattr(record, "PATIENCE", 0.1)
    record.note("04-elbo", True)
    assert "this attempt was not written down" in capsys.readouterr().err
    assert not (tmp_path / "progress.json").exists()
