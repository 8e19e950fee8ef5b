"""Heads over classes: what a classifier returns, and the prior that knows nothing."""

import torch
from torch import Tensor, nn
from torch import distributions as td

from vaecourse.checks import as_positive, check_positive
from vaecourse.distributions.densities import full_precision

__all__ = ["Categorical", "UniformClasses"]


def _categorical(logits: Tensor) -> td.Categorical:
    return td.Categorical(logits=full_precision(logits), validate_args=False)


class Categorical(nn.Module):
    """Head that turns C logits into a distribution over C classes.

    Parameters
    ----------
    num_classes : int
        Number C of classes.

    Raises
    ------
    ValueError
        If `num_classes` is not a positive integer.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = as_positive(num_classes, "num_classes")
        self.in_shape = (self.num_classes,)

    def forward(self, logits: Tensor) -> td.Categorical:
        """Turn logits ``(*batch, C)`` into a distribution over ``0, …, C - 1``."""
        return _categorical(logits)


class UniformClasses(nn.Module):
    """The prior p(y) that gives C classes the same probability: a head that needs no input.

    Parameters
    ----------
    num_classes : int
        Number C of classes.

    Raises
    ------
    ValueError
        If `num_classes` is not a positive integer.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        check_positive(num_classes=num_classes)
        self.logits: Tensor
        self.register_buffer("logits", torch.zeros(num_classes), persistent=False)

    def forward(self) -> td.Categorical:
        """Return the distribution."""
        return _categorical(self.logits)
