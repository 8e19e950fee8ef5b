"""What a module of this package runs: its own code and that of all it imports from the package."""

import ast
import hashlib
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path

__all__ = ["imported_modules", "reached_files", "source_hash"]

ROOT = Path(__file__).parent.parent
_parsing = threading.Lock()
"""Python 3.11 counts the depth of all parsing threads in one place, and then fails."""


@cache
def source_hash(module: str) -> str:
    """Hash the code that `module` can reach: what it computes changes only if this does.

    Comments, docstrings and layout do not count, nor does what `module` never imports.

    Parameters
    ----------
    module : str
        Its dotted name, such as ``vaecourse.training``.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path in sorted(reached_files(module)):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(code_of(path.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()


def reached_files(module: str) -> set[Path]:
    """Return the files of the package that `module` imports, at whatever depth, and its own."""
    found: set[Path] = set()
    waiting = [module]
    while waiting:
        path = _file(waiting.pop())
        if path is not None and path not in found:
            found.add(path)
            waiting += imported_modules(path)
    return found


def imported_modules(path: Path) -> Iterator[str]:
    """Yield what a file imports from the package, at the top or inside a function.

    A name that is taken from a module may be a module itself, so both are yielded. What is taken
    from the package's own top is yielded by its name alone: ``import vaecourse`` is the package.
    """
    for node in ast.walk(_parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names += [node.module] if node.module != "vaecourse" else []
        yield from (name for name in names if name.split(".")[0] == "vaecourse")


def code_of(source: str) -> str:
    """Return what Python runs of `source`: no comments, no docstrings, no layout."""
    tree = _parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _parse(source: str) -> ast.Module:
    with _parsing:
        return ast.parse(source)


def _file(module: str) -> Path | None:
    """Return the file of a module, or None for the package itself, which imports everything."""
    parts = module.split(".")[1:]
    place = ROOT.joinpath(*parts)
    choices = [place.with_suffix(".py"), place / "__init__.py"] if parts else []
    return next((path for path in choices if path.exists()), None)
