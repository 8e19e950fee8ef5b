"""Execute chapters, several at a time, and say what failed in which cell.

A cell that fails does not end its chapter: the cells after it run on. Where one of them lacks a
name that the failed cell would have made, that is no failure of its own: it follows from that cell.
"""

import ast
import os
import re
import signal
import textwrap
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import active_children, get_context, parent_process

from kernels import KernelHere

JOBS = 2
CELL_TIMEOUT = 600  # seconds
KERNEL_TIMEOUT = 300  # seconds until a kernel answers, on a busy machine
COLORS = re.compile(r"\x1b\[[0-9;]*m")
EXPECTED = "raises-exception"


@dataclass
class Failure:
    """What one cell of a page said; ``cell`` counts the code cells from one."""

    page: str
    cell: int
    cells: int
    index: int  # among all cells of the notebook
    source: str
    error: str
    line: int = 0  # of the cell, where it is known
    traceback: str = ""
    follows: int = 0  # the cell whose failure this one follows from
    last: bool = False  # no cell after it ran

    @property
    def said(self):
        """Return the error and the statement that raised it, on one line."""
        parts = filter(None, [self.error, statement(self.source, self.line)])
        return textwrap.shorten(": ".join(parts), 200, placeholder=" …")

    @property
    def anchor(self):
        """Return the address of the failure on its page, the one of its kind in the book."""
        page = re.sub(r"\W+", "-", self.page.rpartition("/")[2].rpartition(".")[0])
        return f"failed-{page}-{self.cell}"

    def details(self):
        """Return the cell's text and the end of the traceback, a line each, indented."""
        lines = [f"    | {line}" for line in self.source.splitlines()]
        lines += [f"    {line}" for line in self.traceback.splitlines()[-12:]]
        return "\n" + "\n".join(lines)

    def __str__(self):
        return f"{self.page}, code cell {self.cell} of {self.cells}: {self.said}"


def load(path):
    """Return a page as a notebook; a plain text page has no code, so it is None."""
    import nbformat
    from myst_nb.core.read import is_myst_markdown_notebook, myst_nb_reader_plugin

    if path.suffix == ".ipynb":
        return nbformat.read(path, as_version=4)
    text = path.read_text(encoding="utf-8")
    return myst_nb_reader_plugin(str(path)) if is_myst_markdown_notebook(text) else None


def pointed_at(traceback):
    """Return the number of the cell's line at which a traceback points first, or 0."""
    arrow = re.search(r"^-+> *(\d+) ", traceback, re.MULTILINE)
    return int(arrow[1]) if arrow else 0


def parsed(source):
    """Return the syntax tree of a cell; a cell with magic commands is as good as empty."""
    with suppress(SyntaxError):
        return ast.parse(source)
    return ast.parse("")


def statement(source, number):
    """Return the statement of ``source`` around a line, on one line."""
    nodes = [node for node in ast.walk(parsed(source)) if isinstance(node, ast.stmt)]
    around = [node for node in nodes if node.lineno <= number <= node.end_lineno]
    simple = [node for node in around if not hasattr(node, "body")]
    line = source.splitlines()[number - 1] if number else ""
    return " ".join((ast.get_source_segment(source, simple[-1]) if simple else line).split())


def makes(source, number=0):
    """Return the names that the statements of ``source`` from a line on make."""
    body = [node for node in parsed(source).body if node.end_lineno >= number]
    nodes = [inner for node in body for inner in ast.walk(node)]
    names = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names |= {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    imports = [n for n in nodes if isinstance(n, ast.alias)]
    return names | {n.asname or n.name.partition(".")[0] for n in imports}


def needs(source):
    """Return the names that ``source`` uses."""
    nodes = [node for node in ast.walk(parsed(source)) if isinstance(node, ast.Name)]
    return {node.id for node in nodes if isinstance(node.ctx, ast.Load)}


class Watch:
    """Take down which cells of a page fail while it runs."""

    def __init__(self, page, notebook):
        self.page, self.notebook, self.failures = page, notebook, []
        cells = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
        self.numbers = {index: number for number, index in enumerate(cells, 1)}
        self.running = min(cells)

    def start(self, cell, cell_index):
        """Take down which cell runs."""
        self.running = cell_index

    def fail(self, cell, cell_index, execute_reply):
        """Take down what a cell said, unless it was meant to fail."""
        if EXPECTED in cell.metadata.get("tags", []):
            return
        said = execute_reply["content"]
        traceback = COLORS.sub("", "\n".join(said.get("traceback", [])))
        error = ": ".join(filter(None, [said["ename"], " ".join(said["evalue"].split())]))
        line = pointed_at(traceback)
        missing = set(re.findall(r"name '(\w+)' is not defined", said["evalue"]))
        follows = self.origin(cell_index, missing | needs(cell.source))
        self.note(cell_index, error, line=line, traceback=traceback, follows=follows)

    def origin(self, index, names):
        """Return the failed cell that would have made one of the names a cell needs, or 0."""
        failed = {failure.index: failure for failure in self.failures}
        for earlier in sorted((i for i in self.numbers if i < index), reverse=True):
            failure, source = failed.get(earlier), self.notebook.cells[earlier].source
            if failure and names & makes(source, failure.line):
                return failure.follows or failure.cell
            names = names - makes(source)
        return 0

    def end(self, why):
        """Take down that the chapter ends at the cell that runs."""
        self.note(self.running, why, last=True)

    def note(self, index, error, **rest):
        """Add a failure."""
        source, place = self.notebook.cells[index].source, self.numbers[index]
        facts = Failure(self.page, place, len(self.numbers), index, source, error, **rest)
        self.failures.append(facts)


def execute(path, kernel=KernelHere, environment=None):
    """Run one page in a kernel; return the notebook's JSON, the seconds, and its failures.

    ``environment`` stands in for this process's own.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    notebook = load(path)
    watch, begin = Watch(path.as_posix(), notebook), time.monotonic()
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        kernel_manager_class=kernel,
        startup_timeout=KERNEL_TIMEOUT,
        timeout=CELL_TIMEOUT,
        allow_errors=True,
        extra_arguments=["--log-level=ERROR"],  # it warns that nothing on this machine is encrypted
        on_cell_execute=watch.start,
        on_cell_error=watch.fail,
        record_timing=False,  # timings are cell metadata, and the cache compares metadata
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        with ThreadPoolExecutor(1) as thread:  # in the main thread nbclient would catch ctrl-C
            thread.submit(client.execute, env=environment or dict(os.environ)).result()
    except CellTimeoutError:
        watch.end(f"it was not done after {CELL_TIMEOUT} seconds")
    except DeadKernelError:
        watch.end("its kernel died; it ended itself or was killed, perhaps for want of memory")
    except RuntimeError as error:
        watch.end(f"its kernel did not start: {error}")
    return nbformat.writes(notebook), time.monotonic() - begin, watch.failures


def begin_worker():
    """Leave ctrl-C to the build, and outlive it by no more than a moment, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=lambda: (parent_process().join(), os._exit(1)), daemon=True).start()


def in_parallel(function, paths):
    """Yield each path with the function's result, as they come; on ctrl-C end the workers."""
    spawn = get_context("spawn")
    pool = ProcessPoolExecutor(JOBS, mp_context=spawn, initializer=begin_worker)
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


def execute_changed(paths, folder, busy):
    """Execute the pages that the cache in ``folder`` does not hold, and put them there.

    ``busy`` is a file that is there while the cache is written. A page with failures stays out of
    the cache, so that it fails again. Returned are such pages: path, notebook's JSON, failures.
    """
    import nbformat
    from jupyter_cache import get_cache
    from jupyter_cache.base import CacheBundleIn

    cache = get_cache(str(folder))
    pending = [path for path in paths if not is_cached(cache, path)]
    pending.sort(key=lambda path: -path.stat().st_size)  # the longest is not left to run alone
    failed = []
    for path, (text, seconds, failures) in in_parallel(execute, pending):
        if failures:
            failed.append((path, text, failures))
            print(f"book: {path.as_posix()} FAILED in {seconds:.0f} s", flush=True)
            continue
        data = {"execution_seconds": seconds}
        bundle = CacheBundleIn(nbformat.reads(text, as_version=4), str(path.resolve()), data=data)
        busy.touch()
        cache.cache_notebook_bundle(bundle, overwrite=True, check_validity=False)
        busy.unlink()
        print(f"book: {path.as_posix()} ran in {seconds:.0f} s", flush=True)
    return sorted(failed, key=lambda page: paths.index(page[0]))
