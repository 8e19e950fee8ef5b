"""Break a right formula in one place, in every way that people do.

Each mutant is the formula with one step wrong: a term left out, a sign turned, a mean for a sum, a
variable squared. An answer whose values are those of a mutant on every case goes wrong in that
step, or in one that comes to the same.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from vaecourse.exercises.mutations import changes, rank

__all__ = ["Mutant", "mutants"]


class Mutant(NamedTuple):
    """A formula that is wrong in one place: what kind of fault that is, and in words."""

    kind: str
    words: str
    function: Callable


class Place(NamedTuple):
    """Where a node hangs in the tree: its parent, the field, and the position in a list."""

    parent: ast.AST
    field: str
    index: int | None

    def put(self, node: ast.AST) -> None:
        """Hang a node here."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def places(tree: ast.AST) -> Iterator[tuple[Place, ast.expr]]:
    """Yield every expression below a node, with its place."""
    for field, value in ast.iter_fields(tree):
        for index, node in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(node, ast.AST):
                continue
            if isinstance(node, ast.expr):
                yield Place(tree, field, index if isinstance(value, list) else None), node
            yield from places(node)


class Inline(ast.NodeTransformer):
    """Put what a local name stands for in its place."""

    def __init__(self, known: dict[str, str]):
        self.known = known

    def visit_Name(self, node):
        """Replace a local name that was bound once."""
        if node.id not in self.known:
            return node
        return self.visit(ast.parse(self.known[node.id], mode="eval").body)


def bound_once(tree: ast.FunctionDef) -> dict[str, str]:
    """Return the local names that one plain assignment binds."""
    found: dict[str, ast.expr] = {}
    again = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            again |= {name} & set(found)
            found[name] = node.value
    return {name: ast.unparse(value) for name, value in found.items() if name not in again}


def writer(tree: ast.FunctionDef) -> Callable[[ast.expr], str]:
    """Return a function that writes an expression in the names of the parameters, where short."""
    known = bound_once(tree)

    @cache
    def inlined(plain: str) -> str:
        try:
            full = ast.unparse(Inline(known).visit(ast.parse(plain, mode="eval").body))
        except RecursionError:
            return plain
        return full if len(full) <= 60 else plain

    return lambda node: inlined(ast.unparse(node))


def is_read(node: ast.expr) -> bool:
    """Tell whether an expression is used, and not bound."""
    return isinstance(getattr(node, "ctx", ast.Load()), ast.Load)


@cache
def mutants(formula: Callable) -> tuple[Mutant, ...]:
    """Return the mutants of a formula; nothing where its source is not at hand."""
    try:
        source = textwrap.dedent(inspect.getsource(formula))
    except (OSError, TypeError):
        return ()
    module = ast.parse(source)
    tree = module.body[0]
    if not isinstance(tree, ast.FunctionDef):
        return ()
    tree.decorator_list = []
    parameters = tuple(argument.arg for argument in tree.args.args)
    show, found, known = writer(tree), [], {ast.dump(tree)}
    body = ast.Module(tree.body, [])
    for place, node in list(places(body)):
        if isinstance(node, ast.Starred) or not is_read(node):
            continue
        for kind, words, new in changes(node, parameters, show):
            place.put(new)
            text = ast.dump(tree)
            function = compiled(module, formula) if text not in known else None
            place.put(node)
            if function is not None:
                known.add(text)
                found.append(Mutant(kind, words, function))
    return tuple(sorted(found, key=lambda mutant: rank(mutant.kind)))


def compiled(module: ast.Module, formula: Callable) -> Callable | None:
    """Compile a tree as it stands, in the room of the formula."""
    room = dict(formula.__globals__)
    try:
        exec(compile(ast.fix_missing_locations(module), "<mutant>", "exec"), room)
    except (SyntaxError, ValueError, TypeError):
        return None
    return room[formula.__name__]
