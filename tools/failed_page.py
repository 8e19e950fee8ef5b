"""Make a page of a chapter that failed: what it did show, and a box at each cell that failed.

The page is a notebook that nothing executes again. It has every label that the chapter has, so
links from other pages lead somewhere. A number or a figure that was not made has a mark in its
place.
"""

import re
import tomllib
from pathlib import Path

import nbformat

GLUED = re.compile(r"\{glue:\w*\}`([^`:]+)(?::[^`:]*)?`")
NO_NUMBER = '<span class="not-computed">[not computed]</span>'
NO_FIGURE = '<p class="not-computed transparent">[This figure was not drawn: a cell failed.]</p>'
HIDING = re.compile(r"(hide|remove)[-_](input|output|cell)$|(check|drawing)$")
PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def fence(text, language=""):
    """Return ``text`` in a Markdown fence that none of its own backticks can close."""
    ticks = "`" * max(3, 1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"{ticks}{language}\n{text}\n{ticks}"


def inline(text):
    """Return ``text`` as Markdown code within a line."""
    ticks = "`" * (1 + max(map(len, re.findall(r"`+", text)), default=0))
    return f"{ticks} {text} {ticks}"


def box(title, *paragraphs, name=""):
    """Return a MyST box."""
    options = [":class: failed-check", *([f":name: {name}"] if name else [])]
    text = "\n\n".join(paragraphs)
    return "\n".join([f"::::{{admonition}} {title}", *options, "", text, "::::"])


def where_to_report(project=PROJECT):
    """Return the words that ask for a report, with the address that the project names for it."""
    text = project.read_text(encoding="utf-8") if project.exists() else ""
    named = tomllib.loads(text).get("project", {}).get("urls", {})
    address = next((url for name, url in named.items() if name.lower() == "issues"), None)
    place = f"at <{address}>" if address else "where you got the course"
    return f"Please report it {place}, with these lines:"


def link(failure):
    """Return a Markdown link to the box of a failure."""
    return f"[Code cell {failure.cell}](#{failure.anchor})"


def kind_of(failure):
    """Return what a cell is called that failed: a check where it asserts something."""
    return "check" if failure.error.startswith("AssertionError") else "cell"


def cell_box(failure, roots, machine):
    """Return the box that stands above a cell that failed."""
    if failure.follows:
        origin = link(roots[failure.follows]).replace("Code", "code")
        text = f"It needs the result of {origin}, which failed. It said {inline(failure.error)}."
        return box("This cell lacks the result of another", text, name=failure.anchor)
    where = f"{failure.page}, code cell {failure.cell} of {failure.cells}"
    went_on = "The cells after it did not run." if failure.last else "The cells after it ran on."
    lines = [where, failure.said, *machine]
    text = f"It passes where the course was tried, and it should pass here. {went_on}"
    title = f"This {kind_of(failure)} failed on this machine"
    return box(title, text, where_to_report(), fence("\n".join(lines), "text"), name=failure.anchor)


def page_box(failures):
    """Return the box at the top of the page, with a link to each cell that failed."""
    roots = [failure for failure in failures if not failure.follows]
    kinds = {kind_of(failure) for failure in roots}
    noun = kinds.pop() if len(kinds) == 1 else "cell"
    count = f"One {noun} on" if len(roots) == 1 else f"{len(roots)} {noun}s on"
    lines = []
    for root in roots:
        after = [f"[{f.cell}](#{f.anchor})" for f in failures if f.follows == root.cell]
        also = f"; needed by cell {', '.join(after)}" if after else ""
        lines.append(f"- {link(root)}: {inline(root.said)}{also}")
    ran = "The cells after the last did not run." if failures[-1].last else "Everything else ran."
    advice = f"The text around such a cell describes what it shows where it passes. {ran}"
    return box(f"{count} this page failed on this machine", "\n".join(lines), advice)


def glued(notebook):
    """Return the names of the numbers that the cells made for the text."""
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    return {out.get("metadata", {}).get("scrapbook", {}).get("name") for out in outputs}


def mark_numbers(notebook):
    """Put a mark where the text shows a number that no cell made."""
    made = glued(notebook)

    def mark(found):
        return found[0] if found[1] in made or "::" in found[0] else NO_NUMBER

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = GLUED.sub(mark, cell.source)


def draws(cell):
    """Tell whether a cell has an output that is shown, other than what it printed."""
    shown = [out for out in cell.outputs if out.output_type in ("display_data", "execute_result")]
    return any("scrapbook" not in out.metadata for out in shown)


def place_figures(notebook):
    """Put words in the place of a figure that was not drawn, so that its number and label stay."""
    for cell in notebook.cells:
        if "figure" in cell.metadata.get("mystnb", {}) and not draws(cell):
            words = nbformat.v4.new_output("display_data", {"text/html": NO_FIGURE})
            cell.outputs.append(words)


def open_up(notebook, index):
    """Show a cell that failed, even where its tags or a folded solution hide it."""
    cell = notebook.cells[index]
    tags = [tag for tag in cell.metadata.get("tags", []) if not HIDING.match(tag)]
    cell.metadata["tags"] = [*tags, "failed-check"]
    for before in reversed(notebook.cells[:index]):
        if "{solution-end}" in before.source:
            break
        if "{solution-start}" in before.source:
            before.source = before.source.replace(":class: dropdown\n", "")
            break


def insert_at_top(notebook, text):
    """Put ``text`` below the title."""
    for cell in notebook.cells:
        title = re.search(r"^# .*$", cell.source, re.MULTILINE)
        if cell.cell_type == "markdown" and title:
            head, rest = cell.source[: title.end()], cell.source[title.end() :]
            cell.source = f"{head}\n\n{text}\n{rest}"
            return


def failed_page(text, failures, machine):
    """Return the notebook, as JSON, that shows what ``text``, an executed notebook, came to."""
    notebook = nbformat.reads(text, as_version=4)
    mark_numbers(notebook)
    place_figures(notebook)
    insert_at_top(notebook, page_box(failures))
    roots = {failure.cell: failure for failure in failures}
    for failure in sorted(failures, key=lambda failure: -failure.index):
        open_up(notebook, failure.index)
        words = nbformat.v4.new_markdown_cell(cell_box(failure, roots, machine))
        notebook.cells.insert(failure.index, words)
    notebook.metadata.pop("source_map", None)  # the lines of a text page, which this is no longer
    own = notebook.metadata.get("mystnb", {})
    notebook.metadata["mystnb"] = {**own, "execution_mode": "off"}
    return nbformat.writes(notebook)
