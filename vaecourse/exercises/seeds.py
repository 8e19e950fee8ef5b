"""The global random generators: seed them for a while, and put them back."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

__all__ = ["generator_states", "seeded"]


def generator_states() -> tuple[bytes, bytes, tuple]:
    """Return the states of the three global generators, to be compared."""
    numpy_state = np.random.get_state()  # noqa: NPY002  (a student may use the legacy generator)
    return torch.get_rng_state().numpy().tobytes(), numpy_state[1].tobytes(), random.getstate()


@contextmanager
def seeded(seed: int | None = None) -> Iterator[None]:
    """Put the global generators back at the end; begin from `seed` if there is one."""
    states = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    if seed is not None:
        torch.set_rng_state(torch.Generator().manual_seed(seed).get_state())
        np.random.set_state(np.random.RandomState(seed).get_state())  # noqa: NPY002
        random.setstate(random.Random(seed).getstate())
    try:
        yield
    finally:
        torch.set_rng_state(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        random.setstate(states[2])
