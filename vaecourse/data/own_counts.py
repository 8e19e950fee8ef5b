"""Counts of a reader's own cells, or of other things that are counted, as a `Batch`."""

from typing import Any

import numpy as np
import torch

from vaecourse.data.codes import as_labels
from vaecourse.data.limits import check_held
from vaecourse.data.split import Batch, batch_of

__all__ = ["from_counts"]

LARGEST = 2**24
"""Up to here every whole number is a float32."""


def from_counts(X: Any, site: Any = None, labels: Any = None) -> Batch:
    """Turn a table of counts into rows that `CountVAE` takes: the counts, then the site.

    Parameters
    ----------
    X : numpy.ndarray, sparse matrix, pandas.DataFrame, Tensor or AnnData, shape (N, G)
        Raw counts of G genes in N cells, one row a cell. Of an object with ``.X`` and ``.obs``,
        as AnnData is, the former is taken.
    site : sequence or str, shape (N,), optional
        Where each cell comes from: whole numbers from 0, or strings, which are numbered in sorted
        order. With ``.obs`` it may be the name of a column. Without it every site is 0.
    labels : sequence or str, shape (N,), optional
        The class of each cell, under the same rules. None, NaN and -1 mean unlabeled. Without it
        every label is -1.

    Returns
    -------
    Batch
        ``x`` of shape (N, G + 1), float32, whose last column is the site, and ``y`` of shape (N,).
        `vaecourse.data.cells.observed` takes a row apart. Where labels were strings, the batch's
        ``classes`` name them.

    Raises
    ------
    TypeError
        If `site` or `labels` are neither whole numbers nor strings, or some of both.
    ValueError
        If `X` is empty, is no table, takes more than 4 GB as float32, or holds anything but whole
        numbers from 0; if `site` or `labels` are not one a row, or a number is no code.

    Examples
    --------
    >>> import numpy as np
    >>> import vaecourse as vae
    >>> counts = np.array([[0, 3], [7, 1], [2, 2]])
    >>> batch = vae.data.from_counts(counts, site=["Oslo", "Lima", "Oslo"])
    >>> batch.x
    tensor([[0., 3., 1.],
            [7., 1., 0.],
            [2., 2., 1.]])
    """
    annotated = not hasattr(X, "to_numpy") and hasattr(X, "X") and hasattr(X, "obs")
    obs = X.obs if annotated else None
    counts = _checked(_dense(X.X if annotated else X))
    x = np.empty((len(counts), counts.shape[1] + 1), np.float32)
    x[:, :-1] = counts
    found = as_labels(_column(labels, "labels", obs), len(x), "labels")
    sites = as_labels(_column(site, "site", obs), len(x), "site", missing=False)
    x[:, -1] = 0 if site is None else sites.y.numpy()
    return batch_of(torch.from_numpy(x), found)


def _dense(table: Any) -> np.ndarray:
    """Return the table as an array, if it is one and can be held."""
    shape = tuple(table.shape) if hasattr(table, "shape") else np.shape(table)
    if len(shape) != 2 or 0 in shape:
        raise ValueError(
            f"X must have shape (N, G), N cells of G genes and at least one of each, got {shape}"
        )
    check_held((shape[0], shape[1] + 1), "X", ValueError, "select cells or genes")
    if isinstance(table, torch.Tensor):
        return table.detach().to_dense().cpu().numpy()
    return np.asarray(table.toarray() if hasattr(table, "toarray") else table)


def _checked(counts: np.ndarray) -> np.ndarray:
    """Return the counts, or say which of them is none."""
    if counts.dtype == object:
        counts = np.array([[_number(value) for value in row] for row in counts])
    if counts.dtype.kind not in "buif":
        raise ValueError(f"X must hold numbers, got {counts.dtype}: leave columns of text out")
    wrong = counts < 0
    if counts.dtype.kind == "f":
        wrong |= ~np.isfinite(counts) | (counts != np.floor(counts))
    if not wrong.any():
        if counts.max() > LARGEST:
            raise ValueError(
                f"X holds {counts.max():,.0f}, and float32 counts exactly to {LARGEST:,} only: "
                "give raw counts, of cells and not of whole samples"
            )
        return counts
    value = counts[wrong][0]
    why = ", as log-normalized data do" if np.isfinite(value) and value > 0 else ""
    raise ValueError(
        f"counts must be whole numbers, 0 or more; X holds {value:g}{why}: give the raw counts"
    )


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"X must hold numbers, got {value!r}: leave columns of text out") from None


def _column(values: Any, what: str, obs: Any) -> Any:
    """Return the values, or the column of ``.obs`` that they name."""
    if not isinstance(values, str):
        return values
    columns = [str(column) for column in obs] if obs is not None else []
    if values not in columns:
        there = f"X.obs has {', '.join(columns) or 'none'}" if obs is not None else "X has none"
        raise ValueError(
            f"{what} names the column {values!r}, {there}: give such a name or a value a row"
        )
    return obs[values]
