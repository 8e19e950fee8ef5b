"""Write the notebooks that students work in: ``student/*.ipynb``.

    python tools/student.py            into student/ of the course, from whatever folder
    python tools/student.py --out DIR  elsewhere

Solutions are cut, MyST directives become plain Markdown, and exercises, figures and equations carry
the numbers that they have in the book. Numbers that a chapter computes are filled in from the last
build where there was one.
"""

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

import contents
import nbformat
from plain import EQUATION, Labels, plain
from speak import on_any_terminal
from standalone import standalone

from vaecourse.runtime.files import check_writable, write_whole

BOOK = contents.ROOT / "book"
CACHE = contents.ROOT / "_build/.jupyter_cache"
KEPT_TAGS = {"raises-exception", "nbval-skip"}
EXERCISE = re.compile(r"^(?::{3,}|`{3,})\{exercise(?:-start)?\}.*\n:label: (\S+)", re.MULTILINE)
PICTURE = re.compile(r"^(?::{3,}|`{3,})\{figure\}.*\n(?::.*\n)*?:name: (\S+)", re.MULTILINE)
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
STATEMENT = re.compile(r"^:{3,}\{prf:(\w+)\}.*\n:label: (\S+)", re.MULTILINE)


def citations():
    """Return authors and year of every entry of the bibliography."""
    from pybtex.database import parse_file

    found = {}
    for key, entry in parse_file(BOOK / "references.bib").entries.items():
        people = entry.persons.get("author", []) or entry.persons.get("editor", [])
        names = [" ".join([*p.prelast_names, *p.last_names]).strip("{}") for p in people]
        names = names or [entry.fields.get("organization", entry.fields.get("title", key))]
        authors = names[0] if len(names) == 1 else f"{names[0]} et al."
        authors = " and ".join(names) if len(names) == 2 else authors
        found[key] = authors, entry.fields.get("year", "")
    return found


def number(chapter, notebook, labels, counts):
    """Number what a page labels, as the book does: each kind is counted by itself.

    Every chapter counts from one; the pages that are no chapters (None) count on from each other.
    """

    def count(kind, label, form="{} {}"):
        counts[kind, chapter] += 1
        place = f"{chapter}." if chapter else ""
        labels.numbers[label] = form.format(kind, f"{place}{counts[kind, chapter]}")

    for cell in notebook.cells:
        if cell.cell_type == "code":
            figure = cell.metadata.get("mystnb", {}).get("figure", {})
            if figure.get("name"):
                count("Fig.", figure["name"])
            continue
        for match in EQUATION.finditer(cell.source):
            count("equation", match["label"], "({1})")
        for match in PICTURE.finditer(cell.source):
            count("Fig.", match[1])
        for match in EXERCISE.finditer(cell.source):
            count("Exercise", match[1])
        for match in STATEMENT.finditer(cell.source):
            count(match[1].capitalize(), match[2])


def glued(notebook):
    """Return the numbers of the last run of a chapter, by name; none where there was no run."""
    from jupyter_cache import get_cache

    if not CACHE.exists():
        return {}
    cache = get_cache(str(CACHE))
    try:
        run = cache.get_cache_bundle(cache.match_cache_notebook(notebook).pk).nb
    except KeyError:
        return {}
    values = {}
    for output in (o for cell in run.cells for o in cell.get("outputs", [])):
        name = output.get("metadata", {}).get("scrapbook", {}).get("name")
        texts = [v for k, v in output.get("data", {}).items() if k.endswith("text/plain")]
        if name and texts:
            values[name] = str(texts[0]).strip("'\"")
    return values


def read(path):
    """Return a page as a notebook, also one that is a text."""
    if path.suffix == ".ipynb":
        return nbformat.read(path, as_version=4)
    # Here: a wheel is built from chapters alone, where there is no MyST-NB.
    from myst_nb.core.read import is_myst_markdown_notebook, myst_nb_reader_plugin

    text = path.read_text(encoding="utf-8")
    if is_myst_markdown_notebook(text):
        return myst_nb_reader_plugin(str(path))
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])


def collect(found):
    """Read every page, of the number that it has or None; return them and what they define."""
    labels, notebooks, counts = Labels(citations=citations()), {}, Counter()
    for chapter, path in found:
        notebook = read(path)
        title = TITLE.search(notebook.cells[0].source)[1]
        labels.titles[path.relative_to(BOOK).with_suffix("").as_posix()] = title
        number(chapter, notebook, labels, counts)
        labels.glued.update(glued(notebook))
        notebooks[path] = notebook
    return notebooks, labels


def without_solutions(cells, path):
    """Yield the cells outside the gates of solutions."""
    inside = False
    for cell in cells:
        starts, ends = "{solution-start}" in cell.source, "{solution-end}" in cell.source
        if starts == inside and (starts or ends):
            raise ValueError(f"{path}: a solution gate is opened or closed twice")
        inside = starts or (inside and not ends)
        if not inside and not ends and "solution" not in cell.metadata.get("tags", []):
            yield cell
    if inside:
        raise ValueError(f"{path}: a solution gate is not closed")


def caption(cell, labels):
    """Yield the caption of the figure that a cell draws, as a cell, if it has one."""
    figure = cell.metadata.get("mystnb", {}).get("figure", {})
    if figure.get("caption"):
        words = plain(figure["caption"], labels)
        text = f"*{labels.numbers[figure['name']]}. {words}*"
        yield nbformat.v4.new_markdown_cell(text, id=f"{cell.id}-caption"[:64])


def student_copy(notebook, path, labels):
    """Return the notebook that a student works in."""
    cells = []
    for cell in without_solutions(notebook.cells, path):
        if cell.cell_type == "markdown":
            text = plain(cell.source, labels).strip()
            cells += [nbformat.v4.new_markdown_cell(text, id=cell.id)] if text else []
            continue
        tags = [tag for tag in cell.metadata.get("tags", []) if tag in KEPT_TAGS]
        copy = nbformat.v4.new_code_cell(cell.source, id=cell.id)
        copy.metadata.update({"tags": tags} if tags else {})
        cells.append(copy)
        cells += caption(cell, labels)
    copy = nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)
    copy.nbformat_minor = 5
    return copy


def write(out):
    """Write all student copies into a folder; return their paths."""
    found = contents.chapters()
    for _, path in found:
        check_writable(out / path.name)
    notebooks, labels = collect(found)
    written = []
    for path, notebook in notebooks.items():
        text = nbformat.writes(standalone(student_copy(notebook, path, labels))) + "\n"
        write_whole(out / path.name, text)
        written.append(out / path.name)
    return written


def main():
    """Read the command line and write the copies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=contents.ROOT / "student")
    try:
        written = write(parser.parse_args().out)
    except OSError as error:
        parser.error(str(error))
    print(f"student: {len(written)} notebooks in {written[0].parent}/")
    return 0


if __name__ == "__main__":
    sys.exit(on_any_terminal(main))
