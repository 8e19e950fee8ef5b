"""The terms of a batch, found without more memory than a pass may take."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from vaecourse.data import Batch
from vaecourse.evaluation.parts import in_parts
from vaecourse.objectives.contract import Checked, Objective, rows_are_independent
from vaecourse.runtime import isolated_rng
from vaecourse.runtime.passes import Cost, excess, part_of, room

__all__ = ["Terms", "with_room"]

Terms = Callable[[Batch], dict[str, Tensor]]
DRAWN_AT_ONCE = 16
"""Normal numbers are drawn in groups of so many; rows in such groups draw what all would draw."""


def with_room(objective: Checked, model: object, x: Tensor, labels: Tensor) -> Terms:
    """Return a function that finds the terms of batches as large as `x`.

    It asks the objective about the whole batch where that has room. Otherwise it lends it a model
    that answers a part at a time. An objective that still makes too much by itself gets fewer rows
    at once, if no row depends on another.

    Parameters
    ----------
    objective : Checked
        ``objective(model, batch)``; tried on few rows first.
    model : Module
        In evaluation mode, without gradients.
    x : Tensor
        Rows of the first batch, shape ``(B, *event)``, on the model's device.
    labels : Tensor
        Labels of all the data: unlabeled rows, if there are any, take the most.
    """
    device = x.device
    low, high = labels.to(device).aminmax()

    def too_much(lent: object) -> Cost | None:
        def ask(rows: int) -> object:
            return objective.objective(lent, Batch(x[:rows], low.expand(rows)))

        return excess(ask, len(x), device)

    cost = too_much(model)
    if cost is None:
        return partial(objective, model)
    tiny = in_parts(model, x.shape[1:], None)
    if _agree(objective.objective, model, tiny, _few_rows(x, low, high)):
        model, cost = in_parts(model, x.shape[1:], part_of(device)), too_much(tiny)
    terms = partial(objective, model)
    if cost is None:
        return terms
    if not _are_independent(partial(objective.objective, model), x, labels.to(device)):
        return terms
    rows = max(cost.rows(part_of(device)), min(DRAWN_AT_ONCE, cost.rows(room(device))))
    return partial(_few_at_a_time, terms, rows)


def _few_rows(x: Tensor, low: Tensor, high: Tensor) -> Batch:
    """Return four rows, two of each kind."""
    places = torch.linspace(0, len(x) - 1, 4, device=x.device).long()
    return Batch(x[places], torch.stack([low, low, high, high]))


def _agree(objective: Objective, model: object, tiny: object, batch: Batch) -> bool:
    """Say whether an objective finds the same with both models."""
    try:
        with isolated_rng(0, batch.x.device):
            whole = objective(model, batch)
        with isolated_rng(0, batch.x.device):
            parts = objective(tiny, batch)
        return all(
            torch.allclose(parts[name], values, rtol=1e-4, atol=1e-4, equal_nan=True)
            for name, values in whole.items()
        )
    except Exception:  # anyone's model and objective may raise anything
        return False


def _are_independent(terms: Terms, x: Tensor, labels: Tensor) -> bool:
    try:
        return rows_are_independent(terms, x, labels)
    except Exception:  # anyone's objective may raise anything
        return False


def _few_at_a_time(terms: Terms, rows: int, batch: Batch) -> dict[str, Tensor]:
    """Find the terms of some rows after the others."""
    if rows > DRAWN_AT_ONCE:
        rows -= rows % DRAWN_AT_ONCE
    starts = list(range(0, len(batch.x), rows))
    if len(batch.x) - starts[-1] < DRAWN_AT_ONCE < rows:
        starts.pop()
    ends = [*starts[1:], len(batch.x)]
    found = [
        terms(Batch(batch.x[start:end], batch.y[start:end]))
        for start, end in zip(starts, ends, strict=True)
    ]
    return {name: torch.cat([some[name] for some in found]) for name in found[0]}
