"""Each live figure in a real JupyterLab: the page moves it, Python reads and sets where it is."""

import os
import re
import subprocess
import sys
from pathlib import Path
from queue import Queue
from threading import Thread

import nbformat
import pytest

from tests.interactive_examples import EXAMPLES
from tests.test_interactive import DRAWN, NAMES, drag, picture

pytest.importorskip("anywidget")
pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent
SHOW = """from tests.interactive_examples import FIGURES
figure = FIGURES[{name!r}]()
start = figure.state
figure"""
READ = "print('changed', [key for key in start if figure.state[key] != start[key]])"
BACK = "figure.state = start"
INDEX = """name => [...document.querySelectorAll(".vae-live")].findIndex(
  live => live.parentElement.dataset.figure === name)"""
READY = "Python 3 (ipykernel) | Idle"
PATIENCE = 180_000  # milliseconds: a kernel that imports PyTorch on a busy machine


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Serve a notebook with three cells for each figure in JupyterLab; return its address."""
    folder = tmp_path_factory.mktemp("lab")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    sources = [source for name in NAMES for source in (SHOW.format(name=name), READ, BACK)]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    book = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(book, folder / "figures.ipynb")
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_WORKSPACES_DIR", "HOME")
    places = {place: str(folder / place.lower()) for place in folders}
    environment = {**os.environ, **places, "PYTHONPATH": str(ROOT)}
    environment.pop("VAECOURSE_STATIC", None)
    options = ["--no-browser", "--expose-app-in-browser", "--allow-root"]
    options += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    command = [sys.executable, "-m", "jupyterlab", *options]
    server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, encoding="utf-8")
    addresses = Queue()
    reader = Thread(target=_read, args=(server.stderr, addresses))
    reader.start()
    yield addresses.get(timeout=PATIENCE / 1000)
    server.terminate()
    server.wait()
    reader.join()


def _read(lines, addresses):
    """Read what the server writes to its end, or its pipe would fill; tell where it serves."""
    for line in lines:
        found = re.search(r"(http://localhost:\d+)/lab", line)
        if found:
            addresses.put(found[1])


@pytest.fixture(scope="module")
def page(lab, browser):
    """Open the notebook, with one kernel for all figures: it takes longer to start than they."""
    context = browser.new_context(viewport={"width": 1200, "height": 1400})
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{lab}/lab/tree/figures.ipynb")
    page.get_by_text(READY).wait_for()
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
