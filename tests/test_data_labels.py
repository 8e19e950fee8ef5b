"""Label subsets, stratified splits and binarization."""

import math

import pytest
import torch

from vaecourse.data.labels import (
    dynamic_binarization,
    label_subset,
    static_binarization,
    stratified_split,
)


def uneven_labels(num=1000, classes=10):
    """Return labels with unequal class counts in mixed order."""
    weights = torch.arange(5, classes + 5, dtype=torch.float64)
    generator = torch.Generator().manual_seed(5)
    return torch.multinomial(weights, num, replacement=True, generator=generator)


@pytest.mark.parametrize("num", [0, 1, 9, 10, 57, 100, 137])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_label_subset_is_exact_balanced_and_true(num, seed):
    y = uneven_labels()
    before = y.clone()
    kept = label_subset(y, num, seed)
    assert torch.equal(y, before) and kept.dtype == torch.int64 and kept.shape == y.shape
    shown = kept >= 0
    assert int(shown.sum()) == num and torch.equal(kept[shown], y[shown])
    assert bool((kept[~shown] == -1).all())
    counts = torch.bincount(kept[shown], minlength=10)
    assert int(counts.max() - counts.min()) <= 1


def test_label_subsets_repeat_differ_by_seed_and_nest():
    y = uneven_labels()
    assert torch.equal(label_subset(y, 57, 3), label_subset(y, 57, 3))
    assert not torch.equal(label_subset(y, 57, 3), label_subset(y, 57, 4))
    smaller = label_subset(y, 0, 3) >= 0
    for num in range(1, 60):
        larger = label_subset(y, num, 3) >= 0
        assert bool(larger[smaller].all())
        smaller = larger


def test_every_example_of_a_class_can_be_chosen_equally_often():
    y = torch.tensor([0] * 5 + [1] * 5)
    draws = 2000
    chosen = torch.zeros(10)
    for seed in range(draws):
        chosen += label_subset(y, 3, seed) >= 0
    expected = draws * 3 / 10  # three of ten, and every position alike by symmetry
    error = math.sqrt(draws * 0.3 * 0.7)
    assert float((chosen - expected).abs().max()) < 5 * error


def test_unlabelled_examples_stay_unlabelled():
    y = uneven_labels()
    y[::2] = -1
    kept = label_subset(y, 50)
    assert bool((kept[::2] == -1).all()) and int((kept >= 0).sum()) == 50


@pytest.mark.parametrize("num", [-1, 21])
def test_an_impossible_label_subset_is_refused(num):
    y = torch.tensor([0] * 30 + [1] * 10)
    with pytest.raises(ValueError, match=f"num must be from 0 to 20 .* got {num}"):
        label_subset(y, num)
    assert int((label_subset(y, 20) >= 0).sum()) == 20


def test_no_labels_allow_no_subset():
    y = torch.full((4,), -1)
    assert torch.equal(label_subset(y, 0), y)
    with pytest.raises(ValueError, match="from 0 to 0"):
        label_subset(y, 1)


@pytest.mark.parametrize("num", [0, 1, 10, 333, 999, 1000])
def test_a_stratified_split_is_exact_and_in_proportion(num):
    y = uneven_labels()
    y[:100] = -1
    first, second = stratified_split(y, num, seed=2)
    assert len(second) == num and len(first) == len(y) - num
    assert torch.equal(torch.cat([first, second]).sort().values, torch.arange(len(y)))
    for label in y.unique():
        exact = num * int((y == label).sum()) / len(y)
        assert abs(int((y[second] == label).sum()) - exact) < 1
    assert torch.equal(second, stratified_split(y, num, seed=2)[1])


def test_stratified_splits_differ_by_seed_and_refuse_impossible_sizes():
    y = uneven_labels()
    assert not torch.equal(stratified_split(y, 100, 0)[1], stratified_split(y, 100, 1)[1])
    for num in (-1, 1001):
        with pytest.raises(ValueError, match=f"num must be from 0 to 1000.* got {num}"):
            stratified_split(y, num)


def grey_levels(repeats):
    return (torch.arange(256) / 255).repeat(repeats, 1)


@pytest.mark.parametrize("kind", ["dynamic", "static"])
def test_binarized_means_are_the_grey_levels(kind):
    repeats = 20_000
    x = grey_levels(repeats)
    generator = torch.Generator().manual_seed(0)
    drawn = dynamic_binarization(x, generator) if kind == "dynamic" else static_binarization(x, 0)
    assert drawn.dtype == x.dtype and set(drawn.unique().tolist()) == {0.0, 1.0}
    p = torch.arange(256, dtype=torch.float64) / 255
    error = (p * (1 - p) / repeats).sqrt()
    assert bool(((drawn.double().mean(0) - p).abs() <= 5 * error).all())  # exact at 0 and at 1


def test_black_stays_black_when_the_uniform_number_is_zero(monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda shape, **_: torch.zeros(shape))
    drawn = dynamic_binarization(torch.tensor([0.0, 1e-6, 1.0]), torch.Generator())
    assert drawn.tolist() == [0, 1, 1]


def test_binarized_pixels_are_independent():
    repeats = 20_000
    x = torch.full((repeats, 8), 0.5)
    drawn = dynamic_binarization(x, torch.Generator().manual_seed(1)) * 2 - 1
    products = drawn.T @ drawn / repeats - torch.eye(8)
    assert float(products.abs().max()) < 5 / math.sqrt(repeats)


def test_dynamic_draws_change_and_static_draws_stay():
    x = grey_levels(4)
    generator = torch.Generator().manual_seed(0)
    first, second = dynamic_binarization(x, generator), dynamic_binarization(x, generator)
    assert not torch.equal(first, second)
    again = torch.Generator().manual_seed(0)
    assert torch.equal(first, dynamic_binarization(x, again))
    assert torch.equal(static_binarization(x, 1), static_binarization(x, 1))
    assert not torch.equal(static_binarization(x, 1), static_binarization(x, 2))


def test_binarization_leaves_its_input_and_the_global_generator_alone():
    x = grey_levels(2)
    before, state = x.clone(), torch.get_rng_state()
    dynamic_binarization(x, torch.Generator())
    static_binarization(x, 0)
    label_subset(uneven_labels(), 10)
    stratified_split(uneven_labels(), 10)
    assert torch.equal(x, before) and torch.equal(torch.get_rng_state(), state)


def test_binarization_refuses_integers():
    with pytest.raises(TypeError, match=r"floating-point numbers, got torch\.uint8"):
        dynamic_binarization(torch.zeros(3, dtype=torch.uint8), torch.Generator())


def test_a_balanced_subset_is_the_draw_that_it_always_was():
    y = torch.tensor([0, 1, 2] * 8)
    assert torch.nonzero(label_subset(y, 7, 3) >= 0).flatten().tolist() == [
        4,
        9,
        16,
        19,
        20,
        21,
        23,
    ]


@pytest.mark.parametrize("num", [3, 4, 10, 57, 333, 999, 1000])
def test_a_subset_by_size_is_in_proportion_and_shows_every_class(num):
    y = torch.tensor([0] * 900 + [1] * 97 + [2] * 3)[
        torch.randperm(1000, generator=torch.Generator().manual_seed(2))
    ]
    kept = label_subset(y, num, seed=1, balanced=False)
    assert int((kept >= 0).sum()) == num
    assert torch.equal(kept[kept >= 0], y[kept >= 0])
    counts = kept[kept >= 0].bincount(minlength=3)
    assert int(counts.min()) >= 1
    assert bool(((counts - num * y.bincount() / 1000).abs() < 2).all())


def test_few_labels_by_size_are_those_of_the_largest_classes():
    y = torch.tensor([0] * 3 + [1] * 50 + [2] * 20)
    found = [label_subset(y, num, 5, balanced=False) for num in (1, 2)]
    assert [sorted(kept[kept >= 0].tolist()) for kept in found] == [[1], [1, 2]]


def test_subsets_by_size_nest_and_differ_by_seed():
    y = uneven_labels()
    y[::3] = -1
    num = int((y >= 0).sum())
    smaller = label_subset(y, 0, 3, balanced=False) >= 0
    for size in range(0, num + 1, 7):
        larger = label_subset(y, size, 3, balanced=False) >= 0
        assert bool(larger[smaller].all()) and int(larger.sum()) == size
        smaller = larger
    assert torch.equal(label_subset(y, num, 3, balanced=False), y)
    assert not torch.equal(label_subset(y, 50, 3, False), label_subset(y, 50, 4, False))
    with pytest.raises(ValueError, match=f"from 0 to {num} for the labels here, got {num + 1}"):
        label_subset(y, num + 1, balanced=False)
