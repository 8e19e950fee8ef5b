"""A small book with the real tools and settings, for the tests of the build."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
INTRO = """---
file_format: mystnb
kernelspec: {name: python3, display_name: Python 3}
---
# Home

```{code-cell}
open("ran.txt", "a").write("intro\\n")
```
"""
DATA = "def load(name, offline=None): ...\ndef identity(name, offline=None): return 'first'\n"
IMPORT = """
import sys; sys.path.insert(0, "tools"); import book, run_chapters
book.render = lambda failed: 0
def run_here(function, paths):
    for path in paths:
        page = run_chapters.load(path)
        open("book/ran.txt", "a").write(path.stem + chr(10))
        yield path, (__import__("nbformat").writes(page), 0.0, [])
"""
GO = "sys.argv[1:] = ['build']; sys.exit(book.main())"
NO_PAGES = ["-c", IMPORT + GO]  # real kernels, no rendering
NO_KERNELS = ["-c", IMPORT + "run_chapters.in_parallel = run_here; " + GO]  # only names are written
WHOLE = ["tools/book.py", "build"]
SETTINGS = ("VAECOURSE_OFFLINE", "VAECOURSE_STATIC", "OMP_NUM_THREADS", "PYTHONPATH")


def notebook(path, *cells, prose="# A chapter"):
    """Write a notebook of a text and code cells, each with the same id every time.

    A code cell is a source, or a source with metadata; a Markdown cell is a list of one text.
    """
    written = [nbformat.v4.new_markdown_cell(prose, id="title")]
    for number, cell in enumerate(cells):
        if isinstance(cell, list):
            written.append(nbformat.v4.new_markdown_cell(cell[0], id=f"c{number}"))
            continue
        source, metadata = (cell, {}) if isinstance(cell, str) else cell
        written.append(nbformat.v4.new_code_cell(source, id=f"c{number}", metadata=metadata))
    whole = nbformat.v4.new_notebook(cells=written)
    whole.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(whole, path)


def log(name):
    """Return code that writes down that it ran."""
    return f"open('ran.txt', 'a').write('{name}\\n');"


def plant(folder, monkeypatch):
    """Make the book and a package with a data set in ``folder``, and go there."""
    caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=caches)
    shutil.copytree(ROOT / "book/_static", folder / "book/_static")
    shutil.copy(ROOT / "_config.yml", folder)
    shutil.copy(ROOT / "book/references.bib", folder / "book")
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: book/intro\nchapters:\n- file: book/one\n- file: book/two\n",
        encoding="utf-8",
    )
    (folder / "book/intro.md").write_text(INTRO, encoding="utf-8")
    notebook(folder / "book/one.ipynb", log("one"))
    notebook(folder / "book/two.ipynb", log("two"))
    (folder / "requirements.txt").write_text("torch==1\n", encoding="utf-8")
    (folder / "vaecourse/runtime").mkdir(parents=True)
    for name in ("files", "locks"):
        shutil.copy(ROOT / f"vaecourse/runtime/{name}.py", folder / "vaecourse/runtime")
    version = '__version__ = "0.0.0"\n'
    (folder / "vaecourse/__init__.py").write_text(version, encoding="utf-8")
    (folder / "vaecourse/data.py").write_text(DATA, encoding="utf-8")
    monkeypatch.chdir(folder)
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    return folder


def build(how=NO_PAGES, *options):
    """Build in a process of its own; return it and the pages that ran, and forget that they did."""
    command = [sys.executable, *how, *options]
    run = subprocess.run(command, capture_output=True, encoding="utf-8")
    ran = Path("book/ran.txt")
    names = sorted(ran.read_text(encoding="utf-8").split()) if ran.exists() else []
    ran.unlink(missing_ok=True)
    return run, names
