"""What the sampled bounds are made of: log weights, and a value with another's gradient."""

from typing import Any, NoReturn

import torch
from torch import Tensor
from torch import distributions as td

from vaecourse.models.protocols import LatentModel

__all__ = ["bound_terms", "frozen", "log_weight", "once_differentiable", "value_with_gradient"]


def frozen(distribution: td.Distribution) -> td.Distribution:
    """Return the same distribution, whose parameters no gradient reaches.

    Raises
    ------
    TypeError
        If it is not a (possibly independent) normal distribution.
    """
    if isinstance(distribution, td.Independent):
        dims = distribution.reinterpreted_batch_ndims
        return td.Independent(frozen(distribution.base_dist), dims, validate_args=False)
    if not isinstance(distribution, td.Normal):
        raise TypeError(
            f"a posterior with detached parameters must be a normal distribution, got "
            f"{type(distribution).__name__}; leave that gradient estimator off"
        )
    loc, scale = distribution.loc.detach(), distribution.scale.detach()
    return td.Normal(loc, scale, validate_args=False)


def log_weight(model: LatentModel, x: Tensor, z: Tensor, proposal: td.Distribution) -> Tensor:
    """Return ``log p(x|z) + log p(z) - log q(z|x)``, shape ``(K, B)``, for z ``(K, B, L)``."""
    return model.decode(z).log_prob(x) + model.prior().log_prob(z) - proposal.log_prob(z)


def bound_terms(log_likelihood: Tensor, rate: Tensor, beta: float) -> dict[str, Tensor]:
    """Name the two terms of a bound, the bound, and the loss that weights the rate by `beta`."""
    return {
        "reconstruction": log_likelihood,
        "kl": rate,
        "elbo": log_likelihood - rate,
        "loss": beta * rate - log_likelihood,
    }


def value_with_gradient(value: Tensor, surrogate: Tensor) -> Tensor:
    """Return a tensor equal to `value` whose gradient, and no more, is that of `surrogate`."""
    return value.detach() + once_differentiable(surrogate - surrogate.detach())


def once_differentiable(estimate: Tensor) -> Tensor:
    """Return the same values, whose second derivatives raise a RuntimeError.

    Where some part of an estimate is held constant, its first derivative is right on average and
    its second is not.
    """
    return _Once.apply(estimate)


class _Once(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(estimate: Tensor) -> Tensor:
        return estimate.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        # The factor one stands between this gradient and whoever would differentiate it.
        return grad * _One.apply(*ctx.saved_tensors) if torch.is_grad_enabled() else grad


class _One(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(estimate: Tensor) -> Tensor:
        return torch.ones_like(estimate)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> NoReturn:
        raise RuntimeError(
            "the gradient of this objective is an estimate that holds some of its parts constant, "
            "so its second derivative would be wrong; differentiate an objective without such an "
            "option, for example elbo or the plain iwae"
        )
