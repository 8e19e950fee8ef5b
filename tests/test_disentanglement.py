"""Scores of codes whose answer is known: the factors themselves, turned, mixed, or absent."""

from math import log

import numpy as np
import pytest

from vaecourse.evaluation import disentanglement
from vaecourse.evaluation.disentanglement import (
    FactorPrediction,
    MutualInformation,
    factor_prediction,
    mutual_information,
)

RNG = np.random.default_rng(0)
N = 4000
FACTORS = {
    "kind": RNG.integers(5, size=N),
    "width": RNG.uniform(size=N),
    "angle": RNG.normal(size=N),
}
TRUTH = np.stack([(v - v.mean()) / v.std() for v in FACTORS.values()], axis=1)


def _turned(codes):
    """Turn codes so that every new unit mixes all three old ones."""
    return codes @ (np.array([[2.0, -1, 2], [2, 2, -1], [-1, 2, 2]]) / 3)


def test_the_factors_themselves_are_perfect():
    order = [2, 0, 1]  # neither the order nor the scale or the sign of a unit matters
    codes = TRUTH[:, order] * [-3.0, 1.0, 0.01]
    information = mutual_information(codes, FACTORS)
    assert information.gap > 0.97
    assert information.matrix.argmax(0).tolist() == [1, 2, 0]
    prediction = factor_prediction(codes, FACTORS)
    assert prediction.disentanglement > 0.97
    assert prediction.completeness > 0.97
    assert (prediction.informativeness > 0.98).all()


def test_a_turn_keeps_the_information_and_loses_the_match():
    codes = _turned(TRUTH)
    assert mutual_information(codes, FACTORS).gap < 0.2
    prediction = factor_prediction(codes, FACTORS)
    assert prediction.disentanglement < 0.4
    assert prediction.completeness < 0.4
    assert (prediction.informativeness > 0.8).all()


def test_noise_scores_nothing():
    codes = np.random.default_rng(1).normal(size=(N, 6))
    assert mutual_information(codes, FACTORS).gap < 0.01
    prediction = factor_prediction(codes, FACTORS)
    assert prediction.disentanglement < 0.05
    assert prediction.completeness < 0.05
    assert prediction.informativeness.max() < 0.02


def test_a_factor_held_twice_is_disentangled_and_incomplete():
    codes = np.concatenate([TRUTH, TRUTH + 0.01 * RNG.normal(size=TRUTH.shape)], axis=1)
    assert mutual_information(codes, FACTORS).gap < 0.2
    prediction = factor_prediction(codes, FACTORS)
    assert prediction.disentanglement > 0.9
    assert prediction.completeness < 0.8


def test_information_of_classes_is_exact():
    """Four equal classes, a unit that merges them in pairs, and one that ignores them."""
    factor = np.repeat([0, 1, 2, 3], 8)
    codes = np.stack([factor // 2, np.tile([0.0, 1.0], 16)], axis=1)
    information = mutual_information(codes, {"factor": factor})
    np.testing.assert_allclose(information.matrix, [[log(2)], [0]], atol=1e-12)
    np.testing.assert_allclose(information.entropies, [log(4)])
    assert information.gap == pytest.approx(0.5)


@pytest.mark.parametrize("rho", [0.5, 0.9])
def test_information_of_gaussians_approaches_the_closed_form(rho):
    """Binning can only lose: I(x; y) = -log(1 - rho^2) / 2 from below."""
    rng = np.random.default_rng(2)
    x, noise, other = rng.normal(size=(3, 50_000))
    codes = np.stack([rho * x + (1 - rho**2) ** 0.5 * noise, other], axis=1)
    exact = -0.5 * log(1 - rho**2)
    measured, nothing = mutual_information(codes, {"x": x}).matrix[:, 0]
    assert 0.88 * exact < measured < exact + 0.01
    # Independent variables leave the bias of 19 * 19 / 2 N nats.
    assert nothing == pytest.approx(19**2 / 1e5, rel=0.25)


def test_the_scores_of_given_matrices():
    information = MutualInformation(np.array([[0.6, 0.1], [0.2, 0.1]]), np.array([1.0, 0.5]))
    np.testing.assert_allclose(information.gaps, [0.4, 0.0])
    assert information.gap == pytest.approx(0.2)
    # Two units of even use: one serves one factor, the other both alike.
    prediction = FactorPrediction(np.array([[1.0, 0.0], [0.5, 0.5]]), np.ones(2))
    assert prediction.disentanglement == pytest.approx(0.5)
    share = np.array([2 / 3, 1 / 3])
    entropy = -(share * np.log2(share)).sum()
    assert prediction.completeness == pytest.approx(((1 - entropy) + 1) / 2)


def test_a_unit_without_use_changes_nothing():
    matrix = np.array([[0.9, 0.2], [0.1, 0.8]])
    wider = np.concatenate([matrix, np.zeros((1, 2))])
    scores = [FactorPrediction(m, np.ones(2)).disentanglement for m in (matrix, wider)]
    assert scores[0] == pytest.approx(scores[1])


def test_the_same_seed_gives_the_same_forest():
    codes = _turned(TRUTH)[:500]
    factors = {name: values[:500] for name, values in FACTORS.items()}
    first, second = (factor_prediction(codes, factors, seed=3).matrix for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first.sum(0), 1)
    assert (factor_prediction(codes, factors, seed=4).matrix != first).any()


@pytest.mark.parametrize("score", [mutual_information, factor_prediction])
@pytest.mark.parametrize(
    ("codes", "factors", "message"),
    [
        (TRUTH[:, :1], FACTORS, r"4 examples and 2 units, got shape \(4000, 1\)"),
        (np.full((N, 2), np.nan), FACTORS, "codes must be finite"),
        (TRUTH, {}, "at least one factor, got none"),
        (TRUTH, FACTORS | {"short": np.ones(3)}, "'short' must hold 4000 finite numbers"),
        (TRUTH, FACTORS | {"same": np.ones(N)}, "'same' never varies; leave it out"),
    ],
)
def test_what_does_not_fit_is_refused(score, codes, factors, message):
    with pytest.raises(ValueError, match=message):
        score(codes, factors)


def test_counts_are_refused():
    with pytest.raises(ValueError, match="bins must be a positive integer, got 0"):
        mutual_information(TRUTH, FACTORS, bins=0)
    with pytest.raises(ValueError, match="num_trees must be a positive integer"):
        factor_prediction(TRUTH, FACTORS, num_trees=-1)
    with pytest.raises(ValueError, match="at least two factors, got 1"):
        disentanglement.factor_prediction(TRUTH, {"angle": FACTORS["angle"]})
