"""A live figure in a real JupyterLab: the page moves it, and Python reads and sets where it is."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests import browser as browsers

pytest.importorskip("anywidget")
pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent
SHOW = "from tests.interactive_examples import FIGURES\nfigure = FIGURES['elbo-gap']()\nfigure"
READ = "print('mean', round(figure.state['mean'], 2))"
SET = "figure.state = {'mean': 0.5}"
HANDLE = "[data-figure='elbo-gap'] [aria-label='mean of q']"


@pytest.fixture
def lab(tmp_path):
    """Serve one notebook of three cells in JupyterLab; return its address."""
    cells = [nbformat.v4.new_code_cell(source) for source in (SHOW, READ, SET)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=kernel)
    nbformat.write(notebook, tmp_path / "live.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_WORKSPACES_DIR", "HOME")
    places = {name: str(tmp_path / name.lower()) for name in folders}
    environment = {**os.environ, **places, "PYTHONPATH": str(ROOT)}
    environment.pop("VAECOURSE_STATIC", None)
    options = ["--no-browser", f"--port={port}", "--expose-app-in-browser", "--allow-root"]
    options += ["--IdentityProvider.token=", f"--ServerApp.root_dir={tmp_path}"]
    command = [sys.executable, "-m", "jupyterlab", *options]
    server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    address = None
    for line in server.stderr:
        if found := re.search(r"http://(?:127\.0\.0\.1|localhost):\d+/lab", line):
            address = found.group()
            break
    yield address
    server.terminate()
    server.communicate()


def test_python_reads_and_sets_what_the_page_shows(lab):
    from playwright.sync_api import expect

    expect.set_options(timeout=60_000)
    if browsers.executable() is None:
        pytest.skip(browsers.HOW_TO_GET_ONE)
    assert lab, "JupyterLab did not start"
    with browsers.chromium() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
        page.set_default_timeout(60_000)
        page.goto(f"{lab}/tree/live.ipynb")
        cell = page.locator(".jp-Notebook .jp-CodeCell")

        def run(number):
            cell.nth(number).locator(".cm-content").click()
            page.keyboard.press("Shift+Enter")

        run(0)
        handle = page.locator(HANDLE)
        handle.wait_for()
        before = handle.get_attribute("aria-valuenow")
        box = handle.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 80, y, steps=5)
        page.mouse.up()
        expect(handle).not_to_have_attribute("aria-valuenow", before)
        dragged = handle.get_attribute("aria-valuenow")
        run(1)
        page.get_by_text(f"mean {float(dragged)}").wait_for()
        run(2)
        expect(handle).to_have_attribute("aria-valuenow", "0.50")
