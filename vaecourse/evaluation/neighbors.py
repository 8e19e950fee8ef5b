"""Images compared with the nearest images of a reference set."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vaecourse.checks import as_positive, is_integer
from vaecourse.data import Batch
from vaecourse.evaluation.codes import embed
from vaecourse.models.protocols import CoderModule
from vaecourse.runtime import evaluating
from vaecourse.runtime.passes import row_by_row

__all__ = ["MidpointRatio", "midpoint_ratio", "nearest_distance", "neighbor_agreement"]


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
    _check_alike(images=images, reference=reference)
    flat = reference.flatten(1)
    distances = []
    for part in images.flatten(1).split(as_positive(batch_size, "batch_size")):
        # cdist takes the difference of two large squares: right about who is nearest, but as much
        # as 0.02 off for how near, even for an image of the reference set itself.
        nearest = flat[torch.cdist(part, flat).argmin(1)]
        distances.append((part - nearest).norm(dim=1))
    return torch.cat(distances)


def _check_alike(**sets: Tensor) -> None:
    shapes = [tuple(images.shape[1:]) for images in sets.values()]
    if len(set(shapes)) > 1:
        raise ValueError(
            f"{' and '.join(sets)} must hold the same shape, got {' and '.join(map(str, shapes))}"
        )


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
    model: CoderModule, first: Tensor, second: Tensor, reference: Tensor
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
        If there are fewer than two pairs, not as many first as second images, or the three sets
        hold events of different shapes.
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(
            "first and second must hold the same number of images, at least two, got "
            f"{len(first)} and {len(second)}"
        )
    _check_alike(first=first, second=second, reference=reference)
    codes = torch.stack([embed(model, first), embed(model, second)])
    with evaluating(model, 0) as device:
        decoded = [
            row_by_row(lambda part: model.decode(part).mean, z, device, 1000)
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
        If `num` is not between 1 and the number of reference images, one of these has no label, or
        the two sets hold events of different shapes.
    """
    _check_alike(images=images, reference=reference.x)
    if (reference.y < 0).any():
        raise ValueError("reference must have a label for every image; leave out those without")
    if not is_integer(num) or not 1 <= num <= len(reference.x):
        raise ValueError(f"num must lie between 1 and {len(reference.x)}, got {num!r}")
    flat, shares = reference.x.flatten(1), []
    for part in images.flatten(1).split(as_positive(batch_size, "batch_size")):
        nearest = torch.cdist(part, flat).topk(num, largest=False).indices
        shares.append(nn.functional.one_hot(reference.y[nearest]).sum(1).amax(1) / num)
    return torch.cat(shares)
