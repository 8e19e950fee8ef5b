"""The importance-weighted bound."""

from math import log

from torch import Tensor, nn

from vaecourse.checks import check_positive
from vaecourse.objectives.weights import frozen, log_weight, value_with_gradient

__all__ = ["iwae"]


def iwae(
    model: nn.Module, batch, *, num_samples: int = 5, doubly_reparameterized: bool = False
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

    Returns
    -------
    dict of str to Tensor
        ``iwae``, ``elbo`` and ``loss``, each ``(B,)`` in nats. ``elbo`` is the mean log weight of
        the same samples. The value of ``loss`` is ``-iwae`` under either gradient.

    Raises
    ------
    ValueError
        If `num_samples` is not a positive integer.
    TypeError
        If `doubly_reparameterized` is asked of a posterior that is not normal.
    """
    check_positive(num_samples=num_samples)
    posterior = model.encode(batch.x)
    z = posterior.rsample((num_samples,))
    scored_by = frozen(posterior) if doubly_reparameterized else posterior
    log_w = log_weight(model, batch.x, z, scored_by)
    bound = surrogate = log_w.logsumexp(0) - log(num_samples)
    if doubly_reparameterized:
        share = log_w.detach().softmax(0)
        surrogate = (share * log_w).sum(0)
        if z.requires_grad:
            z.register_hook(lambda gradient: gradient * share.unsqueeze(-1))
    return {
        "iwae": bound.detach(),
        "elbo": log_w.mean(0).detach(),
        "loss": -value_with_gradient(bound, surrogate),
    }
