"""Take the answers out of a notebook, and run no more of it than they need.

A notebook is cut into its top-level statements. For each ``check("name", answer)`` the statements
before it that bind a name which the answer needs are run, in order; figures and training are not.
"""

import ast
import json
import linecache
import re
import symtable
from dataclasses import dataclass
from pathlib import Path

from vaecourse.exercises.answers import own_line

__all__ = ["Found", "answers_in"]

DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
WHOLE = (*DEFINITIONS, ast.Import, ast.ImportFrom, ast.Assign)


@dataclass(frozen=True)
class Statement:
    """One top-level statement of a notebook."""

    node: ast.stmt
    file: str
    binds: frozenset[str]
    needs: frozenset[str]


@dataclass(frozen=True)
class Found:
    """One answer: the exercise's name, the object, and why there is none."""

    name: str
    answer: object = None
    failure: str = ""


def bound(node: ast.stmt) -> frozenset[str]:
    """Return the names that a statement binds at the top level."""
    if isinstance(node, DEFINITIONS):
        return frozenset({node.name})
    if isinstance(node, ast.Import | ast.ImportFrom):
        return frozenset((a.asname or a.name).split(".")[0] for a in node.names)
    stores = (n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    return frozenset(n.id for n in stores)


def needs(node: ast.stmt) -> frozenset[str]:
    """Return the names that a statement takes from outside; locals of a function are none."""
    names: set[str] = set()
    tables = [symtable.symtable(ast.unparse(node), "statement", "exec")]
    while tables:
        table = tables.pop()
        names |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
        tables += table.get_children()
    return frozenset(names)


def parsed(source: str) -> ast.Module:
    """Parse a cell; lines for IPython, also indented ones, do nothing."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.parse(re.sub(r"^([ \t]*)[%!].*$", r"\1pass", source, flags=re.MULTILINE))


def statements(path: Path, solutions: bool) -> list[Statement]:
    """Cut a notebook into statements; with solutions in the place of stubs, or without them."""
    found = []
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for number, cell in enumerate(cells, 1):
        source = "".join(cell["source"])
        is_solution = "solution" in cell.get("metadata", {}).get("tags", [])
        is_stub = not is_solution and re.search(r"^check\(", source, re.MULTILINE)
        if cell["cell_type"] != "code" or (is_stub if solutions else is_solution):
            continue
        file = f"<{path.name}, cell {number}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        for node in parsed(source).body:
            found.append(Statement(node, file, bound(node), needs(node)))
    return found


def is_check(node: ast.stmt) -> bool:
    """Tell whether a statement is ``check("name", answer, ...)``."""
    call = node.value if isinstance(node, ast.Expr) else None
    return (
        isinstance(call, ast.Call)
        and ast.unparse(call.func).split(".")[-1] == "check"
        and len(call.args) == 2
        and isinstance(call.args[0], ast.Constant)
    )


def needed(before: list[Statement], names: frozenset[str]) -> list[Statement]:
    """Return the statements that bind the names, and those that they need in turn.

    A name has the value of its last whole binding. What a function takes from outside may be bound
    after the function, too.
    """
    chosen: set[int] = set()
    wanted = [(name, len(before)) for name in names]
    while wanted:
        name, end = wanted.pop()
        for i in reversed(range(end)):
            statement = before[i]
            if name not in statement.binds:
                continue
            if i not in chosen:
                chosen.add(i)
                late = isinstance(statement.node, DEFINITIONS)
                wanted += [(other, len(before) if late else i) for other in statement.needs]
            if isinstance(statement.node, WHOLE):
                break
    return [before[i] for i in sorted(chosen)]


def evaluate(before: list[Statement], check: Statement) -> Found:
    """Run what one answer needs, and return the answer."""
    name, answer = (check.node.value.args[0].value, check.node.value.args[1])
    loads = frozenset(n.id for n in ast.walk(answer) if isinstance(n, ast.Name))
    space: dict = {"__name__": "__notebook__"}
    try:
        for statement in needed(before, loads):
            code = ast.Module([statement.node], type_ignores=[])
            exec(compile(code, statement.file, "exec"), space)
        return Found(name, eval(compile(ast.Expression(answer), check.file, "eval"), space))
    except Exception as error:
        words = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        return Found(name, failure=f"A cell before it failed. {words} ({own_line(error)})")


def answers_in(path: Path, *, solutions: bool = False) -> list[Found]:
    """Return the answers that a notebook holds, in their order.

    Parameters
    ----------
    path : Path
        The notebook.
    solutions : bool
        Whether to take the cells with the tag ``solution`` in the place of the student's.

    Raises
    ------
    ValueError
        If the file is no notebook, or a cell is no Python.
    """
    try:
        cut = statements(path, solutions)
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a notebook ({error})") from error
    except SyntaxError as error:
        words = f"{error.msg}, line {error.lineno}: {(error.text or '').strip()}"
        raise ValueError(f"a cell of {path} is not Python: {words}") from error
    checks = [(i, statement) for i, statement in enumerate(cut) if is_check(statement.node)]
    return [evaluate(cut[:i], statement) for i, statement in checks]
