"""The tools that run chapters under other conditions: what they record, and what they choose."""

import ast
import builtins
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import weather  # noqa: E402
import weather_asserts  # noqa: E402
import weather_report  # noqa: E402
import weathers  # noqa: E402


@pytest.fixture
def fared(tmp_path, monkeypatch):
    """Return a function that runs code and tells how each evaluation of an assertion fared."""

    def run(source, **names):
        log = tmp_path / "log"
        log.write_text("")
        monkeypatch.setattr(builtins, "__weather__", weather_asserts.Log(log), raising=False)
        tree = weather_asserts.Recorder().visit(ast.parse(source))
        exec(compile(ast.fix_missing_locations(tree), "cell", "exec"), names)
        return [json.loads(line) for line in log.read_text().splitlines()]

    return run


@pytest.mark.parametrize(
    ("source", "held", "margins"),
    [
        ("assert 1 < 3", True, [2]),
        ("assert 5 >= 7, 'why'", False, [-2]),
        ("assert 0 < 1 < 4", True, [1, 3]),
        ("assert 0 < 1 and 2 > 5", False, [1, -3]),
        ("assert (a < 5).all() and a.sum() > 2", True, [3, 1]),
        ("assert all(v > -1 for v in a)", True, [1]),
        ("assert torch.allclose(a, a + 1, rtol=0, atol=4)", True, [0.75]),
        ("assert np.allclose(8.0, 10.0, 0.4, 0)", True, [0.5]),
        ("assert not a.sum() > 10", True, []),
        ("assert (a < 1).float().mean() > 0.5", False, [1 / 3 - 0.5]),
        ("assert 1 in [1] and [1] == [1]", True, []),
    ],
)
def test_margins_are_left_minus_right_in_the_sense_of_the_claim(fared, source, held, margins):
    names = {"a": torch.arange(3.0), "torch": torch, "np": np}
    (line,) = fared(source, **names)
    assert line["held"] is held
    assert list(line["margins"].values()) == pytest.approx(margins, abs=1e-6)


def test_code_runs_on_after_a_failed_assertion_and_the_least_margin_counts(fared):
    lines = fared("def f(x):\n    assert x > 2\nfor x in (5, 1, 3):\n    f(x)")
    assert [line["held"] for line in lines] == [True, False, True]
    assert weather.merged(lines) == {"x > 2": {"held": False, "margins": {"0": -1.0}}}


def test_what_an_assertion_raises_is_raised(fared):
    with pytest.raises(ZeroDivisionError):
        fared("assert 1 / 0 > 1")


def test_comments_and_docstrings_leave_the_hash_alone_and_code_does_not():
    plain = weather.code('"""Words."""\ndef f():\n    """More."""\n    return 1')
    assert plain == weather.code("def f():  # why\n    return 1\n")
    assert plain != weather.code("def f():\n    return 2\n")


def test_every_commit_has_other_seeds_than_the_book_and_all_weathers_take_their_turn():
    chosen = [weathers.of_commit(f"{number:012x}ffff") for number in range(18)]
    assert all(int(change["VAECOURSE_SEED_OFFSET"]) > 0 for change in chosen)
    assert len({change["VAECOURSE_SEED_OFFSET"] for change in chosen}) == 6


def test_the_report_counts_and_ranks():
    def run(held, margin):
        entry = {"held": held, "margins": {"0": margin}}
        return {"errors": {}, "version": 1, "asserts": {"a < b": entry}}

    runs = {"plain": {"one": run(True, 2.0)}, "seeds-1": {"one": run(False, -1.0)}}
    runs["seeds-2"] = {"one": run(True, 5.0)}
    record = weather_report.summary(runs, {"one": {"a < b": "outcome"}})
    assert record["passed"] == {
        "plain": {"one": True},
        "seeds-1": {"one": False},
        "seeds-2": {"one": True},
    }
    (entry,) = record["margins"]
    assert (entry["least"], entry["mean"], entry["spread"]) == (-1.0, 2.0, 3.0)
    assert entry["kind"] == "outcome" and entry["units"] == pytest.approx(2 / 3)


def test_a_chapter_that_raised_did_not_pass():
    assert not weather_report.passed({"errors": {"cell": "NameError: x"}, "asserts": {}})
