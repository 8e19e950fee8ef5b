"""The tools that build the book: what runs again and when, and what an interrupt leaves."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest

from tests.small_book import DATA, NO_KERNELS, NO_PAGES, ROOT, WHOLE, build, log, notebook, plant

TOOLS = ROOT / "tools"


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Return a small book with the real tools and settings."""
    return plant(tmp_path, monkeypatch)


def test_a_page_runs_again_only_when_what_it_saw_has_changed(tree, monkeypatch):
    everything = ["intro", "one", "two"]
    assert build(NO_KERNELS)[1] == everything
    assert build(NO_KERNELS)[1] == []
    notebook(tree / "book/one.ipynb", log("one"), prose="# Another title")
    assert build(NO_KERNELS)[1] == []
    notebook(tree / "book/one.ipynb", log("one") + " 1")
    assert build(NO_KERNELS)[1] == ["one"]
    (tree / "vaecourse/models.py").write_text("x = 1\n", encoding="utf-8")
    assert build(NO_KERNELS)[1] == everything
    (tree / "requirements.txt").write_text("torch==2\n", encoding="utf-8")
    assert build(NO_KERNELS)[1] == everything
    (tree / "vaecourse/data.py").write_text(DATA.replace("first", "second"), encoding="utf-8")
    assert build(NO_KERNELS)[1] == everything
    (tree / "results/semi_supervised").mkdir(parents=True)
    (tree / "results/semi_supervised/row.json").write_text("{}", encoding="utf-8")
    assert build(NO_KERNELS)[1] == everything
    (tree / "results/cells.json").write_text("{}", encoding="utf-8")
    assert build(NO_KERNELS)[1] == everything
    monkeypatch.setenv("VAECOURSE_SEED_OFFSET", "7")
    assert build(NO_KERNELS)[1] == everything
    assert build(NO_KERNELS)[1] == []


def test_a_half_written_cache_is_dropped(tree):
    build(NO_KERNELS)
    (tree / "_build/.writing").touch()
    (tree / "_build/.complete").unlink(missing_ok=True)
    assert build(NO_KERNELS)[1] == ["intro", "one", "two"]
    assert not (tree / "_build/.writing").exists()


def test_kernels_learn_whether_there_is_a_network(tree):
    show = "import os, json; keys = ['VAECOURSE_OFFLINE', 'VAECOURSE_STATIC', 'OMP_NUM_THREADS'];"
    dump = "json.dump([os.environ.get(key) for key in keys], open('environment.json', 'w'))"
    notebook(tree / "book/one.ipynb", show + dump)
    assert build()[0].returncode == 0
    offline, static, threads = json.loads(
        (tree / "book/environment.json").read_text(encoding="utf-8")
    )
    assert (offline, static) == (None, "1")
    assert int(threads) * 2 <= max(2, os.cpu_count())
    (tree / "vaecourse/data.py").write_text(DATA.replace("first", "strokes-1"), encoding="utf-8")
    run, _ = build()
    assert json.loads((tree / "book/environment.json").read_text(encoding="utf-8"))[:2] == [
        "1",
        "1",
    ]
    assert "strokes stand in" in run.stdout


def test_data_that_cannot_be_read_stop_the_build_in_words(tree):
    broken = DATA.replace("return 'first'", "raise OSError('train file is truncated')")
    (tree / "vaecourse/data.py").write_text(broken, encoding="utf-8")
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
    kernel = psutil.Process(int(Path("book/started").read_text(encoding="utf-8")))
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
    assert "book/intro.html" in (tree / "_build/html/index.html").read_text(encoding="utf-8")
    assert (tree / "_build/html/_static/vendor/mathjax/LICENSE").exists()
    stamp = (tree / "_build/html/index.html").stat().st_mtime_ns
    assert "up to date" in build(WHOLE)[0].stdout
    assert (tree / "_build/html/index.html").stat().st_mtime_ns == stamp
    litter = "import sys\nprint('litter', file=sys.stderr)"
    notebook(tree / "book/one.ipynb", litter, prose="# See {ref}`nowhere`")
    for _ in range(2):
        run, _ = build(WHOLE)
        assert run.returncode != 0
        assert "stderr was found" in run.stdout + run.stderr
        assert "nowhere" in run.stdout + run.stderr
        assert not (tree / "_build/.complete").exists()


def clean(*paths):
    """Run the notebook tool."""
    command = [sys.executable, str(TOOLS / "notebook.py"), "clean", *map(str, paths)]
    run = subprocess.run(command, stdout=subprocess.PIPE, encoding="utf-8")
    assert run.returncode == len(run.stdout.splitlines())
    return run


def test_cleaning_a_notebook_keeps_sources_tags_and_figures_and_nothing_else(tmp_path):
    path = tmp_path / "a.ipynb"
    cell = nbformat.v4.new_code_cell("1 + 1", execution_count=7)
    cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "2"})]
    cell.metadata = {"tags": ["solution"], "collapsed": True, "mystnb": {"image": {"alt": "a"}}}
    dirty = nbformat.v4.new_notebook(cells=[cell])
    dirty.metadata = {"widgets": {}, "kernelspec": {"name": "other", "display_name": "Other"}}
    path.write_text(json.dumps(dirty), encoding="utf-8")
    assert clean(path).returncode == 1
    kept = json.loads(path.read_text(encoding="utf-8"))
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
        path.write_text(text, encoding="utf-8")
        clean(path)
        names.append([cell["id"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]])
    assert names[0] == names[1] and len(set(names[0])) == 2 and names[0][0] == "same"
