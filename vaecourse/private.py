"""What PyTorch has no public name for, each with a way to do without."""

import torch

__all__ = ["transforms_are_active"]


def transforms_are_active() -> bool:
    """Say whether a transform of `torch.func` runs; True where that is unknown: the slow way."""
    ask = getattr(torch._C, "_are_functorch_transforms_active", None)
    return True if ask is None else ask()
