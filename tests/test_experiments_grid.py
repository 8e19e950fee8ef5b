"""Many trials: killed, resumed, spread over cores and a cluster; none is lost or doubled."""

import os
import signal
from unittest import mock

import pytest
import toy_experiments
from toy_experiments import GUESS, mortal, trial

from vaecourse.checkpoints import read_checkpoint
from vaecourse.experiments import run, run_grid, run_trial
from vaecourse.experiments.rows import read_rows, sort_out, write_row

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
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


def _grid():
    """Return trials with and without a shared M1, for two seeds."""
    names = ("m1_logistic", "m1_svm", "pixels_logistic", GUESS)
    return [trial(name, seed) for name in names for seed in (0, 1)]


def _killed(work, *arguments):
    """Call a function in a process of its own and return the signal that ended it."""
    child = os.fork()
    if child == 0:
        work(*arguments)
        os._exit(0)
    return os.WTERMSIG(os.waitpid(child, 0)[1])


@pytest.mark.parametrize(("name", "number"), [("vae_labeled_logistic", 1), ("cpc_vae", 2)])
def test_a_killed_trial_goes_on_where_it_was(name, number, tmp_path, cache):
    whole = _content(run_trial(trial(name)))
    broken = trial(mortal(name, tmp_path / "killed", number))
    assert _killed(run_trial, broken) == signal.SIGKILL
    saved = [read_checkpoint(path)[1] for path in sorted(cache.glob(f"{broken.name}-*"))]
    assert len(saved) == number
    assert saved[-1]["step"] > 0
    row = run_trial(broken)
    assert _content(row) == whole
    assert row["cpu_seconds"] > sum(meta["cpu_seconds"] for meta in saved)
    assert list(cache.iterdir()) == []


def _write_all(folder, trials):
    for one, row in run_grid(sort_out(folder, trials)[1]):
        write_row(folder, one, row)


def test_a_killed_program_keeps_its_rows(tmp_path):
    folder, trials = tmp_path / "rows", [*_grid(), trial("cpc_vae")]
    broken = [*trials[:3], trial(mortal("cpc_vae", tmp_path / "killed", 2)), *trials[3:-1]]
    assert _killed(_write_all, folder, broken) == signal.SIGKILL
    assert [row["experiment"] for row in read_rows(folder)] == ["m1_logistic"] * 2 + ["m1_svm"]
    stamps = {path: path.stat().st_mtime_ns for path in folder.glob("*.json")}
    _write_all(folder, broken)
    assert {path.name for path in folder.iterdir()} == {f"{one.name}.json" for one in trials}
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in stamps.items())
    expected = _rows(run_grid(trials))
    assert {f"{n}.json": row for n, row in expected.items()} == {
        path.name: _content(row)
        for path, row in zip(sorted(folder.glob("*.json")), read_rows(folder), strict=True)
    }


def test_an_m1_is_trained_once(monkeypatch):
    trained = []
    work = run._work
    monkeypatch.setattr(run, "_work", lambda *args: trained.append(args[0].name) or work(*args))
    list(run_grid(_grid()))
    assert sorted(name for name in trained if "-m1-" in name) == ["digits-0-m1-0", "digits-0-m1-1"]


def test_the_rows_of_an_m1_share_its_cost():
    rows = dict((one.name, row) for one, row in run_grid([trial("m1_logistic"), trial("m1_svm")]))
    shared = {row["shared_cpu_seconds"] for row in rows.values()}
    assert len(shared) == 1
    assert all(0 < row["shared_cpu_seconds"] < row["cpu_seconds"] for row in rows.values())


@pytest.mark.slow
def test_cores_give_the_same_rows(monkeypatch, repository):
    monkeypatch.setenv("PYTHONPATH", f"{repository}:{repository / 'tests'}")
    assert _rows(run_grid(_grid(), jobs=2)) == _rows(run_grid(_grid()))


@pytest.fixture
def cluster(monkeypatch, repository):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("PYTHONPATH", f"{repository}:{repository / 'tests'}")
    options = {"n_workers": 2, "threads_per_worker": 2, "dashboard_address": None}
    # Dask sets variables of this process for its workers, and leaves them set.
    with (
        mock.patch.dict(os.environ),
        distributed.LocalCluster(processes=True, silence_logs=50, **options) as cluster,
    ):
        yield cluster


@pytest.mark.slow
def test_a_cluster_survives_a_killed_worker(cluster, tmp_path, cache):
    """Threads share a process's random numbers, so a worker with two of them must not mix them."""
    marker = tmp_path / "killed"
    trials = [*_grid(), trial(mortal("cpc_vae", marker, 2), 2), *(trial("m2", s) for s in (0, 1))]
    rows = _rows(run_grid(trials, scheduler=cluster.scheduler_address))
    assert marker.exists()
    assert rows == _rows(run_grid([*_grid(), trial("cpc_vae", 2), *trials[-2:]]))
    assert list(cache.iterdir()) == []


def test_a_worker_with_other_data_says_so(monkeypatch):
    with pytest.raises(ValueError, match=r"has another digits .* than the one that was asked for"):
        run_trial(trial(GUESS, data="0" * 64))
    assert toy_experiments.LABELS == 50
