"""What is asked of an objective or transform, which may be anyone's, and how a message names it.

Results are checked at the first call, and at no other.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor

from vaecourse.data import Batch
from vaecourse.runtime import isolated_rng

__all__ = [
    "Checked",
    "Objective",
    "check_options",
    "check_terms",
    "check_transformed",
    "is_of_package",
    "name_of",
    "rows_are_independent",
]

CURE = "sum over the dimensions of an example and keep the batch"
Objective = Callable[..., dict[str, Tensor]]
"""Anything of the form ``f(model, batch, **options) -> dict`` with a ``loss`` among its terms."""


def name_of(function: object) -> str:
    """Return what a message calls an objective or another function."""
    inner = getattr(function, "func", None)
    if inner is not None:
        return name_of(inner)
    return getattr(function, "__qualname__", type(function).__qualname__)


def is_of_package(value: object) -> bool:
    """Say whether a function, and those that it has been given, are of this package or PyTorch."""
    if isinstance(value, partial):
        given = (*value.args, *value.keywords.values())
        return all(map(is_of_package, (value.func, *filter(callable, given))))
    home = getattr(value, "__module__", None) or type(value).__module__
    return value is None or home.split(".")[0] in ("vaecourse", "torch")


def check_options(objective: Objective, options: Iterable[str]) -> None:
    """Raise a TypeError unless ``objective(model, batch, **options)`` is a call it can take.

    Parameters
    ----------
    objective : callable
        The objective, with or without fixed keywords.
    options : iterable of str
        Names of the keywords that it will be given.
    """
    name = name_of(objective)
    try:
        signature = inspect.signature(objective)
    except ValueError:  # some functions in C have none
        return
    known = _keywords(signature)
    for option in options:
        if known is not None and option not in known:
            raise TypeError(
                f"schedules names {option!r}, but {name} takes {', '.join(known) or 'no keyword'}"
            )
    try:
        signature.bind(None, None, **dict.fromkeys(options))
    except TypeError as error:
        raise TypeError(
            f"{name} cannot be called as {name}(model, batch"
            f"{''.join(f', {option}=…' for option in options)}): {error}; fix a keyword with "
            "functools.partial, or vary it with schedules"
        ) from error


def _keywords(signature: inspect.Signature) -> list[str] | None:
    """Return the keywords after model and batch, or None where any is welcome."""
    parameters = list(signature.parameters.values())
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return None
    first = [p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters[:2]]
    options = parameters[sum(first) :]
    return [p.name for p in options if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]


class Checked:
    """An objective whose first result is checked, and no other.

    Parameters
    ----------
    objective : callable
        ``objective(model, batch, **options) -> dict``.
    trains : bool
        Whether it must have a loss with a gradient, as in training.
    """

    def __init__(self, objective: Objective, trains: bool) -> None:
        self.objective, self.trains, self.fresh = objective, trains, True

    def __call__(self, model: object, batch: Batch, **options: Any) -> dict[str, Tensor]:
        """Return the objective's terms."""
        terms = self.objective(model, batch, **options)
        if self.fresh:
            check_terms(terms, len(batch.x), name_of(self.objective), self.trains)
            self.fresh = False
        return terms


def check_terms(terms: object, size: int, name: str, trains: bool) -> None:
    """Raise an error that says what an objective returned and what it should have returned.

    Parameters
    ----------
    terms : object
        What it returned for a batch of `size` examples.
    size : int
        Number of examples.
    name : str
        What the message calls the objective.
    trains : bool
        Whether a ``loss`` with a gradient is wanted.

    Raises
    ------
    TypeError
        If `terms` is no dict of tensors.
    ValueError
        If there is no ``loss``, it has no gradient, or a term is not one number for each example.
    """
    wanted = f"a dict of terms of shape ({size},), one number for each example"
    if not isinstance(terms, Mapping):
        raise TypeError(f"{name} returned {_shown(terms)}; return {wanted}, a 'loss' among them")
    if trains and "loss" not in terms:
        found = ", ".join(map(repr, terms)) or "nothing"
        raise ValueError(f"{name} returned {found} and no 'loss'; training minimizes its mean")
    for term, values in terms.items():
        if not isinstance(values, Tensor):
            raise TypeError(f"{name} returned {_shown(values)} as {term!r}; return {wanted}")
        if values.shape != (size,):
            cure = "leave out the mean or sum over the batch" if values.dim() == 0 else CURE
            raise ValueError(
                f"{name} returned {term!r} of shape {tuple(values.shape)} for {size} examples, "
                f"wanted shape ({size},), one number for each; {cure}"
            )
    if trains and torch.is_grad_enabled() and not terms["loss"].requires_grad:
        raise ValueError(
            f"the 'loss' of {name} has no gradient, so no weight can learn from it; compute it "
            "from the model's output, without detach, item or torch.no_grad"
        )


def rows_are_independent(
    terms: Callable[[Batch], dict[str, Tensor]], x: Tensor, labels: Tensor
) -> bool:
    """Say whether the terms of a row stay as they are when the rows beside it change.

    The number of rows and the seed stay, so the row's own noise does too, and only rounding could
    change its terms. A loss that looks at the number of rows alone is not found.

    Parameters
    ----------
    terms : callable
        Terms of a batch.
    x : Tensor
        Rows to try, shape ``(B, *event)``.
    labels : Tensor
        Labels of all the data, shape ``(N,)``: the rows may lack a kind of label.
    """
    x = x[torch.linspace(0, len(x) - 1, 4, device=x.device).long()]
    low, high = labels.aminmax()
    y = torch.stack([low, low, high, high])

    def first_row(*order: int) -> Tensor:
        index = torch.tensor(order, device=x.device)
        # Shortened factors would hide a small dependence behind their rounding.
        exact = torch.autocast(x.device.type, enabled=False)
        with isolated_rng(0, x.device), exact:
            found = terms(Batch(x[index], y[index]))
        return torch.stack([values[0] for values in found.values()])

    pairs = [(first_row(row, 0, 1, 1), first_row(row, 3, 3, 2)) for row in (0, 3)]
    return all(torch.allclose(*pair, rtol=1e-5, atol=1e-6, equal_nan=True) for pair in pairs)


def check_transformed(x: object, size: int, transform: object) -> None:
    """Raise a TypeError unless a transform returned a tensor of `size` examples."""
    if not isinstance(x, Tensor) or x.dim() == 0 or len(x) != size:
        raise TypeError(
            f"the transform {name_of(transform)} returned {_shown(x)} for {size} examples; return "
            "a tensor with as many rows as it was given"
        )


def _shown(value: object) -> str:
    shape = f" of shape {tuple(value.shape)}" if isinstance(value, Tensor) else ""
    return f"{type(value).__name__}{shape}"
