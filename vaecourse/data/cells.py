"""Simulated single-cell counts whose every cause is known.

A cell has a type, comes from one of several sites (laboratories, donors, days: what the field
calls batches), and is read to a depth of its own. `simulate` draws all of these and the counts, and
keeps the means; `split` packs the counts for `vaecourse.fit`; `observed` unpacks a row.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vaecourse.checks import check_positive
from vaecourse.data.split import Batch, HeldOut, Split

__all__ = ["Cells", "Observed", "log_normalize", "observed", "simulate", "split"]


class Cells(NamedTuple):
    """Simulated cells, and the truth behind them. N cells, G genes.

    Attributes
    ----------
    counts : numpy.ndarray, shape (N, G), int64
        Molecules counted.
    types, sites : numpy.ndarray, shape (N,), int64
        The type of each cell and the site that it comes from.
    depth : numpy.ndarray, shape (N,), float64
        Molecules that the site would count in this cell on average if none dropped out.
    activity : numpy.ndarray, shape (N,), float64
        A continuous state of the cell, standard normal, that moves a fifth of the genes.
    dropout : numpy.ndarray, shape (N, G), float64
        Probability that a gene is missed in a cell altogether.
    means : numpy.ndarray, shape (N, G), float64
        The expected counts, dropout included: what a good model recovers.
    theta : numpy.ndarray, shape (G,), float64
        Inverse dispersion of each gene.
    """

    counts: np.ndarray
    types: np.ndarray
    sites: np.ndarray
    depth: np.ndarray
    activity: np.ndarray
    dropout: np.ndarray
    means: np.ndarray
    theta: np.ndarray

    @property
    def proportions(self) -> np.ndarray:
        """The share of each gene in the expected counts of its cell, shape (N, G)."""
        return self.means / self.means.sum(1, keepdims=True)


def simulate(
    num: int = 3000,
    genes: int = 300,
    seed: int = 0,
    *,
    types: int = 6,
    sites: int = 2,
    contrast: float = 0.3,
    site_effect: float = 0.5,
    dropout: float = 0.3,
) -> Cells:
    r"""Draw cells of known type, site, depth and expression.

    .. math::
        \rho = \operatorname{softmax}(b + t_{\text{type}} + s_{\text{site}} + a\,d), \quad
        \mu = \ell\rho, \quad
        x \sim \mathrm{NB}(\mu, \theta)\ \text{or, with probability}\ p = p_0 e^{-\mu/2},\ 0,

    for the depth :math:`\ell`, log-normal with median 1500, the activity a and its direction d.

    Parameters
    ----------
    num, genes : int
        Numbers of cells and genes.
    seed : int
        Equal seeds give equal cells. Global random states are neither read nor changed.
    types, sites : int
        How many cell types there are, and how many sites of equal size. At a site the rarest type
        is a third as common as the commonest, and at every other site their order is reversed.
    contrast, site_effect : float
        Standard deviations of the log fold changes between types and between sites, per gene.
    dropout : float
        Largest probability :math:`p_0` that a gene is missed.

    Returns
    -------
    Cells
        The counts and the truth.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    check_positive(num=num, genes=genes, types=types, sites=sites)
    if not (contrast >= 0 and site_effect >= 0 and 0 <= dropout < 1):
        raise ValueError(
            "contrast and site_effect must not be negative and dropout must lie in [0, 1), got "
            f"{contrast!r}, {site_effect!r} and {dropout!r}"
        )
    of_genes, of_cells = (np.random.default_rng([seed, stream]) for stream in (1, 2))
    base = of_genes.normal(0, 1.2, genes)
    by_type = contrast * of_genes.normal(size=(types, genes))
    by_site = site_effect * of_genes.normal(size=(sites, genes))
    direction = 0.4 * of_genes.normal(size=genes) * (of_genes.random(genes) < 0.2)
    theta = of_genes.gamma(4.0, 1.0, genes) + 0.5

    site = of_cells.integers(sites, size=num)
    common = np.cumsum(np.linspace(3, 1, types) / (2 * types))
    kind = np.searchsorted(common[:-1], of_cells.random(num))
    kind = np.where(site % 2, types - 1 - kind, kind)
    depth = np.exp(of_cells.normal(np.log(1500), 0.5, num))
    activity = of_cells.normal(size=num)
    logits = base + by_type[kind] + by_site[site] + activity[:, None] * direction
    shares = np.exp(logits - logits.max(1, keepdims=True))
    rate = depth[:, None] * shares / shares.sum(1, keepdims=True)
    missed = dropout * np.exp(-rate / 2)
    counts = of_cells.poisson(rate * of_cells.gamma(theta, 1 / theta, rate.shape))
    counts *= of_cells.random(rate.shape) >= missed
    return Cells(counts, kind, site, depth, activity, missed, rate * (1 - missed), theta)


def split(cells: Cells, *, share: float = 1 / 6) -> Split:
    """Pack cells into training, validation and test parts, in the order that they have.

    Parameters
    ----------
    cells : Cells
        What `simulate` drew: its cells are in random order.
    share : float
        Share of the cells in the validation and in the test part. The test part comes last.

    Returns
    -------
    Split
        Rows of G counts and, in the last column, the site, shape (N, G + 1); y is the type.

    Raises
    ------
    ValueError
        If `share` leaves a part empty.
    """
    num = len(cells.types)
    held = int(num * share)
    if not 0 < held < num / 2:
        raise ValueError(f"share must leave cells in each part, got {share!r} of {num} cells")
    rows = np.concatenate([cells.counts, cells.sites[:, None]], 1)
    x, y = torch.tensor(rows, dtype=torch.float32), torch.tensor(cells.types)
    sizes = [num - 2 * held, held, held]
    (x1, x2, x3), (y1, y2, y3) = x.split(sizes), y.split(sizes)
    identity = hashlib.sha256(f"{rows.shape}".encode())
    for array in (rows, cells.types):
        identity.update(np.ascontiguousarray(array, np.int64).data)
    return Split("cells", Batch(x1, y1), Batch(x2, y2), HeldOut(x3, y3), identity.hexdigest())


class Observed(NamedTuple):
    """What is known of each cell before any model: counts, their sum, and the site.

    Attributes
    ----------
    counts : Tensor, shape ``(*batch, G)``
        Molecules counted.
    library : Tensor, shape ``(*batch, 1)``
        The library size: the sum of the counts, and 1 for a cell without any.
    site : Tensor, shape ``(*batch)``, int64
        Where the cell comes from.
    """

    counts: Tensor
    library: Tensor
    site: Tensor


def observed(x: Tensor) -> Observed:
    """Take apart rows of a `split`: shape ``(*batch, G + 1)``, counts and then the site."""
    counts = x[..., :-1]
    return Observed(counts, counts.sum(-1, keepdim=True).clamp(min=1), x[..., -1].long())


def log_normalize(counts: Tensor, target: float = 1e4) -> Tensor:
    r"""Return :math:`\log(1 + \text{target}\cdot x/\sum_g x_g)`, the usual view of single cells.

    Parameters
    ----------
    counts : Tensor
        Shape ``(*batch, G)``.
    target : float
        What every cell's counts are scaled to add up to.

    Returns
    -------
    Tensor
        Shape ``(*batch, G)``.
    """
    return (counts * (target / counts.sum(-1, keepdim=True).clamp(min=1))).log1p()
