"""The copies of the chapters that ``make lab`` opens: what they hold, and when they are renewed."""

import re
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import reading  # noqa: E402
from plain import Labels, plain  # noqa: E402

BOX = '<blockquote class="course-box{}">\n\n{}\n\n</blockquote>'
LABELS = Labels(
    numbers={"ex-a": "Exercise 1.3", "fig-a": "Fig. 1.2"},
    titles={"02-two": "The second", "appendix/own": "Your own"},
    glued={"01-x": "0.7"},
    live=True,
)


@pytest.mark.parametrize(
    ("myst", "markdown"),
    [
        ("{glue:text}`01-x` nats", '<span class="glued 01-x">0.7</span> nats'),
        ("{glue:text}`01-y` nats", '<span class="glued 01-y">…</span> nats'),
        (":::{admonition} Head\n:class: a\n\nBody\n:::", BOX.format("", "**Head**\n\nBody")),
        (":::{warning}\nMind\n:::", BOX.format(" warning", "**Warning**\n\nMind")),
        ("{doc}`appendix/own`", "[Your own](appendix/own.ipynb)"),
        ("```{image} _static/a.svg\n:alt: A line\n```", "![A line](_static/a.svg)"),
        ("Read\n: The pages.\n  Alone.", "- **Read**\n\n  The pages.\n  Alone."),
        ("```{glossary}\nbeta\n  A weight.\n```", "- **beta**\n\n  A weight."),
        (
            "```{figure} a.svg\n:name: fig-a\n\nA map.\n```",
            "![](a.svg)\n\n*Fig. 1.2. A map.*",
        ),
        (
            ":::{dropdown} `a < b` of $a<b$\nNo.\n:::",
            "<details>\n<summary><code>a &lt; b</code> of $a<b$</summary>\n\nNo.\n\n</details>\n",
        ),
    ],
)
def test_myst_becomes_markdown_for_jupyterlab(myst, markdown):
    assert plain(myst, LABELS) == markdown


@pytest.mark.parametrize("target", ["../02-two", "/book/02-two", "/02-two"])
def test_a_link_leads_from_the_appendix_to_the_copy_of_a_chapter(target):
    labels = replace(LABELS, folder="appendix")
    assert plain(f"{{doc}}`{target}`", labels) == "[The second](../02-two.ipynb)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write the copies of all pages."""
    out = tmp_path_factory.mktemp("lab")
    assert reading.write(out) == []
    return out


@pytest.fixture(scope="module")
def copies(folder):
    """Return the copies by their path in the folder."""
    found = sorted(folder.rglob("*.ipynb"))
    return {p.relative_to(folder).as_posix(): nbformat.read(p, as_version=4) for p in found}


def test_every_notebook_of_the_book_has_a_copy_without_myst(copies):
    book = (ROOT / "book").rglob("*.ipynb")
    names = {path.relative_to(ROOT / "book").as_posix() for path in book}
    assert names | {"intro.ipynb", "appendix/errata.ipynb"} <= set(copies)
    for name, notebook in copies.items():
        nbformat.validate(notebook)
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        found = re.search(r"^(:::|```\{)|\{[\w:-]+\}`|\]\(\)|^\([\w-]+\)=", text, re.MULTILINE)
        assert found is None, (name, found)


def test_every_link_leads_to_a_copy_and_every_picture_is_beside_it(folder, copies):
    links, pictures = 0, 0
    for name, notebook in copies.items():
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
            assert (folder / name).parent.joinpath(target).is_file(), (name, target)
            links += target.endswith(".ipynb")
            pictures += target.endswith(".svg")
    assert links > 100 and pictures == 2  # cover and map, on the welcome page


def test_code_is_that_of_the_chapter_and_folded_by_its_kind(copies):
    kinds = {("check",): True, ("drawing",): True, (): False, ("solution",): False}
    for path in (ROOT / "book").rglob("*.ipynb"):
        copy = copies[path.relative_to(ROOT / "book").as_posix()]
        code = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
        copied = [c for c in copy.cells if c.cell_type == "code"]
        assert [c.source for c in copied] == [c.source for c in code]
        for cell, source in zip(copied, code, strict=True):
            tags = tuple(source.metadata.get("tags", []))
            hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
            assert hidden == kinds.get(tags, hidden), (path, source.source)


def test_a_folded_solution_hides_its_code_and_no_text(copies):
    solutions = 0
    for name, notebook in copies.items():
        cells = notebook.cells
        for place, cell in enumerate(cells):
            if cell.metadata.get("jp-MarkdownHeadingCollapsed"):
                solutions += 1
                assert "solution" in cells[place + 1].metadata.tags
                after = next(c for c in cells[place + 1 :] if c.cell_type == "markdown")
                assert after.source.startswith(("## ", "### ")), (name, after.source)
    assert solutions == sum(
        "solution" in c.metadata.get("tags", []) for n in copies.values() for c in n.cells
    )


def page(prose="A sentence.", code="1 + 1"):
    """Return the copy of a small page."""
    cells = [new_markdown_cell(f"# Title\n\n{prose}", id="a"), new_code_cell(code, id="b")]
    return reading.reading_copy(new_notebook(cells=cells), 1, LABELS)


def kept(path):
    """Return what is in a file, for a comparison to the byte."""
    return path.read_bytes()


def change(path, function):
    """Let JupyterLab's reader do something to a copy."""
    notebook = nbformat.read(path, as_version=4)
    function(notebook)
    nbformat.write(notebook, path)


def run(notebook):
    """Do what Run All does, with the cell that JupyterLab adds at the end."""
    notebook.cells[1].outputs = [new_output("stream", text="2")]
    notebook.cells[1].metadata["jupyter"] = {"source_hidden": True}
    notebook.cells.append(new_code_cell(""))


def answer(notebook):
    """Write into a code cell."""
    notebook.cells[1].source += " + 1"


def note(notebook):
    """Write a cell of one's own."""
    notebook.cells.insert(1, new_markdown_cell("My note"))


def cut(notebook):
    """Throw a cell away."""
    del notebook.cells[1]


@pytest.mark.parametrize("did", [answer, note, cut])
def test_a_copy_that_its_reader_changed_stays(tmp_path, did):
    path = tmp_path / "one.ipynb"
    assert not reading.renew(path, page())
    change(path, did)
    before = kept(path)
    assert reading.renew(path, page()) and reading.renew(path, page(prose="Another."))
    assert kept(path) == before


@pytest.mark.parametrize("text", ["", "{", "{}", "[]", "mine", b"\xff"])
def test_a_file_that_is_no_copy_stays(tmp_path, text):
    path = tmp_path / "one.ipynb"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = kept(path)
    assert reading.renew(path, page())
    assert kept(path) == before


def test_a_copy_that_was_only_run_stays_while_its_page_does(tmp_path):
    path = tmp_path / "one.ipynb"
    reading.renew(path, page())
    change(path, run)
    before = kept(path)
    assert not reading.renew(path, page())
    assert kept(path) == before


@pytest.mark.parametrize(("code", "outputs"), [("1 + 1", 1), ("1 + 2", 0)])
def test_a_copy_that_was_only_run_is_renewed_and_keeps_the_outputs_of_the_same_code(
    tmp_path, code, outputs
):
    path = tmp_path / "one.ipynb"
    reading.renew(path, page())
    change(path, run)
    assert not reading.renew(path, page(prose="Another.", code=code))
    cells = nbformat.read(path, as_version=4).cells
    assert "Another." in cells[0].source and cells[1].source == code
    assert len(cells[1].outputs) == outputs and len(cells) == 2
