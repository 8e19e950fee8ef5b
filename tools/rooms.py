"""Count the rooms of the package, the arrows between them and the lines in them.

    python tools/rooms.py [FOLDER]
    python tools/rooms.py --walk      the rooms that the training of a small VAE goes through

A room is a module or a folder directly under vaecourse/. An arrow is an import of one by another.
"""

import sys
from pathlib import Path

from speak import on_any_terminal

from vaecourse.runtime.source import imported_modules

DOORS = {"__init__", "__main__"}
ARROW = ["networks", "distributions", "models", "objectives", "training"]


def room(path, package):
    """Return the room that a file of `package` lies in."""
    return path.relative_to(package).parts[0].removesuffix(".py")


def imported_rooms(path):
    """Return the rooms that a file imports; the package itself is the room ``vaecourse``."""
    return {(name.split(".")[1:] or ["vaecourse"])[0] for name in imported_modules(path)}


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


def walked():
    """Train a small VAE for a step and return the rooms that run, in the order of their first call.

    The call is ``vae.fit(vae.mlp_vae(...), vae.objectives.elbo, split)``.
    """
    import vaecourse as vae

    package, split = Path(vae.__file__).parent, vae.load("digits")
    home, files = str(package), {}

    def called(frame, event, _):
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(home) and code.co_name != "<module>":
            files.setdefault(code.co_filename)

    sys.setprofile(called)
    try:
        model = vae.mlp_vae(split.train.x.shape[1:], latent_dim=2)
        vae.fit(model, vae.objectives.elbo, split, steps=1, device="cpu")
    finally:
        sys.setprofile(None)
    found = {}
    for path in map(Path, files):
        found.setdefault(room(path, package), path.relative_to(package).as_posix())
    return {name: path for name, path in found.items() if name not in DOORS}


def main():
    """Print a line for every room, and the sums; or the walk of a training."""
    if sys.argv[1:] == ["--walk"]:
        for name, path in walked().items():
            print(f"{name:18} first in vaecourse/{path}")
        return
    package = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent) / "vaecourse"
    knows = by_room(package)
    sizes = {name: lines(package, name) for name in knows}
    for name, others in sorted(knows.items(), key=lambda item: len(reached(item[0], knows))):
        print(f"{name:18} {sizes[name]:6,} lines  {' '.join(sorted(others))}")
    arrows = sum(len(others) for others in knows.values())
    print(f"{len(knows)} rooms, {arrows} arrows, {sum(sizes.values()):,} lines")


if __name__ == "__main__":
    sys.exit(on_any_terminal(main))
