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

from tests import browser as browsers
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
# What a drag changes of a figure's state.
CHANGED = {
    "marginal": ["cut"],
    "monte-carlo": ["latentDim"],
    "elbo-gap": ["mean"],
    "gradients": ["mean", "logVariance"],
    "latent-explorer": ["VAE"],
    "draw-a-digit": ["strokes"],
    "beta": ["index"],
    "style-content": ["style"],
    "lambda": ["index"],
    "counts": ["mean"],
}
READY = "Python 3 (ipykernel) | Idle"
PATIENCE = 180_000  # milliseconds: a kernel that imports PyTorch on a busy machine


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Serve a notebook of three cells for each figure in JupyterLab; return its address."""
    folder = tmp_path_factory.mktemp("lab")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    for name in NAMES:
        sources = SHOW.format(name=name), READ, BACK
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        nbformat.write(
            nbformat.v4.new_notebook(cells=cells, metadata=kernel), folder / f"{name}.ipynb"
        )
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_WORKSPACES_DIR", "HOME")
    places = {place: str(folder / place.lower()) for place in folders}
    environment = {**os.environ, **places, "PYTHONPATH": str(ROOT)}
    environment.pop("VAECOURSE_STATIC", None)
    options = ["--no-browser", "--expose-app-in-browser", "--allow-root"]
    options += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
    command = [sys.executable, "-m", "jupyterlab", *options]
    server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
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
def browser():
    """Start a browser, or skip and say how to get one."""
    if browsers.executable() is None:
        pytest.skip(browsers.HOW_TO_GET_ONE)
    with browsers.chromium() as started:
        yield started


@pytest.fixture
def notebook(lab, browser):
    """Return a function that opens a figure's notebook when its kernel is ready."""
    contexts = []

    def open_notebook(name):
        contexts.append(browser.new_context(viewport={"width": 1200, "height": 1400}))
        page = contexts[-1].new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{lab}/lab/workspaces/{name}/tree/{name}.ipynb")
        page.get_by_text(READY).wait_for()
        return page

    yield open_notebook
    for context in contexts:
        context.close()


def run(page, number):
    """Run one cell, and wait until it is done."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    cell.locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    cell.locator(".jp-InputPrompt", has_text=f"[{number + 1}]:").wait_for()


@pytest.mark.parametrize("name", NAMES)
def test_python_reads_what_the_page_moves_and_the_page_shows_what_python_sets(notebook, name):
    page = notebook(name)
    run(page, 0)
    page.locator(f"[data-figure='{name}']").wait_for()
    before = picture(page)
    drag(page, name)
    assert picture(page) != before
    run(page, 1)
    printed = page.locator(".jp-OutputArea-output", has_text="changed").last.inner_text()
    assert printed.strip() == f"changed {CHANGED[name]}"
    run(page, 2)
    same = f"before => JSON.stringify(({DRAWN})(0)) === JSON.stringify(before)"
    page.wait_for_function(same, arg=before)
