"""The tools that build the book: what runs again and when, what fails, what an interrupt leaves."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"
INTRO = """---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3}
---
# Home

```{code-cell}
open("ran.txt", "a").write("intro\\\\n")
```
"""
DATA = "def load(name, offline=None): ...\ndef identity(name, offline=None): return 'first'\n"


def notebook(path, *sources, prose="A chapter"):
    """Write a notebook of a title and code cells, each with the same id every time."""
    cells = [nbformat.v4.new_markdown_cell(f"# {prose}", id="title")]
    cells += [nbformat.v4.new_code_cell(source, id=f"c{i}") for i, source in enumerate(sources)]
    written = nbformat.v4.new_notebook(cells=cells)
    written.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(written, path)


def log(name):
    """Return code that writes down that it ran."""
    return f"open('ran.txt', 'a').write('{name}\\n');"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Make a small book with the real tools and settings, and a package with a data set."""
    shutil.copytree(TOOLS, tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "book/_static", tmp_path / "book/_static")
    shutil.copy(ROOT / "_config.yml", tmp_path)
    shutil.copy(ROOT / "book/references.bib", tmp_path / "book")
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: book/intro\nchapters:\n- file: book/one\n- file: book/two\n"
    )
    (tmp_path / "book/intro.md").write_text(INTRO.replace("\\\\n", "\\n"))
    notebook(tmp_path / "book/one.ipynb", log("one"))
    notebook(tmp_path / "book/two.ipynb", log("two"))
    (tmp_path / "requirements.txt").write_text("torch==1\n")
    (tmp_path / "vaecourse").mkdir()
    (tmp_path / "vaecourse/__init__.py").touch()
    (tmp_path / "vaecourse/data.py").write_text(DATA)
    monkeypatch.chdir(tmp_path)
    for name in ("VAECOURSE_OFFLINE", "VAECOURSE_STATIC", "OMP_NUM_THREADS", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return tmp_path


START = """
import sys; sys.path.insert(0, "tools"); import book
book.render = lambda: 0
def run_here(function, paths):
    for path in paths:
        page = book.load(path)
        open("book/ran.txt", "a").write(path.stem + chr(10))
        yield path, (__import__("nbformat").writes(page), 0.0, "")
"""
GO = "sys.argv[1:] = ['build']; sys.exit(book.main())"
NO_PAGES = ["-c", START + GO]  # real kernels, no rendering
NO_KERNELS = ["-c", START + "book.in_parallel = run_here; " + GO]  # what would run is written down
WHOLE = ["tools/book.py", "build"]


def build(how=NO_PAGES):
    """Build in a process of its own; return it and the pages that ran, and forget that they did."""
    run = subprocess.run([sys.executable, *how], capture_output=True, text=True)
    ran = Path("book/ran.txt")
    names = sorted(ran.read_text().split()) if ran.exists() else []
    ran.unlink(missing_ok=True)
    return run, names


def test_a_page_runs_again_only_when_what_it_saw_has_changed(tree):
    everything = ["intro", "one", "two"]
    assert build(NO_KERNELS)[1] == everything
    assert build(NO_KERNELS)[1] == []
    notebook(tree / "book/one.ipynb", log("one"), prose="Another title")
    assert build(NO_KERNELS)[1] == []
    notebook(tree / "book/one.ipynb", log("one") + " 1")
    assert build(NO_KERNELS)[1] == ["one"]
    (tree / "vaecourse/models.py").write_text("x = 1\n")
    assert build(NO_KERNELS)[1] == everything
    (tree / "requirements.txt").write_text("torch==2\n")
    assert build(NO_KERNELS)[1] == everything
    (tree / "vaecourse/data.py").write_text(DATA.replace("first", "second"))
    assert build(NO_KERNELS)[1] == everything
    (tree / "results/semi_supervised").mkdir(parents=True)
    (tree / "results/semi_supervised/row.json").write_text("{}")
    assert build(NO_KERNELS)[1] == everything
    (tree / "results/cells.json").write_text("{}")
    assert build(NO_KERNELS)[1] == everything
    assert build(NO_KERNELS)[1] == []


def test_a_half_written_cache_is_dropped(tree):
    build(NO_KERNELS)
    (tree / "_build/.writing").touch()
    (tree / "_build/.complete").unlink(missing_ok=True)
    assert build(NO_KERNELS)[1] == ["intro", "one", "two"]
    assert not (tree / "_build/.writing").exists()


def test_a_failing_chapter_fails_every_time_and_is_named(tree):
    notebook(tree / "book/one.ipynb", "x = 1", "y = 2\nx / 0  # here")
    for attempt in range(2):
        run, ran = build()
        assert run.returncode == 1
        assert ran == ([] if attempt else ["intro", "two"])
        assert "book/one.ipynb: code cell 2 of 2 failed" in run.stderr
        assert "x / 0  # here" in run.stderr
        assert "ZeroDivisionError: division by zero" in run.stderr
        assert not (tree / "_build/.complete").exists()


def test_kernels_learn_whether_there_is_a_network(tree):
    show = "import os, json; keys = ['VAECOURSE_OFFLINE', 'VAECOURSE_STATIC', 'OMP_NUM_THREADS'];"
    dump = "json.dump([os.environ.get(key) for key in keys], open('environment.json', 'w'))"
    notebook(tree / "book/one.ipynb", show + dump)
    assert build()[0].returncode == 0
    offline, static, threads = json.loads((tree / "book/environment.json").read_text())
    assert (offline, static) == (None, "1")
    assert int(threads) * 2 <= max(2, os.cpu_count())
    (tree / "vaecourse/data.py").write_text(DATA.replace("first", "strokes-1"))
    run, _ = build()
    assert json.loads((tree / "book/environment.json").read_text())[:2] == ["1", "1"]
    assert "strokes stand in" in run.stdout


def test_data_that_cannot_be_read_stop_the_build_in_words(tree):
    broken = DATA.replace("return 'first'", "raise OSError('train file is truncated')")
    (tree / "vaecourse/data.py").write_text(broken)
    run, ran = build()
    assert run.returncode == 1 and ran == []
    assert "train file is truncated" in run.stderr and "could not be read" in run.stderr


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_build_goes_on_where_it_was(tree, blow):
    os.mkfifo("book/started")
    wait = "import os, time; open('started', 'w').write(str(os.getpid())); time.sleep(600)"
    notebook(tree / "book/two.ipynb", log("two") + wait)
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # Tests that run in a shell's background inherit that SIGINT is ignored.
    options["preexec_fn"] = lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)
    running = subprocess.Popen([sys.executable, *NO_PAGES], **options, start_new_session=True)
    seen = set()
    while len(seen) < 2:  # the other two pages
        line = running.stdout.readline()
        assert line, running.stderr.read()
        seen |= {name for name in ("intro.md ran", "one.ipynb ran") if name in line}
    kernel = psutil.Process(int(Path("book/started").read_text()))
    os.kill(running.pid, blow)
    _, errors = running.communicate(timeout=60)
    if blow != signal.SIGKILL:
        assert running.returncode == 130
        assert "interrupted" in errors and "Traceback" not in errors
    kernel.wait(timeout=60)
    assert not (tree / "_build/.complete").exists()
    (tree / "book/ran.txt").unlink()
    notebook(tree / "book/two.ipynb", log("two"))
    run, ran = build()
    assert run.returncode == 0 and ran == ["two"]


@pytest.mark.slow
def test_the_whole_way_to_pages_and_a_warning_fails_every_time(tree):
    run, _ = build(WHOLE)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "book/intro.html" in (tree / "_build/html/index.html").read_text()
    assert (tree / "_build/html/_static/vendor/mathjax/LICENSE").exists()
    stamp = (tree / "_build/html/index.html").stat().st_mtime_ns
    assert "up to date" in build(WHOLE)[0].stdout
    assert (tree / "_build/html/index.html").stat().st_mtime_ns == stamp
    litter = "import sys\nprint('litter', file=sys.stderr)"
    notebook(tree / "book/one.ipynb", litter, prose="See {ref}`nowhere`")
    for _ in range(2):
        run, _ = build(WHOLE)
        assert run.returncode != 0
        assert "stderr was found" in run.stdout + run.stderr
        assert "nowhere" in run.stdout + run.stderr
        assert not (tree / "_build/.complete").exists()


def clean(*paths):
    """Run the notebook tool."""
    command = [sys.executable, str(TOOLS / "notebook.py"), "clean", *map(str, paths)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    assert run.returncode == len(run.stdout.splitlines())
    return run


def test_cleaning_a_notebook_keeps_sources_tags_and_figures_and_nothing_else(tmp_path):
    path = tmp_path / "a.ipynb"
    cell = nbformat.v4.new_code_cell("1 + 1", execution_count=7)
    cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "2"})]
    cell.metadata = {"tags": ["solution"], "collapsed": True, "mystnb": {"image": {"alt": "a"}}}
    dirty = nbformat.v4.new_notebook(cells=[cell])
    dirty.metadata = {"widgets": {}, "kernelspec": {"name": "other", "display_name": "Other"}}
    path.write_text(json.dumps(dirty))
    assert clean(path).returncode == 1
    kept = json.loads(path.read_text())
    assert kept["cells"][0]["source"] == ["1 + 1"]
    assert kept["cells"][0]["metadata"] == {
        "mystnb": {"image": {"alt": "a"}},
        "tags": ["solution"],
    }
    assert kept["cells"][0]["outputs"] == [] and kept["cells"][0]["execution_count"] is None
    assert kept["cells"][0]["id"] == cell.id
    assert set(kept["metadata"]) == {"kernelspec", "language_info"}
    assert kept["metadata"]["kernelspec"]["name"] == "python3"
    before = path.read_bytes()
    assert clean(path).returncode == 0
    assert path.read_bytes() == before


def test_cleaning_gives_repeated_ids_a_stable_name(tmp_path):
    path = tmp_path / "a.ipynb"
    twins = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(x) for x in ("1", "2")])
    twins.cells[0].id = twins.cells[1].id = "same"
    text = json.dumps(twins)
    names = []
    for _ in range(2):
        path.write_text(text)
        clean(path)
        names.append([cell["id"] for cell in json.loads(path.read_text())["cells"]])
    assert names[0] == names[1] and len(set(names[0])) == 2 and names[0][0] == "same"
