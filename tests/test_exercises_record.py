"""Progress, hints, and the exercises from the shell."""

import argparse
import json
import os
import stat

import nbformat
import pytest
import torch

from vaecourse.exercises import check, hint, progress, record
from vaecourse.exercises.catalogue import exercises
from vaecourse.exercises.cli import add_parser
from vaecourse.exercises.notebooks import answers_in

NAME = "04-log-likelihood"


def right(x, mean, scale):
    return torch.distributions.Normal(mean, scale).log_prob(x).sum(-1)


def stub(x, mean, scale):
    raise NotImplementedError


@pytest.fixture(autouse=True)
def own_record(monkeypatch, tmp_path):
    """Keep the record of the test apart from that of whoever runs it."""
    monkeypatch.delenv("VAECOURSE_STATIC", raising=False)
    monkeypatch.setenv("VAECOURSE_PROGRESS", str(tmp_path / "new" / "progress.json"))


def run(*words):
    """Run one command line."""
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    options = parser.parse_args(["exercises", *map(str, words)])
    return options.run(options)


def test_attempts_count_and_the_first_right_answer_is_dated():
    check(NAME, stub)
    assert record.load() == {}
    check(NAME, lambda x, mean, scale: x)
    assert record.load() == {NAME: {"attempts": 1, "solved": None}}
    check(NAME, right)
    solved = record.load()[NAME]["solved"]
    assert solved
    check(NAME, right)
    assert record.load() == {NAME: {"attempts": 3, "solved": solved}}
    assert repr(progress()).startswith(f"1 of {len(exercises())} exercises solved")
    assert f"✓ {NAME[3:]}" in repr(progress()) and "status" in progress()._repr_html_()


def test_a_solution_and_a_page_that_is_built_leave_no_record(monkeypatch):
    assert check(NAME, right, counts=False).passed
    monkeypatch.setenv("VAECOURSE_STATIC", "1")
    assert check(NAME, right).passed
    assert not record.path().exists()


@pytest.mark.parametrize("damage", ["{", "[]", '{"a": 1}', '{"a": {"attempts": "x"}}', "\x00"])
def test_a_damaged_record_is_set_aside(damage):
    record.path().parent.mkdir()
    record.path().write_text(damage, encoding="utf-8")
    assert "0 of" in repr(progress())
    assert record.path().with_name("progress.json.damaged").read_text(encoding="utf-8") == damage
    assert check(NAME, right).passed
    assert record.load()[NAME]["attempts"] == 1


def test_a_record_that_cannot_be_written_is_no_error(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("VAECOURSE_PROGRESS", str(tmp_path / "file" / "progress.json"))
    assert check(NAME, right).passed
    assert "0 of" in repr(progress())


def test_a_write_that_is_cut_short_leaves_the_old_record(monkeypatch):
    check(NAME, right)
    before = record.path().read_bytes()

    def fail(*paths):
        raise OSError("no space")

    monkeypatch.setattr(os, "replace", fail)
    assert check(NAME, right).passed
    assert record.path().read_bytes() == before


def test_the_record_lies_in_the_users_data_folder(monkeypatch):
    monkeypatch.delenv("VAECOURSE_PROGRESS")
    assert record.path().name == "progress.json" and record.path().parent.name == "vaecourse"


def test_three_hints_come_one_at_a_time():
    name = "04-covering"
    given = [hint(name) for _ in range(4)]
    assert [each.number for each in given] == [1, 2, 3, 3]
    assert tuple(each.text for each in given[:3]) == exercises()[name].hints
    assert hint(name, 2).text == exercises()[name].hints[1]
    assert 'role="status"' in given[0]._repr_html_()
    assert "Did you mean" in repr(hint("04-cover"))


def test_the_list_as_json_tells_everything(capsys):
    assert run("list", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(exercises())
    assert set(rows[0]) == {"name", "chapter", "title", "difficulty", "minutes", "mistakes"}
    row = next(row for row in rows if row["name"] == NAME)
    assert row["chapter"] == 4 and row["mistakes"] == len(exercises()[NAME].catalogue)
    assert run("list") == 0
    assert len(capsys.readouterr().out.splitlines()) == len(rows)


STUDENT = """\
import torch
from vaecourse.exercises import check

heavy = 1 / 0
---
factor = -0.5
def helper(x): return factor * x
---
def log_likelihood(x, mean, scale):
    squared = ((x - mean) / scale) ** 2
    heavy = 2 * torch.pi * scale**2
    return helper(squared + torch.log(torch.tensor(heavy, dtype=x.dtype))).sum(-1)
check("04-log-likelihood", log_likelihood)
---
%matplotlib inline
try:
    import vaecourse
except ImportError:
    %pip install vaecourse
def covering(weights, means, scales):
    raise NotImplementedError
check("04-covering", covering)
---
def average_rate(weight, scale):
    return torch.logdet(weight @ missing)
check("04-average-rate", average_rate)
---
check("04-elbo", heavy)
"""


def notebook(path, text):
    """Write a notebook whose cells are parted by lines of hyphens."""
    cells = [nbformat.v4.new_code_cell(part) for part in text.split("\n---\n")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_a_notebook_is_checked_without_running_what_no_answer_needs(tmp_path, capsys):
    path = notebook(tmp_path / "04.ipynb", STUDENT)
    assert run("check", path) == 1
    out = capsys.readouterr().out
    assert "✓ Right · 04-log-likelihood" in out
    assert "○ Not attempted yet · 04-covering" in out
    assert "NameError: name 'missing' is not defined" in out
    assert "line 2: return torch.logdet(weight @ missing)" in out
    assert "Not run · 04-elbo" in out and "ZeroDivisionError" in out
    assert "line 4: heavy = 1 / 0" in out
    assert out.endswith("1 of 4 right\n")


def test_a_notebook_with_every_answer_right_gives_status_zero(tmp_path, capsys):
    text = "\n---\n".join(STUDENT.split("\n---\n")[:3])
    assert run("check", notebook(tmp_path / "04.ipynb", text)) == 0
    assert run("progress") == 0
    assert "1 of" in capsys.readouterr().out
    assert run("reset") == 0 and not record.path().exists()
    assert run("reset") == 0


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": [{"cell_type": "code"}]}'])
def test_what_is_no_notebook_is_said_in_words(tmp_path, capsys, text):
    (tmp_path / "a.ipynb").write_text(text, encoding="utf-8")
    assert run("check", tmp_path / "a.ipynb") == 2
    assert "is not a notebook" in capsys.readouterr().err
    assert run("check", tmp_path / "missing.ipynb") == 2


def test_a_cell_that_is_no_python_is_shown(tmp_path, capsys):
    assert run("check", notebook(tmp_path / "a.ipynb", "x = 1\ndef f(:\n  pass")) == 2
    assert "line 2: def f(:" in capsys.readouterr().err


def test_the_student_and_the_solution_are_kept_apart(tmp_path):
    path = notebook(tmp_path / "a.ipynb", 'a = 1\ncheck("x", a)\n---\na = 2\ncheck("x", a)')
    book = nbformat.read(path, as_version=4)
    book.cells[1].metadata.tags = ["solution"]
    nbformat.write(book, path)
    assert [found.answer for found in answers_in(path)] == [1]
    assert [found.answer for found in answers_in(path, solutions=True)] == [2]


def test_the_record_is_readable_by_its_owner_only_as_the_system_says():
    check(NAME, right)
    assert record.path().stat().st_mode & stat.S_IRUSR
    assert not list(record.path().parent.glob("*.part"))
