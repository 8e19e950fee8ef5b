"""What a training step changes that is no number on the device, by evidence.

A step that is captured once and repeated runs its kernels again and its Python never again. Who
counts calls, draws from `random`, appends to a list or prints would silently stop doing so.
"""

import inspect
import io
import itertools
import random
import sys
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["PythonState", "Witness", "random_states", "set_random_states", "watching"]

PLAIN = bool, int, float, complex, str, bytes, type(None), itertools.count
SEQUENCES = list, tuple, deque, set, frozenset
DEEPEST, LONGEST = 8, 1000
INSIDE_TORCH = {"_parameters", "_buffers", "_modules", "_non_persistent_buffers_set"}


class Witness(io.TextIOBase):
    """A stream that passes on what is printed, and remembers that something was."""

    def __init__(self, stream: Any) -> None:
        self.stream, self.printed = stream, False

    def write(self, text: str) -> int:
        """Pass `text` on."""
        self.printed = True
        return self.stream.write(text)

    def flush(self) -> None:
        """Flush the stream behind."""
        self.stream.flush()


@contextmanager
def watching() -> Iterator[list[Witness]]:
    """Witness what the block prints; warnings, which it has given before, are left out."""
    out, err = Witness(sys.stdout), Witness(sys.stderr)
    with redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield [out, err]


def random_states() -> tuple[Any, ...]:
    """Return the state of Python's, NumPy's and PyTorch's random numbers on the CPU."""
    # A learner's code may draw from NumPy's old generator.
    return random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002


def set_random_states(states: tuple[Any, ...]) -> None:
    """Put back what `random_states` returned."""
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002
    torch.set_rng_state(states[2])


class PythonState:
    """Every plain value that functions and objects can reach, and the random numbers of the CPU.

    Parameters
    ----------
    roots : dict of str to object
        Functions, modules and other objects under the names that a message calls them.

    Attributes
    ----------
    tensors : list of Tensor
        Those among the values.
    """

    def __init__(self, roots: dict[str, object]) -> None:
        names = ("random", "NumPy", "torch on the CPU")
        python, (_, *numpy_state), cpu = random_states()
        states = python, (numpy_state[0].tobytes(), *numpy_state[1:]), cpu.numpy().tobytes()
        self.values: dict[str, object] = {
            f"the random numbers of {name}": state
            for name, state in zip(names, states, strict=True)
        }
        self.seen: dict[int, object] = {}
        self.tensors: list[Tensor] = []
        for name, root in roots.items():
            self._walk(name, root, 0)

    def difference(self, later: "PythonState") -> str | None:
        """Say what is other in `later`, or None if nothing is."""
        for name in dict.fromkeys([*self.values, *later.values]):
            if self.values.get(name) != later.values.get(name):
                return f"every step changes {name}"
        return None

    def _walk(self, name: str, value: object, depth: int) -> None:
        if isinstance(value, Tensor):
            self.tensors.append(value)
        told = _told(value)
        if told is not None:
            self.values[name] = told
        elif depth < DEEPEST and id(value) not in self.seen:
            self.seen[id(value)] = value  # kept, so that no other object gets its address
            for inner, part in _parts(value):
                self._walk(f"{name}{inner}", part, depth + 1)


def _told(value: object) -> object:
    """Return what tells a simple value from another, or None for what consists of others."""
    if isinstance(value, PLAIN):
        return repr(value)
    if isinstance(value, Tensor):
        # What kernels write on the device is repeated; what is done on the CPU is not.
        written = value._version if value.device.type == "cpu" else None
        return tuple(value.shape), value.data_ptr(), written
    if isinstance(value, np.ndarray):
        return value.shape, value.tobytes() if value.size < 1e6 else None
    if isinstance(value, np.random.Generator):
        return repr(value.bit_generator.state)
    if isinstance(value, random.Random):
        return value.getstate()
    if isinstance(value, io.IOBase):
        return value.tell() if not value.closed and value.seekable() else "a stream"
    return None


def _parts(value: object) -> Iterable[tuple[str, object]]:
    """Yield what a value consists of, with what is added to its name."""
    if isinstance(value, dict):
        yield " (its length)", len(value)
        for place, (key, part) in enumerate(list(value.items())[:LONGEST]):
            yield f"[{key!r:.40}]" if isinstance(key, PLAIN) else f"[{place}]", part
    elif isinstance(value, SEQUENCES):
        yield " (its length)", len(value)
        yield from ((f"[{place}]", part) for place, part in enumerate(list(value)[:LONGEST]))
    elif isinstance(value, partial):
        yield from (("", value.func), (" (fixed)", value.args), ("", value.keywords))
    elif isinstance(value, MethodType):
        yield from (("", value.__self__), ("", value.__func__))
    elif isinstance(value, FunctionType):
        yield from _parts_of_function(value)
    elif not isinstance(value, type | ModuleType):
        yield from _attributes(value)


def _parts_of_function(function: FunctionType) -> Iterable[tuple[str, object]]:
    inside: Any = inspect.unwrap(function)
    yield " (defaults)", (inside.__defaults__, inside.__kwdefaults__)
    yield from ((f".{name}", value) for name, value in vars(inside).items())
    for name, cell in zip(inside.__code__.co_freevars, inside.__closure__ or (), strict=True):
        with_value = cell != type(cell)()
        yield f": {name}", cell.cell_contents if with_value else None
    for name in inside.__code__.co_names:
        value = inside.__globals__.get(name)
        elsewhere = isinstance(value, FunctionType) and value.__module__ != inside.__module__
        if not elsewhere:
            yield f": {name}", value


def _attributes(value: object) -> Iterable[tuple[str, object]]:
    hidden = INSIDE_TORCH if isinstance(value, nn.Module) else ()
    own = getattr(value, "__dict__", {})
    yield from ((f".{name}", part) for name, part in own.items() if name not in hidden)
    if isinstance(value, nn.Module):
        yield from ((f".{name}", part) for name, part in value.named_parameters(recurse=False))
        yield from ((f".{name}", part) for name, part in value.named_buffers(recurse=False))
        yield from ((f".{name}", part) for name, part in value.named_children())
