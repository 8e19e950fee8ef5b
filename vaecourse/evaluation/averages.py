"""Terms of an objective averaged over a data set, without gradients, from a fixed seed."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from vaecourse.checks import as_positive
from vaecourse.data import Batch, HeldOut
from vaecourse.data.door import checked_batch
from vaecourse.evaluation.room import Terms, with_room
from vaecourse.objectives import Objective
from vaecourse.objectives.contract import Checked
from vaecourse.objectives.support import check_labels, check_support
from vaecourse.runtime import Evaluable, evaluating

__all__ = ["ROWS", "averaged", "evaluate"]

ROWS = 1000
"""Examples per pass."""


def evaluate(
    model: Evaluable,
    objective: Objective,
    data: Batch | HeldOut,
    *,
    transform: Callable[[Tensor, torch.Generator], Tensor] | None = None,
    batch_size: int = ROWS,
    seed: int = 0,
) -> dict[str, float]:
    """Average every term of an objective over a data set.

    Parameters
    ----------
    model : Module
        Model to evaluate.
    objective : callable
        ``objective(model, batch) -> dict`` of per-example terms.
    data : Batch or HeldOut
        ``x`` of shape ``(N, *event)`` and ``y`` of shape ``(N,)``.
    transform : callable, optional
        ``transform(x, generator) -> x``, for example dynamic binarization.
    batch_size : int
        Examples of a batch. They go through the networks a part at a time where all of them at once
        would not have room, which changes no term by more than rounding.
    seed : int
        Seed of the transform and of the model's samples.

    Returns
    -------
    dict of str to float
        The mean of each term, in nats per example.

    Raises
    ------
    TypeError
        If the objective does not return a dict of tensors.
    ValueError
        If there are no examples, `batch_size` is no positive integer, x lies outside the support of
        the model's likelihood, a label is none of its classes, or a term is not one number for
        each example.

    Examples
    --------
    >>> import vaecourse as vae
    >>> model, test = vae.mlp_vae((1, 8, 8), latent_dim=2), vae.load("digits").test
    >>> means = vae.evaluation.evaluate(model, vae.objectives.elbo, test)
    >>> list(means)
    ['reconstruction', 'kl', 'elbo', 'loss']
    >>> means == vae.evaluation.evaluate(model, vae.objectives.elbo, test)  # the seed is fixed
    True
    """
    batch_size = as_positive(batch_size, "batch_size")
    x_all, y_all = checked_batch(data.x, data.y, model, transform is not None)
    if isinstance(model, nn.Module):
        check_support(model, objective, x_all, transform)
        check_labels(model, y_all)
    return averaged(model, objective, Batch(x_all, y_all), transform, batch_size, seed)


def averaged(
    model: Evaluable,
    objective: Objective,
    data: Batch,
    transform: Callable[[Tensor, torch.Generator], Tensor] | None,
    batch_size: int,
    seed: int,
) -> dict[str, float]:
    """Do what `evaluate` does with data that were asked about before, as `fit` does at its start.

    Parameters
    ----------
    model, objective, data, transform, batch_size, seed
        As for `evaluate`; the data are tensors of the type of the model's weights.
    """
    found: list[dict[str, Tensor]] = []
    terms: Terms | None = None
    with evaluating(model, seed) as device:
        generator = torch.Generator(device).manual_seed(int(seed))
        for x, y in zip(data.x.split(batch_size), data.y.split(batch_size), strict=True):
            x = x.to(device)
            batch = Batch(transform(x, generator) if transform else x, y.to(device))
            terms = terms or with_room(Checked(objective, trains=False), model, batch.x, data.y)
            found.append(terms(batch))
    return {name: _mean([terms[name] for terms in found], batch_size) for name in found[0]}


def _mean(parts: list[Tensor], batch_size: int) -> float:
    """Average the values of all batches; a device is waited for once, not in every batch."""
    values = torch.cat(parts).cpu().double()
    return sum(part.sum().item() for part in values.split(batch_size)) / len(values)
