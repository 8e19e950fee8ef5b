"""Why a term of an objective stopped being finite, by evidence."""

from collections.abc import Iterable
from math import isfinite

from torch import Tensor

__all__ = ["cause"]


def cause(step: int, x: Tensor, options: dict, weights: Iterable[Tensor]) -> str:
    """Say what made a term infinite or NaN, and what to do.

    Parameters
    ----------
    step : int
        The step of the term.
    x : Tensor
        The training data, shape ``(N, *event)``.
    options : dict
        The learning rate ``lr`` and the objective's keywords at that step.
    weights : iterable of Tensor
        The model's weights as the term saw them; none where they have moved on since.

    Returns
    -------
    str
        One or two sentences.
    """
    for name, value in options.items():
        if isinstance(value, float) and not isfinite(value):
            return f"{name} is {value} at that step; give a value that is finite at every step"
    bad = (~x.flatten(1).isfinite().all(1)).nonzero()
    if len(bad):
        return (
            f"x is not finite in {len(bad)} of {len(x)} rows, first in row {bad[0].item()}; "
            "fill or leave out such rows"
        )
    span = f"x runs from {x.min().item():.4g} to {x.max().item():.4g}"
    broken = not all(part.isfinite().all() for part in weights)
    if step == 0:
        first = "its weights are not finite before training" if broken else span
        return (
            f"no update came before it, so the learning rate is not the cause; {first}; look at "
            "the model and the objective, and scale x to what the likelihood takes"
        )
    ruin = "the update before it made weights infinite; " if broken else ""
    rate = options["lr"]
    return f"{ruin}try a learning rate below {rate:.3g} or a slower schedule; {span}"
