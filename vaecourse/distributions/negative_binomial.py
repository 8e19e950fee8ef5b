r"""Head for counts: a negative binomial whose log density is safe in single precision.

With mean :math:`\mu` and inverse dispersion :math:`\theta` the variance is
:math:`\mu+\mu^2/\theta`; :math:`\theta\to\infty` gives the Poisson distribution. The textbook
formula subtracts numbers of the size of :math:`\log\Gamma(x+\theta)`, which float32 does not
survive: at :math:`\theta=10^6` it is off by tenths of a nat. Here nothing large is subtracted, in
the manner of Loader (2000).
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch import distributions as td
from torch.distributions import constraints

from vaecourse.checks import Shape, as_shape
from vaecourse.distributions.densities import full_precision, independent
from vaecourse.runtime.private import transforms_are_active

__all__ = ["NegativeBinomial"]

LARGE = 10.0  # from here on the asymptotic series hold to 14 digits
HALF_LOG_TWO_PI = 0.9189385332046727
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188)
DIGAMMA = (-1 / 12, 1 / 120, -1 / 252, 1 / 240, -1 / 132)


def _horner(x: Tensor, coefficients: Sequence[float]) -> Tensor:
    total = torch.full_like(x, coefficients[-1])
    for coefficient in coefficients[-2::-1]:
        total = total * x + coefficient
    return total


def _stirling_error(y: Tensor) -> Tensor:
    r"""Return :math:`\log\Gamma(y) - (y-\frac12)\log y + y - \frac12\log 2\pi`."""
    small, inverse = y.clamp(max=LARGE), 1 / y.clamp(min=LARGE)
    direct = torch.lgamma(small) - (small - 0.5) * small.log() + small - HALF_LOG_TWO_PI
    return torch.where(y < LARGE, direct, inverse * _horner(inverse.square(), STIRLING))


def _digamma_error(y: Tensor) -> Tensor:
    r"""Return :math:`\psi(y) - \log y`."""
    small, inverse = y.clamp(max=LARGE), 1 / y.clamp(min=LARGE)
    square = inverse.square()
    series = square * _horner(square, DIGAMMA) - 0.5 * inverse
    return torch.where(y < LARGE, torch.digamma(small) - small.log(), series)


def _excess(t: Tensor, ratio: Tensor) -> Tensor:
    r"""Return :math:`t - \log(1+t)`, never negative, for ``ratio`` equal to 1 + t.

    Near zero it is :math:`tw - 2w^3(\frac13 + \frac{w^2}5 + \dots)` with :math:`w = t/(2+t)`.
    """
    w = t.clamp(-0.1, 0.1) / (2 + t.clamp(-0.1, 0.1))
    square = w.square()
    near = w * (t - 2 * square * _horner(square, [1 / k for k in (3, 5, 7, 9, 11, 13)]))
    return torch.where(t.abs() < 0.1, near, t - ratio.log())


def _log_prob(mean: Tensor, theta: Tensor, x: Tensor) -> Tensor:
    r"""Log density of counts x.

    For x > 0, with :math:`u = \theta(\mu-x)/(x(\mu+\theta))`, :math:`v = (x-\mu)/(\mu+\theta)`,
    :math:`g(t) = t-\log(1+t)` and Stirling's error s,

    .. math::
        \log p = -x\,g(u) - \theta\,g(v) - \tfrac12\log(2\pi x(1+x/\theta))
            + s(x+\theta) - s(\theta) - s(x),

    because :math:`xu + \theta v = 0`. For x = 0 it is :math:`-\theta\log(1+\mu/\theta)`.
    """
    some, both = torch.where(x > 0, x, 1), mean + theta
    shared = (some + theta) / both
    v, u = (some - mean) / both, (mean - some) * (theta / both) / some
    spread = 0.5 * (some.log() + torch.log1p(some / theta)) + HALF_LOG_TWO_PI
    errors = _stirling_error(some + theta) - _stirling_error(theta) - _stirling_error(some)
    deviance = some * _excess(u, shared * (mean / some)) + theta * _excess(v, shared)
    return torch.where(x > 0, errors - deviance - spread, -theta * torch.log1p(mean / theta))


def _slope_in_mean(mean: Tensor, theta: Tensor, x: Tensor) -> Tensor:
    return (x - mean) / mean * (theta / (mean + theta))


def _slope_in_theta(mean: Tensor, theta: Tensor, x: Tensor) -> Tensor:
    both = mean + theta
    errors = _digamma_error(x + theta) - _digamma_error(theta)
    return errors - _excess((x - mean) / both, (x + theta) / both)


def _slope_in_x(mean: Tensor, theta: Tensor, x: Tensor) -> Tensor:
    """Slope of the density's continuation between the counts."""
    return torch.digamma(x + theta) - torch.digamma(x + 1) + (mean / (mean + theta)).log()


_SLOPES = _slope_in_mean, _slope_in_theta, _slope_in_x


class _LogProb(torch.autograd.Function):
    """The log density, with slopes in closed form: half the time of what autograd would do."""

    @staticmethod
    def forward(ctx: Any, mean: Tensor, theta: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(mean, theta, x)
        ctx.save_for_forward(mean, theta, x)
        return _log_prob(mean, theta, x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        slopes = zip(_SLOPES, ctx.needs_input_grad, strict=True)
        return tuple(
            grad * slope(*ctx.saved_tensors) if wanted else None for slope, wanted in slopes
        )

    @staticmethod
    def jvp(ctx: Any, *tangents: Tensor) -> Tensor:
        slopes = (slope(*ctx.saved_tensors) for slope in _SLOPES)
        parts = (tangent * slope for tangent, slope in zip(tangents, slopes, strict=True))
        return cast(Tensor, sum(parts))  # three of them, so not the 0 of an empty sum


class _NegativeBinomial(td.NegativeBinomial):
    """`torch.distributions.NegativeBinomial` by its mean, with a ``log_prob`` that is safe."""

    def __init__(self, mean: Tensor, theta: Tensor) -> None:
        theta = theta.expand_as(mean)
        super().__init__(theta, logits=mean.log() - theta.log(), validate_args=False)
        self._mean = mean

    @property
    def mean(self) -> Tensor:
        return self._mean

    @property
    def variance(self) -> Tensor:
        return self._mean + self._mean.square() / self.total_count

    def log_prob(self, value: Tensor) -> Tensor:
        # PyTorch takes a function of our own for a constant where it differentiates twice forward.
        density = _log_prob if transforms_are_active() else _LogProb.apply
        return density(*torch.broadcast_tensors(self._mean, self.total_count, value))

    def expand(self, batch_shape: Sequence[int], _instance: object = None) -> td.NegativeBinomial:
        shape = torch.Size(batch_shape)
        return _NegativeBinomial(self._mean.expand(shape), self.total_count.expand(shape))


class NegativeBinomial(nn.Module):
    r"""Negative binomial counts: the network gives log means, each dimension learns its dispersion.

    .. math::
        p(x) = \frac{\Gamma(x+\theta)}{\Gamma(\theta)\,x!}
            \left(\frac{\theta}{\theta+\mu}\right)^{\theta}
            \left(\frac{\mu}{\theta+\mu}\right)^{x},

    a Poisson distribution whose rate varies like a gamma variable of mean :math:`\mu` and shape
    :math:`\theta` (Lopez et al., 2018, methods). The variance is :math:`\mu + \mu^2/\theta`.

    Parameters
    ----------
    event_shape : int or sequence of int
        Shape of one draw, for example the number of genes.
    initial_theta : float
        Inverse dispersion :math:`\theta` of every dimension before training.

    Raises
    ------
    ValueError
        If `initial_theta` is not positive.
    """

    support = constraints.nonnegative_integer

    def __init__(self, event_shape: Shape, initial_theta: float = 1.0) -> None:
        super().__init__()
        if not initial_theta > 0:
            raise ValueError(f"initial_theta must be a positive number, got {initial_theta!r}")
        self.event_shape = self.in_shape = as_shape(event_shape, "event_shape")
        start = torch.tensor(float(initial_theta)).log()
        self.log_theta = nn.Parameter(start.expand(self.event_shape).clone())

    def forward(self, x: Tensor) -> td.Independent:
        """Turn log means ``(*batch, *event_shape)`` into a distribution over ``event_shape``."""
        x = full_precision(x)
        # Below e^-60 a mean would soon be zero, under which no count is possible.
        base = _NegativeBinomial(x.clamp(min=-60).exp(), self.log_theta.exp().to(x.dtype))
        return independent(base, self.event_shape)
