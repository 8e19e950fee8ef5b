"""What the heads share: no density loses digits, and each is one number per event."""

from collections.abc import Sized

import torch
from torch import Tensor
from torch import distributions as td

__all__ = ["full_precision", "independent"]


def full_precision(x: Tensor) -> Tensor:
    """Return `x` in float32 if autocast made it shorter: densities need every digit."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def independent(base: td.Distribution, event_shape: Sized) -> td.Independent:
    """Return `base` with a density that sums over the event."""
    return td.Independent(base, len(event_shape), validate_args=False)
