"""Other seeds throughout: ``VAECOURSE_SEED_OFFSET`` is added to every seed, and read only here.

A claim that holds for one run of the dice may be luck. With the variable set to an integer, every
seed that a chapter or the package gives to PyTorch, NumPy or scikit-learn is another one, and two
computations that share a seed still share it. Nothing else changes. Without it this file does
nothing.
"""

import os
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

__all__ = ["seed_offset", "shift_seeds"]


def seed_offset() -> int:
    """Return the offset that ``VAECOURSE_SEED_OFFSET`` names, 0 where it is not set.

    Raises
    ------
    ValueError
        If it is not an integer of zero or more.
    """
    text = os.environ.get("VAECOURSE_SEED_OFFSET", "").strip() or "0"
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"VAECOURSE_SEED_OFFSET must be an integer from 0 on, got {text!r}")
    return int(text)


def shift_seeds(offset: int) -> None:
    """Add `offset` to every integer seed given from now on; once in a process.

    Parameters
    ----------
    offset : int
        Zero changes nothing.
    """
    if offset and not hasattr(torch.Generator, "shifted_by"):
        _shift_torch(offset)
        _shift_numpy(offset)
        random.seed = _first_shifted(random.seed, offset, 2**63)


def _first_shifted(function: Callable, offset: int, modulus: int) -> Callable:
    """Return `function` with its first argument shifted where that is an integer."""

    def shifted(seed: Any = None, *rest: Any, **options: Any) -> Any:
        if isinstance(seed, list | tuple):
            seed = [(int(seed[0]) + offset) % modulus, *seed[1:]]
        elif isinstance(seed, int | np.integer):
            seed = (int(seed) + offset) % modulus
        return function(seed, *rest, **options)

    return shifted


def _instances_of(original: Any) -> Any:
    """Return a metaclass whose classes count every `original` as theirs: PyTorch makes some."""
    kind: Any = type(original)

    class Anything(kind):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, original)

    return Anything


def _shift_torch(offset: int) -> None:
    home: Any = torch
    original: Any = torch.Generator
    counted: Any = _instances_of(original)

    class Generator(original, metaclass=counted):
        shifted_by = offset

        def manual_seed(self, seed: int) -> torch.Generator:
            return super().manual_seed((int(seed) + offset) % 2**63)

    home.Generator = Generator
    torch.manual_seed = _first_shifted(torch.manual_seed, offset, 2**63)
    torch.random.manual_seed = torch.manual_seed


def _shift_numpy(offset: int) -> None:
    home: Any = np.random
    original: Any = np.random.RandomState
    counted: Any = _instances_of(original)

    class RandomState(original, metaclass=counted):
        def __init__(self, seed: Any = None) -> None:
            _first_shifted(super().__init__, offset, 2**32)(seed)

    home.RandomState = RandomState
    np.random.seed = _first_shifted(np.random.seed, offset, 2**32)
    np.random.default_rng = _first_shifted(np.random.default_rng, offset, 2**63)
