"""The words and symbols of the book: one symbol per object, and every term in the glossary."""

import re
from pathlib import Path

import nbformat
import pytest

BOOK = Path(__file__).resolve().parent.parent / "book"
PAGES = sorted([*BOOK.rglob("*.ipynb"), *BOOK.rglob("*.md")])
FIRST_HALF = re.compile(r"0[1-7]-")
TERM = re.compile(r"\{term\}`(?:[^`<]*<([^`>]+)>|([^`]+))`")
# What stands in Markdown for an object that has another symbol: see the table of the welcome page.
EVERYWHERE = {
    r"(?<!D_\{)\\mathrm\{KL\}\s*(?:\\!)?(?:\\left)?\(": "the KL divergence is D_KL",
    r"\bKL\([qpQP]\b": "the KL divergence is D_KL",
}
TO_CHAPTER_7 = EVERYWHERE | {
    r"g_\\theta|\\mu\(z\)|\\mu_\\theta": "the decoder's mean is f_theta",
    r"\\lambda": "lambda is the price of prediction in chapter 10",
    r"\\ell\^2": "ell is the log variance of the encoder",
}


def prose(path):
    """Return the Markdown of a page."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return text
    cells = nbformat.v4.reads(text).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def renamed(text, symbols):
    """Name what is written with the symbol of another object."""
    for pattern, rule in symbols.items():
        for found in re.finditer(pattern, text):
            yield f"{rule}: {text[max(0, found.start() - 20) : found.end() + 20]!r}"


def entries():
    """Return the entries of the glossary, each with its terms: the lines that are not indented."""
    text = (BOOK / "appendix/glossary.md").read_text(encoding="utf-8")
    body = text.split("```{glossary}\n")[1].split("```")[0]
    return [
        [line for line in entry.splitlines() if not line.startswith(" ")]
        for entry in body.strip().split("\n\n")
    ]


def glossary():
    """Return all terms of the glossary."""
    return [term for terms in entries() for term in terms]


def unknown(text):
    """List the terms of a text that the glossary lacks."""
    named = {re.sub(r"\s+", " ", a or b) for a, b in TERM.findall(text)}
    return sorted(named - set(glossary()))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_an_object_has_one_symbol(path):
    symbols = TO_CHAPTER_7 if FIRST_HALF.match(path.name) else EVERYWHERE
    assert list(renamed(prose(path), symbols)) == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_term_stands_in_the_glossary(path):
    assert unknown(prose(path)) == []


def test_the_glossary_is_in_order_and_names_each_term_once():
    first = [terms[0] for terms in entries()]
    assert first == sorted(first, key=str.casefold)
    assert len(set(glossary())) == len(glossary())


@pytest.mark.parametrize(
    "path", [p for p in PAGES if FIRST_HALF.match(p.name)], ids=lambda p: p.stem
)
def test_a_chapter_of_the_first_half_leads_to_the_glossary(path):
    assert TERM.search(prose(path))


@pytest.mark.parametrize(
    "text",
    [
        r"\mathrm{KL}(q \| p)",
        r"\mathrm{KL}\!\left(q",
        r"$KL(q \| p)$",
        r"$g_\theta(z)$",
        r"$\mu(z)$",
        r"$\lambda_k$",
        r"$\ell^2/\sigma^2$",
    ],
)
def test_a_second_symbol_is_found(text):
    assert len(list(renamed(text, TO_CHAPTER_7))) == 1
    assert not list(
        renamed(r"$D_{\mathrm{KL}}(q\,\|\,p)$, $e^{\mathrm{KL}}$, $\mu_\phi(x)$", TO_CHAPTER_7)
    )


def test_a_term_that_the_glossary_lacks_is_found():
    assert unknown("{term}`rate`, {term}`active units <active unit>`, {term}`no such`") == [
        "no such"
    ]
