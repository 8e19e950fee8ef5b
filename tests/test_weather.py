"""The tools that run chapters under other conditions: what they record, and what they choose."""

import ast
import builtins
import json
import os
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import weather  # noqa: E402
import weather_asserts  # noqa: E402
import weather_report  # noqa: E402
import weathers  # noqa: E402

import book  # noqa: E402


@pytest.fixture
def fared(tmp_path, monkeypatch):
    """Return a function that runs code and tells how each evaluation of an assertion fared."""

    def run(source, **names):
        log = tmp_path / "log"
        log.write_text("", encoding="utf-8")
        monkeypatch.setattr(builtins, "__weather__", weather_asserts.Log(log), raising=False)
        tree = weather_asserts.Recorder().visit(ast.parse(source))
        exec(compile(ast.fix_missing_locations(tree), "cell", "exec"), names)
        return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]

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
    assert weather.merged(lines) == {"failed": ["x > 2"], "margins": {"x > 2": {"0": -1.0}}}


def test_what_an_assertion_raises_is_raised(fared):
    with pytest.raises(ZeroDivisionError):
        fared("assert 1 / 0 > 1")


def test_comments_and_docstrings_leave_the_hash_alone_and_code_does_not():
    plain = weather.code('"""Words."""\ndef f():\n    """More."""\n    return 1')
    assert plain == weather.code("def f():  # why\n    return 1\n")
    assert plain != weather.code("def f():\n    return 2\n")


def test_every_tree_has_other_seeds_than_the_book_and_all_weathers_take_their_turn():
    chosen = [weathers.of_tree(f"{number:012x}ffff") for number in range(18)]
    assert all(int(change["VAECOURSE_SEED_OFFSET"]) > 0 for change in chosen)
    assert len({change["VAECOURSE_SEED_OFFSET"] for change in chosen}) == 6


VERSION = {"chapter": "c", "package": "p"}


@pytest.fixture
def no_dice(monkeypatch):
    """Take the variables of a weather away, and put them back afterwards."""
    for name in weathers.DICE:
        monkeypatch.setenv(name, "")  # remembered, whatever a test sets
        monkeypatch.delenv(name)


def test_nbval_takes_the_weather_of_the_files(no_dice, monkeypatch, capsys):
    monkeypatch.setattr(book, "checked_out", lambda: "00000000001f" + "0" * 28)
    book.other_weather()
    chosen = weathers.of_tree("00000000001f" + "0" * 28)
    assert {name: os.environ[name] for name in chosen} == chosen
    assert f"VAECOURSE_SEED_OFFSET={chosen['VAECOURSE_SEED_OFFSET']}" in capsys.readouterr().out


def test_nbval_takes_the_weather_that_the_environment_names(no_dice, monkeypatch):
    monkeypatch.setenv("VAECOURSE_SEED_OFFSET", "77")
    book.other_weather()
    assert os.environ["VAECOURSE_SEED_OFFSET"] == "77"
    assert "ATEN_CPU_CAPABILITY" not in os.environ


def test_a_checkout_without_git_has_a_weather_too(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert weathers.of_tree(book.checked_out())
    monkeypatch.setenv("PATH", "")
    assert weathers.of_tree(book.checked_out())


def run_of(margin):
    """Return a run with one assertion of this margin."""
    failed = ["a < b"] if margin < 0 else []
    margins = {"a < b": {"0": margin}}
    return {"errors": {}, "version": VERSION, "failed": failed, "margins": margins, "same": []}


RUNS = {
    "plain": {"one": run_of(2.0)},
    "seeds-1": {"one": run_of(-1.0)},
    "seeds-2": {"one": run_of(5.0)},
}


def test_a_claim_is_described_by_its_margins_over_the_weathers():
    (entry,) = weather_report.summary(RUNS, {"one": {"a < b": "outcome"}})["margins"]
    spread = np.std([2, -1, 5])
    assert (entry["least"], entry["mean"], entry["kind"]) == (-1.0, 2.0, "outcome")
    assert entry["spread"] == pytest.approx(spread)
    assert entry["units"] == pytest.approx(2 / spread)


def test_the_report_counts_names_what_fails_and_is_read_back(tmp_path, capsys):
    folder, record = tmp_path / "runs", tmp_path / "weather.json"
    for name, chapters in RUNS.items():
        (folder / name).mkdir(parents=True)
        (folder / name / "one.json").write_text(json.dumps(chapters["one"]), encoding="utf-8")
    given = record, {"one": VERSION}, {"one": {"a < b": "outcome"}}, "words"
    assert weather_report.report(folder, *given) == 1
    printed = capsys.readouterr().out
    assert "2 of 3 runs passed, in 3 weathers" in printed and "other sources" not in printed
    assert "one fails in seeds-1: a < b" in printed
    assert weather_report.kept_runs(record, tmp_path / "nothing") == RUNS
    assert (
        weather_report.report(folder, record, {"one": VERSION | {"package": "q"}}, *given[2:]) == 1
    )
    assert "3 of them were made from other sources" in capsys.readouterr().out


@pytest.mark.parametrize("changed", ["chapter", "package"])
def test_runs_of_older_sources_count_while_the_plain_weather_gives_the_same_numbers(changed):
    newer = VERSION | {changed: "q"}
    kept = {"plain": {"one": run_of(2.0)}, "seeds-1": {"one": run_of(3.0)}}
    assert weather_report.counts("one", "seeds-1", kept, VERSION)
    assert not weather_report.counts("one", "seeds-1", kept, newer)
    for margin, same in ((2.0, [VERSION]), (2.5, [])):
        run = run_of(margin) | {"version": newer}
        run["same"] = weather_report.same_numbers(run, kept["plain"]["one"])
        assert run["same"] == same
        now = {**kept, "plain": {"one": run}}
        assert weather_report.counts("one", "seeds-1", now, newer) is bool(same)
        assert not weather_report.counts("one", "seeds-1", now, newer | {"other": "d"})
    assert not weather_report.counts("one", "avx2", kept, VERSION)


def test_a_new_assertion_makes_other_numbers_than_the_older_run():
    run = run_of(2.0) | {"version": VERSION | {"chapter": "q"}}
    run["margins"]["c < d"] = {"0": 1.0}
    assert weather_report.same_numbers(run, run_of(2.0)) == []


def test_a_chapter_that_raised_did_not_pass():
    assert not weather_report.passed({"errors": {"cell": "NameError: x"}, "failed": []})


def test_a_run_counts_wherever_cells_end_and_not_where_one_says_another_thing(tmp_path):
    def version(*sources):
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        path = tmp_path / "chapter.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        return weather.versions_of([path])[path]["chapter"]

    whole = version("%time\nx = 1\ndef f():\n    return x\nassert f() == 1  # identity")
    split = version("%time", "x = (\n    1\n)", "def f():\n    return x", "# So\nassert f() == 1")
    assert split == whole
    assert version("x = 2\ndef f():\n    return x\nassert f() == 1") != whole
