r"""How codes match known factors: mutual information gap and factor prediction.

Codes are an array ``(N, L)``, factors a mapping from a name to an array ``(N,)``, as
`vaecourse.data.strokes.strokes` returns them. No model is asked, so the true factors, turned or
mixed, can be scored as if they were codes. scikit-learn counts and predicts.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from vaecourse.checks import check_positive

__all__ = [
    "FactorPrediction",
    "MutualInformation",
    "factor_prediction",
    "mutual_information",
]


class MutualInformation(NamedTuple):
    """What each latent unit says about each factor.

    Attributes
    ----------
    matrix : numpy.ndarray
        Shape ``(L, K)``: mutual information of each unit and each factor, in nats.
    entropies : numpy.ndarray
        Shape ``(K,)``: entropy of each factor in nats, the most that a unit can say.
    """

    matrix: np.ndarray
    entropies: np.ndarray

    @property
    def gaps(self) -> np.ndarray:
        """Lead of the best unit over the second best for each factor, a part of its entropy."""
        first, second = np.sort(self.matrix, axis=0)[:-3:-1]
        return (first - second) / self.entropies

    @property
    def gap(self) -> float:
        """Mutual information gap: the mean of `gaps` (Chen et al., 2018, equation 6)."""
        return float(self.gaps.mean())


class FactorPrediction(NamedTuple):
    """How well each factor is predicted from the codes, and from which of them.

    Attributes
    ----------
    matrix : numpy.ndarray
        Shape ``(L, K)``: importance of each unit for predicting each factor; columns sum to 1.
    informativeness : numpy.ndarray
        Shape ``(K,)``: 1 minus the error on examples that the predictor has not seen, over the
        error of the best constant: 1 is perfect, 0 useless. Errors are squared, or, for a factor of
        whole numbers, misclassifications.
    """

    matrix: np.ndarray
    informativeness: np.ndarray

    @property
    def disentanglement(self) -> float:
        """1 if every unit serves one factor; units count by their total importance."""
        weights = self.matrix.sum(1) / self.matrix.sum()
        return float(weights @ _concentration(self.matrix))

    @property
    def completeness(self) -> float:
        """1 if every factor is served by one unit."""
        return float(_concentration(self.matrix.T).mean())


def mutual_information(
    codes: ArrayLike, factors: Mapping[str, ArrayLike], *, bins: int = 20
) -> MutualInformation:
    r"""Measure the mutual information of every latent unit with every factor.

    .. math::
        I(z_j; v_k) = \sum_{a, b} p(a, b) \log\frac{p(a, b)}{p(a)\, p(b)}

    over the cells of a two-dimensional histogram with as many examples in each row and column as in
    any other. A variable of at most `bins` different values is counted as it is. The estimate is
    too large by about :math:`(B_j - 1)(B_k - 1) / 2N` nats for B bins and N examples; in the gap
    this cancels.

    Parameters
    ----------
    codes : array_like
        Shape ``(N, L)``, two units or more.
    factors : mapping of str to array_like
        K arrays ``(N,)``.
    bins : int
        Bins of a continuous variable.

    Returns
    -------
    MutualInformation
        The matrix, the entropies, and from them the gaps.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, or a factor is constant.
    """
    from sklearn.metrics import mutual_info_score

    check_positive(bins=bins)
    arrays, truths = _as_arrays(codes, factors)
    units = [_binned(unit, bins) for unit in arrays.T]
    truth = [_binned(factor, bins) for factor in truths.values()]
    matrix = [[mutual_info_score(unit, factor) for factor in truth] for unit in units]
    entropies = [mutual_info_score(factor, factor) for factor in truth]
    return MutualInformation(np.array(matrix), np.array(entropies))


def factor_prediction(
    codes: ArrayLike, factors: Mapping[str, ArrayLike], *, num_trees: int = 20, seed: int = 0
) -> FactorPrediction:
    r"""Predict every factor from the codes, and say which units were needed.

    A random forest is fitted to each factor on the first half of the examples and tested on the
    second. With :math:`R_{jk}` the importance of unit j for factor k, :math:`P_{jk} = R_{jk} /
    \sum_{k'} R_{jk'}` and :math:`\rho_j = \sum_k R_{jk} / \sum_{j'k} R_{j'k}`, disentanglement is

    .. math::
        \sum_j \rho_j \Big(1 + \sum_k P_{jk} \log_K P_{jk}\Big),

    and completeness the same for the columns, over L units and unweighted (Eastwood and Williams,
    2018, section 2).

    Parameters
    ----------
    codes : array_like
        Shape ``(N, L)``, two units or more.
    factors : mapping of str to array_like
        K arrays ``(N,)``, two or more. Integer arrays are predicted as classes.
    num_trees : int
        Trees of a forest.
    seed : int
        Seed of the forests.

    Returns
    -------
    FactorPrediction
        The matrix of importances and the informativeness; from them disentanglement and
        completeness.

    Raises
    ------
    ValueError
        If shapes do not fit, a value is not finite, a factor is constant, or there is only one.
    """
    check_positive(num_trees=num_trees)
    arrays, truths = _as_arrays(codes, factors)
    if len(truths) < 2:
        raise ValueError(f"factors must hold at least two factors, got {len(truths)}")
    for name, values in truths.items():
        unseen = values[len(values) // 2 :]
        if (unseen == unseen[0]).all():
            raise ValueError(f"factor {name!r} never varies in the second half; shuffle examples")
    results = [_predict(arrays, factor, num_trees, seed) for factor in truths.values()]
    importances, informativeness = zip(*results, strict=True)
    return FactorPrediction(np.stack(importances, axis=1), np.array(informativeness))


def _as_arrays(
    given: ArrayLike, factors: Mapping[str, ArrayLike]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    codes = np.asarray(given, dtype=np.float64)
    if codes.ndim != 2 or codes.shape[1] < 2 or len(codes) < 4 or not np.isfinite(codes).all():
        raise ValueError(
            "codes must be finite, (N, L) with at least 4 examples and 2 units, got shape "
            f"{codes.shape}"
        )
    arrays = {name: np.asarray(values) for name, values in factors.items()}
    if not arrays:
        raise ValueError("factors must hold at least one factor, got none")
    for name, values in arrays.items():
        if values.shape != (len(codes),) or not np.isfinite(values).all():
            raise ValueError(
                f"factor {name!r} must hold {len(codes)} finite numbers, one per code, got shape "
                f"{values.shape}"
            )
        if (values == values[0]).all():
            raise ValueError(f"factor {name!r} never varies; leave it out")
    return codes, arrays


def _binned(values: np.ndarray, bins: int) -> np.ndarray:
    """Number the values by bins of equal counts, or as they are where they are few."""
    different, numbers = np.unique(values, return_inverse=True)
    if len(different) <= bins:
        return numbers
    edges = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, values, side="right")


def _predict(
    codes: np.ndarray, factor: np.ndarray, num_trees: int, seed: int
) -> tuple[np.ndarray, float]:
    """Return importances ``(L,)`` and informativeness of one factor."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    is_class = np.issubdtype(factor.dtype, np.integer)
    forest = RandomForestClassifier if is_class else RandomForestRegressor
    half = len(codes) // 2
    # Every split may choose among all units: one chosen from a few would use units without need.
    model = forest(num_trees, min_samples_leaf=5, max_features=None, random_state=seed)
    model.fit(codes[:half], factor[:half])
    predicted, wanted = model.predict(codes[half:]), factor[half:]
    if is_class:
        commonest = np.unique(wanted, return_counts=True)[1].max()
        error, constant = np.mean(predicted != wanted), 1 - commonest / len(wanted)
    else:
        error, constant = np.mean((predicted - wanted) ** 2), wanted.var()
    return model.feature_importances_, max(0.0, float(1 - error / constant))


def _concentration(matrix: np.ndarray) -> np.ndarray:
    """Return 1 minus the entropy of each row, in units of the largest that it could be."""
    from scipy.special import xlogy

    totals = matrix.sum(1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.full_like(matrix, 1 / matrix.shape[1]),
                       where=totals > 0)  # fmt: skip
    return 1 + xlogy(shares, shares).sum(1) / np.log(matrix.shape[1])
