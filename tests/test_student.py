"""The notebooks that students work in: no solutions, no MyST, and they run as they are."""

import json
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import student  # noqa: E402
from plain import Labels, plain  # noqa: E402
from standalone import without_glue  # noqa: E402

from vaecourse.__main__ import main  # noqa: E402
from vaecourse.exercises.catalogue import exercises  # noqa: E402

LABELS = Labels(
    numbers={
        "eq-01-a": "(1.1)",
        "fig-a": "Fig. 1.2",
        "ex-a": "Exercise 1.3",
        "thm-a": "Theorem 1.1",
    },
    titles={"02-two": "The second"},
    citations={"one2014": ("One", "2014"), "two2015": ("Two and Three", "2015")},
    glued={"01-x": "0.7 ± 0.1"},
)


@pytest.mark.parametrize(
    ("myst", "markdown"),
    [
        ("see {eq}`eq-01-a` and {numref}`fig-a`", "see (1.1) and Fig. 1.2"),
        ("{ref}`ex-a`, {ref}`words <sec-b>`", "Exercise 1.3, words"),
        ("{prf:ref}`thm-a`", "Theorem 1.1"),
        ("{doc}`02-two`", "[The second](02-two.ipynb)"),
        ("{doc}`here <02-two>`", "[here](02-two.ipynb)"),
        ("{doc}`appendix/errata`", "*appendix/errata*"),
        ("{glue:text}`01-x` nats", "0.7 ± 0.1 nats"),
        ("{glue:text}`01-missing` nats", "… nats"),
        ("{cite:t}`one2014`", "One (2014)"),
        ("{cite:p}`one2014,two2015`", "(One, 2014; Two and Three, 2015)"),
        ("{py:func}`vaecourse.objectives.elbo`", "`objectives.elbo()`"),
        ("{py:class}`~vaecourse.models.VAE`", "`models.VAE`"),
        ("$$\na = b\n$$ (eq-01-a)", "$$\na = b\n\\tag{1.1}\n$$"),
        ("(sec-a)=\n## Title", "## Title"),
        ("a `code` span and $p(x)$", "a `code` span and $p(x)$"),
        (":::{admonition} Head\n:class: chapter-box\n\nBody\n:::", "> **Head**\n>\n> Body"),
        (":::{note}\nMind\n:::", "> **Note**\n>\n> Mind"),
        (
            ":::{dropdown} (a) Always.\n**No.** {eq}`eq-01-a`\n:::",
            "<details>\n<summary>(a) Always.</summary>\n\n**No.** (1.1)\n\n</details>\n",
        ),
        (
            ":::{prf:theorem} Jensen\n:label: thm-a\n\nIt is so.\n:::",
            "> **Theorem 1.1 (Jensen)**\n>\n> It is so.",
        ),
        ("```{exercise-start} One\n:label: ex-a\n```", "### Exercise 1.3: One"),
        (":::{exercise} One\n:label: ex-a\n\nDo it.\n:::", "### Exercise 1.3: One\n\nDo it."),
        ("```{exercise-end}\n```", ""),
        ("```{image} _static/a.svg\n:alt: A line\n```", "![A line](../book/_static/a.svg)"),
        ("```python\nx = 1\n```", "```python\nx = 1\n```"),
    ],
)
def test_myst_becomes_plain_markdown(myst, markdown):
    assert plain(myst, LABELS) == markdown


@pytest.mark.parametrize("text", [":::{margin}\nx\n:::", "{unheard}`of`", "{cite:t}`nobody`"])
def test_what_has_no_plain_form_stops_the_tool(text):
    with pytest.raises((ValueError, KeyError)):
        plain(text, LABELS)


@pytest.mark.parametrize("gates", [["start"], ["end"], ["start", "start", "end"]])
def test_a_gate_that_does_not_close_stops_the_tool(gates):
    cells = [nbformat.v4.new_markdown_cell(f"```{{solution-{gate}}} ex\n```") for gate in gates]
    with pytest.raises(ValueError, match="gate"):
        list(student.without_solutions(cells, "a.ipynb"))


@pytest.fixture(scope="module")
def copies(tmp_path_factory):
    """Write the student copies of all chapters."""
    out = tmp_path_factory.mktemp("student")
    command = [sys.executable, ROOT / "tools/student.py", "--out", out.name]
    subprocess.run(command, cwd=out.parent, check=True, capture_output=True)
    return {path.stem: nbformat.read(path, as_version=4) for path in sorted(out.glob("*.ipynb"))}


def test_every_chapter_has_a_copy_without_solutions_and_without_myst(copies):
    assert sorted(copies) == sorted(path.stem for path in (ROOT / "book").glob("*.ipynb"))
    for notebook in copies.values():
        nbformat.validate(notebook)
        text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        assert not re.search(r"^(:::|```\{)|\{[\w:]+\}`|\{solution|\]\(\)", text, re.MULTILINE)
        assert "counts=False" not in json.dumps(notebook)
        assert not any("solution" in cell.metadata.get("tags", []) for cell in notebook.cells)


def test_exercises_are_numbered_as_in_the_book(copies):
    for chapter, (name, notebook) in enumerate(copies.items(), 1):
        text = "\n\n".join(cell.source for cell in notebook.cells)
        numbers = re.findall(r"^### Exercise (\S+): ", text, re.MULTILINE)
        assert numbers == [f"{chapter}.{k}" for k in range(1, len(numbers) + 1)], name
        assert numbers


def filled(notebook, solutions):
    """Put the solutions of a chapter into its student copy."""
    for cell in notebook.cells:
        name = re.search(r'^check\("([^"]+)"', cell.source, re.MULTILINE)
        if name:
            cell.source = solutions[name[1]].replace(", counts=False)", ")")
    return notebook


@pytest.mark.parametrize("chapter", sorted({e.chapter for e in exercises().values()}))
def test_a_copy_filled_with_the_solutions_is_right_throughout(
    copies, chapter, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("VAECOURSE_STATIC", "1")
    name = sorted(copies)[chapter - 1]
    book = nbformat.read(ROOT / "book" / f"{name}.ipynb", as_version=4)
    found = (re.search(r'check\("([^"]+)", .*counts=False', c.source) for c in book.cells)
    solutions = {m[1]: m.string for m in found if m}
    path = tmp_path / "filled.ipynb"
    nbformat.write(filled(deepcopy(copies[name]), solutions), path)
    assert main(["exercises", "check", str(path)]) == 0, capsys.readouterr().out
    count = sum(exercise.chapter == chapter for exercise in exercises().values())
    assert capsys.readouterr().out.endswith(f"{count} of {count} right\n")


def test_nothing_but_solutions_is_cut_from_the_code(copies):
    for name, notebook in copies.items():
        book = nbformat.read(ROOT / "book" / f"{name}.ipynb", as_version=4)
        kept = [
            without_glue(cell.source)
            for cell in book.cells
            if cell.cell_type == "code" and "solution" not in cell.metadata.get("tags", [])
        ]
        install, *sources = [c.source for c in notebook.cells if c.cell_type == "code"]
        assert "%pip install" in install and sources == kept
