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

from vaecourse.runtime.files import check_writable, write_whole

BOOK = contents.ROOT / "book"
CACHE = contents.ROOT / "_build/.jupyter_cache"
KEPT_TAGS = {"raises-exception", "nbval-skip"}
EXERCISE = re.compile(r"^(?::{3,}|`{3,})\{exercise(?:-start)?\}.*\n:label: (\S+)", re.MULTILINE)
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


def number(chapter, notebook, labels):
    """Number what a chapter labels, as the book does: each kind is counted by itself."""
    counts = Counter()

    def count(kind, label, form="{} {}.{}"):
        counts[kind] += 1
        labels.numbers[label] = form.format(kind, chapter, counts[kind])

    for cell in notebook.cells:
        if cell.cell_type == "code":
            figure = cell.metadata.get("mystnb", {}).get("figure", {})
            if figure.get("name"):
                count("Fig.", figure["name"])
            continue
        for match in EQUATION.finditer(cell.source):
            count("equation", match["label"], "({1}.{2})")
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


def collect(found):
    """Read every chapter; return them with the labels that they define."""
    labels, notebooks = Labels(citations=citations()), {}
    for chapter, path in found:
        notebook = nbformat.read(path, as_version=4)
        labels.titles[path.stem] = contents.title(path)
        number(chapter, notebook, labels)
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
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        if figure.get("caption"):
            words = plain(figure["caption"], labels)
            caption = f"*{labels.numbers[figure['name']]}. {words}*"
            cells.append(nbformat.v4.new_markdown_cell(caption, id=f"{cell.id}-caption"[:64]))
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
        text = nbformat.writes(student_copy(notebook, path, labels)) + "\n"
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
