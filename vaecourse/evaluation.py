"""Numbers about a trained model, computed in batches, without gradients, from a fixed seed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from vaecourse.data import Batch
from vaecourse.runtime import isolated_rng

__all__ = [
    "active_units",
    "embed",
    "evaluate",
    "nearest_distance",
    "reconstruct",
    "sample_prior",
]


@contextmanager
def _evaluating(model: nn.Module, seed: int) -> Iterator[torch.device]:
    """Switch to evaluation mode, no gradients and private random numbers; yield the device."""
    was_training = model.training
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    model.eval()
    try:
        with torch.no_grad(), isolated_rng(seed, device):
            yield device
    finally:
        model.train(was_training)


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
    ValueError
        If there are no examples.
    """
    if not len(data.x):
        raise ValueError("evaluate needs at least one example, got none")
    totals: dict[str, float] = {}
    with _evaluating(model, seed) as device:
        generator = torch.Generator(device).manual_seed(seed)
        for x, y in zip(data.x.split(batch_size), data.y.split(batch_size), strict=True):
            x = x.to(device)
            batch = Batch(transform(x, generator) if transform else x, y.to(device))
            for name, values in objective(model, batch).items():
                totals[name] = totals.get(name, 0.0) + values.sum(dtype=torch.float64).item()
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
    with _evaluating(model, 0) as device:
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
    with _evaluating(model, 0) as device:
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
    with _evaluating(model, seed):
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


def nearest_distance(images: Tensor, reference: Tensor, *, batch_size: int = 256) -> Tensor:
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
    parts = images.flatten(1).split(batch_size)
    return torch.cat([torch.cdist(part, flat).amin(1) for part in parts])
