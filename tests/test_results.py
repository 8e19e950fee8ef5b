"""Recorded results: read whole, summarized by Student's t, refused when damaged."""

import json

import numpy as np
import pytest
from scipy import stats

from vaecourse import results

ERRORS = [0.031, 0.034, 0.029, 0.035]


def _row(seed, error, **changes):
    row = {"experiment": "m2", "dataset": "mnist", "labels": 100, "seed": seed}
    return row | {"test_error": error, "cpu_seconds": 100.0 + seed} | changes


@pytest.fixture
def folder(tmp_path):
    rows = [_row(seed, error) for seed, error in enumerate(ERRORS)]
    rows += [_row(9, 0.5, labels=1000), _row(8, 0.6, dataset="strokes")]
    for row in rows:
        (tmp_path / f"{row['seed']}.json").write_text(json.dumps(row), encoding="utf-8")
    (tmp_path / "half.json.123.partial").write_text("{", encoding="utf-8")
    return tmp_path


def test_a_row_is_a_file(folder):
    rows = results.read(folder)
    assert [row["seed"] for row in rows] == [0, 1, 2, 3, 8, 9]


def test_summary_is_the_interval_of_the_mean(folder):
    got = results.summary(results.read(folder), "m2")
    assert got.mean == pytest.approx(np.mean(ERRORS))
    low, high = stats.t.interval(0.95, 3, np.mean(ERRORS), stats.sem(ERRORS))
    assert got.half_width == pytest.approx((high - low) / 2)
    assert got.num_seeds == 4
    assert got.cpu_seconds == pytest.approx(101.5)


def test_one_run_has_no_interval(folder):
    assert results.summary(results.read(folder), "m2", labels=1000).half_width == float("inf")


def test_what_is_missing_is_named(folder, tmp_path):
    with pytest.raises(ValueError, match=r"no run with.*'m3'.*there are.*'m2', 100, 'mnist'"):
        results.summary(results.read(folder), "m3")
    with pytest.raises(FileNotFoundError, match="nowhere is no folder of results"):
        results.read(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"{", b"[1]", b"null", b"", b"\xff", b"[" * 10**5])
def test_a_damaged_row_is_named(folder, content):
    (folder / "bad.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.json .*move it out of the folder"):
        results.read(folder)
