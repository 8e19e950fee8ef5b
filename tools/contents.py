"""The pages of the book, as ``_toc.yml`` names them: no other file lists chapters."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENTRY = re.compile(r"^\s*-?\s*(?:root|file):\s*(\S+)", re.MULTILINE)
ROW = re.compile(r"^    (book/\S+): (.+)$", re.MULTILINE)


def _text(root):
    return (root / "_toc.yml").read_text(encoding="utf-8")


def pages(root=ROOT):
    """List the files of all pages, in the order of the book, the welcome page first."""
    found = (
        root / f"{name}{end}" for name in ENTRY.findall(_text(root)) for end in (".ipynb", ".md")
    )
    return [path for path in found if path.exists()]


def chapters(root=ROOT):
    """List the chapters, no appendix, with the number that each has in the book."""
    found = [path for path in pages(root) if path.parent == root / "book"]
    return list(enumerate((path for path in found if path.suffix == ".ipynb"), 1))


def title(path):
    """Return the title of a chapter: the first line of its first cell."""
    first = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
    return first.splitlines()[0].removeprefix("# ")


def rows(root=ROOT):
    """Return number and title of the welcome page and all chapters, in the rows of the map.

    ``meta: map:`` in ``_toc.yml`` holds a heading for the page that each row begins with.
    """
    headings = dict(ROW.findall(_text(root)))
    found = {headings.pop("book/intro"): [(0, "Welcome")]}
    for number, path in chapters(root):
        heading = headings.pop(f"book/{path.stem}", None)
        if heading:
            found[heading] = []
        found[list(found)[-1]].append((number, title(path)))
    if headings:
        raise ValueError(
            f"_toc.yml heads a row of the map with {', '.join(headings)}, which is no page of the "
            "book; name the chapter that the row begins with"
        )
    return found
