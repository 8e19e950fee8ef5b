"""Heads: modules that turn a network's output into a `torch.distributions` object.

A head has an `event_shape`, the shape of one draw, an `in_shape`, the shape that its network must
produce, and a `support`, where data may lie. Every head wraps its result in `Independent`, so
``log_prob`` sums over the event and returns one number per batch element, in nats.
"""

from collections.abc import Callable, Sequence
from math import log, pi

import torch
from torch import Tensor, nn
from torch import distributions as td
from torch.distributions import constraints

from vaecourse.checks import Shape, as_shape
from vaecourse.distributions.densities import full_precision, independent

__all__ = [
    "Bernoulli",
    "Delta",
    "Deterministic",
    "Gaussian",
    "GaussianFixedScale",
    "GaussianSharedScale",
    "Head",
    "StandardNormal",
    "build_head",
]

Head = Callable[[Shape], nn.Module]
"""Anything that builds a head from an event shape: `Bernoulli`, or a `functools.partial`."""


def build_head(likelihood: Head, event_shape: tuple[int, ...]) -> nn.Module:
    """Return the head that `likelihood` builds, or a TypeError if it cannot build one."""
    if isinstance(likelihood, nn.Module) or not callable(likelihood):
        raise TypeError(
            "likelihood must build a head from an event shape, such as vae.Bernoulli, got "
            f"{likelihood!r}; give the class, or a functools.partial of it"
        )
    return likelihood(event_shape)


class Gaussian(nn.Module):
    r"""Diagonal Gaussian whose mean and log variance both come from the network.

    The density is :math:`\mathcal{N}(x; \mu, \operatorname{diag}(e^{\ell}))` with the log variance
    :math:`\ell = \log\sigma^2`, as in Kingma and Welling (2014), equation (9). The network's first
    output dimension holds the mean, then the log variance.

    Parameters
    ----------
    event_shape : int or sequence of int
        Shape of one draw.

    Examples
    --------
    Two dimensions take four numbers, here log variances of zero:

    >>> import torch
    >>> import vaecourse as vae
    >>> q = vae.Gaussian(2)(torch.tensor([1.0, 2.0, 0.0, 0.0]))
    >>> q.mean, q.stddev
    (tensor([1., 2.]), tensor([1., 1.]))
    """

    support = constraints.real

    def __init__(self, event_shape: Shape) -> None:
        super().__init__()
        self.event_shape = as_shape(event_shape, "event_shape")
        self.in_shape = (2 * self.event_shape[0], *self.event_shape[1:])

    def forward(self, x: Tensor) -> td.Independent:
        """Turn ``(*batch, *in_shape)`` into a distribution over ``event_shape``."""
        mean, log_variance = full_precision(x).chunk(2, dim=-len(self.event_shape))
        scale = (0.5 * log_variance).exp()
        return independent(td.Normal(mean, scale, validate_args=False), self.event_shape)


class _OneScaleNormal(td.Normal):
    """`torch.distributions.Normal` with one scale, whose logarithm is taken once, not per pixel."""

    def __init__(self, loc: Tensor, one_scale: Tensor) -> None:
        super().__init__(loc, one_scale.expand_as(loc), validate_args=False)
        self.one_scale = one_scale

    def log_prob(self, value: Tensor) -> Tensor:
        constant = self.one_scale.log() + 0.5 * log(2 * pi)
        return (value - self.loc).square() * (-0.5 / self.one_scale.square()) - constant

    def expand(self, batch_shape: Sequence[int], _instance: object = None) -> td.Normal:
        return _OneScaleNormal(self.loc.expand(batch_shape), self.one_scale)


class GaussianFixedScale(nn.Module):
    """Gaussian with a mean from the network and one scale that is never learned.

    Up to a constant its log density is ``-squared_error / (2 * scale**2)``: squared error is this
    likelihood with the constant forgotten.

    Parameters
    ----------
    event_shape : int or sequence of int
        Shape of one draw.
    scale : float
        Standard deviation, shared by every dimension.

    Raises
    ------
    ValueError
        If `scale` is not positive.

    Examples
    --------
    A squared error of 1 costs ``1 / (2 * 0.5**2)`` nats:

    >>> import torch
    >>> import vaecourse as vae
    >>> p = vae.GaussianFixedScale(2, scale=0.5)(torch.zeros(2))
    >>> cost = p.log_prob(torch.tensor([0.0, 0.0])) - p.log_prob(torch.tensor([1.0, 0.0]))
    >>> round(cost.item(), 3)
    2.0
    """

    support = constraints.real

    def __init__(self, event_shape: Shape, scale: float = 1.0) -> None:
        super().__init__()
        if not scale > 0:
            raise ValueError(f"scale must be a positive number, got {scale!r}")
        self.event_shape = self.in_shape = as_shape(event_shape, "event_shape")
        self.scale: Tensor
        self.register_buffer("scale", torch.tensor(float(scale)))

    def extra_repr(self) -> str:
        """Print the scale: models that differ in it are different models."""
        return f"scale={self.scale.item():g}"

    def forward(self, x: Tensor) -> td.Independent:
        """Turn ``(*batch, *event_shape)`` into a distribution over ``event_shape``."""
        x = full_precision(x)
        return independent(_OneScaleNormal(x, self.scale.to(x.dtype)), self.event_shape)


class GaussianSharedScale(nn.Module):
    """Gaussian with a mean from the network and one learned scale for all dimensions.

    Parameters
    ----------
    event_shape : int or sequence of int
        Shape of one draw.
    initial_scale : float
        Standard deviation before training.

    Raises
    ------
    ValueError
        If `initial_scale` is not positive.
    """

    support = constraints.real

    def __init__(self, event_shape: Shape, initial_scale: float = 1.0) -> None:
        super().__init__()
        if not initial_scale > 0:
            raise ValueError(f"initial_scale must be a positive number, got {initial_scale!r}")
        self.event_shape = self.in_shape = as_shape(event_shape, "event_shape")
        self.log_scale = nn.Parameter(torch.tensor(log(initial_scale)))

    def forward(self, x: Tensor) -> td.Independent:
        """Turn ``(*batch, *event_shape)`` into a distribution over ``event_shape``."""
        x = full_precision(x)
        scale = self.log_scale.exp().to(x.dtype)
        return independent(_OneScaleNormal(x, scale), self.event_shape)


class _Bernoulli(td.Bernoulli):
    """`torch.distributions.Bernoulli` whose ``log_prob`` has derivatives of every order and mode.

    PyTorch's cross-entropy raises where its logits are differentiated forward. From 40 on softplus
    is the identity to every digit of a double.
    """

    def log_prob(self, value: Tensor) -> Tensor:
        return self.logits * value - nn.functional.softplus(self.logits, threshold=40)

    def expand(self, batch_shape: Sequence[int], _instance: object = None) -> td.Bernoulli:
        return _Bernoulli(logits=self.logits.expand(batch_shape), validate_args=False)


class Bernoulli(nn.Module):
    """Independent coin for every pixel; the network gives the logits.

    The density belongs to pixels that are 0 or 1. On grey pixels in [0, 1] ``log_prob`` is the
    cross-entropy of Kingma and Welling (2014), equation (11): a useful loss, but not the log
    density of any distribution over grey images, so never compare it with binarized results.

    Parameters
    ----------
    event_shape : int or sequence of int
        Shape of one draw.

    Examples
    --------
    A logit of zero is a fair coin, so an image of 64 pixels has the log density -64 log 2:

    >>> import torch
    >>> import vaecourse as vae
    >>> p = vae.Bernoulli((1, 8, 8))(torch.zeros(5, 1, 8, 8))
    >>> log_density = p.log_prob(torch.ones(5, 1, 8, 8))
    >>> log_density.shape, round(log_density[0].item(), 2)
    (torch.Size([5]), -44.36)
    """

    support = constraints.unit_interval

    def __init__(self, event_shape: Shape) -> None:
        super().__init__()
        self.event_shape = self.in_shape = as_shape(event_shape, "event_shape")

    def forward(self, x: Tensor) -> td.Independent:
        """Turn logits ``(*batch, *event_shape)`` into a distribution over ``event_shape``."""
        base = _Bernoulli(logits=full_precision(x), validate_args=False)
        return independent(base, self.event_shape)


class Delta(td.Distribution):
    """All mass on one point: what a deterministic encoder returns.

    Parameters
    ----------
    value : Tensor
        The point, of shape ``(*batch, *event_shape)``.
    event_dims : int
        How many trailing dimensions make one event.
    """

    arg_constraints: dict = {}  # noqa: RUF012 - the name and type that torch.distributions asks for
    has_rsample = True

    def __init__(self, value: Tensor, event_dims: int) -> None:
        self.value = value
        batch_dims = value.dim() - event_dims
        shape = value.shape
        super().__init__(shape[:batch_dims], shape[batch_dims:], validate_args=False)

    @property
    def mean(self) -> Tensor:
        """The point itself."""
        return self.value

    @property
    def mode(self) -> Tensor:
        """The point itself."""
        return self.value

    @property
    def variance(self) -> Tensor:
        """Zero everywhere."""
        return torch.zeros_like(self.value)

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Repeat the point ``sample_shape`` times, with its gradient."""
        return self.value.expand(self._extended_shape(torch.Size(sample_shape)))

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Repeat the point ``sample_shape`` times, without its gradient."""
        return self.rsample(sample_shape).detach()


class Deterministic(nn.Module):
    """Head that puts all mass on the network's output.

    Parameters
    ----------
    event_shape : int or sequence of int
        Shape of one draw.
    """

    def __init__(self, event_shape: Shape) -> None:
        super().__init__()
        self.event_shape = self.in_shape = as_shape(event_shape, "event_shape")

    def forward(self, x: Tensor) -> Delta:
        """Turn ``(*batch, *event_shape)`` into a `Delta` over ``event_shape``."""
        return Delta(full_precision(x), len(self.event_shape))


class StandardNormal(nn.Module):
    """The prior N(0, I): a head that needs no input.

    Parameters
    ----------
    event_shape : int or sequence of int
        Shape of one draw, for example the number of latent dimensions.

    Examples
    --------
    >>> import torch
    >>> import vaecourse as vae
    >>> prior = vae.StandardNormal(2)
    >>> prior().sample((5,)).shape
    torch.Size([5, 2])
    >>> round(prior().log_prob(torch.zeros(2)).item(), 3)  # -log(2 pi)
    -1.838
    """

    def __init__(self, event_shape: Shape) -> None:
        super().__init__()
        self.event_shape = as_shape(event_shape, "event_shape")
        self.zero: Tensor
        self.one: Tensor
        self.register_buffer("zero", torch.zeros(self.event_shape), persistent=False)
        self.register_buffer("one", torch.ones(self.event_shape), persistent=False)

    def forward(self) -> td.Independent:
        """Return the distribution."""
        base = td.Normal(self.zero, self.one, validate_args=False)
        return independent(base, self.event_shape)
