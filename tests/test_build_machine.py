"""The build on a machine that has other kernels, start-up files, folders and builds of its own."""

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from tests.small_book import GO, IMPORT, NO_KERNELS, build, notebook, plant

ASK = "from jupyter_client.kernelspec import get_kernel_spec as g; print(g('python3').argv[0])"
TELL = "import json, os, sys; json.dump([sys.executable, dict(os.environ)], open('told.json', 'w'))"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Return a small book with the real tools and settings."""
    return plant(tmp_path, monkeypatch)


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """Plant a kernel of the name python3 that cannot start where Jupyter finds it first."""
    spec = tmp_path / "foreign/kernels/python3/kernel.json"
    spec.parent.mkdir(parents=True)
    no_python = str(tmp_path / "foreign/no-python")
    argv = [no_python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(
        json.dumps({"argv": argv, "display_name": "Foreign", "language": "python"}),
        encoding="utf-8",
    )
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    for name in ("JUPYTER_PATH", "JUPYTER_DATA_DIR"):
        with monkeypatch.context() as alone:
            alone.setenv(name, str(tmp_path / "foreign"))
            command = [sys.executable, "-c", ASK]
            found = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
            assert found.stdout.strip() == no_python  # else the tests below show nothing
        monkeypatch.setenv(name, str(tmp_path / "foreign"))


@pytest.fixture
def start_up_files(tmp_path, monkeypatch):
    """Plant files that Python and IPython run first in each session of the user."""
    profile = tmp_path / "own/profile_default/startup/start.py"
    profile.parent.mkdir(parents=True)
    profile.write_text("of_the_user = 1", encoding="utf-8")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "own"))
    monkeypatch.setenv("PYTHONSTARTUP", str(profile))


def test_the_kernel_is_the_interpreter_that_builds_and_nothing_else(tree, foreign, start_up_files):
    notebook(tree / "book/one.ipynb", TELL, "assert 'of_the_user' not in globals()")
    run, _ = build()
    assert run.returncode == 0, run.stdout + run.stderr
    assert json.loads(Path("book/told.json").read_text(encoding="utf-8"))[0] == sys.executable


def test_nbval_runs_in_the_interpreter_that_starts_it(tree, foreign, start_up_files):
    notebook(tree / "book/one.ipynb", TELL, "assert 'of_the_user' not in globals()")
    command = [sys.executable, "tools/book.py", "nbval"]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert run.returncode == 0, run.stdout + run.stderr
    assert json.loads(Path("book/told.json").read_text(encoding="utf-8"))[0] == sys.executable


def answers(port):
    """Tell whether something listens on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def lab(tree, foreign):
    """Start JupyterLab as ``make lab`` does; return its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token="]
    options += ["--ip=127.0.0.1", "--ServerApp.disable_check_xsrf=True"]
    command = [sys.executable, "tools/lab.py", *options]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8")
    said = []
    for line in server.stderr:
        said.append(line)
        if f"http://127.0.0.1:{port}/lab" in line:
            break
    while server.poll() is None and not answers(port):
        pass  # the address is printed a moment before the server listens
    assert server.poll() is None, "".join(said)
    yield f"http://127.0.0.1:{port}"
    server.terminate()
    server.communicate()


@pytest.mark.slow
def test_the_lab_offers_one_kernel_and_it_is_the_interpreter_that_starts_it(lab):
    with urlopen(f"{lab}/api/kernelspecs") as answer:
        specs = json.load(answer)["kernelspecs"]
    assert list(specs) == ["python3"]
    assert specs["python3"]["spec"]["argv"][0] == sys.executable
    with urlopen(Request(f"{lab}/api/kernels", data=b"{}", method="POST")) as answer:
        assert answer.status == 201  # it started


def test_a_build_from_another_folder_on_a_narrow_terminal(tree, monkeypatch):
    notebook(tree / "book/one.ipynb", TELL)
    notebook(tree / "book/two.ipynb", "raise ValueError('★')")
    monkeypatch.chdir(tree / "vaecourse")
    monkeypatch.setenv("VAECOURSE_DATA", "data")
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    run, _ = build(["../tools/book.py", "build", "--strict"])
    assert run.returncode == 1 and r"two.ipynb, code cell 1 of 1: ValueError: \u2605" in run.stderr
    environment = json.loads((tree / "book/told.json").read_text(encoding="utf-8"))[1]
    assert environment["VAECOURSE_DATA"] == str(tree / "vaecourse/data")


def test_a_second_build_during_the_first_says_so_in_one_line(tree):
    second = "subprocess.run([sys.executable, '../tools/book.py', 'build'], capture_output=True)"
    tell = "json.dump([run.returncode, run.stderr.decode()], open('second.json', 'w'))"
    notebook(tree / "book/one.ipynb", f"import json, subprocess, sys\nrun = {second}\n{tell}")
    run, ran = build()
    assert run.returncode == 0 and ran == ["intro", "two"]
    status, said = json.loads(Path("book/second.json").read_text(encoding="utf-8"))
    assert status == 1
    wanted = (
        rf"book: process \d+ is at work on {re.escape(str(Path('_build/html')))}; wait for it\n"
    )
    assert re.fullmatch(wanted, said)
    assert (tree / "_build/.complete").exists()
    assert not list((tree / "_build").glob(".*.lock"))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_build_that_was_killed_stands_in_nobodys_way(tree):
    die = "import os; book.build = lambda strict: os.kill(os.getpid(), 9); "
    killed = subprocess.run([sys.executable, "-c", IMPORT + die + GO], capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert (tree / "_build/.html.lock").exists()
    run, ran = build(NO_KERNELS)
    assert run.returncode == 0, run.stderr
    assert ran == ["intro", "one", "two"]


def test_a_folder_that_cannot_be_made_is_one_line(tree):
    (tree / "_build").touch()
    run, ran = build()
    assert run.returncode == 1 and ran == []
    assert len(run.stderr.splitlines()) == 1 and "cannot be written (Not a directory)" in run.stderr
