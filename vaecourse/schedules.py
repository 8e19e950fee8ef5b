"""Schedules: a number for every training step, and how many steps that takes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import cos, pi

from vaecourse.checks import as_positive, check_positive_number

__all__ = ["Schedule", "cyclical", "linear_schedule", "warmup_cosine"]


@dataclass(frozen=True)
class Schedule:
    """A function of the step, with the number of steps after which it has said all it has to say.

    Parameters
    ----------
    function : callable
        Maps a step in ``0, 1, …`` to a float.
    steps : int
        Steps until the schedule is complete. `vaecourse.fit` refuses one longer than training.
    name : str
        What the schedule prints as. A checkpoint compares the function too, so give one that it
        can tell from another: a named one, or a `functools.partial` of one.
    """

    function: Callable[[int], float]
    steps: int
    name: str

    def __call__(self, step: int) -> float:
        """Return the value at `step`."""
        return self.function(step)

    def __repr__(self) -> str:
        return self.name


def linear_schedule(start: float, end: float, steps: int) -> Schedule:
    """Go from `start` at step 0 to `end` at step `steps`, then stay there.

    Parameters
    ----------
    start, end : float
        First and last value.
    steps : int
        Steps that the change takes.

    Returns
    -------
    Schedule
        For example ``linear_schedule(0, 1, 2000)`` to anneal beta (Bowman et al., 2016).

    Raises
    ------
    ValueError
        If `steps` is not a positive integer.

    Examples
    --------
    >>> import vaecourse as vae
    >>> beta = vae.linear_schedule(0, 1, steps=100)
    >>> [beta(step) for step in (0, 25, 50, 100, 200)]
    [0.0, 0.25, 0.5, 1.0, 1.0]
    """
    steps = as_positive(steps, "steps")
    value = partial(_linear, start, end, steps)
    # What a schedule prints is part of a checkpoint, hence the former name.
    return Schedule(value, steps, f"linear({start}, {end}, {steps})")


linear = linear_schedule  # its former name, which a network has too, but for its capital


def _linear(start: float, end: float, steps: int, step: int) -> float:
    return start + (end - start) * min(step / steps, 1.0)


def warmup_cosine(peak: float, warmup: int, steps: int) -> Schedule:
    """Rise linearly to `peak` over `warmup` steps, then fall to zero along half a cosine.

    Parameters
    ----------
    peak : float
        Largest value, reached at step `warmup`.
    warmup : int
        Steps of the rise. Where they would fill the run, it takes half of `steps` instead.
    steps : int
        Steps in all.

    Returns
    -------
    Schedule
        A learning rate for a fixed budget of steps.

    Raises
    ------
    ValueError
        If a count is not a positive integer or `peak` is not a positive number.

    Examples
    --------
    Rise for three steps, fall for four:

    >>> import vaecourse as vae
    >>> lr = vae.warmup_cosine(0.004, warmup=3, steps=7)
    >>> [lr(step) for step in (0, 1, 3, 5, 7)]
    [0.001, 0.002, 0.004, 0.002, 0.0]
    """
    check_positive_number(peak=peak)
    warmup, steps = as_positive(warmup, "warmup"), as_positive(steps, "steps")
    if warmup >= steps:
        warmup = steps // 2
    value = partial(_warmup_cosine, peak, warmup, steps)
    return Schedule(value, steps, f"warmup_cosine({peak}, {warmup}, {steps})")


def _warmup_cosine(peak: float, warmup: int, steps: int, step: int) -> float:
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    return peak * 0.5 * (1 + cos(pi * min((step - warmup) / (steps - warmup), 1.0)))


def cyclical(start: float, end: float, steps: int, cycles: int) -> Schedule:
    """Repeat a linear rise `cycles` times: half of each cycle rises, half holds `end`.

    Parameters
    ----------
    start, end : float
        First and last value of each cycle.
    steps : int
        Steps in all.
    cycles : int
        Number of cycles in `steps`.

    Returns
    -------
    Schedule
        Cyclical annealing of beta (Fu et al., 2019).

    Raises
    ------
    ValueError
        If a count is not a positive integer.
    """
    steps, cycles = as_positive(steps, "steps"), as_positive(cycles, "cycles")
    value = partial(_cyclical, start, end, steps, cycles)
    return Schedule(value, steps, f"cyclical({start}, {end}, {steps}, {cycles})")


def _cyclical(start: float, end: float, steps: int, cycles: int, step: int) -> float:
    position = 1.0 if step >= steps else (step * cycles / steps) % 1.0
    return start + (end - start) * min(2 * position, 1.0)
