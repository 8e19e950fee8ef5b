"""Build the book: execute the chapters that changed, then render every page.

    python tools/book.py build             execute what changed, render, warnings are errors
    python tools/book.py build --strict    render nothing where a chapter fails
    python tools/book.py nbval             run every chapter again under nbval, with other dice

Run it with the environment's own Python, which is also what every kernel runs in.

Chapters run two at a time and their outputs go to Jupyter Book's own execution cache. That cache
compares the cells of a notebook and nothing else, so it is dropped here whenever the package, the
pins or the data set changed. A chapter that fails is rendered with a box at each cell that failed,
is not cached, and lets the build fail. Pages are always rendered afresh: Sphinx repeats no warning
of a page that it does not read again, and a build that failed once would pass the second time.
"""

import argparse
import hashlib
import io
import os
import platform
import runpy
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from importlib import metadata
from pathlib import Path

import contents
from render import BUILD, DRAWN, VENDOR, render, write
from run_chapters import CELL_TIMEOUT, JOBS, execute_changed, in_parallel
from speak import on_any_terminal
from weathers import DICE, of_tree

ROOT = Path(__file__).resolve().parent.parent
CACHE = BUILD / ".jupyter_cache"
EXECUTED = BUILD / ".executed"  # what the execution cache was made with
BUSY = BUILD / ".writing"  # there while the cache is written; found later, it is half-written
COMPLETE = BUILD / ".complete"  # what the rendered pages were made with
INDEX = BUILD / "html" / "index.html"
FOLDERS = ("VAECOURSE_DATA", "VAECOURSE_CACHE")
ASK_DATA = """
from vaecourse.data import identity, load
if identity("mnist", offline="strokes").startswith("strokes"):
    load("mnist", offline="strokes")  # downloads it, or draws the strokes
print(identity("mnist", offline="strokes"))
"""


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
    """List the files under ``folder``, leaving out caches, checkpoints, and what a build adds."""
    skip = {"__pycache__", ".ipynb_checkpoints", VENDOR.name, DRAWN.name}
    found = (path for path in Path(folder).rglob(pattern) if path.is_file())
    return [path for path in found if not skip.intersection(path.parts)]


def set_environment():
    """Set what every kernel inherits and return the identity of the data set.

    The network is tried here, once, before two kernels would download the same files. Where it has
    nothing to give, the kernels are told so, and no chapter waits for it again. What a user's own
    start-up files do in each Python or IPython is no part of the course.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    os.environ["OMP_NUM_THREADS"] = str(max(1, (cores or 1) // JOBS))
    os.environ["VAECOURSE_STATIC"] = "1"
    os.environ["PYTHONHASHSEED"] = "0"
    os.environ["PYTHONUTF8"] = "1"  # Windows and the C locale would read text as something else
    os.environ.pop("PYTHONSTARTUP", None)
    for name, folder in (("IPYTHONDIR", ".ipython"), ("JUPYTER_RUNTIME_DIR", ".jupyter")):
        os.environ[name] = str(Path.cwd() / BUILD / folder)
    paths = [str(Path.cwd()), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    command = [sys.executable, "-c", ASK_DATA]
    answer = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8")
    if answer.returncode != 0:
        raise SystemExit("book: the data set could not be read; the error above says why")
    identity = answer.stdout.split()[-1]
    if identity.startswith("strokes"):
        os.environ["VAECOURSE_OFFLINE"] = "1"
        print("book: MNIST is not to be had, strokes stand in for it", flush=True)
    return identity


@contextmanager
def only_build():
    """Have ``_build`` alone, or end where another build has it."""
    # By itself: the whole package takes longer to load than a build that has nothing to do.
    writing, locks = (
        runpy.run_path(str(ROOT / f"vaecourse/runtime/{name}.py")) for name in ("files", "locks")
    )
    with ExitStack() as stack:
        try:
            for folder in (BUILD, VENDOR, DRAWN):
                writing["check_writable"](folder / "any file")
            stack.enter_context(locks["alone"](INDEX.parent, "wait for it"))
        except locks["BusyError"] as error:
            raise SystemExit(f"book: {error}") from None
        except OSError as error:
            raise SystemExit(f"book: {error}") from None
        yield


def conditions():
    """List what a chapter's outputs depend on beside its cells and the package."""
    versions = [platform.python_version(), metadata.version("torch")]
    return [set_environment(), *versions, *(os.environ.get(name, "") for name in DICE)]


def ready_cache(saw):
    """Drop the execution cache where it was made with something else, or is half-written."""
    if read(EXECUTED) != saw or BUSY.exists():
        shutil.rmtree(CACHE, ignore_errors=True)
        BUSY.unlink(missing_ok=True)
        write(EXECUTED, saw)


def counted(number, noun):
    """Return a number of things in words."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def say_what_failed(failed, rendered):
    """Write a line for each failure, and where the page shows it or, without pages, what it was."""
    told = [(path, failure, failures) for path, _, failures in failed for failure in failures]
    roots = [one for one in told if not one[1].follows]
    for path, failure, failures in roots:
        after = sum(other.follows == failure.cell for other in failures)
        more = f" (and {counted(after, 'cell')} in need of its result)" if after else ""
        page = (INDEX.parent / path.with_suffix(".html")).as_posix()
        shown = f"; see {page}#{failure.anchor}" if rendered else failure.details()
        print(f"book: {failure}{more}{shown}", file=sys.stderr)
    if failed:
        count = f"{counted(len(roots), 'cell')} on {counted(len(failed), 'page')}"
        pages = f"every page is there, open {INDEX}" if rendered else "no page was built"
        print(f"book: FAILED: {count}; {pages}", file=sys.stderr)


def build(strict):
    """Bring ``_build/html`` up to date; return the exit status."""
    begin = time.monotonic()
    rows = [row for row in files("results", "*.json") if row.name != "weather.json"]
    code = [*files("vaecourse", "*.py"), *files("vaecourse/interactive/source", "*")]
    code.append(Path("requirements.txt"))
    saw = digest([*code, *rows], *conditions())
    inputs = [*files("book"), *files("tools"), Path("_config.yml"), Path("_toc.yml")]
    inputs += [path for path in [Path("results/weather.json")] if path.exists()]
    wanted = digest(inputs, saw)
    if read(COMPLETE) == wanted and INDEX.exists():
        print(f"book: up to date, open {INDEX}")
        return 0
    COMPLETE.unlink(missing_ok=True)
    ready_cache(saw)
    failed = execute_changed(contents.pages(Path()), CACHE, BUSY)
    status = 1 if failed and strict else render(failed)
    say_what_failed(failed, rendered=status == 0)
    if status == 0 and not failed:
        write(COMPLETE, wanted)
        print(f"book: done in {time.monotonic() - begin:.0f} s, open {INDEX}")
    return status or int(bool(failed))


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


def checked_out():
    """Return the name of the tree that is checked out, or zeros where there is none.

    Two commits of the same files have the same weather, so that a failure can be had again.
    """
    git = ["git", "rev-parse", "HEAD^{tree}"]
    try:
        run = subprocess.run(git, capture_output=True, encoding="utf-8")
    except OSError:
        return "0" * 40
    return run.stdout.strip() if run.returncode == 0 else "0" * 40


def other_weather():
    """Choose other dice than the book's, by the files, unless the environment names some."""
    if not any(os.environ.get(name) for name in DICE):
        os.environ.update(of_tree(checked_out()))
    chosen = " ".join(f"{name}={os.environ[name]}" for name in DICE if os.environ.get(name))
    print(f"nbval: with {chosen}", flush=True)


def nbval():
    """Run every chapter under nbval in another weather than the book's; return the exit status."""
    set_environment()
    other_weather()
    status, notebooks = 0, [path for path in contents.pages(Path()) if path.suffix == ".ipynb"]
    for path, (code, report, seconds) in in_parallel(run_nbval, notebooks):
        status = max(status, code)
        closing = report if code else report.strip().splitlines()[-1]
        print(f"nbval: {path} ({seconds:.0f} s): {closing}", flush=True)
    return status


def parse():
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="execute what changed, then render every page")
    building.add_argument("--strict", action="store_true", help="no pages where a chapter fails")
    commands.add_parser("nbval", help="run every chapter again under nbval")
    return parser.parse_args()


def run(options):
    """Run one command in the root of the repository; return the exit status."""
    for name in filter(os.environ.get, FOLDERS):
        os.environ[name] = os.path.abspath(os.environ[name])  # kernels run in other folders
    os.chdir(ROOT)
    if options.command == "nbval":
        return nbval()
    with only_build():
        return build(options.strict)


def main():
    """Read the command line and run one command."""
    options = parse()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what make passes on
    try:
        return run(options)
    except BrokenProcessPool:
        reason = "a process of it was killed, perhaps for want of memory"
        print(f"\nbook: {reason}; the same command goes on from here", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbook: interrupted; the same command goes on from here", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(on_any_terminal(main))
