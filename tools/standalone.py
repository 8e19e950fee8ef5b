"""Make a copy of a chapter run where there is the package and nothing else of the course.

What only the build needs goes: ``myst_nb`` is not imported, and a number that the text quotes is
printed. The first cell installs the package where it is missing, as on Colab.
"""

import re
from copy import deepcopy

import contents
import nbformat

GLUE_IMPORT = re.compile(r"^from myst_nb import glue\n?", re.MULTILINE)
GLUE_CALL = re.compile(r"^(\s*)glue\(", re.MULTILINE)
GLUE_OPTION = re.compile(r",\s*display=(?:True|False),?(\s*\))")
INSTALL = """\
# The course's package, installed where it is missing, as on Colab
try:
    import vaecourse
except ImportError:
    %pip install vaecourse=={version}"""


def without_glue(source):
    """Return the code of a cell with each ``glue`` turned into a ``print``."""
    if "glue" not in source and "myst_nb" not in source:
        return source
    source = GLUE_CALL.sub(r"\1print(", GLUE_IMPORT.sub("", source))
    source = GLUE_OPTION.sub(r"\1", source).strip("\n")
    if re.search(r"\b(glue|myst_nb)\b", source):
        raise ValueError(
            f"a copy of this cell would need myst_nb; write glue(name, value, display=False) on a "
            f"line of its own:\n{source}"
        )
    return source


def version():
    """Return the version of the package, from the one place that holds it."""
    text = (contents.ROOT / "vaecourse/__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"', text, re.MULTILINE)[1]


def standalone(notebook):
    """Return a copy of a notebook that needs the package alone, of this version."""
    copy = deepcopy(notebook)
    for cell in copy.cells:
        if cell.cell_type == "code":
            cell.source = without_glue(cell.source)
    install = nbformat.v4.new_code_cell(INSTALL.replace("{version}", version()), id="install")
    copy.cells.insert(0, install)
    return copy
