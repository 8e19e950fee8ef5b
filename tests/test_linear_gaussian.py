"""The oracle against scipy, scikit-learn and the algebra of Gaussians."""

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.decomposition import PCA
from torch import distributions as td

import vaecourse as vc
from vaecourse import LinearGaussian

D, L = 6, 3


@pytest.fixture
def slanted():
    """A model whose columns of W are not orthogonal: its posterior is correlated."""
    rng = np.random.default_rng(3)
    weight, bias = rng.normal(size=(D, L)), rng.normal(size=D)
    return LinearGaussian(torch.from_numpy(weight), torch.from_numpy(bias), 0.7)


@pytest.fixture
def x(slanted):
    return slanted.sample(8, seed=1)[0]


def _q(kind, num=8):
    """Return some Gaussian over z for each of ``num`` examples."""
    rng = np.random.default_rng(5)
    mean = torch.from_numpy(rng.normal(size=(num, L)))
    if kind == "diagonal":
        return td.Independent(td.Normal(mean, torch.from_numpy(rng.uniform(0.2, 2, (num, L)))), 1)
    root = torch.from_numpy(np.tril(rng.normal(size=(num, L, L))) + 2 * np.eye(L))
    return td.MultivariateNormal(mean, scale_tril=root)


def test_log_marginal_is_that_of_scipy(slanted, x):
    weight = slanted.weight.numpy()
    covariance = weight @ weight.T + 0.7**2 * np.eye(D)
    expected = stats.multivariate_normal(slanted.bias.numpy(), covariance).logpdf(x.numpy())
    np.testing.assert_allclose(slanted.log_marginal(x), expected, rtol=1e-10)


def test_log_marginal_is_the_score_of_probabilistic_pca(x):
    pca = PCA(2).fit(x.numpy())
    lengths = np.sqrt(pca.explained_variance_ - pca.noise_variance_)
    weight, bias = torch.from_numpy(pca.components_.T * lengths), torch.from_numpy(pca.mean_)
    model = LinearGaussian(weight, bias, pca.noise_variance_**0.5)
    np.testing.assert_allclose(model.log_marginal(x), pca.score_samples(x.numpy()), atol=1e-5)


def test_posterior_is_the_joint_normal_given_x(slanted, x):
    """Condition the joint normal of (z, x) on x by the Schur complement."""
    weight = slanted.weight.numpy()
    gain = weight.T @ np.linalg.inv(weight @ weight.T + 0.7**2 * np.eye(D))
    posterior = slanted.posterior(x)
    np.testing.assert_allclose(posterior.mean, (x - slanted.bias).numpy() @ gain.T, rtol=1e-9)
    expected = np.broadcast_to(np.eye(L) - gain @ weight, (8, L, L))
    np.testing.assert_allclose(posterior.covariance_matrix, expected, rtol=1e-9, atol=1e-12)


def test_log_likelihood_follows_bayes(slanted, x):
    """log p(x|z) = log p(x) + log p(z|x) - log p(z), whatever z is."""
    z = torch.randn(4, 8, L, generator=torch.Generator().manual_seed(0)).double()
    prior = td.MultivariateNormal(torch.zeros(L).double(), torch.eye(L).double())
    expected = slanted.log_marginal(x) + slanted.posterior(x).log_prob(z) - prior.log_prob(z)
    torch.testing.assert_close(slanted.log_likelihood(x, z), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", ["diagonal", "full"])
def test_elbo_is_log_marginal_less_the_divergence(slanted, x, kind):
    q = _q(kind)
    full = td.MultivariateNormal(q.mean, q.covariance_matrix) if kind == "full" else None
    full = full or td.MultivariateNormal(q.mean, torch.diag_embed(q.variance))
    gap = td.kl_divergence(full, slanted.posterior(x))
    assert (gap > 0.1).all()
    expected = slanted.log_marginal(x) - gap
    torch.testing.assert_close(slanted.elbo(x, q), expected, rtol=1e-9, atol=1e-9)


def test_elbo_is_tight_at_the_exact_posterior(slanted, x):
    bound = slanted.elbo(x, slanted.posterior(x))
    torch.testing.assert_close(bound, slanted.log_marginal(x), rtol=1e-10, atol=1e-10)


def test_elbo_refuses_what_is_not_gaussian(slanted, x):
    laplace = td.Independent(td.Laplace(torch.zeros(8, L), torch.ones(8, L)), 1)
    with pytest.raises(
        TypeError, match=r"independent normal.*got Independent\(Laplace.*sampled_elbo"
    ):
        slanted.elbo(x, laplace)


def test_samples_have_the_moments_of_the_model(slanted):
    num = 40_000
    x, z = slanted.sample(num, seed=2)
    assert x.shape == (num, D)
    assert z.shape == (num, L)
    deviation = (x - slanted.bias) / slanted.marginal.stddev
    assert (deviation.mean(0).abs() < 4 / num**0.5).all()
    assert ((deviation.var(0) - 1).abs() < 4 * (2 / num) ** 0.5).all()
    noise = (x - slanted.bias - z @ slanted.weight.T) / slanted.scale
    assert ((noise.var(0) - 1).abs() < 4 * (2 / num) ** 0.5).all()
    assert torch.equal(x, slanted.sample(num, seed=2)[0])
    assert not torch.equal(x, slanted.sample(num, seed=3)[0])


@pytest.mark.parametrize("seed", [0, 1])
def test_codes_are_not_the_noise_that_the_same_seed_gives_elsewhere(slanted, seed):
    _, z = slanted.sample(500, seed)
    noise = torch.randn(500, L, generator=torch.Generator().manual_seed(seed)).double()
    double = torch.randn(z.shape, generator=torch.Generator().manual_seed(seed), dtype=z.dtype)
    for other in (noise, double):
        correlation = np.corrcoef(z.flatten(), other.flatten())[0, 1]
        assert abs(correlation) < 4 / z.numel() ** 0.5


def test_random_model_has_a_diagonal_posterior():
    model = LinearGaussian.random(D, L, scale=0.3, seed=4)
    covariance = model.posterior(torch.zeros(1, D)).covariance_matrix[0]
    assert (covariance - covariance.diag().diag()).abs().max() < 1e-12
    lengths = model.weight.norm(dim=0)
    torch.testing.assert_close(lengths, torch.linspace(2, 1, L).double())


def test_fit_has_the_covariance_of_scikit_learn(slanted):
    """scikit-learn divides by N - 1; the maximum of the likelihood divides by N."""
    x, _ = slanted.sample(200)
    model, pca = LinearGaussian.fit(x, 2), PCA(2).fit(x.numpy())
    expected = pca.get_covariance() * 199 / 200
    np.testing.assert_allclose(model.marginal.covariance_matrix, expected, rtol=1e-9)
    np.testing.assert_allclose(model.bias, pca.mean_, rtol=1e-9)


@pytest.mark.parametrize("change", ["weight", "bias", "scale"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_fit_is_a_maximum_of_the_likelihood(slanted, change, sign):
    x, _ = slanted.sample(200)
    best = LinearGaussian.fit(x, 2)
    parts = {"weight": best.weight, "bias": best.bias, "scale": best.scale}
    parts[change] = parts[change] * (1 + sign * 0.02)
    assert LinearGaussian(**parts).log_marginal(x).mean() < best.log_marginal(x).mean()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LinearGaussian(torch.ones(3), torch.ones(3), 1.0), r"\(D, L\).*got \(3,\)"),
        (lambda: LinearGaussian(torch.ones(3, 2), torch.ones(2), 1.0), r"bias \(D,\), got.*\(2,\)"),
        (lambda: LinearGaussian(torch.ones(3, 2), torch.ones(3), 0.0), "scale must be.*got 0.0"),
        (lambda: LinearGaussian.random(2, 3), "latent_dim must be at most data_dim, got 3 above 2"),
        (lambda: LinearGaussian.random(2, 0), "latent_dim must be a positive integer, got 0"),
        (lambda: LinearGaussian.fit(torch.ones(9, 2), 2), r"above latent_dim = 2, got \(9, 2\)"),
        (lambda: LinearGaussian.fit(torch.ones(9, 2, 2), 1), "flatten images first"),
        (lambda: LinearGaussian.random(3, 1).sample(0), "num must be a positive integer, got 0"),
    ],
)
def test_bad_input_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_oracle_becomes_a_vae_whose_encoder_is_the_posterior():
    oracle = LinearGaussian.random(D, L)
    model = vc.oracle.as_vae(oracle)
    x, _ = oracle.sample(5)
    z = torch.randn(4, 5, L, generator=torch.Generator().manual_seed(0)).double()
    posterior, encoded = oracle.posterior(x), model.encode(x)
    torch.testing.assert_close(encoded.log_prob(z), posterior.log_prob(z), rtol=1e-9, atol=1e-9)
    decoded = model.decode(z).log_prob(x)
    torch.testing.assert_close(decoded, oracle.log_likelihood(x, z), rtol=1e-9, atol=1e-9)
    assert not model.training


def test_vae_and_back():
    oracle = LinearGaussian.random(D, L, scale=0.3)
    back = vc.oracle.as_linear_gaussian(vc.oracle.as_vae(oracle))
    assert torch.equal(back.weight, oracle.weight)
    assert torch.equal(back.bias, oracle.bias)
    assert back.scale == oracle.scale


def test_a_learned_scale_is_read_too():
    model = vc.linear_vae(D, L, lambda event: vc.GaussianSharedScale(event, 0.4))
    assert vc.oracle.as_linear_gaussian(model).scale == pytest.approx(0.4, rel=1e-6)


def test_a_correlated_posterior_makes_no_vae(slanted):
    with pytest.raises(ValueError, match="columns of weight must be orthogonal"):
        vc.oracle.as_vae(slanted)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (lambda: vc.mlp_vae(D, L, likelihood=vc.GaussianFixedScale), "must be linear, got a MLP"),
        (lambda: vc.conv_vae((1, 8, 8), L), "must be linear, got a ConvDecoder"),
        (lambda: vc.linear_vae(D, L, vc.Bernoulli), "one scale, got Bernoulli"),
        (lambda: vc.linear_vae(D, L, vc.Gaussian), "one scale, got Gaussian"),
    ],
)
def test_other_models_are_not_linear_gaussian(model, message):
    with pytest.raises(TypeError, match=message):
        vc.oracle.as_linear_gaussian(model())
