"""Write what a wheel carries beside its code: the chapters as notebooks, and the recorded results.

    python tools/pack.py FOLDER     into FOLDER/chapters and FOLDER/recorded

``setup.py`` calls it whenever a wheel or a source distribution is built. It runs without PyTorch,
since a build is done in an environment of its own. ``chapters/student`` has no solutions,
``chapters/full`` shows them. Numbers that a chapter computes are filled in from the last build of
the book, where there was one.
"""

import argparse
import re
import shutil
import sys
from copy import deepcopy
from pathlib import Path
from types import ModuleType

import contents
from speak import on_any_terminal

ROOT = contents.ROOT
GATE = re.compile(r"^```\{solution-(start|end)\}")


def stand_in():
    """Let modules of ``vaecourse`` be imported without what its ``__init__`` imports."""
    for name in ("vaecourse", "vaecourse.runtime"):
        package = ModuleType(name)
        package.__path__ = [str(ROOT / name.replace(".", "/"))]
        sys.modules[name] = package


def opened(notebook):
    """Return a copy of a chapter whose solutions are ordinary cells under a heading."""
    copy = deepcopy(notebook)
    for cell in copy.cells:
        gate = GATE.match(cell.source) if cell.cell_type == "markdown" else None
        if gate:
            cell.source = "#### Solution" if gate[1] == "start" else ""
        tags = cell.metadata.get("tags", [])
        cell.metadata["tags"] = [tag for tag in tags if tag != "solution"]
    return copy


def pack_chapters(folder):
    """Write both kinds of every chapter."""
    import nbformat
    from standalone import standalone
    from student import collect, student_copy

    notebooks, labels = collect(contents.chapters())
    for path, notebook in notebooks.items():
        for kind, source in (("student", notebook), ("full", opened(notebook))):
            copy = standalone(student_copy(source, path, labels))
            place = folder / kind / path.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(nbformat.writes(copy) + "\n", encoding="utf-8")


def pack(folder):
    """Write everything, in the place of what was there."""
    for name in ("chapters", "recorded"):
        shutil.rmtree(folder / name, ignore_errors=True)
    pack_chapters(folder / "chapters")
    weather = shutil.ignore_patterns("weather.json")  # no chapter reads it
    shutil.copytree(ROOT / "results", folder / "recorded", ignore=weather)


def main():
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    stand_in()
    pack(options.folder)
    return 0


if __name__ == "__main__":
    sys.exit(on_any_terminal(main))
