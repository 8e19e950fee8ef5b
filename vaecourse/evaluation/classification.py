"""Predicted labels and what they are worth, computed in batches, without gradients."""

import torch
from torch import Tensor, nn

from vaecourse.data import Batch, HeldOut
from vaecourse.data.door import as_input
from vaecourse.models.protocols import PredictorModule
from vaecourse.objectives.support import check_labels
from vaecourse.runtime.passes import in_passes

__all__ = ["confusion_matrix", "error_rate", "predict"]


def predict(model: PredictorModule, x: Tensor, *, batch_size: int | None = None) -> Tensor:
    """Return the probability of every class for every example.

    Parameters
    ----------
    model : M2, StackedM2 or PredictionConstrainedVAE
        Model with ``predict``.
    x : Tensor or array-like
        Shape ``(N, *event)``; arrays as `Batch.of` takes them.
    batch_size : int, optional
        Most examples per pass, by default 1000 on a CPU and 10,000 on an accelerator; fewer where
        they would not have room.

    Returns
    -------
    Tensor
        Shape ``(N, C)``, on the CPU.
    """
    return in_passes(model, as_input(x, model), lambda part: model.predict(part).probs, batch_size)


def error_rate(model: PredictorModule, data: Batch | HeldOut) -> float:
    """Return the share of labeled examples whose likeliest class is not their label.

    Parameters
    ----------
    model : M2, StackedM2 or PredictionConstrainedVAE
        Model with ``predict``.
    data : Batch or HeldOut
        Examples; those without a label (-1) do not count.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If no example has a label.
    """
    labels, probs = _labeled(model, data)
    if not len(labels):
        raise ValueError("error_rate needs at least one example with a label, got none")
    return (probs.argmax(1) != labels).double().mean().item()


def confusion_matrix(model: PredictorModule, data: Batch | HeldOut) -> Tensor:
    """Count how often each label is predicted as each class.

    Parameters
    ----------
    model : M2, StackedM2 or PredictionConstrainedVAE
        Model with ``predict``.
    data : Batch or HeldOut
        Examples; those without a label (-1) do not count.

    Returns
    -------
    Tensor
        Counts, shape ``(C, C)``: row is the label, column the prediction.
    """
    labels, probs = _labeled(model, data)
    num = probs.shape[1]
    pairs = labels * num + probs.argmax(1)
    return torch.bincount(pairs, minlength=num * num).reshape(num, num)


def _labeled(model: PredictorModule, data: Batch | HeldOut) -> tuple[Tensor, Tensor]:
    """Return the labels that there are and the predictions for their examples, on the CPU."""
    if isinstance(model, nn.Module):
        check_labels(model, data.y)
    labeled = data.y >= 0
    return data.y[labeled].cpu(), predict(model, data.x[labeled])
