"""The mathematics of the live figures, as a browser computes it, against PyTorch."""

import math

import pytest
import torch
from torch import distributions as td

import vaecourse as vae
from tests import interactive_examples as examples
from vaecourse.interactive.inference import CODES, STRIDES


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def sfc32(seed, stream):
    """Yield the draws of sfc32, written down once more from its definition."""
    mask = 0xFFFFFFFF
    a, b, c, counter = seed & mask, stream & mask, 0x9E3779B9, 1
    for draw in range(10**6):
        total = (a + b + counter) & mask
        counter = (counter + 1) & mask
        a = b ^ (b >> 9)
        b = (c + (c << 3)) & mask
        c = (((c << 21) | (c >> 11)) + total) & mask
        if draw >= 20:
            yield total


def test_normal_draws_are_box_muller_of_sfc32(js):
    found = js("monte-carlo", "m => Array.from(m.normals(1000, 7, 3))")
    draws = sfc32(7, 3)
    for i in range(0, 1000, 2):
        u, v = ((next(draws) + 1) / 2**32 for _ in range(2))
        radius = math.sqrt(-2 * math.log(u))
        assert found[i] == pytest.approx(radius * math.cos(2 * math.pi * v), abs=1e-12)
        assert found[i + 1] == pytest.approx(radius * math.sin(2 * math.pi * v), abs=1e-12)


def test_normal_draws_are_normal_and_streams_are_independent(js):
    draws = tensor(js("monte-carlo", "m => [0, 1].map(s => Array.from(m.normals(50000, 1, s)))"))
    assert draws.mean(1).abs().max() < 4 / 50000**0.5
    assert (draws.var(1) - 1).abs().max() < 4 * (2 / 50000) ** 0.5
    assert torch.corrcoef(draws)[0, 1].abs() < 4 / 50000**0.5
    share = (draws.abs() < 1).double().mean(1)
    assert (share - math.erf(0.5**0.5)).abs().max() < 4 * 0.47 / 50000**0.5


AXIS = torch.linspace(-3, 3, 41, dtype=torch.float64)


def spiral_density(codes, scale):
    """Return the mixture over a grid of the plane by torch.distributions, rows from the top."""
    codes = torch.as_tensor(codes)
    points = examples.Spiral()(codes.unsqueeze(-1))
    weights = td.Categorical(logits=td.Normal(0, 1).log_prob(codes))
    parts = td.Independent(td.Normal(points, scale), 1)
    y, x = torch.meshgrid(AXIS, AXIS, indexing="ij")
    grid = torch.stack([x, y], dim=-1)
    return td.MixtureSameFamily(weights, parts).log_prob(grid).exp(), points


MIXTURE = """(m, codes, points, stride, axis, scale) => {
  const { kept, weights } = m.weigh(codes, stride);
  return Array.from(m.density(axis, axis, kept.map(k => points[k]), weights, scale)); }"""


@pytest.mark.parametrize("scale", [0.05, 0.15, 1.2])
@pytest.mark.parametrize("stride", [80, 16, 1])
def test_the_marginal_is_the_mixture_of_its_codes(js, scale, stride):
    points = examples.Spiral()(torch.from_numpy(CODES).unsqueeze(-1)).tolist()
    given = CODES.tolist(), points, stride, AXIS.tolist(), scale
    found = tensor(js("marginal", MIXTURE, *given)).reshape(41, 41)
    wanted, _ = spiral_density(CODES[::stride], scale)
    assert torch.allclose(found, wanted, atol=1e-7)


def test_all_components_are_as_good_as_the_integral():
    fine = torch.linspace(-6, 6, 2001, dtype=torch.float64)
    for scale in (0.05, 0.15, 1.2):
        exact, _ = spiral_density(fine, scale)
        shown, _ = spiral_density(CODES, scale)
        assert (shown - exact).abs().max() < 1e-3 * exact.max()
    assert all(400 % stride == 0 for stride in STRIDES)


def test_the_cut_is_a_row_of_the_density_and_its_peaks_are_counted(js):
    density, points = spiral_density(CODES, 0.15)
    call = """(m, codes, points, axis) => {
      const { kept, weights } = m.weigh(codes, 1);
      const { parts, sum } = m.alongCut(axis, axis[20], kept.map(k => points[k]), weights, 0.15);
      return [Array.from(sum), parts.length, m.peaks([0, 1, 0, 2, 2, 0, 1e-9, 0])]; }"""
    row, count, planted = js("marginal", call, CODES.tolist(), points.tolist(), AXIS.tolist())
    assert torch.allclose(tensor(row), density[20], atol=1e-7)
    assert (count, planted) == (401, 2)


def problem(latent_dim):
    """Return the oracle of chapter 3 and its typical x."""
    generator = torch.Generator().manual_seed(0)
    square = torch.randn(64, 64, generator=generator, dtype=torch.float64)
    directions = torch.linalg.qr(square).Q
    oracle = vae.LinearGaussian(1.5 * directions[:, :latent_dim], torch.zeros(64).double(), 0.5)
    deviation = torch.full((64,), 0.5, dtype=torch.float64)
    deviation[:latent_dim] = math.hypot(1.5, 0.5)
    return oracle, (directions @ deviation).unsqueeze(0)


MODEL = {"length": 1.5, "scale": 0.5, "dataDim": 64}


@pytest.mark.parametrize("latent_dim", [1, 10, 50])
def test_monte_carlo_knows_the_exact_value_and_the_weights(js, latent_dim):
    oracle, x = problem(latent_dim)
    facts = js("monte-carlo", "(m, o, l) => m.exact(o, l)", MODEL, latent_dim)
    assert facts["logMarginal"] == pytest.approx(oracle.log_marginal(x).item(), abs=1e-9)
    posterior, prior = oracle.posterior(x), vae.StandardNormal(latent_dim)()
    assert torch.allclose(posterior.mean, torch.full((), facts["mean"]).double())
    normal = td.Independent(td.Normal(posterior.mean[0], facts["variance"] ** 0.5), 1)
    assert facts["kl"] == pytest.approx(vae.divergences.kl(normal, prior).item(), rel=1e-6)

    z = torch.randn(20, latent_dim, generator=torch.Generator().manual_seed(1)).double()
    call = "(m, facts, z) => z.map(row => row.reduce((sum, v) => sum + m.logRatio(v, facts), 0))"
    found = tensor(js("monte-carlo", call, facts, z.tolist()))
    wanted = oracle.log_likelihood(x, z.unsqueeze(1))[:, 0] - oracle.log_marginal(x)
    assert torch.allclose(found, wanted, atol=1e-8)


def test_estimates_errors_and_sample_sizes_agree_with_pytorch(js):
    log_w = 3 * torch.randn(1024, generator=torch.Generator().manual_seed(2)).double()
    found = js("monte-carlo", "(m, w) => m.summarize(w, 1000)", log_w.tolist())
    w = log_w[:1000].exp()
    assert found["value"] == pytest.approx(w.mean().log().item(), abs=1e-9)
    assert found["effective"] == pytest.approx((w.sum() ** 2 / w.square().sum()).item())
    assert found["error"] == pytest.approx((w.std() / w.mean() / 1000**0.5).item())
    curve = tensor(js("monte-carlo", "(m, w) => m.running(w, 10)", log_w.tolist()))
    counts = 2 ** torch.arange(11)
    assert torch.allclose(curve, log_w.logcumsumexp(0)[counts - 1] - counts.log())


@pytest.fixture(scope="module")
def gap():
    """Return the oracle, x, and the options of the figure on the bound's gap."""
    oracle, x = examples.reading()
    return oracle, x, examples.FIGURES["elbo-gap"]().options


@pytest.mark.parametrize("mean", [-1.5, 0.7, 1.62])
@pytest.mark.parametrize("deviation", [0.1, 0.26, 1.2])
def test_bound_and_gap_add_up_to_the_exact_log_marginal(js, gap, mean, deviation):
    oracle, x, options = gap
    call = """(m, o, mean, s) => {
      const t = m.exact(o);
      const kl = m.kl(mean, s, t.mean, t.deviation);
      return [t, m.bound(o, mean, s), kl, m.ascent(t, mean, s)]; }"""
    exact, bound, kl, ascent = js("elbo-gap", call, options, mean, deviation)
    assert exact["logMarginal"] == pytest.approx(oracle.log_marginal(x).item(), abs=1e-9)
    assert abs(bound["elbo"] + kl - exact["logMarginal"]) < 1e-9
    assert abs(bound["distortion"] + bound["rate"] + bound["elbo"]) < 1e-12

    place = torch.tensor([mean, math.log(deviation)], dtype=torch.float64, requires_grad=True)
    q = td.Independent(td.Normal(place[:1].unsqueeze(0), place[1:].exp().unsqueeze(0)), 1)
    value = oracle.elbo(x, q).sum()
    assert bound["elbo"] == pytest.approx(value.item(), abs=1e-9)
    posterior = oracle.posterior(x)
    target = td.Normal(posterior.mean[0], posterior.covariance_matrix[0, 0].sqrt())
    divergence = td.kl_divergence(td.Normal(place[0], place[1].exp()), target)
    assert kl == pytest.approx(divergence.item(), abs=1e-9)
    (slope,) = torch.autograd.grad(value, place)
    assert torch.allclose(tensor(ascent), slope)


def test_the_printed_numbers_add_up_and_stay_within_a_unit_of_the_truth(js):
    whole, part = -3.18449, 1.23551
    found = js("elbo-gap", "(m, a, b) => m.rounded(a, b, 2)", whole, part)
    assert round(100 * (found["whole"] - found["part"] - found["rest"])) == 0
    assert abs(found["rest"] - (whole - part)) <= 0.01


@pytest.mark.parametrize("baseline", [False, True])
def test_both_gradient_estimates_agree_with_automatic_differentiation(js, baseline):
    oracle, x = examples.reading()
    options = examples.FIGURES["gradients"]().options["problem"]
    eps = torch.randn(6, generator=torch.Generator().manual_seed(4)).double()
    phi = torch.tensor([0.9, -1.1], dtype=torch.float64, requires_grad=True)
    call = "(m, o, eps, b) => [m.exactGradient(o, 0.9, -1.1), m.estimates(o, 0.9, -1.1, eps, b)]"
    exact, found = js("gradients", call, options, eps.tolist(), baseline)

    q = td.Normal(phi[0], (phi[1] / 2).exp())
    wide = td.Independent(td.Normal(phi[:1].unsqueeze(0), (phi[1:] / 2).exp().unsqueeze(0)), 1)
    (slope,) = torch.autograd.grad(oracle.elbo(x, wide).sum(), phi, retain_graph=True)
    assert torch.allclose(tensor(exact), slope)

    z = phi[0] + (phi[1] / 2).exp() * eps  # a path from phi to f
    prior = td.Normal(0, 1)
    f = oracle.log_likelihood(x, z.reshape(-1, 1, 1))[:, 0] + prior.log_prob(z) - q.log_prob(z)
    (path,) = torch.autograd.grad(f.mean(), phi, retain_graph=True)
    assert torch.allclose(tensor(found["path"]), path)
    value = f.detach()
    others = (value.sum() - value) / 5 if baseline else 0.0
    surrogate = ((value - others) * q.log_prob(z.detach())).mean()
    (score,) = torch.autograd.grad(surrogate, phi)
    assert torch.allclose(tensor(found["score"]), score)


def test_moments_are_means_and_variances(js):
    pairs = torch.randn(30, 2, generator=torch.Generator().manual_seed(5)).double()
    found = js("gradients", "(m, pairs) => m.moments(pairs)", pairs.tolist())
    assert torch.allclose(tensor(found["mean"]), pairs.mean(0))
    assert torch.allclose(tensor(found["variance"]), pairs.var(0))
