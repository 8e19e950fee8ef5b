"""Whether data are what a model is a model of, asked once before the work begins.

A density outside its support is a number like any other: pixels from 0 to 255 train a Bernoulli
likelihood without a word. So each head states its support, and data are held against it.
"""

from collections.abc import Callable
from typing import cast

from torch import Tensor, nn

from vaecourse.data.support import check_inside
from vaecourse.objectives.contract import Objective, is_of_package, name_of

__all__ = ["check_labels", "check_support"]


def check_support(
    model: nn.Module, objective: Objective, x: Tensor, transform: Callable | None = None
) -> None:
    """Raise a ValueError unless `x` lies where the model's likelihood has a density.

    An objective of one's own may do anything with x, and a head without a ``support`` says
    nothing: then nothing is asked.

    Parameters
    ----------
    model : Module
        Its likelihood is the head of its decoder.
    objective : callable
        What will be computed.
    x : Tensor
        Shape ``(N, *event)``.
    transform : callable, optional
        What is done to x before. It may say by its ``takes`` what that must be.
    """
    if transform is not None:
        takes = getattr(transform, "takes", None)
        if takes is not None:
            check_inside(x, takes, name_of(transform))
    elif is_of_package(objective):
        head = _likelihood(model)
        modeled = getattr(model, "modeled", None)
        if head is not None:
            values = x if modeled is None else modeled(x)
            check_inside(values, head.support, type(head).__name__)


def _likelihood(model: nn.Module) -> nn.Module | None:
    part = getattr(model, "decoder", None) or getattr(model, "head", None)
    modules = list(part.modules()) if isinstance(part, nn.Module) else []
    return next((one for one in reversed(modules) if hasattr(one, "support")), None)


def check_labels(model: nn.Module, y: Tensor) -> None:
    """Raise a ValueError if a label is none of the classes that the model knows."""
    counts = [cast(int, one.num_classes) for one in model.modules() if hasattr(one, "num_classes")]
    if counts and len(y) and y.max() >= min(counts):
        known = y[y >= 0]
        raise ValueError(
            f"y holds {known.min().item()}..{known.max().item()}; a model of {min(counts)} classes "
            f"takes 0..{min(counts) - 1}, and -1 for unlabeled"
        )
