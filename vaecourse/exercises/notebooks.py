"""Take the answers out of a notebook, and run no more of it than they need.

A notebook is cut into its top-level statements. For each ``check("name", answer)`` the statements
before it that bind a name which the answer needs are run, in order; figures and training are not.
What cannot be read costs its own cell, which is named by its number among the code cells.
"""

import ast
import linecache
import re
import symtable
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vaecourse.exercises.cells import Cell, code_cells

__all__ = ["Asked", "CellError", "Notebook", "read"]

DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
WHOLE = (*DEFINITIONS, ast.Import, ast.ImportFrom, ast.Assign)
UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What Python raises of a source that is none."""
IN_CELL = re.compile(r"<.*, (code cell \d+)>$")
ASKS = re.compile(r"""\bcheck\(\s*(?:name\s*=\s*)?["']([^"'\n]*)["']""")


@dataclass(frozen=True)
class Statement:
    """One top-level statement of a notebook."""

    node: ast.stmt
    cell: Cell
    binds: frozenset[str]
    needs: frozenset[str]


@dataclass(frozen=True)
class Asked:
    """One call of ``check``: the exercise's name, and what has to run to have the answer."""

    name: str
    cell: Cell
    answer: ast.expr | None
    before: tuple[Statement, ...] = ()
    failure: str = ""

    def made(self) -> object:
        """Run what the answer needs and return it, or raise a `CellError`."""
        if self.failure:
            raise CellError(self.failure)
        loads = frozenset(n.id for n in ast.walk(self.answer) if isinstance(n, ast.Name))
        space: dict = {"__name__": "__notebook__", "get_ipython": no_ipython}
        here = self.cell
        try:
            for statement in needed(self.before, loads):
                here = statement.cell
                code = ast.Module([statement.node], type_ignores=[])
                exec(compile(code, here.file, "exec"), space)
            here = self.cell
            return eval(compile(ast.Expression(self.answer), here.file, "eval"), space)
        except Exception as error:
            raise CellError(failed(here, error)) from error
        except SystemExit as error:
            raise CellError(failed(here, error)) from None


@dataclass(frozen=True)
class Notebook:
    """What a notebook asks to be checked, and which of its cells could not be read."""

    asked: tuple[Asked, ...]
    unread: tuple[str, ...]


class CellError(Exception):
    """A cell did not give what an answer needs; the words say which and why."""


def no_ipython() -> None:
    """Stand in for what IPython would do."""
    raise RuntimeError("a line of IPython, such as !ls, does not run here")


def failed(cell: Cell, error: BaseException) -> str:
    """Say which cell failed and how, with the line of the notebook that did."""
    text = " ".join(str(error).split())[:300]
    words = f"{type(error).__name__}: {text}" if text else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if IN_CELL.match(frame.filename)]
    if not own:
        return f"{cell} failed. {words}"
    place, line = IN_CELL.match(own[-1].filename), own[-1].line
    other = "" if own[-1].filename == cell.file else f" of {place[1]}"
    return f"{cell} failed. {words} (line {own[-1].lineno}{other}: {line})"


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


def statements(cell: Cell) -> list[Statement]:
    """Cut a cell into statements."""
    lines = cell.source.splitlines(keepends=True)
    linecache.cache[cell.file] = (len(cell.source), None, lines, cell.file)
    tree = ast.parse(cell.source, cell.file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # What parses may still be no program, such as a return outside of a function.
        compile(tree, cell.file, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    nodes = tree.body
    return [Statement(node, cell, bound(node), needs(node)) for node in nodes]


def aliases(before: list[Statement]) -> set[str]:
    """Return the names by which the statements know `check`."""
    imports = [s.node for s in before if isinstance(s.node, ast.ImportFrom)]
    every = [alias for node in imports for alias in node.names]
    return {"check"} | {a.asname for a in every if a.name == "check" and a.asname}


def calls(node: ast.stmt, names: set[str]) -> Iterator[ast.Call]:
    """Yield the calls of `check` in a statement, wherever it runs them."""
    waiting: list[ast.AST] = [node]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, (*DEFINITIONS, ast.Lambda)):
            continue  # a call in a function runs where that is called
        if isinstance(one, ast.Call) and ast.unparse(one.func).split(".")[-1] in names:
            yield one
        waiting = [*ast.iter_child_nodes(one), *waiting]


def asked_by(call: ast.Call, cell: Cell, before: list[Statement]) -> Asked:
    """Return what a call of `check` asks."""
    given = dict(zip(("name", "answer"), call.args, strict=False))
    given |= {word.arg: word.value for word in call.keywords if word.arg}
    name, answer = given.get("name"), given.get("answer")
    known = isinstance(name, ast.Constant) and isinstance(name.value, str)
    if known and answer is not None and len(call.args) <= 2:
        return Asked(name.value, cell, answer, tuple(before))
    words = f'{cell} asks {ast.unparse(call)}; write check("NN-name", answer) to have it checked'
    return Asked(name.value if known else "?", cell, None, failure=words)


def needed(before: tuple[Statement, ...], names: frozenset[str]) -> list[Statement]:
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


def read(path: Path, *, solutions: bool = False) -> Notebook:
    """Read what a notebook asks to be checked; nothing of it runs.

    Parameters
    ----------
    path : Path
        The notebook.
    solutions : bool
        Whether to take the cells with the tag ``solution`` in the place of the student's.

    Raises
    ------
    OSError, ValueError
        If the file is no notebook; the words say what it is.
    """
    before: list[Statement] = []
    asked: list[Asked] = []
    unread: list[str] = []
    for cell in code_cells(path):
        is_stub = not cell.is_solution and ASKS.search(cell.source)
        if is_stub if solutions else cell.is_solution:
            continue
        try:
            cut = statements(cell)
        except UNREADABLE as error:
            words = f"{cell} is not Python: {in_words(error)}"
            unread.append(words)
            asked += [Asked(name, cell, None, failure=words) for name in ASKS.findall(cell.source)]
            continue
        for statement in cut:
            for call in calls(statement.node, aliases([*before, statement])):
                asked.append(asked_by(call, cell, before))
            before.append(statement)
    return Notebook(tuple(asked), tuple(unread))


def in_words(error: BaseException) -> str:
    """Say why a source is no Python."""
    if isinstance(error, SyntaxError):
        return f"{error.msg}, line {error.lineno}: {(error.text or '').strip()}"
    return " ".join(str(error).split()) or type(error).__name__
