"""Latent walks against scipy and scikit-learn."""

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from vaecourse.latents import interpolate, manifold_grid, principal_components, traverse


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


@pytest.mark.parametrize("shape", [(3,), (4, 3)], ids=str)
@pytest.mark.parametrize("num", [2, 3, 8])
def test_interpolate(shape, num):
    start, end = torch.randn(shape), 1e3 * torch.randn(shape)
    walk = interpolate(start, end, num)
    assert walk.shape == (num, *shape)
    assert torch.equal(walk[0], start)
    assert torch.equal(walk[-1], end)
    expected = np.linspace(start.numpy(), end.numpy(), num)
    np.testing.assert_allclose(walk, expected, rtol=1e-5, atol=1e-3)


def test_interpolate_keeps_double_precision():
    start, end = torch.randn(2, 3, dtype=torch.float64)
    expected = np.linspace(start.numpy(), end.numpy(), 7)
    np.testing.assert_allclose(interpolate(start, end, 7), expected, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("num", [1, 0, 2.0, True])
def test_num_must_be_two_or_more(num):
    message = f"num must be an integer of at least 2, got {num}"
    with pytest.raises(ValueError, match=message):
        interpolate(torch.zeros(2), torch.ones(2), num)
    with pytest.raises(ValueError, match=message):
        manifold_grid(num)


def test_ends_must_have_one_shape():
    with pytest.raises(ValueError, match=r"one shape, got \(2,\) and \(3,\)"):
        interpolate(torch.zeros(2), torch.zeros(3), 5)


@pytest.mark.parametrize(("num", "coverage"), [(2, 0.5), (5, 0.95), (20, 0.9)])
def test_manifold_grid(num, coverage):
    """Quantiles along both axes: the first rises to the right, the second falls downward."""
    grid = manifold_grid(num, coverage=coverage)
    tail = (1 - coverage) / 2
    axis = stats.norm.ppf(np.linspace(tail, 1 - tail, num))
    assert grid.shape == (num, num, 2)
    for row in range(num):
        np.testing.assert_allclose(grid[row, :, 0], axis, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(grid[row, :, 1], axis[num - 1 - row], rtol=1e-6, atol=1e-7)
    outermost = grid[0, -1, 0].item() - grid[0, 0, 0].item()
    inside = 2 * stats.norm.cdf(outermost / 2) - 1
    assert inside == pytest.approx(coverage, rel=1e-6)


@pytest.mark.parametrize("coverage", [0, 1, -0.5, 1.5, float("nan")])
def test_coverage_must_be_a_probability(coverage):
    with pytest.raises(ValueError, match=f"coverage must lie between 0 and 1, got {coverage}"):
        manifold_grid(5, coverage=coverage)


@pytest.mark.parametrize("dim", [0, 2, -1])
def test_traverse(dim):
    z, values = torch.randn(4), torch.tensor([-2.0, 0.0, 3.0])
    codes, before = traverse(z, dim, values), z.clone()
    assert codes.shape == (3, 4)
    for code, value in zip(codes, values, strict=True):
        assert code[dim] == value
        others = [i for i in range(4) if i != dim % 4]
        assert torch.equal(code[others], z[others])
    assert torch.equal(z, before)


@pytest.mark.parametrize(("shape", "dim"), [((4,), 4), ((4,), -5), ((2, 4), 0)])
def test_traverse_needs_one_code_and_its_dimension(shape, dim):
    with pytest.raises(ValueError, match=f"one code .* dimension {dim}, got"):
        traverse(torch.zeros(shape), dim, torch.zeros(3))


def _points(num, dim, dtype):
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(dim, dim)) * 0.7 ** np.arange(dim)
    return torch.from_numpy(rng.normal(size=(num, dim)) @ mixing.T + 5).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("num_points", "dim"), [(50, 6), (5, 12), (6, 6), (2, 3), (10, 1)])
def test_principal_components_equal_scikit_learn(num_points, dim, dtype):
    x = _points(num_points, dim, dtype)
    got, pca = principal_components(x), PCA(svd_solver="full").fit(x.double().numpy())
    tolerance = 1e-5 if dtype == torch.float32 else 1e-10
    rank = min(num_points - 1, dim)
    largest = pca.explained_variance_[0]
    assert {part.dtype for part in got} == {dtype}
    np.testing.assert_allclose(got.mean, pca.mean_, rtol=tolerance)
    np.testing.assert_allclose(
        got.variances, pca.explained_variance_, rtol=tolerance, atol=tolerance * largest
    )
    for k in range(1, rank + 1):
        angles = subspace_angles(got.directions[:k].T.double().numpy(), pca.components_[:k].T)
        assert angles.max() < 100 * tolerance
    identity = np.eye(len(got.directions))
    np.testing.assert_allclose(got.directions @ got.directions.T, identity, atol=1e-5)
    coordinates = got.project(x)[:, :rank].abs()
    expected = np.abs(pca.transform(x.double().numpy()))[:, :rank]
    np.testing.assert_allclose(coordinates, expected, atol=100 * tolerance * largest**0.5)


@pytest.mark.parametrize("num", [1, 3])
def test_principal_components_to_keep(num):
    x = _points(20, 5, torch.float64)
    every, some = principal_components(x), principal_components(x, num)
    assert torch.equal(some.directions, every.directions[:num])
    assert torch.equal(some.variances, every.variances[:num])
    assert some.project(x).shape == (20, num)


@pytest.mark.parametrize("shape", [(5,), (1, 5), (2, 3, 4)], ids=str)
def test_points_must_be_a_matrix(shape):
    with pytest.raises(ValueError, match=r"x must be \(N, D\) with N of at least 2, got"):
        principal_components(torch.zeros(shape))


@pytest.mark.parametrize("num", [0, 4, -1, 1.5])
def test_directions_to_keep_must_exist(num):
    with pytest.raises(ValueError, match=f"num must be an integer from 1 to 3, got {num}"):
        principal_components(torch.randn(9, 3), num)
