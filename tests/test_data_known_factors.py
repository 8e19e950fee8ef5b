"""Strokes with their factors: the factors are those that the images were drawn with."""

import numpy as np
import pytest
import torch
from scipy import stats

from vaecourse.data.known_factors import MOVES, all_digits, moving_digit
from vaecourse.data.strokes import strokes


def test_drawing_again_with_the_factors_gives_the_images():
    images = moving_digit(8, seed=3)
    again = strokes(8, 3, label=4, style=0, wobble=0, rotation=0, **images.factors).images
    assert torch.equal(images.batch.x[:, 0], torch.from_numpy(again).float() / 255)
    assert set(images.batch.y.tolist()) == {4}
    assert images.batch.x.shape == (8, 1, 28, 28)


def test_position_and_ink_follow_their_factors():
    """Center of mass from the pixels, and more ink from a broader pen."""
    images = moving_digit(300, seed=1)
    ink = images.batch.x[:, 0].double().numpy()
    mass = ink.sum((1, 2))
    across = (ink.sum(1) * np.arange(28)).sum(1) / mass - 14
    down = (ink.sum(2) * np.arange(28)).sum(1) / mass - 14
    np.testing.assert_allclose(across, images.factors["position_x"], atol=0.3)
    np.testing.assert_allclose(down, images.factors["position_y"], atol=0.3)
    assert stats.spearmanr(mass, images.factors["thickness"]).statistic > 0.8


def test_factors_are_uniform_and_independent():
    factors = moving_digit(600, seed=2).factors
    for name, (low, high) in MOVES.items():
        assert stats.kstest(factors[name], "uniform", (low, high - low)).pvalue > 1e-3
    correlation = np.corrcoef(np.stack(list(factors.values())))
    assert np.abs(correlation - np.eye(len(MOVES))).max() < 0.2


@pytest.mark.parametrize("draw", [moving_digit, all_digits])
def test_seeds_decide(draw):
    first, same, other = (draw(4, seed).batch.x for seed in (0, 0, 1))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_all_digits_are_the_usual_strokes():
    images, drawn = all_digits(20, seed=5), strokes(20, 5)
    assert torch.equal(images.batch.y, torch.from_numpy(drawn.labels))
    assert images.factors["label"].dtype.kind == "i"
    assert len(images.factors) == 7
    np.testing.assert_array_equal(images.factors["rotation"], drawn.factors["rotation"])
