"""What a function is, in words: a checkpoint goes on only with the one that made it.

A function is its module, its name, its code, its defaults and the numbers and functions of its own
module that it names. So are, for a function that no package brought, those that it names in other
modules of the same kind: a helper in a file beside it is part of what it does. A partial is a
function and the values that it fixes. What can only be told apart by its address in memory, as a
lambda, is refused.
"""

import hashlib
import inspect
import sys
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["identity_of"]

PLAIN = bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.device
CURE = "give a named function or a functools.partial of one, whose values a checkpoint can compare"


def identity_of(value: object, role: str) -> str:
    """Describe `value` such that equal descriptions mean equal behavior.

    Parameters
    ----------
    value : object
        A function, a partial, a schedule, a number, an array, or a container of these.
    role : str
        What a message calls it, such as ``objective``.

    Returns
    -------
    str
        The description, the same in every process.

    Raises
    ------
    ValueError
        If `value` is or holds a lambda, a function made inside another, or an object that prints
        as an address in memory.
    """
    return _Describer(role).describe(value)


class _Describer:
    """Describe one value; functions that name one another are described once."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.seen: set[FunctionType] = set()

    def describe(self, value: object) -> str:
        if isinstance(value, PLAIN):
            return repr(value)
        if isinstance(value, Tensor | np.ndarray):
            return _array(torch.as_tensor(value))
        if isinstance(value, dict):
            pairs = (f"{self.describe(k)}: {self.describe(v)}" for k, v in value.items())
            return f"{{{', '.join(pairs)}}}"
        if isinstance(value, tuple | list):
            return f"({', '.join(map(self.describe, value))})"
        if isinstance(value, set | frozenset):
            return f"{{{', '.join(sorted(map(self.describe, value)))}}}"
        return self._callable(value)

    def _callable(self, value: object) -> str:
        if isinstance(value, type | BuiltinFunctionType):
            return f"{value.__module__}.{value.__qualname__}"
        if isinstance(value, partial):
            fixed = (f"{k}={self.describe(v)}" for k, v in sorted(value.keywords.items()))
            inside = (*map(self.describe, (value.func, *value.args)), *fixed)
            return f"partial({', '.join(inside)})"
        if isinstance(value, MethodType):
            return f"{self.describe(value.__self__)}.{value.__name__}"
        if isinstance(value, FunctionType):
            return self._function(value)
        return self._object(value)

    def _function(self, function: FunctionType) -> str:
        name = f"{function.__module__}.{function.__qualname__}"
        inside = inspect.unwrap(function)
        if inside is not function:
            return f"{self.describe(inside)} in {self._decorator(function)}"
        if function.__name__ == "<lambda>" or "<locals>" in name or function.__closure__:
            kind = "a lambda" if function.__name__ == "<lambda>" else f"{name}, made in a function"
            self._refuse(kind)
        if function in self.seen:
            return name
        self.seen.add(function)
        parts = [
            *_code(function.__code__, function.__doc__),
            self.describe(function.__defaults__),
            self.describe(function.__kwdefaults__),
            *self._globals(function),
        ]
        return f"{name} [{_short(parts)}]"

    def _decorator(self, function: FunctionType) -> str:
        """Describe what `functools.wraps` has put around a function: its code and its values."""
        cells = (cell.cell_contents for cell in function.__closure__ or ())
        values = [self.describe(v) if isinstance(v, PLAIN) else type(v).__name__ for v in cells]
        return f"a decorator [{_short([*_code(function.__code__), *values])}]"

    def _globals(self, function: FunctionType) -> Iterable[str]:
        """Describe the numbers and functions that a function names: see the top of this file."""
        found, own = inspect.getclosurevars(function).globals, _is_own(function.__module__)
        if own:  # also what a function inside it names
            names = set(_names(function.__code__)) & set(function.__globals__)
            found = {name: function.__globals__[name] for name in names}
        for name, value in sorted(found.items()):
            inside = value.func if isinstance(value, partial) else value
            home = isinstance(value, FunctionType) and value.__module__ == function.__module__
            beside = own and isinstance(inside, FunctionType) and _is_own(inside.__module__)
            if isinstance(value, PLAIN) or home or beside:
                yield f"{name} = {self.describe(value)}"
            elif own and isinstance(value, ModuleType) and _is_own(value.__name__):
                yield from self._of_module(name, value, function.__code__)

    def _of_module(self, name: str, module: ModuleType, code: CodeType) -> Iterable[str]:
        """Describe the numbers and functions of `module` that are named as ``module.name``."""
        for inner in sorted(set(_names(code)) & set(vars(module))):
            value = getattr(module, inner)
            own = isinstance(value, FunctionType) and _is_own(value.__module__)
            if isinstance(value, PLAIN) or own:
                yield f"{name}.{inner} = {self.describe(value)}"

    def _object(self, value: object) -> str:
        if is_dataclass(value):
            shown = {f.name: getattr(value, f.name) for f in fields(value)}
            return f"{value!r} [{_short([self.describe(shown)])}]"
        text = repr(value)
        if type(value).__repr__ is object.__repr__ or " at 0x" in text:
            self._refuse(f"an object of {type(value).__qualname__} that does not print what it is")
        if isinstance(value, nn.Module):
            text = f"{text} {self.describe(dict(value.state_dict()))}"
        return text

    def _refuse(self, kind: str) -> None:
        raise ValueError(
            f"{self.role} is {kind}: a checkpoint cannot tell it from another; {CURE}, "
            "or train without checkpoint"
        )


def _is_own(module: str) -> bool:
    """Tell whether a module is the user's: no part of Python, this or an installed package."""
    top = module.partition(".")[0]
    if top == "__main__":
        return True
    file = getattr(sys.modules.get(module), "__file__", None)
    if file is None or top == "vaecourse" or top in sys.stdlib_module_names:
        return False
    return not {"site-packages", "dist-packages"} & set(Path(file).parts)


def _names(code: CodeType) -> Iterable[str]:
    """Yield the names that a function and those inside it use."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _code(code: CodeType, docstring: str | None = None) -> Iterable[str]:
    """Yield what a function does, free of docstring, line numbers and the order of sets."""
    yield code.co_code.hex()
    yield repr((code.co_names, code.co_varnames, code.co_freevars))
    documented = docstring is not None and code.co_consts[:1] == (docstring,)
    for constant in code.co_consts[documented:]:
        if isinstance(constant, CodeType):
            yield from _code(constant)
        elif isinstance(constant, frozenset):
            yield repr(sorted(map(repr, constant)))
        else:
            yield repr(constant)


def _array(values: Tensor) -> str:
    content = values.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    return f"{values.dtype} {tuple(values.shape)} {_short([content.hex()])}"


def _short(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
