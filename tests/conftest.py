"""What every test shares: the repository, the CPU, one thread, and no window for matplotlib."""

import os
import re
import sys
from functools import cache
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")
# Small tensors gain nothing from threads, and lose much where another program holds a core.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure(config):
    """Hide every GPU from the tests and from what they start, unless its own tests are asked for.

    What a test finds must not depend on the machine; besides, PyTorch refuses backward passes in a
    forked child once a GPU is in sight. That is settled here, before PyTorch is loaded.
    """
    if config.option.markexpr != "cuda":
        os.environ["CUDA_VISIBLE_DEVICES"] = "-1"


def pytest_collection_modifyitems(items):
    """Refuse test ids that differ from process to process: then tests cannot be shared out."""
    for item in items:
        if re.search(r" at 0x[0-9a-f]+", item.nodeid, re.IGNORECASE):
            raise pytest.UsageError(f"{item.nodeid} holds the address of an object; name it by ids")


@pytest.fixture(scope="session", autouse=True)
def no_apple_gpu():
    """Let ``device="auto"`` take the CPU on a Mac too, whose GPU no variable hides."""
    with pytest.MonkeyPatch.context() as patch:
        if sys.platform == "darwin":
            import torch

            # With a cache, like the original: PyTorch looks for the function that it wraps.
            patch.setattr(torch.backends.mps, "is_available", cache(lambda: False))
        yield


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
def browser():
    """Start a browser, or skip and say how to get one."""
    from tests import browser as browsers

    if browsers.executable() is None:
        pytest.skip(browsers.HOW_TO_GET_ONE)
    with browsers.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def js(browser):
    """Return a function that evaluates JavaScript on the pure functions of a live figure."""
    from tests.interactive_examples import mathematics

    page = browser.new_page()
    return lambda figure, call, *given: mathematics(page, figure, call, *given)


@pytest.fixture(scope="session")
def kill():
    """Return a function that runs a function in a process of its own, which must be killed."""
    if not hasattr(os, "fork"):
        pytest.skip("needs fork and SIGKILL")
    import forks

    with forks.killer() as kill:
        yield kill
