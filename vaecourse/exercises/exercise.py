"""What an exercise is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

__all__ = ["Estimate", "Exercise", "Mistake", "normal"]


class Estimate(NamedTuple):
    """A Monte Carlo value and its standard error; a check compares in standard errors."""

    value: torch.Tensor
    error: torch.Tensor


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that learners really give.

    Attributes
    ----------
    wrong : callable
        The wrong answer, written out: it takes what the answer takes. Where the answer is a value
        and no function, it takes nothing and returns the wrong value. Its docstring is what the
        student is told: one or two sentences that name the mistake, not the answer.
    found : callable, optional
        Tells whether an answer makes this mistake. Without it, an answer makes the mistake where
        its values and gradients are those of `wrong` on every case.
    """

    wrong: Callable
    found: Callable[[Any], bool] | None = None

    @property
    def name(self) -> str:
        """Name of the mistake: that of its function, with hyphens."""
        return self.wrong.__name__.strip("_").replace("_", "-")

    @property
    def message(self) -> str:
        """What the student is told."""
        return " ".join((self.wrong.__doc__ or "").split())


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One exercise: what is asked, how an answer is judged, and how it goes wrong.

    Attributes
    ----------
    name : str
        ``"NN-name"``, with the number of the chapter.
    title : str
        The title that it has in the chapter.
    difficulty : int
        1, 2 or 3.
    minutes : int
        How long it takes.
    hints : tuple of str
        Three: a nudge, the way, the line.
    truth : callable, optional
        The exact answer, from mathematics and not from the solution. It takes the inputs of a case,
        in double precision, and returns what the answer, or `measure`, should. None where the
        properties decide alone.
    also : tuple of callable
        Other exact answers that pass, where the task leaves a choice; each is as `truth` is.
    parameters : tuple of str, optional
        Names of the parameters of the function that is asked for. None where the answer is a value.
    cases : callable
        Returns the inputs to try, a list of tuples. The first is the one that messages speak of.
    returns : type or tuple of types
        What the answer returns, or is.
    measure : callable, optional
        Turns an answer that is random, or no tensor, into tensors and `Estimate`s that can be
        compared. It takes the answer, to be called, and the inputs of a case.
    gradients : tuple of str
        Parameters that a gradient must reach.
    vectorized : bool
        Whether a loop over rows is remarked on. The cases must then differ tenfold in rows.
    loops : bool
        Whether an answer that loops over rows passes. Where it does not, the task says so.
    dtype : torch.dtype, optional
        The dtype that the task asks for, where it is not that of the inputs.
    properties : tuple of callable
        Each takes the answer, to be called with any inputs, and returns what is wrong, or None.
    tolerance : float
        Largest error, relative to the largest exact value.
    mistakes : tuple of callable or Mistake
        Known mistakes: wrong answers, each with a docstring that says what is wrong.
    alternatives : tuple of callable
        Right answers written in another way than the solution; the tests hand them in.
    formulas : tuple of callable
        Right answers as one would write them by hand, step by step. Broken in one place after the
        other they are compared with a wrong answer, and what fits is told in their words.
    right : str
        One sentence more for a right answer: what it shows.
    """

    name: str
    title: str
    difficulty: int
    minutes: int
    hints: tuple[str, str, str]
    truth: Callable | None
    also: tuple[Callable, ...] = ()
    parameters: tuple[str, ...] | None = None
    cases: Callable[[], list[tuple]] = lambda: [()]
    returns: type | tuple[type, ...] = torch.Tensor
    measure: Callable | None = None
    gradients: tuple[str, ...] = ()
    vectorized: bool = False
    loops: bool = True
    dtype: torch.dtype | None = None
    properties: tuple[Callable, ...] = ()
    tolerance: float = 1e-4
    mistakes: tuple[Callable | Mistake, ...] = ()
    alternatives: tuple[Callable, ...] = ()
    formulas: tuple[Callable, ...] = ()
    right: str = ""

    @property
    def chapter(self) -> int:
        """Number of the chapter."""
        return int(self.name[:2])

    @property
    def catalogue(self) -> tuple[Mistake, ...]:
        """Known mistakes."""
        return tuple(m if isinstance(m, Mistake) else Mistake(m) for m in self.mistakes)


def normal(shape, seed: int, dtype=torch.float32, scale: float = 1.0) -> torch.Tensor:
    """Draw normal numbers for a case, the same every time."""
    generator = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(shape, generator=generator, dtype=torch.float64)).to(dtype)
