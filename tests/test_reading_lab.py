"""The copies of the chapters in a real JupyterLab: nothing raw is seen, and numbers appear."""

import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests import jupyter_lab

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import reading  # noqa: E402
from plain import Labels  # noqa: E402

pytestmark = pytest.mark.slow
TEXTS = """() => [...document.querySelectorAll(".jp-Notebook .jp-MarkdownCell")].map(
  cell => cell.querySelector(".jp-MarkdownOutput")?.textContent ?? "")"""
RAW = re.compile(r"\{[\w:-]+\}`|`[\w<>/.-]+`|:::|```|\{[a-z]+[:-][\w:-]+\}|^\([\w-]+\)=|<\w+ class")
CELLS = [
    new_markdown_cell(
        "# Small\n\nTwice two is {glue:text}`00-four`, half of it {glue:text}`00-two`."
    ),
    new_code_cell(
        "# Numbers for the text\n"
        "from myst_nb import glue\n"
        "glue('00-four', f'{2 * 2}', display=False)",
        metadata={"tags": ["check"]},
    ),
    new_code_cell("glue('00-two', f'{4 / 2} ± 0', display=False)"),
    new_markdown_cell("{glue:text}`00-two` again. {glue:text}`00-never`."),
]


def joined(folder):
    """Put the text of each page into one cell, so that JupyterLab shows all in seconds."""
    cells = []
    for path in sorted(folder.rglob("*.ipynb")):
        texts = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown"]
        cells.append(new_markdown_cell("\n\n".join(cell.source for cell in texts)))
    return new_notebook(cells=cells)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write all copies joined, and that of a small page of which one number was recorded."""
    out = tmp_path_factory.mktemp("copies")
    assert reading.write(out / "all") == []
    nbformat.write(joined(out / "all"), out / "all" / "all.ipynb")
    labels = Labels(glued={"00-two": "1.9"}, live=True)
    nbformat.write(reading.reading_copy(new_notebook(cells=CELLS), 1, labels), out / "small.ipynb")
    return out


@pytest.fixture(scope="module")
def opened(folder, browser):
    """Return a function that opens a notebook of the folder, and does not wait for a kernel."""
    option = f"--LabApp.extra_labextensions_path={ROOT / 'tools/labextensions'}"
    with jupyter_lab.served(folder, option) as address:

        def open_notebook(name):
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(jupyter_lab.PATIENCE)
            page.goto(f"{address}/lab/tree/{name}?reset")
            cells = len(nbformat.read(folder / name, as_version=4).cells)
            seen = "n => document.querySelectorAll('.jp-Notebook .jp-Cell').length === n"
            page.wait_for_function(seen, arg=cells)
            return page

        yield open_notebook


def test_no_directive_role_or_key_is_seen_in_any_chapter(opened, folder):
    page = opened("all/all.ipynb")
    cells = nbformat.read(folder / "all/all.ipynb", as_version=4).cells
    page.wait_for_function(f"n => ({TEXTS})().filter(text => text).length === n", arg=len(cells))
    sources = [nbformat.read(path, as_version=4) for path in (ROOT / "book").rglob("*.ipynb")]
    keys = set(
        re.findall(r"\{glue:text\}`([^`]+)`", "\n".join(c.source for n in sources for c in n.cells))
    )
    assert len(keys) > 500
    key = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, keys)) + r")(?![\w-])")
    for text, cell in zip(page.evaluate(TEXTS), cells, strict=True):
        found = RAW.search(text) or key.search(text)
        assert found is None, f"{found[0]!r} is seen in {cell.source[:80]!r}…"
    assert page.locator(".jp-MarkdownOutput details[open]").count() == 0
    loaded = (
        "() => [...document.querySelectorAll('.jp-MarkdownOutput img')].map(x => x.naturalWidth)"
    )
    page.wait_for_function(f"() => ({loaded})().filter(width => width).length === 2")


def sentences(page):
    """Return the text of each Markdown cell."""
    return [" ".join(text.split()) for text in page.evaluate(TEXTS)]


def test_a_run_puts_its_numbers_into_the_sentences_before_and_after(opened):
    page = opened("small.ipynb")
    page.wait_for_function("() => document.querySelectorAll('span.glued[title]').length === 4")
    title, after = sentences(page)
    assert title.endswith("Twice two is …, half of it 1.9.") and after == "1.9 again. …."
    assert page.locator("span.run").count() == 0
    assert page.locator(".jp-InputArea-editor:visible").count() == 1  # the check is folded

    page.get_by_text(jupyter_lab.READY).wait_for()
    page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function("() => document.querySelectorAll('span.run').length === 3")
    title, after = sentences(page)
    assert title.endswith("Twice two is 4, half of it 2.0 ± 0.") and after == "2.0 ± 0 again. …."

    last = page.locator(".jp-MarkdownCell").last
    last.locator(".jp-MarkdownOutput").dblclick()
    page.keyboard.press("Control+Enter")  # sets the text anew
    last.locator("span.run").wait_for()
    assert sentences(page)[1] == "2.0 ± 0 again. …."

    page.evaluate("() => jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
    page.wait_for_function("() => document.querySelectorAll('span.run').length === 0")
    assert sentences(page)[0].endswith("Twice two is …, half of it 1.9.")
