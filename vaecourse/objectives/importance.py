"""The importance-weighted bound."""

from math import log

import torch
from torch import Tensor
from torch import distributions as td

from vaecourse.checks import check_positive
from vaecourse.data import Batch
from vaecourse.models.protocols import LatentModel
from vaecourse.objectives.weights import frozen, log_weight, value_with_gradient

__all__ = ["iwae"]

ROWS_AT_ONCE = 1250
"""Codes decoded at a time where no gradient is wanted: what they decode to fits a CPU's cache."""
ROWS_ON_ACCELERATOR = 50_000


def iwae(
    model: LatentModel,
    batch: Batch,
    *,
    num_samples: int = 5,
    doubly_reparameterized: bool = False,
    gradient_samples: int | None = None,
) -> dict[str, Tensor]:
    r"""Importance-weighted bound of K samples.

    .. math::
        \mathcal{L}_K(x) = \mathbb{E}\left[ \log \frac1K \sum_{k=1}^K w_k \right], \qquad
        w_k = \frac{p_\theta(x\mid z_k)\, p(z_k)}{q_\phi(z_k\mid x)}, \quad z_k \sim q_\phi,

    Burda et al. (2016), equation (8). K = 1 is the ELBO, and the bound rises to log p(x) with K.

    The plain gradient weights the path of each sample by :math:`\tilde w_k = w_k / \sum_j w_j`. As
    K grows, noise drowns what the encoder's part has to say. The doubly reparameterized gradient
    (Tucker et al., 2019),

    .. math::
        \nabla_\phi \mathcal{L}_K = \mathbb{E}\left[ \sum_k \tilde w_k^2\,
            \frac{\partial \log w_k}{\partial z_k} \frac{\partial z_k}{\partial \phi} \right],

    has the same mean and does not. The decoder's gradient is the same in both.

    Most of the K samples hardly count. With `gradient_samples` M < K, all K are scored, M of them
    are drawn anew with probabilities :math:`\tilde w_k`, and only these carry a gradient, with
    weights 1/M (Burda et al., 2016, section 3, who draw one). Bound and mean gradient stay as they
    are; memory and time shrink, and noise grows.

    Parameters
    ----------
    model : VAE
        Has ``prior``, ``encode`` and ``decode``.
    batch : Batch
        ``batch.x`` of shape ``(B, *event)``.
    num_samples : int
        Samples K inside the logarithm.
    doubly_reparameterized : bool
        Whether the encoder gets the doubly reparameterized gradient.
    gradient_samples : int, optional
        Samples M that carry the gradient; by default all of them do.

    Returns
    -------
    dict of str to Tensor
        ``iwae``, ``elbo`` and ``loss``, each ``(B,)`` in nats. ``elbo`` is the mean log weight of
        the same samples. The value of ``loss`` is ``-iwae`` under either gradient. Only the plain
        gradient may be differentiated again.

    Raises
    ------
    ValueError
        If `num_samples` or `gradient_samples` is not a positive integer.
    TypeError
        If `doubly_reparameterized` is asked of a posterior that is not normal.

    Examples
    --------
    Twenty samples give a tighter bound than one does on average:

    >>> import vaecourse as vae
    >>> model = vae.mlp_vae((1, 8, 8), latent_dim=2)
    >>> terms = vae.objectives.iwae(model, vae.load("digits").valid, num_samples=20)
    >>> terms["iwae"].shape, bool(terms["iwae"].mean() > terms["elbo"].mean())
    (torch.Size([249]), True)
    """
    if gradient_samples is None:
        gradient_samples = num_samples
    check_positive(num_samples=num_samples, gradient_samples=gradient_samples)
    posterior = model.encode(batch.x)
    z = posterior.rsample((num_samples,))
    scored_by = frozen(posterior) if doubly_reparameterized else posterior
    surrogate: Tensor | None
    if gradient_samples < num_samples:
        log_w = _scores(model, batch.x, z, scored_by)
        path = log_w.detach().softmax(0)
        drawn = _systematic(path, gradient_samples)
        z, path = z[drawn, torch.arange(len(batch.x), device=z.device)], path.gather(0, drawn)
        surrogate = log_weight(model, batch.x, z, scored_by).mean(0)
    else:
        log_w = log_weight(model, batch.x, z, scored_by)
        path = log_w.detach().softmax(0)
        surrogate = (path * log_w).sum(0) if doubly_reparameterized else None
    if doubly_reparameterized and z.requires_grad:
        z.register_hook(lambda gradient: gradient * path.unsqueeze(-1))
    bound = log_w.logsumexp(0) - log(num_samples)
    signal = bound if surrogate is None else value_with_gradient(bound, surrogate)
    return {"iwae": bound.detach(), "elbo": log_w.mean(0).detach(), "loss": -signal}


@torch.no_grad()
def _scores(model: LatentModel, x: Tensor, z: Tensor, proposal: td.Distribution) -> Tensor:
    """Return the log weights ``(K, B)`` without a gradient, a few samples at a time."""
    rows = ROWS_AT_ONCE if x.device.type == "cpu" else ROWS_ON_ACCELERATOR
    count = max(1, rows // len(x))
    return torch.cat([log_weight(model, x, part, proposal) for part in z.split(count)])


def _systematic(share: Tensor, count: int) -> Tensor:
    """Draw `count` samples for each row, ``(count, B)``, sample k with mean share[k] * count.

    One random number shifts a comb of `count` teeth over the shares: less noise than independent
    draws, and the same mean.
    """
    ends = share.T.cumsum(1).contiguous()
    teeth = torch.arange(count, device=share.device, dtype=share.dtype)
    places = (teeth + torch.rand_like(ends[:, :1])) / count * ends[:, -1:]
    return torch.searchsorted(ends, places, right=True).clamp(max=len(share) - 1).T
