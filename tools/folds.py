"""A Sphinx extension that folds code on a page by its kind.

A code cell without a tag is an idea and stands open. One tagged ``check`` (assertions, numbers for
the text, imports) is folded into the line that its first comment says, and one tagged ``drawing``
below its figure. All folds are written open: a page without scripts shows all code, and
``code_switch.js`` closes what the reader did not ask for.
"""

import re
from html import escape

from docutils import nodes

KINDS = ("check", "drawing")
WORDS = {"idea": "Code", "check": "Checked", "drawing": "Code of this figure"}
COMMENT = re.compile(r"#\s*(\S.*)\n+")


class CodeFold(nodes.General, nodes.Element):
    """Code under a line of words; its attributes are ``kind`` and ``words``."""


def kind_of(cell):
    """Return the kind of a cell, or None where a fold would hide what a reader is to write."""
    kinds = [kind for kind in KINDS if f"tag_{kind}" in cell["classes"]]
    text = cell.astext()
    exercise = "tag_solution" in cell["classes"] or "raise NotImplementedError" in text
    return None if exercise else (kinds or ["idea"])[0]


def take_comment(block):
    """Take the comment off the first line of a block of code and return its words, or None."""
    text = block.astext()
    found = COMMENT.match(text)
    if found is None:
        return None
    block.rawsource = text[found.end() :]
    block.children = []
    block += nodes.Text(block.rawsource)
    return found[1]


def fold(cell):
    """Put the code of a cell into a fold, that of a drawing after its figure."""
    kind = kind_of(cell)
    given = [child for child in cell.children if "cell_input" in child.get("classes", ())]
    if kind is None or not given:
        return
    block = next(given[0].findall(nodes.literal_block))
    words = take_comment(block) if kind == "check" else None
    folded = CodeFold("", *given, kind=kind, words=words or WORDS[kind])
    cell.remove(given[0])
    cell.insert(len(cell) if kind == "drawing" else 0, folded)


def fold_all(app, doctree):
    """Fold every code cell of a page."""
    for node in list(doctree.findall(nodes.container)):
        if "cell" in node.get("classes", ()):
            fold(node)


def begin(translator, node):
    """Write the line of words that opens and closes the code."""
    translator.body.append(f'<details class="code-fold code-{node["kind"]}" open>')
    translator.body.append(f"<summary>{escape(node['words'])}</summary>\n")


def end(translator, node):
    """Close what `begin` opened."""
    translator.body.append("</details>\n")


def setup(app):
    """Connect to Sphinx."""
    app.add_node(CodeFold, html=(begin, end))
    app.connect("doctree-read", fold_all)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "version": "1"}
