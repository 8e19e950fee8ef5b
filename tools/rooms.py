"""Count the rooms of the package, the arrows between them and the lines in them.

    python tools/rooms.py [FOLDER]

A room is a module or a folder directly under vaecourse/. An arrow is an import of one by another.
"""

import ast
import sys
from pathlib import Path

from speak import on_any_terminal

DOORS = {"__init__", "__main__"}
ARROW = ["networks", "distributions", "models", "objectives", "training"]


def room(path, package):
    """Return the room that a file of `package` lies in."""
    return path.relative_to(package).parts[0].removesuffix(".py")


def imported_rooms(path):
    """Return the rooms that a file imports, at the top or inside a function.

    ``import vaecourse`` is an arrow to the package itself.
    """
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "vaecourse":
                names = [f"vaecourse.{alias.name}" for alias in node.names]
        parts = [name.split(".") for name in names]
        rooms |= {(part[1:] or part)[0] for part in parts if part[0] == "vaecourse"}
    return rooms


def by_room(package):
    """Return for every room the rooms that any of its files imports, without itself."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        name = room(path, package)
        found.setdefault(name, set()).update(imported_rooms(path) - {name})
    return {name: rooms for name, rooms in found.items() if name not in DOORS}


def reached(name, knows):
    """Return every room that `name` reaches by arrows."""
    found, waiting = set(), [name]
    while waiting:
        new = set(knows.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found


def lines(package, name):
    """Count the lines of a room."""
    files = [path for path in package.rglob("*.py") if room(path, package) == name]
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in files)


def main():
    """Print a line for every room, and the sums."""
    package = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent) / "vaecourse"
    knows = by_room(package)
    sizes = {name: lines(package, name) for name in knows}
    for name, others in sorted(knows.items(), key=lambda item: len(reached(item[0], knows))):
        print(f"{name:18} {sizes[name]:6,} lines  {' '.join(sorted(others))}")
    arrows = sum(len(others) for others in knows.values())
    print(f"{len(knows)} rooms, {arrows} arrows, {sum(sizes.values()):,} lines")


if __name__ == "__main__":
    sys.exit(on_any_terminal(main))
