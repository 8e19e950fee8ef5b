"""Build the book: execute the chapters that changed, then render every page.

Run from the repository root, with the environment's own Python:

    python tools/book.py build    execute what changed, render, warnings are errors
    python tools/book.py nbval    run every chapter again under nbval

Chapters run two at a time and their outputs go to Jupyter Book's own execution cache. That cache
compares the cells of a notebook and nothing else, so it is dropped here whenever the package, the
pins or the data set changed. Pages are always rendered afresh: Sphinx repeats no warning of a page
that it does not read again, and a build that failed once would pass the second time.
"""

import argparse
import hashlib
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import redirect_stderr, redirect_stdout, suppress
from importlib import metadata
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path

JOBS = 2
CELL_TIMEOUT = 600  # seconds
BUILD = Path("_build")
CACHE = BUILD / ".jupyter_cache"
EXECUTED = BUILD / ".executed"  # what the execution cache was made with
BUSY = BUILD / ".writing"  # there while the cache is written; found later, it is half-written
COMPLETE = BUILD / ".complete"  # what the rendered pages were made with
VENDOR = Path("book/_static/vendor")
JUPYTER_BOOK = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
RENDERED = (BUILD / "html", BUILD / ".doctrees", BUILD / "jupyter_execute")
ASK_DATA = """
from vaecourse.data import identity, load
if identity("mnist", offline="strokes").startswith("strokes"):
    load("mnist", offline="strokes")  # downloads it, or draws the strokes
print(identity("mnist", offline="strokes"))
"""


def write(path, text):
    """Write ``text`` to ``path`` whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def read(path):
    """Return the text of ``path``, or an empty string where there is no such file."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def digest(paths, *words):
    """Return a hash of the names and contents of ``paths`` and of ``words``."""
    total = hashlib.sha256("\0".join(words).encode())
    for path in sorted(set(paths)):
        total.update(f"\0{path.as_posix()}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def files(folder, pattern="*"):
    """List the files under ``folder``, leaving out caches, checkpoints and vendored code."""
    skip = {"__pycache__", ".ipynb_checkpoints", VENDOR.name}
    found = (path for path in Path(folder).rglob(pattern) if path.is_file())
    return [path for path in found if not skip.intersection(path.parts)]


def pages():
    """List the files that ``_toc.yml`` names, in its order."""
    names = re.findall(r"^\s*-?\s*(?:root|file):\s*(\S+)", read(Path("_toc.yml")), re.MULTILINE)
    found = (Path(name + suffix) for name in names for suffix in (".ipynb", ".md"))
    return [path for path in found if path.exists()]


def load(path):
    """Return a page as a notebook; a plain text page has no code, so it is None."""
    import nbformat
    from myst_nb.core.read import is_myst_markdown_notebook, myst_nb_reader_plugin

    if path.suffix == ".ipynb":
        return nbformat.read(path, as_version=4)
    return myst_nb_reader_plugin(str(path)) if is_myst_markdown_notebook(read(path)) else None


def set_environment():
    """Set what every kernel inherits and return the identity of the data set.

    The network is tried here, once, before two kernels would download the same files. Where it has
    nothing to give, the kernels are told so, and no chapter waits for it again.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    os.environ["OMP_NUM_THREADS"] = str(max(1, cores // JOBS))
    os.environ["VAECOURSE_STATIC"] = "1"
    os.environ["PYTHONHASHSEED"] = "0"
    paths = [str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    answer = subprocess.run([sys.executable, "-c", ASK_DATA], stdout=subprocess.PIPE, text=True)
    if answer.returncode != 0:
        raise SystemExit("book: the data set could not be read; the error above says why")
    identity = answer.stdout.split()[-1]
    if identity.startswith("strokes"):
        os.environ["VAECOURSE_OFFLINE"] = "1"
        print("book: MNIST is not to be had, strokes stand in for it", flush=True)
    return identity


def vendor_mathjax():
    """Copy MathJax's one file and its licence out of the installed packages."""
    folder = VENDOR / "mathjax"
    if (folder / "LICENSE").exists():
        return
    package = metadata.distribution("sphinx-mathjax-offline")
    source = package.locate_file("sphinx-mathjax-offline/static/mathjax/tex-svg-full.js")
    write(folder / "tex-svg-full.js", Path(source).read_text(encoding="utf-8"))
    texts = [str(file) for file in metadata.files("requests") if file.name == "LICENSE"]
    apache = Path(metadata.distribution("requests").locate_file(texts[0])).read_text()
    notice = "MathJax 3.2.2 (tex-svg-full.js), copyright The MathJax Consortium.\n"
    write(folder / "LICENSE", f"{notice}Distributed under the Apache License 2.0:\n\n{apache}")


def failure_report(path, notebook, error):
    """Say which cell of ``notebook`` failed, show it, and say why."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    failed = [
        number
        for number, cell in enumerate(code, 1)
        if any(output.output_type == "error" for output in cell.outputs)
    ]
    started = [number for number, cell in enumerate(code, 1) if cell.execution_count]
    number = (failed or [max(started, default=0) + 1])[-1]
    source = code[number - 1].source if number <= len(code) else ""
    reason = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip().splitlines()[-12:]
    lines = [f"{path}: code cell {number} of {len(code)} failed", *source.splitlines()]
    return "\n    | ".join(lines) + "\n    " + "\n    ".join(reason)


def execute(path):
    """Run one page in a kernel; return the notebook's JSON, the seconds, and why it failed."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, DeadKernelError

    notebook = load(path)
    begin = time.monotonic()
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        record_timing=False,  # timings are cell metadata, and the cache compares metadata
        resources={"metadata": {"path": str(path.parent)}},
    )
    report = ""
    try:
        with ThreadPoolExecutor(1) as thread:  # in the main thread nbclient would catch ctrl-C
            thread.submit(client.execute).result()
    except (CellControlSignal, DeadKernelError) as error:
        report = failure_report(path, notebook, error)
    return nbformat.writes(notebook), time.monotonic() - begin, report


def end_with_parent():
    """Let a worker outlive the build by no more than a moment, however the build ends."""
    threading.Thread(target=lambda: (parent_process().join(), os._exit(1)), daemon=True).start()


def in_parallel(function, paths):
    """Yield each path with the function's result, as they come; on ctrl-C end the workers."""
    spawn = get_context("spawn")
    pool = ProcessPoolExecutor(JOBS, mp_context=spawn, initializer=end_with_parent)
    try:
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited: ctrl-C is for us alone
        running = {pool.submit(function, path): path for path in paths}
        signal.signal(signal.SIGINT, handler)
        for done in as_completed(running):
            yield running[done], done.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in active_children():
            child.kill()  # a kernel ends itself when its parent is gone
        raise
    pool.shutdown()


def is_cached(cache, path):
    """Tell whether there is nothing to execute: the cache holds the page, or it has no code."""
    notebook = load(path)
    with suppress(KeyError):
        return notebook is None or bool(cache.match_cache_notebook(notebook))
    return False


def execute_changed(paths):
    """Execute the pages that the cache does not hold; return the reports of those failing."""
    import nbformat
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    cache = get_cache(str(CACHE))
    pending = [path for path in paths if not is_cached(cache, path)]
    pending.sort(key=lambda path: -path.stat().st_size)  # the longest is not left to run alone
    reports = []
    for path, (text, seconds, report) in in_parallel(execute, pending):
        if report:
            reports.append(report)
            print(f"book: {path} FAILED in {seconds:.0f} s", flush=True)
            continue
        data = {"execution_seconds": seconds}
        bundle = CacheBundleIn(nbformat.reads(text, as_version=4), str(path.resolve()), data=data)
        write(BUSY, "")
        cache.cache_notebook_bundle(bundle, overwrite=True, check_validity=False)
        BUSY.unlink()
        print(f"book: {path} ran in {seconds:.0f} s", flush=True)
    return reports


def render():
    """Render every page from the executed chapters; return the exit status."""
    vendor_mathjax()
    for folder in RENDERED:
        shutil.rmtree(folder, ignore_errors=True)
    return subprocess.run([*JUPYTER_BOOK, "build", ".", "-W", "-n", "--keep-going"]).returncode


def build():
    """Bring ``_build/html`` up to date; return the exit status."""
    begin = time.monotonic()
    rows = files("results", "*.json")
    code = [*files("vaecourse", "*.py"), *files("vaecourse/interactive/source", "*")]
    code.append(Path("requirements.txt"))
    saw = digest([*code, *rows], set_environment())
    inputs = [*files("book"), *files("tools"), Path("_config.yml"), Path("_toc.yml")]
    wanted = digest(inputs, saw)
    index = BUILD / "html" / "index.html"
    if read(COMPLETE) == wanted and index.exists():
        print(f"book: up to date, open {index}")
        return 0
    COMPLETE.unlink(missing_ok=True)
    if read(EXECUTED) != saw or BUSY.exists():
        shutil.rmtree(CACHE, ignore_errors=True)
        BUSY.unlink(missing_ok=True)
        write(EXECUTED, saw)
    reports = execute_changed(pages())
    if reports:
        print("\n\n".join(["", *reports]), file=sys.stderr)
        return 1
    status = render()
    if status == 0:
        write(COMPLETE, wanted)
        print(f"book: done in {time.monotonic() - begin:.0f} s, open {index}")
    return status


def run_nbval(path):
    """Run one chapter under nbval; return its exit status, its report and the seconds."""
    import pytest

    begin = time.monotonic()
    options = ["-q", "-p", "no:cacheprovider", "--nbval-lax", "--nbval-current-env"]
    timeout = ["--nbval-cell-timeout", str(CELL_TIMEOUT)]
    report = io.StringIO()
    with redirect_stdout(report), redirect_stderr(report):
        status = int(pytest.main([*options, *timeout, str(path)]))
    return status, report.getvalue(), time.monotonic() - begin


def nbval():
    """Run every chapter under nbval, two at a time; return the exit status."""
    set_environment()
    status, notebooks = 0, [path for path in pages() if path.suffix == ".ipynb"]
    for path, (code, report, seconds) in in_parallel(run_nbval, notebooks):
        status = max(status, code)
        closing = report if code else report.strip().splitlines()[-1]
        print(f"nbval: {path} ({seconds:.0f} s): {closing}", flush=True)
    return status


def main():
    """Read the command line and run one command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=["build", "nbval"])
    commands = {"build": build, "nbval": nbval}
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what make passes on
    try:
        return commands[parser.parse_args().command]()
    except KeyboardInterrupt:
        print("\nbook: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
