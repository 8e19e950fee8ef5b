"""The code cells of a notebook, as Python: any file is answered, with cells or in a sentence."""

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cell", "code_cells"]

OF_PYTHON = ("time", "timeit", "capture", "prun")
"""Magics of a whole cell after which Python follows."""
CELL_MAGIC = re.compile(r"\s*%%(\S*)[^\n]*")
CURE = "give a notebook that JupyterLab saved"


@dataclass(frozen=True)
class Cell:
    """One code cell.

    Attributes
    ----------
    source : str
        What Python runs of it.
    number : int
        Its place among the code cells, from 1.
    file : str
        What a traceback calls it.
    is_solution : bool
        Whether it has the tag ``solution``.
    """

    source: str
    number: int
    file: str
    is_solution: bool

    def __str__(self) -> str:
        return f"Code cell {self.number}"


def code_cells(path: Path) -> list[Cell]:
    """Return the code cells of a notebook, in their order.

    Raises
    ------
    OSError
        If there is no such file, or it cannot be read.
    ValueError
        If it is no notebook.
    """
    found = []
    for cell in _cells(path):
        if cell.get("cell_type") != "code":
            continue
        number = len(found) + 1
        lines = cell.get("source")
        whole = isinstance(lines, list) and all(isinstance(line, str) for line in lines)
        if not whole and not isinstance(lines, str):
            raise ValueError(f"{path} is not a notebook (code cell {number} has no text); {CURE}")
        metadata = cell.get("metadata")
        tags = metadata.get("tags") if isinstance(metadata, dict) else None
        file = f"<{path.name}, code cell {number}>"
        source = _python_of("".join(lines))
        found.append(Cell(source, number, file, "solution" in (tags or ())))
    return found


def _cells(path: Path) -> list[dict]:
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}; {CURE}")
    if not path.is_file():
        raise ValueError(f"{path} is a folder or a device, not a notebook; {CURE}")
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        why = "it is empty" if path.stat().st_size == 0 else str(error)
        raise ValueError(f"{path} is not a notebook ({why}); {CURE}") from error
    cells = content.get("cells") if isinstance(content, dict) else None
    if isinstance(content, dict) and cells is None and "worksheets" in content:
        raise ValueError(
            f"{path} is a notebook of format {content.get('nbformat', 3)}, and 4 is wanted; run: "
            "jupyter nbconvert --to notebook --inplace, with its name"
        )
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise ValueError(f"{path} is not a notebook (it has no list of cells); {CURE}")
    return cells


def _python_of(source: str) -> str:
    """Return a cell as Python, line by line: IPython's own lines become calls of it."""
    magic = CELL_MAGIC.match(source)
    if magic and magic[1] not in OF_PYTHON:
        return ""
    source = source[: magic.start()] + source[magic.end() :] if magic else source
    try:
        ast.parse(source)
    except SyntaxError:
        return _transformed(source)
    except (ValueError, RecursionError, MemoryError):
        pass  # who cuts the cell says so
    return source


def _transformed(source: str) -> str:
    try:
        from IPython.core.inputtransformer2 import TransformerManager
    except ImportError:
        return source
    try:
        return TransformerManager().transform_cell(source)
    except SyntaxError:
        return source
