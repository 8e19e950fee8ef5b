"""What training recorded: every term at every step, and the validation terms of every epoch."""

from dataclasses import dataclass, field

import numpy as np

__all__ = ["CAPTURED", "STEP_BY_STEP", "History"]

CAPTURED, STEP_BY_STEP = "captured steps", "step by step"


@dataclass
class History:
    """Record of one call of `vaecourse.fit`.

    Parameters
    ----------
    terms : dict of str to ndarray
        For each term of the objective, its batch mean at every step, in nats.
    validation : dict of str to ndarray
        For each term, its mean over the validation images after every epoch; empty without them.
    steps_per_epoch : int
        Steps in one pass over the training images.
    seconds : float
        Wall time spent training, validation included, summed over resumed runs.
    route : str
        How steps were run: as CUDA graphs (``"captured steps"``) or ``"step by step"``, where
        there is a GPU with the reason why.
    """

    terms: dict[str, np.ndarray] = field(default_factory=dict)
    validation: dict[str, np.ndarray] = field(default_factory=dict)
    steps_per_epoch: int = 1
    seconds: float = 0.0
    route: str = STEP_BY_STEP

    def __len__(self) -> int:
        return len(next(iter(self.terms.values()), ()))

    def __getitem__(self, term: str) -> np.ndarray:
        if term not in self.terms:
            known = ", ".join(self.terms) or "none yet"
            raise KeyError(f"no term {term!r} was recorded; the terms are: {known}")
        return self.terms[term]

    def epochs(self, term: str) -> np.ndarray:
        """Return the mean of `term` over each full epoch, shape ``(epochs,)``."""
        values = self[term]
        full = len(values) // self.steps_per_epoch
        return values[: full * self.steps_per_epoch].reshape(full, -1).mean(1)

    def __repr__(self) -> str:
        tail = {name: values[-self.steps_per_epoch :].mean() for name, values in self.terms.items()}
        terms = ", ".join(f"{name} {value:.2f}" for name, value in tail.items())
        return f"{len(self):,} steps in {self.seconds:.0f} s; last epoch: {terms}"
