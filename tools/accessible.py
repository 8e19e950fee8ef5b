"""A Sphinx extension that mends roles which a screen reader cannot make sense of.

docutils writes a bibliography as a list whose entries are no list items.
"""


def mend(app, page, template, context, doctree):
    """Give the entries of a bibliography the role that its list asks for."""
    if context.get("body"):
        context["body"] = context["body"].replace('role="doc-biblioentry"', 'role="listitem"')


def setup(app):
    """Connect to Sphinx."""
    app.connect("html-page-context", mend)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
