"""The chapters as files: clean, short cells, one shape, captions and alt texts everywhere."""

import ast
import re
import statistics
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))
GUIDES = sorted((ROOT / "book/appendix").glob("*.ipynb"))
PAGES = sorted((ROOT / "book").rglob("*.md"))
MAX_LINES, MEDIAN_LINES = 25, 8
CLOSING = ["Summary", "Check yourself", "Further reading"]
DRAWS = re.compile(r"\b(plots|plt|axes?|diagrams)\.|\.savefig\(|\bfigure\b")
DIAGRAM = re.compile(r"\bdiagrams\.\w+\([^\n]*\)\s*$")
NOT_AN_ALT = re.compile(r"\.(png|svg|jpg)$|/|^(image|figure|plot|picture)$", re.IGNORECASE)
PLUMBING = re.compile(r"assert |import |from |glue\(|(vae\.)?(plots|diagrams|interactive)\.")
MACRO = re.compile(r"\\(?:re)?newcommand|\\def\\|\\DeclareMathOperator")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|TBD)\b|lorem ipsum", re.IGNORECASE)
MACHINE_PATH = re.compile(r"(?<![\w.<])/(?:tmp|root|work|home|Users|farm)/\w")


def read(path):
    """Return a notebook as it stands in the file: nbformat.read would mend repeated ids."""
    return nbformat.v4.reads(path.read_text(encoding="utf-8"))


def lines(source):
    """Return the lines of a cell that are not blank."""
    return [line for line in source.splitlines() if line.strip()]


def last_value_is_a_figure(source):
    """Tell whether a cell's last line is an expression made by a drawing call."""
    body = statements(source)
    if not body or not isinstance(body[-1], ast.Expr) or source.rstrip().endswith(";"):
        return False
    return bool(DRAWS.search(ast.unparse(body[-1])))


def unclean(notebook):
    """Name what a notebook holds besides sources, tags and figure settings."""
    if not set(notebook.metadata) <= {"kernelspec", "language_info"}:
        yield f"notebook metadata {sorted(notebook.metadata)}"
    if set(notebook.metadata.get("language_info", {})) - {"name"}:
        yield "language_info holds more than the name"
    ids = [cell.get("id") for cell in notebook.cells]
    if None in ids or len(set(ids)) != len(ids):
        yield "cell ids are missing or repeated"
    for number, cell in enumerate(notebook.cells):
        if set(cell.metadata) - {"tags", "mystnb"}:
            yield f"cell {number}: metadata {sorted(cell.metadata)}"
        if cell.get("outputs") or cell.get("execution_count"):
            yield f"cell {number}: outputs or an execution count"


def statements(source):
    """Return the top-level statements of a cell; lines for IPython are none."""
    return ast.parse(re.sub(r"^[%!].*$", "", source, flags=re.MULTILINE)).body


def misplaced(notebook):
    """Name the cells whose code is not of the kind that their tag says: see CONTRIBUTING.md."""
    for number, cell in enumerate(notebook.cells):
        tags = set(cell.metadata.get("tags", []))
        exercise = "solution" in tags or "raise NotImplementedError" in cell.source
        if cell.cell_type != "code" or exercise or "remove-cell" in tags:
            continue
        if "check" in tags:
            if not re.match(r"# \S[^\n]{2,68}\n", cell.source):
                yield f"cell {number}: a check has no first line in words that fits a page"
        elif "drawing" in tags:
            if not cell.metadata.get("mystnb", {}).get("figure"):
                yield f"cell {number}: a drawing without a figure"
        else:
            for statement in statements(cell.source):
                if PLUMBING.match(ast.unparse(statement)):
                    yield f"cell {number}: plumbing stands open: {ast.unparse(statement)[:50]}"


def undescribed(notebook):
    """Name the cells that draw and lack a caption, a name or an alt text in words."""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code" or {"raises-exception"} & set(cell.metadata.get("tags", [])):
            continue
        settings = cell.metadata.get("mystnb", {})
        shown = settings or last_value_is_a_figure(cell.source) or "plt.show(" in cell.source
        if not shown or "remove-output" in cell.metadata.get("tags", []):
            continue
        figure, alt = settings.get("figure", {}), settings.get("image", {}).get("alt", "")
        if not figure.get("caption") or not figure.get("name", "").startswith("fig-"):
            yield f"cell {number}: no caption, or no name that begins with fig-"
        if DIAGRAM.search(cell.source):
            continue  # drawn as SVG that carries its own title and description
        if len(alt.split()) < 4 or NOT_AN_ALT.search(alt.strip()):
            yield f"cell {number}: no alt text in words, got {alt!r}"


def misshapen(notebook):
    """Name what a chapter lacks: title, box, places for exercises, summary, further reading."""
    first, second = notebook.cells[0], notebook.cells[1]
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    headings = re.findall(r"^(#{1,2}) (.+)$", "\n\n".join(prose), re.MULTILINE)
    if first.cell_type != "markdown" or not first.source.lstrip().startswith("# "):
        yield "the first cell is not the title"
    opening = first.source + "\n" + second.source
    if ":class: chapter-box" not in opening:
        yield "no chapter box after the title"
    for words in ("You will be able to", "You need", "Reading", "Running"):
        if f"**{words}" not in opening:
            yield f"the chapter box does not say {words!r}"
    if sum(level == "#" for level, _ in headings) != 1:
        yield "more than one title"
    sections = [name.strip() for level, name in headings if level == "##"]
    if sections[-3:] != CLOSING:
        yield f"it ends with {sections[-3:]}, not {CLOSING}"
    if not any("exercise" in source.lower() for source in prose):
        yield "no place for exercises"
    text = "\n".join(prose)
    for name in ("exercise", "solution"):
        if text.count(f"{{{name}-start}}") != text.count(f"{{{name}-end}}"):
            yield f"an {name} gate is not closed"


def stray(text):
    """Name what no page may hold: notes to oneself, custom TeX macros, machine paths."""
    if UNFINISHED.search(text):
        yield f"unfinished: {UNFINISHED.search(text).group()}"
    if MACRO.search(text):
        yield "a custom TeX macro, which JupyterLab does not know"
    if MACHINE_PATH.search(text):
        yield f"a machine path: {MACHINE_PATH.search(text).group()}"
    if text.count("$$") % 2:
        yield "an odd number of $$"


every_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
every_notebook = pytest.mark.parametrize("path", CHAPTERS + GUIDES, ids=lambda path: path.stem)


@every_notebook
def test_a_chapter_is_clean(path):
    assert list(unclean(read(path))) == []
    command = [sys.executable, ROOT / "tools/notebook.py", "clean"]
    assert subprocess.run([*command, "--check", path]).returncode == 0


@every_notebook
def test_code_cells_are_short(path):
    lengths = [len(lines(cell.source)) for cell in read(path).cells if cell.cell_type == "code"]
    assert max(lengths) <= MAX_LINES
    assert statistics.median(lengths) <= MEDIAN_LINES


@every_notebook
def test_every_figure_has_a_caption_and_an_alt_text(path):
    assert list(undescribed(read(path))) == []


@every_chapter
def test_only_ideas_stand_open(path):
    assert list(misplaced(read(path))) == []


@every_chapter
def test_a_chapter_has_the_shape_of_a_chapter(path):
    assert list(misshapen(read(path))) == []


@every_notebook
def test_a_chapter_holds_nothing_stray(path):
    text = "\n\n".join(cell.source for cell in read(path).cells)
    assert list(stray(text)) == []


@every_notebook
def test_code_fetches_nothing_from_a_host(path):
    code = [cell.source for cell in read(path).cells if cell.cell_type == "code"]
    assert not re.findall(r"https?://\S+", "\n".join(code))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_holds_nothing_stray(path):
    assert list(stray(path.read_text(encoding="utf-8"))) == []


def test_every_chapter_of_the_contents_is_there_and_every_chapter_is_in_the_contents():
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"^\s*-?\s*(?:root|file):\s*(\S+)", contents, re.MULTILINE))
    pages = CHAPTERS + GUIDES + PAGES
    present = {path.relative_to(ROOT).with_suffix("").as_posix() for path in pages}
    assert named == present


def cell(source, kind="code", **metadata):
    """Make a cell for the tests of the lint itself."""
    make = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    made = make(source)
    made.metadata.update(metadata)
    return made


FIGURE = {"caption": "Error over training.", "name": "fig-error"}


@pytest.mark.parametrize(
    "faulty",
    [
        cell("plots.curve(x)"),
        cell("figure"),
        cell("plt.show()"),
        cell("f()", mystnb={"figure": FIGURE}),
        cell("f()", mystnb={"figure": FIGURE, "image": {"alt": "../_images/a.png"}}),
        cell("f()", mystnb={"image": {"alt": "A curve that falls"}}),
    ],
)
def test_a_figure_without_words_is_found(faulty):
    assert list(undescribed(nbformat.v4.new_notebook(cells=[faulty])))


def test_a_described_figure_passes():
    good = cell("plots.curve(x)", mystnb={"figure": FIGURE, "image": {"alt": "A curve that falls"}})
    assert not list(undescribed(nbformat.v4.new_notebook(cells=[good, cell("x = plots.curve(x)")])))


def test_what_is_stray_is_found():
    for text in ("TODO: write", r"$\newcommand{\KL}{x}$", "see /" + "home/me/x", "$$ x"):
        assert len(list(stray(text))) == 1
    assert not list(stray("$$ x $$ (eq-a) and a/home/page"))


def test_what_is_unclean_is_found():
    stored = cell("1")
    stored.outputs = [nbformat.v4.new_output("stream", text="1")]
    for faulty in (stored, cell("1", collapsed=True)):
        assert len(list(unclean(nbformat.v4.new_notebook(cells=[faulty])))) == 1
    twins = nbformat.v4.new_notebook(cells=[cell("1"), cell("2")])
    twins.cells[1].id = twins.cells[0].id
    assert len(list(unclean(twins))) == 1


@pytest.mark.parametrize(
    "faulty",
    [
        cell("x = 1\nassert x == 1"),
        cell("import torch"),
        cell("glue('name', 1)"),
        cell("vae.plots.curves(x, y)"),
        cell("assert x == 1", tags=["check"]),
        cell("rows = {}", tags=["drawing"]),
    ],
)
def test_a_cell_of_the_wrong_kind_is_found(faulty):
    assert list(misplaced(nbformat.v4.new_notebook(cells=[faulty])))


def test_cells_of_the_three_kinds_pass():
    cells = [
        cell("x = f(1)\nx"),
        cell("# Checked: x is one\nassert x == 1", tags=["check"]),
        cell("plots.curve(x)", tags=["drawing"], mystnb={"figure": FIGURE}),
        cell("def f(x):\n    raise NotImplementedError\n\n\nassert f"),
    ]
    assert not list(misplaced(nbformat.v4.new_notebook(cells=cells)))
