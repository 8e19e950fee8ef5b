"""A chapter that fails: what its page shows, what the build says, and what stays whole."""

import re
import sys

import nbformat
import pytest
from bs4 import BeautifulSoup

from tests.small_book import NO_PAGES, ROOT, WHOLE, build, log, notebook, plant

sys.path.insert(0, str(ROOT / "tools"))

import failed_page
import run_chapters

FIGURE = {"mystnb": {"figure": {"caption": "A parabola.", "name": "fig-parabola"}}}
GLUE = "from myst_nb import glue\nglue('made', 'seventeen', display=False)"
ONE = (
    GLUE,
    (
        "heights = [1, 4, 9]\nassert heights[-1] < 4, 'too `steep`'\ncurve = heights",
        FIGURE,
    ),
    ["It is {glue:text}`made`, and then {glue:text}`lost`."],
    ("curve", {"tags": ["remove-cell"]}),
    "assert (\n    1 ==\n    2\n)\nglue('lost', 'eighteen', display=False)",
    ("1 / 0", {"tags": ["raises-exception"]}),
    "print('still ' + 'here')",
)
# What a kernel prints in the cell in which it dies may die with it.
SPEAKS, DIES = "print('first words')", "import os; os._exit(9)"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Return a small book with the real tools and settings."""
    return plant(tmp_path, monkeypatch)


def lines_about(page, run):
    """Return the lines of the build that name a page and a cell of it."""
    return [line for line in run.stderr.splitlines() if f"book: book/{page}, code cell" in line]


def test_a_strict_build_names_the_cell_and_builds_no_page_every_time(tree, monkeypatch):
    notebook(tree / "book/one.ipynb", "x = 1", "y = 2\nx / 0  # here")
    monkeypatch.chdir("/")
    for attempt in range(2):
        run, _ = build([str(tree / "tools/book.py"), "build", "--strict"])
        assert run.returncode == 1
        said = "code cell 2 of 2: ZeroDivisionError: division by zero: x / 0"
        assert lines_about("one.ipynb", run) == [f"book: book/one.ipynb, {said}"]
        assert "    | x / 0  # here" in run.stderr
        names = ("one", "two") if attempt == 0 else ("one",)
        assert [name in run.stdout for name in ("one", "two")] == [
            n in names for n in ("one", "two")
        ]
        assert not (tree / "_build/.complete").exists() and not (tree / "_build/html").exists()


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """Build a book in which a chapter fails and the first page's kernel dies."""
    with pytest.MonkeyPatch.context() as patch:
        folder = plant(tmp_path_factory.mktemp("failed"), patch)
        notebook(folder / "book/one.ipynb", *ONE)
        notebook(folder / "book/two.ipynb", log("two"), ["See {numref}`fig-parabola`."])
        intro = folder / "book/intro.md"
        after = "```{code-cell}\nprint('never')\n```\n"
        cells = "".join(f"```{{code-cell}}\n{code}\n```\n\n" for code in (SPEAKS, DIES)) + after
        intro.write_text(intro.read_text(encoding="utf-8") + "\n" + cells, encoding="utf-8")
        run, _ = build(WHOLE)
        yield folder, run


def page(folder, name):
    """Return a built page."""
    text = (folder / f"_build/html/book/{name}.html").read_text(encoding="utf-8")
    return BeautifulSoup(text, "html.parser")


@pytest.mark.slow
class TestFailedBook:
    """One book, built once."""

    def test_the_build_fails_with_one_line_for_each_failure(self, failed):
        folder, run = failed
        assert run.returncode == 1 and not (folder / "_build/.complete").exists()
        steep, wrong = lines_about("one.ipynb", run)
        assert "code cell 2 of 6: AssertionError: too `steep`" in steep
        assert "(and 1 cell in need of its result)" in steep
        assert "code cell 4 of 6: AssertionError: assert ( 1 == 2 )" in wrong
        (died,) = lines_about("intro.md", run)
        assert "code cell 3 of 4: its kernel died" in died
        assert "Traceback" not in run.stderr
        for line in (steep, wrong, died):
            address, _, anchor = line.partition("; see ")[2].partition("#")
            assert f'id="{anchor}"' in (folder / address).read_text(encoding="utf-8")

    def test_boxes_stand_at_the_cells_and_the_first_leads_to_them(self, failed):
        soup = page(failed[0], "one")
        top, *boxes = soup.select("div.admonition.failed-check")
        assert top.find_previous("h1") and not top.find_previous("div", class_="cell")
        links = [a["href"].removeprefix("#") for a in top.select("a.reference")]
        assert links == [box["id"] for box in boxes] and len(boxes) == 3
        for box in boxes:
            assert "tag_failed-check" in box.find_next("div", class_="cell")["class"]
        assert "AssertionError: too `steep`" in boxes[0].get_text()
        assert "PyTorch" in boxes[0].get_text()
        assert boxes[1].select_one("a.reference")["href"] == f"#{boxes[0]['id']}"

    def test_what_ran_is_shown_and_what_did_not_has_a_mark(self, failed):
        soup = page(failed[0], "one")
        assert "still here" in soup.select("div.cell_output")[-1].get_text()
        (mark,) = soup.select("p span.not-computed")
        assert "seventeen, and then" in mark.parent.get_text()
        expected = soup.find("div", class_="tag_raises-exception")
        assert "ZeroDivisionError" in expected.get_text()
        assert "tag_failed-check" not in expected["class"]
        assert "admonition" not in expected.find_previous_sibling()["class"]

    def test_other_pages_link_to_the_figure_that_was_not_drawn(self, failed):
        link = page(failed[0], "two").select_one("p a.reference.internal[href*=parabola]")
        assert link.get_text() == "Fig. 1"
        target = page(failed[0], "one").find("figure", id=link["href"].partition("#")[2])
        assert "A parabola." in target.get_text() and target.select_one(".not-computed")

    def test_a_page_whose_kernel_died_shows_what_it_has(self, failed):
        soup = page(failed[0], "intro")
        assert any("first words" in out.get_text() for out in soup.select(".cell_output"))
        assert "os._exit" in soup.select_one(".tag_failed-check").get_text()
        assert "The cells after it did not run." in soup.get_text()
        index = (failed[0] / "_build/html/searchindex.js").read_text(encoding="utf-8")
        assert all(f'"book/{name}"' in index for name in ("intro", "one", "two"))

    def test_only_what_failed_runs_again_and_fails_again(self, failed, monkeypatch):
        folder, first = failed
        monkeypatch.chdir(folder)
        (folder / "book/ran.txt").unlink(missing_ok=True)
        again, ran = build()
        assert again.returncode == 1 and ran == ["intro"]
        assert lines_about("one.ipynb", again) == lines_about("one.ipynb", first)


def test_a_cell_that_does_not_end_is_a_failure_of_its_page(tmp_path, monkeypatch):
    monkeypatch.setattr(run_chapters, "CELL_TIMEOUT", 1)
    notebook(tmp_path / "endless.ipynb", "1", "while True: pass", "2")
    text, _, (failure,) = run_chapters.execute(tmp_path / "endless.ipynb")
    assert str(failure).endswith("code cell 2 of 3: it was not done after 1 seconds")
    assert failure.last and nbformat.reads(text, as_version=4).cells[1].outputs


def test_a_killed_process_of_the_build_is_one_line(tree):
    notebook(tree / "book/one.ipynb", "import os, signal; os.kill(os.getppid(), signal.SIGKILL)")
    run, _ = build(NO_PAGES)
    assert run.returncode == 1 and "Traceback" not in run.stderr
    assert "a process of it was killed" in run.stderr


def executed(*cells):
    """Return the JSON of a notebook without outputs, and a failure of its last code cell."""
    page = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title"), *cells])
    code = [index for index, cell in enumerate(page.cells) if cell.cell_type == "code"]
    place = {"cell": len(code), "cells": len(code), "index": code[-1]}
    return nbformat.writes(page), run_chapters.Failure(
        "book/one.ipynb", **place, source="", error="AssertionError"
    )


@pytest.mark.parametrize("tag", ["hide-input", "remove-cell", "remove_output", "hide-cell"])
def test_a_failed_cell_is_shown_where_its_tag_hides_it(tag):
    cell = nbformat.v4.new_code_cell("1", metadata={"tags": [tag, "solution"]})
    text, failure = executed(cell)
    shown = nbformat.reads(failed_page.failed_page(text, [failure], ["machine"]), as_version=4)
    assert shown.cells[-1].metadata.tags == ["solution", "failed-check"]


def test_a_solution_that_failed_is_not_folded_and_the_others_are():
    start, end = "```{solution-start} ex-a\n:class: dropdown\n```", "```{solution-end}\n```"
    cells = [nbformat.v4.new_markdown_cell(text) for text in (start, end, start)]
    text, failure = executed(*cells, nbformat.v4.new_code_cell("1"))
    shown = nbformat.reads(failed_page.failed_page(text, [failure], []), as_version=4)
    folded = ["dropdown" in cell.source for cell in shown.cells if "-start" in cell.source]
    assert folded == [True, False]


def test_what_a_cell_says_cannot_break_its_box():
    said = "```\n:::: `a` ``b``"
    fenced = failed_page.fence(said)
    opening = re.match("`+", fenced)[0]
    assert said.count(opening) == 0 and fenced.endswith(f"\n{opening}")
    assert "```" not in failed_page.inline("`a` ``b``").strip("` ")
    assert failed_page.inline("`a` ``b``") == "``` `a` ``b`` ```"


@pytest.mark.parametrize(
    ("source", "line", "names"),
    [
        ("a, (b, *c) = f()\nd += 1", 0, {"a", "b", "c", "d"}),
        ("import x.y\nfrom p import q as r", 0, {"x", "r"}),
        ("def f(): pass\nclass G: pass", 0, {"f", "G"}),
        ("a = 1\nassert a\nb = 2", 2, {"b"}),
        ("a = [\n    1 / 0,\n]\nb = 2", 2, {"a", "b"}),
        ("%magic\na = 1", 0, set()),
    ],
)
def test_the_names_that_a_cell_makes_from_a_line_on(source, line, names):
    assert run_chapters.makes(source, line) == names


def test_the_statement_around_a_line_is_on_one_line():
    source = "for i in range(3):\n    assert (\n        i == 0\n    )"
    assert run_chapters.statement(source, 3) == "assert ( i == 0 )"
    assert run_chapters.statement(source, 1) == "for i in range(3):"
    assert run_chapters.statement("%x\ny", 2) == "y"
    assert run_chapters.statement("y", 0) == ""
    assert run_chapters.pointed_at("Cell In[1], line 12\n     11 x\n---> 12 y") == 12
    assert run_chapters.pointed_at("no arrow") == 0


def test_a_cell_follows_from_the_failed_one_whose_names_it_uses(tmp_path):
    cells = [
        "a = b = 1",
        "b = 2\nassert b == 3\na = 3",  # b is made, a is not made anew
        "assert a == 3",  # for want of a
        "assert b == 4",  # b was made: a failure of its own
        "a = 5",
        "assert a == 6",  # so was this a
        "from absent_module import c",
        "def use(): return c",
        "use()",
    ]
    notebook(tmp_path / "page.ipynb", *cells)
    _, _, failures = run_chapters.execute(tmp_path / "page.ipynb")
    found = {failure.cell: failure.follows for failure in failures}
    assert found == {2: 0, 3: 2, 4: 0, 6: 0, 7: 0, 9: 7}


def test_a_report_goes_to_the_address_that_the_project_names(tmp_path):
    path = tmp_path / "pyproject.toml"
    usual = "Please report it where you got the course, with these lines:"
    assert failed_page.where_to_report(path) == usual
    path.write_text('[project]\nname = "x"\n', encoding="utf-8")
    assert failed_page.where_to_report(path) == usual
    path.write_text('[project.urls]\nIssues = "https://a.invalid/issues"\n', encoding="utf-8")
    assert "at <https://a.invalid/issues>, with" in failed_page.where_to_report(path)
