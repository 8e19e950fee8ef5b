"""Take the library size out."""

import numpy as np
import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def normalize_case(shape, seed, dtype=torch.float32):
    """Return counts with at least one molecule in every cell."""
    x = (4 * normal(shape, seed, torch.float64).abs()).round()
    x[:, 0] += 1
    return (x.to(dtype),)


def normalize_cases():
    """Cells in rows, genes in columns."""
    return [
        normalize_case((3, 4), 1),
        normalize_case((40, 6), 2),
        normalize_case((5, 3), 3, torch.float64),
    ]


def normalize_truth(counts):
    """Normalize cell by cell in NumPy."""
    rows = counts.detach().numpy()
    return torch.from_numpy(np.stack([np.log1p(1e4 * row / row.sum()) for row in rows]))


def per_gene(counts):
    """You divided by the sum over cells. The library size is the sum over a cell's genes."""
    return (1e4 * counts / counts.sum(0).clamp(min=1)).log1p()


def mean_for_sum(counts):
    """You divided by the mean count of the cell, so a cell adds up to 10,000 times G."""
    return (1e4 * counts / counts.mean(1, keepdim=True)).log1p()


def log_first(counts):
    """You took the logarithm first. Scaled logarithms still depend on the library size."""
    logs = counts.log1p()
    return 1e4 * logs / logs.sum(1, keepdim=True)


def without_log(counts):
    """The logarithm is missing: one gene with many counts would rule every distance."""
    return 1e4 * counts / counts.sum(1, keepdim=True)


def without_library(counts):
    """The library size is still in: you took the logarithm of the counts as they are."""
    return counts.log1p()


def common_logarithm(counts):
    """You used the logarithm to base 10. The book's logarithms are natural."""
    return (1e4 * counts / counts.sum(1, keepdim=True)).log1p() / np.log(10)


def proportions_alone(counts):
    """You left the 10,000 out: the logarithm of one plus a proportion is nearly a straight line."""
    return (counts / counts.sum(1, keepdim=True)).log1p()


def normalized_by_matrix(counts):
    """A right answer that scales by a diagonal matrix."""
    return torch.log1p(torch.diag(1e4 / counts.sum(1)) @ counts)


def by_hand(counts):
    """Shares, scaled, then the log."""
    shares = counts / counts.sum(1, keepdim=True)
    return (1 + 10000.0 * shares).log()


EXERCISE = Exercise(
    name="14-normalize",
    title="Take the library size out",
    difficulty=1,
    minutes=10,
    parameters=("counts",),
    cases=normalize_cases,
    truth=normalize_truth,
    vectorized=True,
    hints=(
        "Two cells of one type, one read twice as deeply: which number should not differ?",
        "Divide every row by its sum, scale to 10,000, and only then take log(1 + ·).",
        "`(1e4 * counts / counts.sum(1, keepdim=True)).log1p()`.",
    ),
    mistakes=(
        per_gene,
        mean_for_sum,
        log_first,
        without_log,
        without_library,
        common_logarithm,
        proportions_alone,
    ),
    alternatives=(normalized_by_matrix,),
    formulas=(by_hand,),
    right="The mean no longer depends on the library size. The noise still does.",
)
