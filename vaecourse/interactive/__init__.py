"""Figures that live in the page: the reader moves them, with no kernel and no network.

Every function returns a `LiveFigure`. In a built page it is plain HTML and one ES module; in
JupyterLab it is a widget whose `LiveFigure.state` Python reads and sets. Where scripts are off, and
in print, a picture stands in its place.
"""

from collections.abc import Callable
from importlib import import_module
from inspect import isfunction, signature
from pkgutil import iter_modules

from vaecourse.interactive.host import LiveFigure


def _figures() -> dict[str, Callable[..., LiveFigure]]:
    """Return what the modules of this folder list that makes a figure: there is no other list."""
    modules = (import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))
    listed = ((name, getattr(module, name)) for module in modules for name in module.__all__)
    return {
        name: value
        for name, value in listed
        if isfunction(value) and signature(value).return_annotation is LiveFigure
    }


globals().update(_figures())
__all__ = ["LiveFigure", *sorted(_figures())]
