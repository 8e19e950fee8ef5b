"""Each live figure in a real JupyterLab: the page moves it, Python reads and sets where it is."""

import re

import nbformat
import pytest

from tests import jupyter_lab
from tests.interactive_examples import EXAMPLES
from tests.test_interactive import DRAWN, NAMES, drag, picture

pytest.importorskip("anywidget")
pytestmark = pytest.mark.slow
SHOW = """from tests.interactive_examples import FIGURES
figure = FIGURES[{name!r}]()
start = figure.state
figure"""
READ = "print('changed', [key for key in start if figure.state[key] != start[key]])"
BACK = "figure.state = start"
INDEX = """name => [...document.querySelectorAll(".vae-live")].findIndex(
  live => live.parentElement.dataset.figure === name)"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Serve a notebook with three cells for each figure in JupyterLab; return its address."""
    folder = tmp_path_factory.mktemp("lab")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    sources = [source for name in NAMES for source in (SHOW.format(name=name), READ, BACK)]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    book = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(book, folder / "figures.ipynb")
    with jupyter_lab.served(folder) as address:
        yield address


@pytest.fixture(scope="module")
def page(lab, browser):
    """Open the notebook, with one kernel for all figures: it takes longer to start than they."""
    context = browser.new_context(viewport={"width": 1200, "height": 1400})
    page = context.new_page()
    page.set_default_timeout(jupyter_lab.PATIENCE)
    page.goto(f"{lab}/lab/tree/figures.ipynb")
    page.get_by_text(jupyter_lab.READY).wait_for()
    yield page
    context.close()


def run(page, name, number):
    """Run one cell of a figure, and wait until it is done; return it."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(3 * NAMES.index(name) + number)
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    cell.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]:")).wait_for()
    return cell


@pytest.mark.parametrize("name", NAMES)
def test_python_reads_what_the_page_moves_and_the_page_shows_what_python_sets(page, name):
    run(page, name, 0)
    page.locator(f"[data-figure='{name}']").wait_for()
    index = page.evaluate(INDEX, name)
    before = picture(page, index)
    drag(page, name, index)
    assert picture(page, index) != before
    printed = run(page, name, 1).locator(".jp-OutputArea-output", has_text="changed").inner_text()
    assert printed.strip() == f"changed {EXAMPLES[name].changed}"
    run(page, name, 2)
    same = f"([before, at]) => JSON.stringify(({DRAWN})(at)) === JSON.stringify(before)"
    page.wait_for_function(same, arg=[before, index])
