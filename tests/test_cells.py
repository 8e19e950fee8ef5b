"""The simulated cells against the model that their documentation writes down."""

import numpy as np
import pytest
import torch
from scipy import stats

from vaecourse.data import Batch, HeldOut, cells


@pytest.fixture(scope="module")
def drawn():
    """Return 4,000 cells of 60 genes."""
    return cells.simulate(4000, 60, seed=5)


def test_equal_seeds_give_equal_cells_and_leave_the_global_state_alone(drawn):
    before = torch.get_rng_state()
    again, other = cells.simulate(4000, 60, seed=5), cells.simulate(4000, 60, seed=6)
    assert all(np.array_equal(a, b) for a, b in zip(drawn, again, strict=True))
    assert not np.array_equal(drawn.counts, other.counts)
    assert torch.equal(torch.get_rng_state(), before)


def test_counts_have_the_means_that_are_told(drawn):
    rate = drawn.means / (1 - drawn.dropout)
    # Of a mixture of zero and a negative binomial.
    second = rate + rate**2 * (1 + 1 / drawn.theta)
    variance = (1 - drawn.dropout) * second - drawn.means**2
    z = (drawn.counts - drawn.means) / np.sqrt(variance)
    per_gene = z.mean(0) * np.sqrt(len(z))
    assert np.abs(per_gene).max() < 4.5
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert abs((z**2).mean() - 1) < 0.02


def test_zeros_are_as_frequent_as_dropout_and_chance_make_them(drawn):
    rate = drawn.means / (1 - drawn.dropout)
    by_chance = stats.nbinom.pmf(0, drawn.theta, drawn.theta / (drawn.theta + rate))
    p = drawn.dropout + (1 - drawn.dropout) * by_chance
    surplus = ((drawn.counts == 0) - p).sum() / np.sqrt((p * (1 - p)).sum())
    assert abs(surplus) < 4
    np.testing.assert_allclose(drawn.dropout, 0.3 * np.exp(-rate / 2))


def test_depth_and_rates_belong_together(drawn):
    rate = drawn.means / (1 - drawn.dropout)
    np.testing.assert_allclose(rate.sum(1), drawn.depth)
    np.testing.assert_allclose(np.median(drawn.depth), 1500, rtol=0.05)
    np.testing.assert_allclose(np.log(drawn.depth).std(), 0.5, rtol=0.05)
    np.testing.assert_allclose(drawn.proportions.sum(1), 1)


def test_types_are_mixed_the_other_way_round_at_the_other_site(drawn):
    shares = np.stack([np.bincount(drawn.types[drawn.sites == s]) for s in (0, 1)], 1)
    shares = shares / shares.sum(0)
    expected = np.linspace(3, 1, 6) / 12
    np.testing.assert_allclose(shares[:, 0], expected, atol=0.035)
    np.testing.assert_allclose(shares[:, 1], expected[::-1], atol=0.035)
    assert abs((drawn.sites == 1).mean() - 0.5) < 0.04


def test_the_site_moves_log_rates_by_a_constant_of_each_gene_and_nothing_else():
    plain = cells.simulate(500, 40, seed=2, site_effect=0, dropout=0)
    moved = cells.simulate(500, 40, seed=2, site_effect=0.8, dropout=0)
    assert np.array_equal(plain.types, moved.types)
    change = np.log(moved.proportions / plain.proportions)
    for site in (0, 1):
        rows = change[plain.sites == site]
        rows = rows - rows.mean(1, keepdims=True)  # the softmax adds a constant to each cell
        assert np.abs(rows - rows[0]).max() < 1e-9
        assert 0.5 < rows[0].std() < 1.2


def test_activity_moves_a_fifth_of_the_genes():
    drawn = cells.simulate(2000, 200, seed=3, types=1, sites=1, dropout=0)
    slopes = np.polyfit(drawn.activity, np.log(drawn.proportions), 1)[0]
    slopes -= np.median(slopes)
    assert 20 < (np.abs(slopes) > 1e-2).sum() < 65


def test_split_keeps_order_counts_and_sites(drawn):
    parts = cells.split(drawn)
    assert repr(parts) == "Split('cells', train 2668, valid 666, test 666, event (61,))"
    assert isinstance(parts.train, Batch)
    assert isinstance(parts.test, HeldOut)
    x = torch.cat([parts.train.x, parts.valid.x, parts.test.x])
    assert np.array_equal(x[:, :-1].numpy(), drawn.counts)
    assert np.array_equal(x[:, -1].numpy(), drawn.sites)
    y = torch.cat([parts.train.y, parts.valid.y, parts.test.y])
    assert np.array_equal(y.numpy(), drawn.types)


def test_identity_is_that_of_the_content(drawn):
    same, other = cells.split(drawn, share=0.1), drawn.counts.copy()
    other[17, 3] += 256
    assert cells.split(drawn).identity == same.identity
    assert cells.split(drawn._replace(counts=other)).identity != same.identity


def test_observed_takes_rows_apart():
    x = torch.tensor([[[3.0, 0.0, 4.0, 1.0]], [[0.0, 0.0, 0.0, 0.0]]])
    counts, library, site = cells.observed(x)
    assert torch.equal(counts, x[..., :3])
    assert library.tolist() == [[[7.0]], [[1.0]]]
    assert site.tolist() == [[1], [0]]
    assert site.dtype == torch.int64


def test_log_normalize_undoes_the_library_size():
    x = torch.tensor([[1.0, 0.0, 3.0], [20.0, 0.0, 60.0], [0.0, 0.0, 0.0]])
    expected = np.log1p(np.array([[25, 0, 75], [25, 0, 75], [0, 0, 0]]))
    np.testing.assert_allclose(cells.log_normalize(x, target=100), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num": 0}, "num must be a positive integer, got 0"),
        ({"types": 2.5}, "types must be a positive integer, got 2.5"),
        ({"dropout": 1.0}, "got 0.3, 0.5 and 1.0"),
        ({"contrast": -1.0}, "got -1.0, 0.5 and 0.3"),
    ],
)
def test_numbers_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        cells.simulate(**options)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_every_part_of_a_split_has_cells(drawn, share):
    with pytest.raises(ValueError, match=f"got {share} of 4000 cells"):
        cells.split(drawn, share=share)
