"""Modules that have moved into folders stay importable by their older names."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["MovedModules"]


class MovedModules(MetaPathFinder, Loader):
    """Let ``import old`` give the module that lies at a new place, and no copy of it.

    Parameters
    ----------
    places : dict of str to str
        For every name below ``vaecourse`` the module it leads to, also below ``vaecourse``.
    """

    def __init__(self, places: dict[str, str]) -> None:
        self.places = {f"vaecourse.{name}": f"vaecourse.{place}" for name, place in places.items()}

    def install(self) -> None:
        """Ask this finder after all others."""
        sys.meta_path.append(self)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return how to load an old name."""
        return ModuleSpec(fullname, self) if fullname in self.places else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module at its new place."""
        module = import_module(self.places[spec.name])
        self.own = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own name back, in place of the old one that Python has put there."""
        module.__spec__ = self.own
