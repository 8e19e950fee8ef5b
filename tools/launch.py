"""A Sphinx extension for the buttons that open or download a page as a notebook.

The theme makes the buttons. Here they get words, those of a page that is no chapter go, since the
branch ``notebooks`` holds the chapters alone, and a downloaded notebook becomes one that runs where
there is only the package.
"""

from functools import cache
from pathlib import Path

import contents
import nbformat
from sphinx.util import logging
from standalone import standalone

LOGGER = logging.getLogger(__name__)
WORDS = {"Colab": "Open in Colab", "Binder": "Binder", ".ipynb": "Download notebook"}
PLACEHOLDER = "/OWNER/"
"""In an address that nobody has set yet: there is nothing that a button could open."""
ONLINE = "opens a website, so it needs a network"


@cache
def chapter_names(source):
    """Return the names that Sphinx has for the chapters under a folder."""
    root = Path(source)
    found = (path.relative_to(root) for _, path in contents.chapters(root))
    return {path.with_suffix("").as_posix() for path in found}


def put_in_words(groups, opens):
    """Return the groups of buttons that a page keeps, each button with its words.

    `opens` tells whether the page can be opened elsewhere.
    """
    kept = [group for group in groups if opens or group.get("label") != "launch-buttons"]
    for button in (one for group in kept for one in group.get("buttons", ())):
        name = button.get("text", "")
        button |= {"text": WORDS[name]} if name in WORDS else {}
        if name in ("Colab", "Binder"):
            button["tooltip"] = f"{WORDS[name]}: {ONLINE}"
    return kept


def change_buttons(app, page, template, context, doctree):
    """Change the buttons of one page."""
    groups = context.get("header_buttons", [])
    address = app.config.html_theme_options.get("repository_url", "")
    opens = PLACEHOLDER not in address and page in chapter_names(app.srcdir)
    context["header_buttons"] = put_in_words(groups, opens)


def change_downloads(app, exception):
    """Let the notebooks that a page offers stand alone."""
    if exception or app.builder.format != "html":
        return
    for path in Path(app.outdir, "_sources").rglob("*.ipynb"):
        try:
            copy = standalone(nbformat.read(path, as_version=4))
        except ValueError as error:  # one cell takes no page away
            LOGGER.warning("%s can be downloaded only as it is: %s", path.name, error)
            continue
        path.write_text(nbformat.writes(copy) + "\n", encoding="utf-8")


def setup(app):
    """Connect to Sphinx, after the theme."""
    app.connect("html-page-context", change_buttons, priority=900)
    app.connect("build-finished", change_downloads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
