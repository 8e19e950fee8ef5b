"""Render every page from executed chapters, those that failed included."""

import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

BUILD = Path("_build")
STAGED = BUILD / ".staged"  # the sources once more, with the executed form of what failed
RENDERED = (BUILD / "html", BUILD / ".doctrees", BUILD / "jupyter_execute", STAGED)
VENDOR = Path("book/_static/vendor")
DRAWN = Path("book/_static/drawn")
# In a process of its own: a package that cannot be imported may be what failed.
ASK_MACHINE = """
import torch
from vaecourse.runtime.machine import cores, processor
print(f"{processor()}, {cores()} cores")
print(f"PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}")
"""
JUPYTER_BOOK = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build"]


def write(path, text):
    """Write ``text`` to ``path`` whole or not at all.

    Not by the package's own writer: the build and the cleaner work while the package is broken.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def vendor_mathjax():
    """Copy MathJax's one file and its licence out of the installed packages."""
    folder = VENDOR / "mathjax"
    if (folder / "LICENSE").exists():
        return
    package = metadata.distribution("sphinx-mathjax-offline")
    source = package.locate_file("sphinx-mathjax-offline/static/mathjax/tex-svg-full.js")
    write(folder / "tex-svg-full.js", Path(source).read_text(encoding="utf-8"))
    texts = [str(file) for file in metadata.files("requests") if file.name == "LICENSE"]
    licence = Path(metadata.distribution("requests").locate_file(texts[0]))
    notice = "MathJax 3.2.2 (tex-svg-full.js), copyright The MathJax Consortium.\n"
    notice += "Distributed under the Apache License 2.0:\n\n"
    write(folder / "LICENSE", notice + licence.read_text(encoding="utf-8"))


def draw():
    """Draw what pages show and nobody keeps; a package that cannot has failed its chapters."""
    for name in ("draw_diagrams.py", "draw_pages.py"):
        command = [sys.executable, Path(__file__).with_name(name)]
        subprocess.run(command, stderr=subprocess.DEVNULL)


def describe_machine():
    """Return the machine and the libraries in words, a line for each."""
    command = [sys.executable, "-c", ASK_MACHINE]
    answer = subprocess.run(command, capture_output=True, encoding="utf-8")
    torch = f"PyTorch {metadata.version('torch')}"
    found = answer.stdout.splitlines() if answer.returncode == 0 else [platform.machine(), torch]
    return [*found, f"Python {platform.python_version()}, {platform.system()} {platform.machine()}"]


def stage(failed):
    """Copy the sources to a folder of their own and put the executed form of what failed there."""
    from failed_page import failed_page

    caches = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for folder in ("book", "tools"):
        shutil.copytree(folder, STAGED / folder, ignore=caches)
    (STAGED / "vaecourse").mkdir()
    for file in ("_config.yml", "_toc.yml", "vaecourse/__init__.py"):  # the last has the version
        shutil.copy(file, STAGED / file)
    machine = describe_machine()
    for path, text, failures in failed:
        (STAGED / path).unlink()
        page = failed_page(text, failures, machine)
        write((STAGED / path).with_suffix(".ipynb"), page)


def render(failed=()):
    """Render every page; return the exit status.

    Where a chapter failed, warnings are shown and are no errors: pages may refer to what it lacks.
    """
    vendor_mathjax()
    draw()
    for folder in RENDERED:
        shutil.rmtree(folder, ignore_errors=True)
    if not failed:
        return subprocess.run([*JUPYTER_BOOK, ".", "-W", "-n", "--keep-going"]).returncode
    stage(failed)
    status = subprocess.run([*JUPYTER_BOOK, str(STAGED), "--path-output", ".", "-n"]).returncode
    shutil.rmtree(STAGED, ignore_errors=True)
    return status
