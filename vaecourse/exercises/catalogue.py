"""Find the exercises of all chapters."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from vaecourse.exercises.exercise import Exercise

__all__ = ["exercises"]


@cache
def exercises() -> dict[str, Exercise]:
    """Return every exercise by its name, in the order of the book.

    Each module ``chapter_NN`` of this package has a tuple ``EXERCISES``.
    """
    package = import_module("vaecourse.exercises")
    names = sorted(m.name for m in iter_modules(package.__path__) if m.name.startswith("chapter_"))
    chapters = (import_module(f"vaecourse.exercises.{name}").EXERCISES for name in names)
    return {exercise.name: exercise for chapter in chapters for exercise in chapter}
