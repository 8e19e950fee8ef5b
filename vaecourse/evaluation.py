"""Numbers about a trained model, computed in batches, without gradients, from a fixed seed."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vaecourse.data import Batch
from vaecourse.objectives.contract import Checked
from vaecourse.runtime import evaluating

__all__ = [
    "MidpointRatio",
    "active_units",
    "embed",
    "evaluate",
    "midpoint_ratio",
    "nearest_distance",
    "neighbor_agreement",
    "reconstruct",
    "sample_prior",
]


def evaluate(
    model: nn.Module,
    objective: Callable,
    data,
    *,
    transform: Callable | None = None,
    batch_size: int = 1000,
    seed: int = 0,
) -> dict[str, float]:
    """Average every term of an objective over a data set.

    Parameters
    ----------
    model : Module
        Model to evaluate.
    objective : callable
        ``objective(model, batch) -> dict`` of per-example terms.
    data : Batch or HeldOut
        ``x`` of shape ``(N, *event)`` and ``y`` of shape ``(N,)``.
    transform : callable, optional
        ``transform(x, generator) -> x``, for example dynamic binarization.
    batch_size : int
        Examples per pass.
    seed : int
        Seed of the transform and of the model's samples.

    Returns
    -------
    dict of str to float
        The mean of each term, in nats per example.

    Raises
    ------
    TypeError
        If the objective does not return a dict of tensors.
    ValueError
        If there are no examples, or a term is not one number for each.
    """
    if not len(data.x):
        raise ValueError("evaluate needs at least one example, got none")
    totals: dict[str, float] = {}
    checked = Checked(objective, trains=False)
    with evaluating(model, seed) as device:
        generator = torch.Generator(device).manual_seed(seed)
        for x, y in zip(data.x.split(batch_size), data.y.split(batch_size), strict=True):
            x = x.to(device)
            batch = Batch(transform(x, generator) if transform else x, y.to(device))
            for name, values in checked(model, batch).items():
                totals[name] = totals.get(name, 0.0) + values.cpu().double().sum().item()
    return {name: total / len(data.x) for name, total in totals.items()}


def embed(model: nn.Module, x: Tensor, *, batch_size: int = 1000) -> Tensor:
    """Return the posterior means of `x`.

    Parameters
    ----------
    model : Autoencoder or VAE
        Model with ``encode``.
    x : Tensor
        Shape ``(N, *event)``.
    batch_size : int
        Examples per pass.

    Returns
    -------
    Tensor
        Shape ``(N, L)``, on the CPU.
    """
    with evaluating(model, 0) as device:
        return torch.cat([model.encode(part.to(device)).mean.cpu() for part in x.split(batch_size)])


def reconstruct(model: nn.Module, x: Tensor, *, batch_size: int = 1000) -> Tensor:
    """Return the decoder's mean at the posterior mean of each example.

    Parameters
    ----------
    model : Autoencoder or VAE
        Model with ``encode`` and ``decode``.
    x : Tensor
        Shape ``(N, *event)``.
    batch_size : int
        Examples per pass.

    Returns
    -------
    Tensor
        Shape ``(N, *event)``, on the CPU.
    """
    with evaluating(model, 0) as device:
        parts = (part.to(device) for part in x.split(batch_size))
        return torch.cat([model.decode(model.encode(part).mean).mean.cpu() for part in parts])


def sample_prior(model: nn.Module, num: int, *, seed: int = 0) -> Tensor:
    """Draw z from the prior and return the decoder's means.

    Parameters
    ----------
    model : VAE
        Model with ``prior`` and ``decode``.
    num : int
        Number of draws.
    seed : int
        Seed of the draws.

    Returns
    -------
    Tensor
        Shape ``(num, *event)``, on the CPU.
    """
    with evaluating(model, seed):
        return model.decode(model.prior().sample((num,))).mean.cpu()


def active_units(model: nn.Module, x: Tensor) -> Tensor:
    r"""Return how much each latent unit's posterior mean varies over the data.

    The activity :math:`A_u = \operatorname{Var}_x(\mathbb{E}_{q(z_u\mid x)}[z_u])` of Burda et al.
    (2016), section 5.2. They call a unit active when :math:`A_u > 0.01`.

    Parameters
    ----------
    model : VAE
        Model with ``encode``.
    x : Tensor
        Shape ``(N, *event)`` with at least two examples.

    Returns
    -------
    Tensor
        Shape ``(L,)``.

    Raises
    ------
    ValueError
        If there are fewer than two examples.
    """
    if len(x) < 2:
        raise ValueError(f"active_units needs at least two examples, got {len(x)}")
    return embed(model, x).var(0)


def nearest_distance(images: Tensor, reference: Tensor, *, batch_size: int = 1024) -> Tensor:
    """Return how far each image lies from its nearest neighbor in a reference set.

    Parameters
    ----------
    images : Tensor
        Shape ``(N, *event)``.
    reference : Tensor
        Shape ``(M, *event)``.
    batch_size : int
        Images per pass; it bounds the memory.

    Returns
    -------
    Tensor
        Euclidean distances, shape ``(N,)``.

    Raises
    ------
    ValueError
        If the two sets hold events of different shapes.
    """
    if images.shape[1:] != reference.shape[1:]:
        raise ValueError(
            f"images and reference must hold the same shape, got {tuple(images.shape[1:])} and "
            f"{tuple(reference.shape[1:])}"
        )
    flat = reference.flatten(1)
    distances = []
    for part in images.flatten(1).split(batch_size):
        # cdist takes the difference of two large squares: right about who is nearest, but as much
        # as 0.02 off for how near, even for an image of the reference set itself.
        nearest = flat[torch.cdist(part, flat).argmin(1)]
        distances.append((part - nearest).norm(dim=1))
    return torch.cat(distances)


class MidpointRatio(NamedTuple):
    """How much farther from the data decoded midpoints lie than decoded ends.

    Attributes
    ----------
    value : float
        The ratio of the two mean distances.
    standard_error : float
        Its standard error over the pairs.
    images : Tensor
        The decoded midpoints, shape ``(N, *event)``.
    """

    value: float
    standard_error: float
    images: Tensor


def midpoint_ratio(
    model: nn.Module, first: Tensor, second: Tensor, reference: Tensor
) -> MidpointRatio:
    r"""Return how much farther from the data midpoints decode than the ends between which they lie.

    For pairs :math:`(a_n, b_n)` with codes :math:`E(\cdot)`, the encoder's means, and :math:`D(z)`,
    the decoder's mean with pixels outside [0, 1] set to 0 or 1, it is

    .. math::
        r = \frac{\sum_n d\bigl(D(\tfrac12 E(a_n) + \tfrac12 E(b_n))\bigr)}
            {\sum_n \tfrac12 d(D(E(a_n))) + \tfrac12 d(D(E(b_n)))},

    where d is the Euclidean distance to the nearest reference image. The standard error is that of
    a ratio of paired means, to first order; it takes the pairs to be independent, so use no image
    twice.

    Parameters
    ----------
    model : Autoencoder or VAE
        Model with ``encode`` and ``decode``.
    first, second : Tensor
        The ends of N pairs, each ``(N, *event)``, held out from training.
    reference : Tensor
        Training images, shape ``(M, *event)``.

    Returns
    -------
    MidpointRatio
        1 means that midpoints lie as near to the data as reconstructions do.

    Raises
    ------
    ValueError
        If there are fewer than two pairs, or not as many first as second images.
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(
            "first and second must hold the same number of images, at least two, got "
            f"{len(first)} and {len(second)}"
        )
    codes = torch.stack([embed(model, first), embed(model, second)])
    with evaluating(model, 0) as device:
        decoded = [
            torch.cat([model.decode(part.to(device)).mean.cpu() for part in z.split(1000)])
            for z in (codes.mean(0), *codes)
        ]
    images = torch.stack(decoded).clamp(0, 1)
    middle, *ends = nearest_distance(images.flatten(0, 1), reference).double().chunk(3)
    end = torch.stack(ends).mean(0)
    value = (middle.mean() / end.mean()).item()
    spread = (middle - value * end).std().item()
    error = spread / (end.mean().item() * len(first) ** 0.5)
    return MidpointRatio(value, error, images[0])


def neighbor_agreement(
    images: Tensor, reference: Batch, *, num: int = 10, batch_size: int = 256
) -> Tensor:
    """Return how well the nearest reference images agree on the class of each image.

    Parameters
    ----------
    images : Tensor
        Shape ``(N, *event)``.
    reference : Batch
        Labeled images, ``x`` of shape ``(M, *event)`` and ``y`` of shape ``(M,)``.
    num : int
        How many neighbors vote.
    batch_size : int
        Images per pass; it bounds the memory.

    Returns
    -------
    Tensor
        The share of the neighbors that the commonest class has, from ``1 / num`` to 1, ``(N,)``.

    Raises
    ------
    ValueError
        If `num` is not between 1 and the number of reference images.
    """
    if not isinstance(num, int) or not 1 <= num <= len(reference.x):
        raise ValueError(f"num must lie between 1 and {len(reference.x)}, got {num!r}")
    flat, shares = reference.x.flatten(1), []
    for part in images.flatten(1).split(batch_size):
        nearest = torch.cdist(part, flat).topk(num, largest=False).indices
        shares.append(nn.functional.one_hot(reference.y[nearest]).sum(1).amax(1) / num)
    return torch.cat(shares)
