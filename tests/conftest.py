"""What every test shares: where the repository is, one thread, and no window for matplotlib."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")
# Small tensors gain nothing from threads, and lose much where another program holds a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def repository():
    """Return the root of the repository."""
    return Path(__file__).resolve().parent.parent


@pytest.fixture
def private(monkeypatch, tmp_path):
    """Give the test a cache of its own, no data folder and a network that does not answer."""
    from data_files import isolate  # here: the settings above must come before PyTorch is loaded

    isolate(monkeypatch, tmp_path)


@pytest.fixture
def few_strokes(monkeypatch):
    """Stand a few random images in for the drawn ones; return the list of folders they go to."""
    from data_files import few_strokes

    return few_strokes(monkeypatch)


@pytest.fixture(scope="module")
def js():
    """Return a function that evaluates JavaScript on the pure functions of a live figure."""
    from tests import browser as browsers
    from tests.interactive_examples import mathematics

    if browsers.executable() is None:
        pytest.skip(browsers.HOW_TO_GET_ONE)
    with browsers.chromium() as browser:
        page = browser.new_page()
        yield lambda figure, call, *given: mathematics(page, figure, call, *given)
