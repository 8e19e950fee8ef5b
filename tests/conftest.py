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
