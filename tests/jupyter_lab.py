"""A JupyterLab for the tests that open notebooks in it."""

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from threading import Thread

ROOT = Path(__file__).resolve().parent.parent
READY = "Python 3 (ipykernel) | Idle"
PATIENCE = 180_000  # milliseconds: a kernel that imports PyTorch on a busy machine


@contextmanager
def served(folder, *more):
    """Serve a folder in JupyterLab for the time of a ``with`` block; give its address."""
    folders = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_WORKSPACES_DIR", "HOME")
    places = {place: str(folder / place.lower()) for place in folders}
    environment = {**os.environ, **places, "PYTHONPATH": str(ROOT)}
    environment.pop("VAECOURSE_STATIC", None)
    options = ["--no-browser", "--expose-app-in-browser", "--allow-root"]
    options += ["--IdentityProvider.token=", f"--ServerApp.root_dir={folder}", *more]
    command = [sys.executable, "-m", "jupyterlab", *options]
    server = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, encoding="utf-8")
    addresses = Queue()
    reader = Thread(target=_read, args=(server.stderr, addresses))
    reader.start()
    try:
        yield addresses.get(timeout=PATIENCE / 1000)
    finally:
        server.terminate()
        server.wait()
        reader.join()


def _read(lines, addresses):
    """Read what the server writes to its end, or its pipe would fill; tell where it serves."""
    for line in lines:
        found = re.search(r"(http://localhost:\d+)/lab", line)
        if found:
            addresses.put(found[1])
