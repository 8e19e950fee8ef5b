"""Midpoints and neighbors against scipy, scikit-learn and cases worked out by hand."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scipy.stats import sem
from sklearn.neighbors import KNeighborsClassifier
from torch import nn

import vaecourse as vc
from vaecourse.evaluation import midpoint_ratio, neighbor_agreement

EVENT = (1, 2, 2)


class _Scale(nn.Module):
    """Multiply by a number, so that a code is easy to follow by hand."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x


def _autoencoder(encode=1.0, decode=1.0):
    """Return an autoencoder of images whose code is a multiple of the image."""
    return vc.Autoencoder(
        nn.Sequential(_Scale(encode), vc.Deterministic(EVENT)),
        nn.Sequential(_Scale(decode), vc.GaussianFixedScale(EVENT)),
    )


def _images(num, seed):
    return torch.rand(num, *EVENT, generator=torch.Generator().manual_seed(seed))


def _flat(x):
    return x.flatten(1).double().numpy()


def test_a_line_of_which_only_the_ends_are_data():
    """Ends lie 0.1 from the data and midpoints 0.5: five times as far, with no spread."""
    point = torch.tensor([1.0, 0.0, 0.0, 0.0]).reshape(EVENT)
    first, second = (value * point.expand(3, *EVENT) for value in (0.1, 0.9))
    reference = torch.stack([0 * point, point])
    got = midpoint_ratio(_autoencoder(), first, second, reference)
    assert got.value == pytest.approx(5, rel=1e-6)
    assert got.standard_error == pytest.approx(0, abs=1e-6)
    torch.testing.assert_close(got.images, 0.5 * point.expand(3, *EVENT))


def test_midpoint_ratio_is_the_ratio_of_paired_means():
    a, b, reference = _images(40, 0), _images(40, 1), _images(300, 2)
    got = midpoint_ratio(_autoencoder(2.0, 0.25), a, b, reference)

    def distance(x):
        return cdist(x, _flat(reference)).min(1)

    x, y = _flat(a) / 2, _flat(b) / 2  # what the model reconstructs
    middle, end = distance((x + y) / 2), (distance(x) + distance(y)) / 2
    value = middle.mean() / end.mean()
    assert got.value == pytest.approx(value, rel=1e-5)
    assert got.standard_error == pytest.approx(sem(middle - value * end) / end.mean(), rel=1e-5)
    np.testing.assert_allclose(_flat(got.images), (x + y) / 2, rtol=1e-6)


def test_the_standard_error_is_the_spread_over_samples():
    """Over 300 fresh samples of 50 pairs, the ratios spread as the standard errors say."""
    reference = _images(20, 3)
    results = [
        midpoint_ratio(_autoencoder(), _images(50, 2 * n + 10), _images(50, 2 * n + 11), reference)
        for n in range(300)
    ]
    spread = np.std([result.value for result in results], ddof=1)
    told = np.mean([result.standard_error for result in results])
    assert told == pytest.approx(spread, rel=0.15)


def test_pixels_are_cut_to_the_range_of_pixels():
    a, b = _images(5, 0), _images(5, 1)
    got = midpoint_ratio(_autoencoder(decode=9.0), a, b, _images(30, 2))
    torch.testing.assert_close(got.images, (4.5 * (a + b)).clamp(max=1))


def test_a_variational_autoencoder_is_taken_at_its_means():
    model = vc.mlp_vae(EVENT, 2, (4,))
    a, b = _images(6, 0), _images(6, 1)
    got = midpoint_ratio(model, a, b, _images(30, 2))
    with torch.no_grad():
        z = (model.encode(a).mean + model.encode(b).mean) / 2
        torch.testing.assert_close(got.images, model.decode(z).mean)


@pytest.mark.parametrize(("first", "second"), [(3, 2), (1, 1), (0, 0)])
def test_midpoint_ratio_wants_pairs(first, second):
    with pytest.raises(ValueError, match=f"got {first} and {second}"):
        midpoint_ratio(_autoencoder(), _images(first, 0), _images(second, 1), _images(9, 2))


@pytest.mark.parametrize("num", [1, 3, 10])
def test_agreement_is_the_largest_vote_of_scikit_learn(num):
    x, labels = _images(200, 0), torch.arange(200) % 7
    queries = _images(33, 1)
    votes = KNeighborsClassifier(num).fit(_flat(x), labels.numpy()).predict_proba(_flat(queries))
    got = neighbor_agreement(queries, vc.Batch(x, labels), num=num, batch_size=10)
    np.testing.assert_allclose(got.numpy(), votes.max(1), atol=1e-6)


@pytest.mark.parametrize("num", [0, 6, 2.0])
def test_agreement_wants_a_number_of_neighbors_that_exist(num):
    with pytest.raises(ValueError, match="num must lie between 1 and 5"):
        neighbor_agreement(_images(2, 0), vc.Batch(_images(5, 1), torch.zeros(5).long()), num=num)
