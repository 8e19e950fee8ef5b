"""A command with several processes that is ended from outside, and files that are no rows."""

import json
import os
import select
import signal

import pytest
from others import Other
from toy_experiments import GUESS, staying, trial

from vaecourse.experiments import grid, run_grid
from vaecourse.experiments.rows import made_row, read_rows, row_path, sort_out, write_row
from vaecourse.experiments.run import run_trial
from vaecourse.runtime.interrupts import terminated_like_interrupted


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / "cache"))


def _grid(folder, pipe, ready):
    trials = [trial(GUESS), *(trial(staying(pipe), seed) for seed in (0, 1))]
    # A shell that runs the tests in the background has its programs ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with terminated_like_interrupted():
        for _ in run_grid(trials, jobs=2, folder=folder):
            pass


def _next(pipe):
    """Return what comes through a pipe, nothing once no process has it open."""
    assert select.select([pipe], [], [], 300)[0], "nothing came, and no one closed the pipe"
    return os.read(pipe, 100)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL", "SIGINT"])
def test_no_worker_outlives_the_command(tmp_path, how):
    os.mkfifo(tmp_path / "pipe")
    pipe = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    command, workers = Other(_grid, tmp_path / "rows", tmp_path / "pipe", first=False), b""
    try:
        while workers.count(b"\n") < 2:
            workers += _next(pipe)
        os.kill(command.pid, getattr(signal, how))
        assert _next(pipe) == b""
        command.process.join()
    finally:
        command.end()
        for number in map(int, workers.split()):
            if os.path.exists(f"/proc/{number}"):
                os.kill(number, signal.SIGKILL)
        os.close(pipe)
    assert [row["experiment"] for row in read_rows(tmp_path / "rows")] == ["guess"]


def test_a_cluster_without_workers_is_told_of(monkeypatch, capsys):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(grid, "WORKERS_EXPECTED", 0.1)
    options = {"n_workers": 0, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        grid._say_without_workers(client, "tcp://here.invalid:1")
        said = capsys.readouterr().err
        assert said.startswith("no worker has come to tcp://here.invalid:1 within 0.1 s")
        assert len(said.splitlines()) == 1
        cluster.scale(1)
        client.wait_for_workers(1)
        grid._say_without_workers(client, "tcp://here.invalid:1")
        assert capsys.readouterr().err == ""


ROW = {"experiment": "m2", "dataset": "mnist", "data": "d", "labels": 1, "seed": 0}
BAD = {
    "nothing": b"",
    "half": b'{"experiment": "m',
    "bytes": b"\xff\xfe\x00",
    "null": b"null",
    "list": b"[]",
    "empty": b"{}",
    "foreign": b'{"name": "package", "version": "1.0"}',
    "not a number": json.dumps(ROW | {"test_error": float("nan"), "cpu_seconds": 1}).encode(),
    "words": json.dumps(ROW | {"test_error": "low", "cpu_seconds": 1}).encode(),
    "deep": b"[" * 100_000,
    "later": None,
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_row_costs_itself_alone(tmp_path, capsys, kind):
    trials = [trial(GUESS, seed) for seed in range(3)]
    rows = [run_trial(one, folder=tmp_path) for one in trials[:2]]
    bad = row_path(tmp_path, trials[0])
    later = json.dumps(rows[0] | {"vaecourse": "99.0"}).encode()
    content = later if BAD[kind] is None else BAD[kind]
    bad.write_bytes(content)
    assert sort_out(tmp_path, trials) == ([rows[1]], trials[2:])
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert said.startswith(str(bad)) and "move the file away, or --redo" in said
    assert bad.read_bytes() == content
    assert read_rows(tmp_path) == [rows[1]]
    assert capsys.readouterr().err.startswith(str(bad))
    assert made_row(tmp_path, trials[0]) is None
    assert sort_out(tmp_path, trials, redo=True) == ([rows[1]], [trials[0], trials[2]])
    write_row(tmp_path, trials[0], rows[0])
    assert sort_out(tmp_path, trials)[0] == rows
