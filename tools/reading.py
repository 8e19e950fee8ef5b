"""Write the notebooks that ``make lab`` opens: the pages of the book, for JupyterLab to show.

Markdown is JupyterLab's own, code is folded by its kind, solutions are folded under their heading,
and each sentence has a place for each of its numbers, which `reading-copies/reading.js` fills. A
copy that its reader has changed is never written over.
"""

import hashlib
import json
import re
import shutil
from dataclasses import replace

import contents
import draw_diagrams
import nbformat
import student
from plain import box, plain

from vaecourse.runtime.files import write_whole

PICTURE = re.compile(r"\]\((_static/[^)]+)\)")
GATE = re.compile(r"^[:`]{3,}\{(exercise|solution)-(start|end)\}[ \t]*(\S*)")
EXERCISE = ("exercise", "start")
MADE_BY_SPHINX = ("{bibliography}", "{eval-rst}")
FOLDED = {"check", "drawing", "hide-input", "hide-cell", "remove-input", "remove-cell"}
SILENT = {"hide-output", "hide-cell", "remove-output", "remove-cell"}


def pages():
    """List the pages that have a copy, with the number of each that is a chapter."""
    numbers = {path: number for number, path in contents.chapters()}
    return [
        (numbers.get(path), path)
        for path in contents.pages()
        if not any(word in path.read_text(encoding="utf-8") for word in MADE_BY_SPHINX)
    ]


def hand_on_pictures(copy, page, path):
    """Put the pictures of a page beside its copy: JupyterLab shows no SVG that a cell holds."""
    for name in PICTURE.findall("\n".join(cell.source for cell in copy.cells)):
        source, target = page.parent / name, path.parent / name
        if source == draw_diagrams.MAP and not source.exists():
            draw_diagrams.draw()
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def folded(heading):
    """Return a heading under which JupyterLab hides all cells until the next."""
    hidden = {"jp-MarkdownHeadingCollapsed": True}
    return nbformat.v4.new_markdown_cell(heading, metadata=hidden)


def code(cell):
    """Return a code cell, folded as on the page; what a reader is to write stays open."""
    copy = nbformat.v4.new_code_cell(cell.source)
    tags = set(cell.metadata.get("tags", []))
    open_to_write = "solution" in tags or "raise NotImplementedError" in cell.source
    hidden = {
        "source_hidden": bool(tags & FOLDED) and not open_to_write,
        "outputs_hidden": bool(tags & SILENT),
    }
    hidden = {name: True for name, chosen in hidden.items() if chosen}
    copy.metadata = {"tags": sorted(tags)} | ({"jupyter": hidden} if hidden else {})
    return copy


def translated(cells, labels):
    """Yield the cells of a page in JupyterLab's terms."""
    head = None  # of the exercise whose text comes next
    for cell in cells:
        gate = GATE.match(cell.source) if cell.cell_type == "markdown" else None
        if cell.cell_type == "code":
            yield code(cell)
            yield from student.caption(cell, labels)
        elif gate is None:
            text = plain(cell.source, labels).strip()
            text = f"{head}\n\n{box('', text)}" if head else text
            yield nbformat.v4.new_markdown_cell(text)
        elif gate[1] == "solution" and gate[2] == "start":
            yield folded(f"#### Solution of {labels.numbers[gate[3]]}")
        head = plain(cell.source, labels) if gate and gate.group(1, 2) == EXERCISE else None


def fingerprint(notebook):
    """Return a hash of what a reader writes: cells and their order, no outputs and no folds."""
    written = [[cell.cell_type, cell.source] for cell in notebook.cells if cell.source.strip()]
    return hashlib.sha256(json.dumps(written).encode()).hexdigest()


def reading_copy(notebook, chapter, labels):
    """Return the copy of a page; its metadata say what was written, to tell what has changed."""
    cells = list(translated(notebook.cells, labels))
    if chapter:
        cells[0].source = cells[0].source.replace("# ", f"# {chapter}. ", 1)
    for place, cell in enumerate(cells):
        cell.id = f"cell-{place}"
    copy = nbformat.v4.new_notebook(cells=cells)
    copy.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    whole = hashlib.sha256(nbformat.writes(copy).encode()).hexdigest()
    copy.metadata.vaecourse = {"cells": fingerprint(copy), "whole": whole}
    return copy


def present(path):
    """Return the copy that is there; None where there is a file that is no notebook."""
    try:
        return nbformat.read(path, as_version=4)
    except (ValueError, AttributeError, nbformat.ValidationError):
        return None


def keep_outputs(copy, old):
    """Hand on the outputs of a run of the same code."""
    new, ran = ([c for c in one.cells if c.cell_type == "code"] for one in (copy, old))
    ran = [cell for cell in ran if cell.source.strip()]
    if [cell.source for cell in new] == [cell.source for cell in ran]:
        for cell, before in zip(new, ran, strict=True):
            cell.outputs, cell.execution_count = before.outputs, before.execution_count


def renew(path, copy):
    """Write a copy where it is new or the page has changed; tell whether its reader's changes stay.

    What the reader ran, folded or opened is no change.
    """
    if path.exists():
        old = present(path)
        said = old.metadata.get("vaecourse", {}) if old else {}
        if not said or fingerprint(old) != said.get("cells"):
            return True
        if said.get("whole") == copy.metadata.vaecourse["whole"]:
            return False
        keep_outputs(copy, old)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, nbformat.writes(copy) + "\n")
    return False


def write(out):
    """Write a copy of every page into a folder; return those that their reader has changed."""
    found = pages()
    notebooks, labels = student.collect(found)
    copies = {}
    for chapter, path in found:
        place = path.relative_to(student.BOOK).with_suffix(".ipynb")
        folder = "" if str(place.parent) == "." else place.parent.as_posix()
        shown = replace(labels, live=True, folder=folder)
        copies[out / place] = reading_copy(notebooks[path], chapter, shown)
        hand_on_pictures(copies[out / place], path, out / place)
    return [path for path, copy in copies.items() if renew(path, copy)]
