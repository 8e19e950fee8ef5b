r"""Weights of a batch in which some rows have a label and others, with y = -1, have none.

The bound is a mean over rows and the label terms are means over the labeled rows, so a weight on
them is a weight per labeled example: it means the same at every batch size and for every number
of labeled rows in a batch. With 100 labels among 50,000 rows, `vaecourse.fit` adds labeled rows
to every batch (``labeled_batch_size``). ``labeled_share``, the share of rows of the *data* that
have a label, takes their excess out of the bound again: a labeled row then counts
:math:`s B / B_\mathrm{l}` and another :math:`(1 - s) B / (B - B_\mathrm{l})`, for
:math:`B_\mathrm{l}` labeled rows among B.
"""

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Rows", "rows_of"]


class Rows(NamedTuple):
    """Which rows have labels, and weights whose batch mean is a mean over some of the rows.

    Counts stay tensors: to read one, a program would have to wait for its accelerator.
    """

    labeled: Tensor
    of_labeled: Tensor
    of_unlabeled: Tensor
    of_all: Tensor | float


def rows_of(y: Tensor, dtype: torch.dtype, labeled_share: float | None) -> Rows:
    """Weigh the rows of a batch by their labels."""
    if labeled_share is not None and not 0 <= labeled_share <= 1:
        raise ValueError(f"labeled_share must lie between 0 and 1, got {labeled_share!r}")
    labeled = y >= 0
    size, count = len(y), labeled.sum().to(dtype)
    of_labeled = labeled.to(dtype) * (size / count.clamp(min=1))
    of_unlabeled = (~labeled).to(dtype) * (size / (size - count).clamp(min=1))
    if labeled_share is None:
        return Rows(labeled, of_labeled, of_unlabeled, 1.0)
    mixed = (count > 0) & (count < size)
    of_all = labeled_share * of_labeled + (1 - labeled_share) * of_unlabeled
    return Rows(labeled, of_labeled, of_unlabeled, of_all.where(mixed, 1.0))
