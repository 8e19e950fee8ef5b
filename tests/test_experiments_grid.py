"""Many trials: killed, resumed, spread over cores and a cluster; none is lost or doubled."""

import os
import signal
from unittest import mock

import pytest
import toy_experiments
from toy_experiments import GUESS, grid, mortal, trial, write_all

from vaecourse.experiments import run, run_grid, run_trial
from vaecourse.experiments.rows import read_rows
from vaecourse.training.checkpoints import read_checkpoint

OTHERS = [("vae_labeled_logistic", 0), ("cpc_vae", 0), ("cpc_vae", 2), ("m2", 0), ("m2", 1)]
TIMES = {"cpu_seconds", "shared_cpu_seconds", "wall_seconds_without_m1", "started"}


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "experiments"


def _content(row):
    return {name: value for name, value in row.items() if name not in TIMES}


def _rows(pairs):
    pairs = list(pairs)
    names = [trial.name for trial, _ in pairs]
    assert len(set(names)) == len(names)
    return {trial.name: _content(row) for trial, row in pairs}


@pytest.fixture(scope="module")
def in_turn(tmp_path_factory):
    """Return the rows of all trials here, made one after the other, and what was trained."""
    trials = [*grid(), *(trial(name, seed) for name, seed in OTHERS)]
    trained, work = [], run._work

    def counted(one, *arguments):
        trained.append(one.name)
        return work(one, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAECOURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(run, "_work", counted)
        return _rows(run_grid(trials)), trained


def _only(in_turn, trials):
    return {one.name: in_turn[0][one.name] for one in trials}


@pytest.mark.parametrize(("name", "number"), [("vae_labeled_logistic", 1), ("cpc_vae", 2)])
def test_a_killed_trial_goes_on_where_it_was(name, number, tmp_path, cache, kill, in_turn):
    marker = tmp_path / "killed"
    kill(toy_experiments.die_in_a_trial, name=name, marker=str(marker), number=number)
    broken = trial(mortal(name, marker, number))
    saved = [read_checkpoint(path)[1] for path in sorted(cache.glob(f"{broken.name}-*"))]
    assert len(saved) == number
    assert saved[-1]["step"] > 0
    row = run_trial(broken)
    assert {broken.name: _content(row)} == _only(in_turn, [broken])
    assert row["cpu_seconds"] > sum(meta["cpu_seconds"] for meta in saved)
    assert list(cache.iterdir()) == []


def test_a_killed_program_keeps_its_rows(tmp_path, kill, in_turn):
    folder, marker = tmp_path / "rows", tmp_path / "killed"
    trials = [*grid(), trial("cpc_vae")]
    kill(toy_experiments.die_in_a_grid, folder=str(folder), marker=str(marker))
    assert [row["experiment"] for row in read_rows(folder)] == ["m1_logistic"] * 2 + ["m1_svm"]
    stamps = {path: path.stat().st_mtime_ns for path in folder.glob("*.json")}
    write_all(folder, toy_experiments.mortal_grid(marker))
    assert {path.name for path in folder.iterdir()} == {f"{one.name}.json" for one in trials}
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
    assert {f"{name}.json": row for name, row in _only(in_turn, trials).items()} == {
        path.name: _content(row)
        for path, row in zip(sorted(folder.glob("*.json")), read_rows(folder), strict=True)
    }


def test_an_m1_is_trained_once(in_turn):
    firsts = sorted(name for name in in_turn[1] if "-m1-" in name)
    assert firsts == ["digits-0-m1-0", "digits-0-m1-1"]


def test_the_rows_of_an_m1_share_its_cost():
    rows = dict((one.name, row) for one, row in run_grid([trial("m1_logistic"), trial("m1_svm")]))
    shared = {row["shared_cpu_seconds"] for row in rows.values()}
    assert len(shared) == 1
    assert all(0 < row["shared_cpu_seconds"] < row["cpu_seconds"] for row in rows.values())


@pytest.mark.slow
def test_cores_give_the_same_rows(monkeypatch, repository, in_turn):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(repository), str(repository / "tests")]))
    assert _rows(run_grid(grid(), jobs=2)) == _only(in_turn, grid())


@pytest.fixture
def cluster(monkeypatch, repository):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(repository), str(repository / "tests")]))
    options = {"n_workers": 2, "threads_per_worker": 2, "dashboard_address": None}
    # Dask sets variables of this process for its workers, and leaves them set.
    with (
        mock.patch.dict(os.environ),
        distributed.LocalCluster(processes=True, silence_logs=50, **options) as cluster,
    ):
        yield cluster


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_cluster_survives_a_killed_worker(cluster, tmp_path, cache, in_turn):
    """Threads share a process's random numbers, so a worker with two of them must not mix them."""
    marker = tmp_path / "killed"
    trials = [*grid(), trial(mortal("cpc_vae", marker, 2), 2), *(trial("m2", s) for s in (0, 1))]
    rows = _rows(run_grid(trials, scheduler=cluster.scheduler_address))
    assert marker.exists()
    assert rows == _only(in_turn, trials)
    assert list(cache.iterdir()) == []


def test_a_worker_with_other_data_says_so(monkeypatch):
    with pytest.raises(ValueError, match=r"has another digits .* than the one that was asked for"):
        run_trial(trial(GUESS, data="0" * 64))
    assert toy_experiments.LABELS == 50
