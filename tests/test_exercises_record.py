"""Progress, hints, and the exercises from the shell."""

import argparse
import json
import os
import stat

import nbformat
import pytest
import torch

from vaecourse.exercises import check, hint, progress, record, running
from vaecourse.exercises.catalogue import exercises
from vaecourse.exercises.cli import add_parser
from vaecourse.exercises.notebooks import read

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
    assert [asked.made() for asked in read(path).asked] == [1]
    assert [asked.made() for asked in read(path, solutions=True).asked] == [2]


def test_the_record_is_readable_by_its_owner_only_as_the_system_says():
    check(NAME, right)
    assert record.path().stat().st_mode & stat.S_IRUSR
    assert not list(record.path().parent.glob("*.part"))


HOSTILE = {
    "ends Python": ("factor = exit(0)", "Code cell 1 failed. SystemExit: 0 (line 1"),
    "ends the process": ("import os\nfactor = os._exit(0)", "It ended the Python process"),
    "any exception": (
        "class Odd(BaseException): pass\ndef f(): raise Odd('it is')\nfactor = f()",
        "raised Odd: it is",
    ),
    "an error in another cell": (
        "def f():\n    return 1 / 0\n---\nfactor = f()",
        "Code cell 2 failed. ZeroDivisionError: division by zero (line 2 of code cell 1: return 1",
    ),
    "an interrupt": ("def f(): raise KeyboardInterrupt\nfactor = f()", "raised KeyboardInterrupt"),
    "no end": ("factor = 1\nwhile True: factor += 1", "did not finish within 0.5 seconds"),
    "no end for anyone": (
        "factor = 1\nwhile True:\n    try:\n        factor += 1\n    except BaseException: pass",
        "did not finish within 0.5 seconds",
    ),
    "much memory": ("factor = bytearray(2**40)", "Code cell 1 failed. MemoryError"),
    "the shell": ("factor = !ls", "a line of IPython, such as !ls, does not run here"),
    "no Python": ("factor = (", "name 'factor' is not defined"),
    "a return": ("return 1", "name 'factor' is not defined"),
    "no characters": ("factor = '\0'", "name 'factor' is not defined"),
}
GOOD = """\
import torch
from vaecourse.exercises import check
---
def log_likelihood(x, mean, scale):
    return torch.distributions.Normal(mean, scale).log_prob(x).sum(-1)
check("04-log-likelihood", log_likelihood)
"""


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_a_cell_does_costs_only_the_answer_that_needs_it(tmp_path, capsys, monkeypatch, kind):
    monkeypatch.setattr(running, "CELLS", 0.5)
    monkeypatch.setattr(running, "SECONDS", 0.5)
    cell, words = HOSTILE[kind]
    needs = 'check("04-covering", lambda weights, means, scales: factor)'
    first = notebook(tmp_path / "first.ipynb", f"{cell}\n---\n{needs}\n---\n{GOOD}")
    second = notebook(tmp_path / "second.ipynb", GOOD)
    assert run("check", first, second) in (1, 2)
    said = capsys.readouterr()
    assert words in said.out
    assert said.out.count("✓ Right · 04-log-likelihood") == 2
    assert said.out.endswith("2 of 3 right\n")
    if kind in ("no Python", "a return", "no characters"):
        assert "first.ipynb: Code cell 1 is not Python" in said.err


LINES = ["%matplotlib inline", "%timeit -n 1 1 + 1", "x = !ls", "torch?", "?torch", "!ls", "%%time"]


@pytest.mark.parametrize("line", LINES)
def test_lines_of_ipython_leave_the_rest_of_their_cell(tmp_path, capsys, line):
    lines, cells = GOOD.split("\n---\n"), []
    for cell in lines:
        cells.append(f"{line}\n{cell}" if line.startswith("%%") else f"{cell}\n{line}")
    assert run("check", notebook(tmp_path / "a.ipynb", "\n---\n".join(cells))) == 0
    assert capsys.readouterr().out.endswith("1 of 1 right\n")


def test_cells_of_other_languages_are_no_python(tmp_path, capsys):
    assert run("check", notebook(tmp_path / "a.ipynb", f"%%bash\nls -la | wc\n---\n{GOOD}")) == 0


ASKED = [
    'result = check("04-log-likelihood", log_likelihood)',
    'print(check("04-log-likelihood", log_likelihood))',
    'check(name="04-log-likelihood", answer=log_likelihood)',
    'check("04-log-likelihood", log_likelihood, counts=True)',
    'if True:\n    check("04-log-likelihood", log_likelihood)',
    'with torch.no_grad():\n    check("04-log-likelihood", log_likelihood)',
    'from vaecourse.exercises import check as grade\ngrade("04-log-likelihood", log_likelihood)',
    'import vaecourse.exercises as ex\nex.check("04-log-likelihood", log_likelihood)',
]


@pytest.mark.parametrize("asked", ASKED)
def test_no_call_of_check_is_passed_over(tmp_path, capsys, asked):
    text = GOOD.replace('check("04-log-likelihood", log_likelihood)', asked)
    assert run("check", notebook(tmp_path / "a.ipynb", text)) == 0
    out = capsys.readouterr().out
    assert "✓ Right · 04-log-likelihood" in out and out.endswith("1 of 1 right\n")


@pytest.mark.parametrize("asked", ["check(f, 1)", 'check("04-covering")', "check(*both)"])
def test_a_call_that_cannot_be_read_is_told(tmp_path, capsys, asked):
    assert run("check", notebook(tmp_path / "a.ipynb", f"{GOOD}\n---\n{asked}")) == 1
    assert (
        f"Code cell 3 asks {asked.replace(chr(34), chr(39))}; write check"
        in capsys.readouterr().out
    )


def test_an_answer_in_a_cell_that_is_no_python_is_not_run_by_name(tmp_path, capsys):
    text = f'{GOOD}\n---\ndef covering(:\n    pass\ncheck("04-covering", covering)'
    assert run("check", notebook(tmp_path / "a.ipynb", text)) == 2
    out = capsys.readouterr().out
    assert "✗ Not run · 04-covering\nCode cell 3 is not Python: " in out
    assert out.endswith("1 of 2 right\n")


def test_a_deleted_cell_is_told_and_no_chapter_is_whole_without_it(tmp_path, capsys):
    assert run("check", notebook(tmp_path / "04-elbo.ipynb", GOOD)) == 1
    out = capsys.readouterr().out
    others = [name for name in exercises() if name.startswith("04-") and name != NAME]
    for name in others:
        assert f"○ Not there · {name}: no cell of 04-elbo.ipynb checks it" in out
    assert out.endswith(f"1 of {1 + len(others)} right\n")
    assert run("check", notebook(tmp_path / "some.ipynb", GOOD)) == 0
    assert "○ Not there · 04-covering" in capsys.readouterr().out


def test_a_notebook_without_a_check_is_not_all_right(tmp_path, capsys):
    assert run("check", notebook(tmp_path / "a.ipynb", "x = 1")) == 2
    assert "nothing was checked" in capsys.readouterr().err


def save(path, content):
    path.write_bytes(content)
    return path


OLD = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": []}]}
FILES = {
    "empty": (b"", "is not a notebook (it is empty)"),
    "Python": (b"x = 1\ncheck('a', x)\n", "is not a notebook (Expecting value"),
    "format 3": (json.dumps(OLD).encode(), "is a notebook of format 3, and 4 is wanted"),
    "a list": (b"[1]", "is not a notebook (it has no list of cells)"),
    "a number": (b"3", "is not a notebook (it has no list of cells)"),
    "strange cells": (b'{"cells": [1]}', "is not a notebook (it has no list of cells)"),
    "a cell without text": (b'{"cells": [{"cell_type": "code"}]}', "code cell 1 has no text"),
    "UTF-16": ('{"cells": []}'.encode("utf-16"), "is not a notebook ('utf-8' codec"),
    "a deep one": (b"[" * 100_000, "is not a notebook ("),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_that_is_no_notebook_is_answered_and_costs_only_itself(tmp_path, capsys, kind):
    content, words = FILES[kind]
    bad = save(tmp_path / "bad.ipynb", content)
    assert run("check", bad, notebook(tmp_path / "good.ipynb", GOOD)) == 2
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1 and str(bad) in said.err and words in said.err
    assert said.out.endswith("1 of 1 right\n")


def test_no_file_and_a_folder_are_answered_too(tmp_path, capsys):
    assert run("check", tmp_path, tmp_path / "none", notebook(tmp_path / "a.ipynb", GOOD)) == 2
    said = capsys.readouterr()
    assert f"there is no file {tmp_path / 'none'}" in said.err
    assert f"{tmp_path} is a folder or a device" in said.err
    assert said.out.endswith("1 of 1 right\n")


def test_a_mark_at_the_beginning_of_a_file_is_no_fault(tmp_path, capsys):
    path = notebook(tmp_path / "a.ipynb", GOOD)
    save(path, b"\xef\xbb\xbf" + path.read_bytes())
    assert run("check", path) == 0
