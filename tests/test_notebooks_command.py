"""`vaecourse notebooks`: which files it writes, and which it leaves alone."""

import sys
from pathlib import Path

import nbformat
import pytest

import vaecourse
from vaecourse import notebooks
from vaecourse.__main__ import main

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
from standalone import standalone, without_glue

ONE, TWO = "01-one.ipynb", "02-two.ipynb"


def pack(folder, text):
    """Stand a package in that carries two chapters of each kind."""
    for kind in ("student", "full"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for name in (ONE, TWO):
            (folder / kind / name).write_text(f"{kind} {name} {text} ü", encoding="utf-8")


@pytest.fixture
def packed(tmp_path, monkeypatch):
    folder = tmp_path / "packed"
    monkeypatch.setattr(notebooks, "PACKED", folder)
    pack(folder, "old")
    return folder


def text(path):
    return path.read_text(encoding="utf-8")


def test_student_copies_by_default_and_full_ones_on_request(packed, tmp_path, capsys):
    for option, kind in (([], "student"), (["--full"], "full")):
        folder = tmp_path / "deep" / kind
        assert main(["notebooks", str(folder), *option]) == 0
        assert text(folder / ONE) == f"{kind} {ONE} old ü"
        assert f"2 chapters of vaecourse {vaecourse.__version__}" in capsys.readouterr().out


def test_a_changed_file_is_kept_and_named_and_the_others_are_renewed(packed, tmp_path, capsys):
    folder = tmp_path / "mine"
    main(["notebooks", str(folder)])
    assert "as you left them" not in capsys.readouterr().out
    (folder / ONE).write_text("my answers", encoding="utf-8")
    pack(packed, "new")
    for _ in range(2):
        assert main(["notebooks", str(folder)]) == 0
        assert f"kept as you left them: {ONE};" in capsys.readouterr().out
        assert text(folder / ONE) == "my answers"
        assert text(folder / TWO) == f"student {TWO} new ü"
    (folder / ONE).rename(folder / "mine.ipynb")
    main(["notebooks", str(folder)])
    assert text(folder / ONE) == f"student {ONE} new ü"
    assert text(folder / "mine.ipynb") == "my answers"


@pytest.mark.parametrize("record", ["not JSON", "[1, 2]", None])
def test_a_file_of_unknown_origin_is_kept(packed, tmp_path, record):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / TWO).write_text("from elsewhere", encoding="utf-8")
    if record:
        (folder / notebooks.RECORD).write_text(record, encoding="utf-8")
    assert notebooks.write_chapters(folder) == ([ONE], [TWO])
    assert text(folder / TWO) == "from elsewhere"


def test_a_folder_and_a_dead_link_in_the_place_of_a_chapter_are_kept(packed, tmp_path):
    folder = tmp_path / "mine"
    (folder / ONE).mkdir(parents=True)
    (folder / TWO).symlink_to(tmp_path / "nowhere")
    assert notebooks.write_chapters(folder) == ([], [ONE, TWO])
    assert not (tmp_path / "nowhere").exists()


def test_where_nothing_can_be_written_nothing_is(packed, tmp_path, capsys):
    taken = tmp_path / "taken"
    taken.write_text("a file", encoding="utf-8")
    assert main(["notebooks", str(taken)]) == 1
    assert "cannot be written" in capsys.readouterr().err
    assert text(taken) == "a file"


def test_a_working_copy_says_what_to_do_instead(packed, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(notebooks, "PACKED", tmp_path / "nothing")
    assert main(["notebooks", str(tmp_path / "mine")]) == 1
    assert "make student" in capsys.readouterr().err
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("from myst_nb import glue\n\nimport torch", "import torch"),
        ('glue("01-a", f"{a:.2f}", display=False)', 'print("01-a", f"{a:.2f}")'),
        (
            'for k in x:\n    glue(\n        f"{k}",\n        x[k],\n        display=False,\n    )',
            'for k in x:\n    print(\n        f"{k}",\n        x[k]\n    )',
        ),
        ("x = 1\nx", "x = 1\nx"),
    ],
)
def test_numbers_for_the_text_are_printed(source, wanted):
    assert without_glue(source) == wanted


@pytest.mark.parametrize("source", ["import myst_nb; myst_nb.glue('a', 1)", "x = [glue('a', 1)]"])
def test_what_would_still_need_the_build_stops_the_tool(source):
    with pytest.raises(ValueError, match="myst_nb"):
        without_glue(source)


def test_the_first_cell_installs_this_version_and_the_original_is_untouched():
    cells = [nbformat.v4.new_markdown_cell("# One"), nbformat.v4.new_code_cell("glue('a', 1)")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    copy = standalone(notebook)
    assert f"%pip install vaecourse=={vaecourse.__version__}" in copy.cells[0].source
    assert copy.cells[2].source == "print('a', 1)"
    assert notebook.cells[1].source == "glue('a', 1)"
