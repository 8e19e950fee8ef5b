"""The figure of counts: its JavaScript against scipy, and what its Python refuses."""

import numpy as np
import pytest
from scipy import stats

from tests import interactive_examples as examples
from vaecourse import interactive

EXAMPLE = examples.Example(
    interactive.counts,
    ("input[name=mean]", (0.6, 0.5), (0.9, 0.5)),
    ("input[name=theta]", "ArrowRight"),
    ["mean"],
)
CALL = """(m, mean, theta, most) => [m.negativeBinomial(mean, theta, most), m.poisson(mean, most),
    m.facts(mean, theta)]"""


@pytest.mark.parametrize(("mean", "theta"), [(0.2, 0.1), (5.0, 1.0), (30.0, 1000.0), (9.0, 20.0)])
def test_probabilities_and_facts_are_scipys(js, mean, theta):
    bars, dots, facts = js("counts", CALL, mean, theta, 80)
    x, exact = np.arange(81), stats.nbinom(theta, theta / (theta + mean))
    np.testing.assert_allclose(bars, exact.pmf(x), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(dots, stats.poisson.pmf(x, mean), rtol=1e-9, atol=1e-15)
    assert facts["variance"] == pytest.approx(exact.var())
    assert facts["ratio"] == pytest.approx(exact.var() / mean)
    assert facts["zeros"] == pytest.approx(exact.pmf(0))
    assert facts["poissonZeros"] == pytest.approx(stats.poisson.pmf(0, mean))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mean": 40.0}, "mean must lie between 0.2 and 30, got 40.0"),
        ({"theta": 0.0}, "theta must lie between 0.1 and 1000, got 0.0"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        interactive.counts(**options)


def test_the_picture_draws_both_distributions():
    axes = interactive.counts(mean=3.0, theta=2.0).picture().axes[0]
    heights = [bar.get_height() for bar in axes.patches]
    np.testing.assert_allclose(heights, stats.nbinom.pmf(np.arange(len(heights)), 2, 0.4))
    x, dots = axes.lines[0].get_data()
    np.testing.assert_allclose(dots, stats.poisson.pmf(x, 3))
