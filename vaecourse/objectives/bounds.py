"""What the course trains by: the reconstruction of an autoencoder and the bound of a VAE."""

from torch import Tensor

from vaecourse.checks import check_positive
from vaecourse.data import Batch
from vaecourse.divergences import kl
from vaecourse.models.protocols import Codes, LatentModel
from vaecourse.objectives.weights import bound_terms

__all__ = ["elbo", "reconstruction"]


def reconstruction(model: Codes, batch: Batch) -> dict[str, Tensor]:
    r"""Log-likelihood of x given its own code: what a plain autoencoder maximizes.

    With a `GaussianFixedScale` head of scale 1 this is
    :math:`-\tfrac12\lVert x - \hat x\rVert^2 - \tfrac D2\log 2\pi`.

    Parameters
    ----------
    model : Module
        Has ``encode`` and ``decode``; the mean of ``encode(x)`` is the code.
    batch : Batch
        ``batch.x`` of shape ``(B, *event)``.

    Returns
    -------
    dict of str to Tensor
        ``reconstruction`` and ``loss``, each ``(B,)`` in nats.
    """
    log_likelihood = model.decode(model.encode(batch.x).mean).log_prob(batch.x)
    return {"reconstruction": log_likelihood, "loss": -log_likelihood}


def elbo(
    model: LatentModel, batch: Batch, *, beta: float = 1.0, num_samples: int = 1
) -> dict[str, Tensor]:
    r"""Evidence lower bound with an analytic KL term.

    .. math::
        \mathcal{L}(x) = \mathbb{E}_{q_\phi(z\mid x)}[\log p_\theta(x\mid z)]
            - D_{\mathrm{KL}}(q_\phi(z\mid x) \,\|\, p(z)),

    the estimator :math:`\tilde{\mathcal{L}}^B` of Kingma and Welling (2014), equation (7). The loss
    weights the KL term with `beta` (Higgins et al., 2017, equation 4).

    Parameters
    ----------
    model : VAE
        Has ``prior``, ``encode`` and ``decode``.
    batch : Batch
        ``batch.x`` of shape ``(B, *event)``.
    beta : float
        Weight of the KL term in the loss. It does not touch the reported ``elbo``.
    num_samples : int
        Posterior samples L per example.

    Returns
    -------
    dict of str to Tensor
        ``reconstruction``, ``kl``, ``elbo`` and ``loss``, each ``(B,)`` in nats.

    Raises
    ------
    ValueError
        If `num_samples` is not a positive integer.

    Examples
    --------
    >>> import vaecourse as vae
    >>> model = vae.mlp_vae((1, 8, 8), latent_dim=2)
    >>> terms = vae.objectives.elbo(model, vae.load("digits").valid, beta=4.0)
    >>> list(terms)
    ['reconstruction', 'kl', 'elbo', 'loss']
    >>> terms["elbo"].shape
    torch.Size([249])
    """
    check_positive(num_samples=num_samples)
    posterior = model.encode(batch.x)
    z = posterior.rsample((num_samples,))
    log_likelihood = model.decode(z).log_prob(batch.x).mean(0)
    return bound_terms(log_likelihood, kl(posterior, model.prior()), beta)
