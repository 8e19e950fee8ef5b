"""Heads against scipy, torch.distributions and quadrature."""

import numpy as np
import pytest
import torch
from scipy import integrate, special, stats
from torch import distributions as td
from torch import nn

from vaecourse.distributions import (
    Bernoulli,
    Categorical,
    Delta,
    Deterministic,
    Gaussian,
    GaussianFixedScale,
    GaussianSharedScale,
    NegativeBinomial,
    StandardNormal,
)

BATCHES = [(), (5,), (3, 5)]
EVENTS = [(4,), (2, 3), (1, 2, 2)]
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def _normal(*shape):
    return torch.from_numpy(RNG.normal(size=shape))


def _shared(event):
    return GaussianSharedScale(event, initial_scale=0.3).double()


def _fixed(event):
    return GaussianFixedScale(event, scale=1.7).double()


@pytest.mark.parametrize("event", EVENTS, ids=str)
@pytest.mark.parametrize("batch", BATCHES, ids=str)
@pytest.mark.parametrize(("head", "scale"), [(_fixed, 1.7), (_shared, 0.3)])
def test_one_scale_gaussian_equals_scipy(head, scale, event, batch):
    mean, x = _normal(*batch, *event), _normal(*batch, *event)
    got = head(event)(mean).log_prob(x)
    each = stats.norm.logpdf(x.numpy(), mean.numpy(), scale)
    expected = each.sum(tuple(range(-len(event), 0)))
    assert got.shape == batch
    # The scale itself is stored in float32.
    np.testing.assert_allclose(got.detach().numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("event", EVENTS, ids=str)
@pytest.mark.parametrize("batch", BATCHES, ids=str)
def test_gaussian_equals_scipy(event, batch):
    mean, log_variance, x = (_normal(*batch, *event) for _ in range(3))
    head = Gaussian(event)
    network_output = torch.cat([mean, log_variance], dim=len(batch))
    assert network_output.shape == (*batch, *head.in_shape)
    got = head(network_output)
    each = stats.norm.logpdf(x.numpy(), mean.numpy(), np.exp(log_variance.numpy() / 2))
    assert (got.batch_shape, got.event_shape) == (batch, event)
    np.testing.assert_allclose(got.log_prob(x), each.sum(tuple(range(-len(event), 0))), rtol=1e-12)
    np.testing.assert_allclose(got.variance, np.exp(log_variance.numpy()), rtol=1e-12)
    torch.testing.assert_close(got.mean, mean, rtol=0, atol=0)


def test_gaussian_keeps_tiny_and_huge_variances():
    """No floor hides in the log variance: e**-30 and e**30 come out as they are."""
    log_variance = torch.tensor([-30.0, 30.0], dtype=torch.float64)
    got = Gaussian(2)(torch.cat([torch.zeros(2, dtype=torch.float64), log_variance]))
    np.testing.assert_allclose(got.variance, np.exp([-30.0, 30.0]), rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_bernoulli_equals_its_formula_over_all_logits(dtype):
    logits = torch.linspace(-200, 200, 801, dtype=dtype)
    for pixel in (0.0, 0.25, 0.5, 1.0):
        x = torch.full_like(logits, pixel)
        got = Bernoulli(1)(logits[:, None]).log_prob(x[:, None])
        wide = logits.double().numpy()
        expected = pixel * special.log_expit(wide) + (1 - pixel) * special.log_expit(-wide)
        tolerance = 4 * torch.finfo(dtype).eps * (1 + np.abs(wide))
        assert got.dtype == dtype
        assert (np.abs(got.double().numpy() - expected) <= tolerance).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("batch", BATCHES, ids=str)
def test_bernoulli_equals_torch(batch, dtype):
    logits = (3 * _normal(*batch, 1, 4, 3)).to(dtype)
    x = torch.from_numpy(RNG.uniform(size=(*batch, 1, 4, 3))).to(dtype)
    expected = td.Bernoulli(logits=logits, validate_args=False)
    for value in (x, x.round()):
        got = Bernoulli((1, 4, 3))(logits)
        torch.testing.assert_close(got.log_prob(value), expected.log_prob(value).sum((-3, -2, -1)))
    assert (got.batch_shape, got.event_shape) == (batch, (1, 4, 3))
    torch.testing.assert_close(got.mean, torch.from_numpy(special.expit(logits.numpy())))


def test_bernoulli_on_binary_pixels_equals_scipy():
    logits, x = _normal(6, 5), torch.from_numpy(RNG.integers(2, size=(6, 5))).double()
    expected = stats.bernoulli.logpmf(x.numpy(), special.expit(logits.numpy())).sum(1)
    np.testing.assert_allclose(Bernoulli(5)(logits).log_prob(x), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("logits_shape", "x_shape"),
    [((3, 4), (3, 4)), ((2, 3, 4), (3, 4)), ((3, 4), (2, 3, 4)), ((2, 1, 4), (3, 4))],
    ids=str,
)
def test_bernoulli_gradient(logits_shape, x_shape):
    logits = (2 * _normal(*logits_shape)).requires_grad_()
    x = torch.from_numpy(RNG.uniform(size=x_shape)).requires_grad_()

    def log_prob(logits, x):
        return Bernoulli(4)(logits).log_prob(x)

    assert torch.autograd.gradcheck(log_prob, (logits, x))
    assert torch.autograd.gradcheck(log_prob, (logits, x.detach()))
    assert torch.autograd.gradcheck(log_prob, (logits.detach(), x))


def test_bernoulli_gradient_at_extreme_logits():
    """The slope x - sigmoid(l) stays finite where exp overflows."""
    logits = torch.tensor([-200.0, -90.0, 0.0, 90.0, 200.0], requires_grad=True)
    x = torch.tensor([1.0, 0.0, 0.25, 1.0, 0.0])
    Bernoulli(5)(logits).log_prob(x).backward()
    expected = x.double() - torch.from_numpy(special.expit(logits.detach().double().numpy()))
    torch.testing.assert_close(logits.grad.double(), expected, rtol=0, atol=1e-7)


def test_bernoulli_expands_and_samples_as_torch():
    logits = _normal(3, 4).float()
    expanded = Bernoulli(4)(logits).expand((2, 3))
    x = torch.rand(2, 3, 4)
    expected = td.Independent(td.Bernoulli(logits=logits, validate_args=False), 1).expand((2, 3))
    torch.testing.assert_close(expanded.log_prob(x), expected.log_prob(x))
    assert expanded.sample().shape == (2, 3, 4)


@pytest.mark.parametrize("parameters", [(0.0, 0.0), (1.3, -1.2), (-2.0, 0.9), (0.1, -6.0)])
def test_kl_to_the_prior_equals_quadrature(parameters):
    mean, log_variance = parameters
    q, p = stats.norm(mean, np.exp(log_variance / 2)), stats.norm(0, 1)
    expected, error = integrate.quad(
        lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)),
        mean - 12 * q.std(),
        mean + 12 * q.std(),
        epsabs=1e-11,
    )
    posterior = Gaussian(3)(torch.tensor([mean] * 3 + [log_variance] * 3, dtype=torch.float64))
    kl = td.kl_divergence(posterior, StandardNormal(3).double()())
    assert kl.shape == ()
    assert abs(kl.item() - 3 * expected) < 1e-9 + 3 * error


def _moments(distribution, num=200_000):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        draws = distribution.sample((num,)).double()
    return draws.mean(0), draws.var(0), num


@pytest.mark.parametrize(
    "head", [_fixed, _shared, lambda event: Gaussian(event)], ids=["fixed", "shared", "each"]
)
def test_gaussian_samples_have_its_moments(head):
    distribution = head((3,))(_normal(*head((3,)).in_shape))
    mean, variance, num = _moments(distribution)
    exact = distribution.variance.detach()
    assert ((mean - distribution.mean).abs() < 5 * (exact / num).sqrt()).all()
    assert ((variance - exact).abs() < 5 * exact * (2 / (num - 1)) ** 0.5).all()


def test_bernoulli_samples_have_its_mean():
    distribution = Bernoulli(4)(_normal(4))
    mean, _, num = _moments(distribution)
    probability = distribution.mean
    error = (probability * (1 - probability) / num).sqrt()
    assert ((mean - probability).abs() < 5 * error).all()


def test_gaussian_samples_carry_the_gradient():
    """The slopes of a draw z = m + s * noise are 1 in m and (z - m) / 2 in the log variance."""
    network_output = _normal(6).requires_grad_()
    draw = Gaussian(3)(network_output).rsample()
    draw.sum().backward()
    torch.testing.assert_close(network_output.grad[:3], torch.ones(3, dtype=torch.float64))
    expected = (draw - network_output[:3]).detach() / 2
    torch.testing.assert_close(network_output.grad[3:], expected)


def _bfloat16_error(layer: nn.Linear, x):
    """Bound the error of a layer under autocast: all factors and the result are rounded once."""
    unit = torch.finfo(torch.bfloat16).eps / 2
    products = x.abs() @ layer.weight.abs().T
    # 1.1 covers the second-order terms of the rounding and the sums in float32.
    return 1.1 * unit * (2 * products + layer.bias.abs() + layer(x).abs())


def _under_autocast(layer, head, x, value):
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
        return head(layer(x)).log_prob(value)


def test_densities_under_autocast_are_float32_bernoulli():
    layer, x, value = nn.Linear(20, 30), torch.randn(8, 20), torch.rand(8, 30)
    head = Bernoulli(30)
    got = _under_autocast(layer, head, x, value)
    # The slope of the density in each logit is at most one.
    tolerance = _bfloat16_error(layer, x).sum(1)
    assert got.dtype == torch.float32
    assert ((got - head(layer(x)).log_prob(value)).abs() <= tolerance).all()


@pytest.mark.parametrize("head", [GaussianFixedScale(30, 0.5), GaussianSharedScale(30, 0.5)])
def test_densities_under_autocast_are_float32_gaussian(head):
    layer, x, value = nn.Linear(20, 30), torch.randn(8, 20), torch.randn(8, 30)
    got = _under_autocast(layer, head, x, value)
    error = _bfloat16_error(layer, x)
    tolerance = (((value - layer(x)).abs() + error) * error / 0.5**2).sum(1)
    assert got.dtype == torch.float32
    assert ((got - head(layer(x)).log_prob(value)).abs() <= tolerance).all()


@pytest.mark.parametrize("head", [Gaussian(4), Bernoulli(4), Deterministic(4)])
def test_short_inputs_are_widened_exactly(head):
    short = torch.randn(3, head.in_shape[0]).bfloat16()
    got, expected = head(short).mean, head(short.float()).mean
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, expected, rtol=0, atol=0)


def test_shared_scale_learns_the_standard_deviation():
    """The slope in the log scale is sum((x - m)**2 / s**2 - 1)."""
    head, x = GaussianSharedScale(5, initial_scale=0.7).double(), _normal(8, 5)
    head(torch.zeros(8, 5, dtype=torch.float64)).log_prob(x).sum().backward()
    expected = (x.square() / 0.7**2 - 1).sum()
    torch.testing.assert_close(head.log_scale.grad, expected, rtol=1e-6, atol=0)


def test_delta_is_its_value():
    value = _normal(3, 2, 4).requires_grad_()
    delta = Deterministic((2, 4))(value)
    assert isinstance(delta, Delta)
    assert (delta.batch_shape, delta.event_shape) == ((3,), (2, 4))
    for same in (delta.mean, delta.mode, delta.sample(), delta.rsample((5,))[4]):
        torch.testing.assert_close(same, value, rtol=0, atol=0)
    assert delta.rsample((5, 6)).shape == (5, 6, 3, 2, 4)
    assert not delta.variance.any()
    delta.rsample((5,)).sum().backward()
    torch.testing.assert_close(value.grad, torch.full_like(value, 5))
    assert not delta.sample((2,)).requires_grad


def test_prior_is_standard_normal():
    prior = StandardNormal((2, 3))()
    x = _normal(7, 2, 3).float()
    expected = stats.norm.logpdf(x.numpy()).sum((1, 2))
    np.testing.assert_allclose(prior.log_prob(x), expected, rtol=1e-6)
    assert prior.sample((5,)).shape == (5, 2, 3)


@pytest.mark.parametrize("scale", [0, -1.5, float("nan")])
def test_scale_must_be_positive(scale):
    with pytest.raises(ValueError, match=f"^scale must be a positive number, got {scale}"):
        GaussianFixedScale(3, scale)
    with pytest.raises(ValueError, match=f"initial_scale must be a positive number, got {scale}"):
        GaussianSharedScale(3, scale)


@pytest.mark.parametrize(
    "head", [Gaussian, GaussianFixedScale, GaussianSharedScale, Bernoulli, Deterministic]
)
def test_event_shape_must_be_positive(head):
    with pytest.raises(ValueError, match="event_shape must be positive integers, got 0"):
        head(0)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(
    "head", [Gaussian, GaussianFixedScale, GaussianSharedScale, Bernoulli, NegativeBinomial]
)
def test_a_short_output_has_the_density_of_the_same_numbers_in_float32(head, kind):
    head, value = head(4), torch.ones(3, 4)
    short = _normal(5, 3, *head.in_shape).to(kind)
    density = head(short)
    assert density.mean.dtype == torch.float32
    assert torch.equal(density.log_prob(value), head(short.float()).log_prob(value))


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_short_logits_give_the_classes_of_the_same_numbers_in_float32(kind):
    head, short = Categorical(4), _normal(6, 3, 4).to(kind)
    assert torch.equal(head(short).logits, head(short.float()).logits)
