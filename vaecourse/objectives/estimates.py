"""The ELBO when nothing is known in closed form: pathwise and score-function estimators."""

from torch import Tensor

from vaecourse.checks import check_positive
from vaecourse.data import Batch
from vaecourse.models.protocols import LatentModel
from vaecourse.objectives.weights import (
    bound_terms,
    frozen,
    once_differentiable,
    value_with_gradient,
)

__all__ = ["sampled_elbo", "score_function_elbo"]


def sampled_elbo(
    model: LatentModel,
    batch: Batch,
    *,
    beta: float = 1.0,
    num_samples: int = 1,
    sticking_the_landing: bool = False,
) -> dict[str, Tensor]:
    r"""Evidence lower bound with both terms by Monte Carlo.

    .. math::
        \mathcal{L}(x) \approx \frac1L \sum_{l=1}^L \left[ \log p_\theta(x\mid z_l)
            + \log p(z_l) - \log q_\phi(z_l\mid x) \right], \qquad
        z_l = \mu_\phi(x) + \sigma_\phi(x) \odot \epsilon_l,

    the estimator :math:`\tilde{\mathcal{L}}^A` of Kingma and Welling (2014), equation (6). It needs
    no closed form of the KL term, so prior and posterior may be anything with a density.

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
    sticking_the_landing : bool
        Whether to drop the part of the encoder's gradient that goes through the parameters of
        log q. Its mean is zero, so the gradient stays unbiased; at the exact posterior what remains
        has no variance (Roeder et al., 2017). No value changes.

    Returns
    -------
    dict of str to Tensor
        ``reconstruction``, ``kl``, ``elbo`` and ``loss``, each ``(B,)`` in nats. ``kl`` is a
        sample mean and may be negative.

    Raises
    ------
    ValueError
        If `num_samples` is not a positive integer.
    TypeError
        If `sticking_the_landing` is asked of a posterior that is not normal.
    """
    check_positive(num_samples=num_samples)
    posterior = model.encode(batch.x)
    z = posterior.rsample((num_samples,))
    scored_by = frozen(posterior) if sticking_the_landing else posterior
    log_likelihood = model.decode(z).log_prob(batch.x).mean(0)
    rate = (scored_by.log_prob(z) - model.prior().log_prob(z)).mean(0)
    if sticking_the_landing:
        rate = once_differentiable(rate)
    return bound_terms(log_likelihood, rate, beta)


def score_function_elbo(
    model: LatentModel, batch: Batch, *, num_samples: int = 1, baseline: bool = False
) -> dict[str, Tensor]:
    r"""Evidence lower bound with the score-function gradient of its encoder.

    .. math::
        \nabla_\phi \mathcal{L}(x) \approx \frac1L \sum_{l=1}^L (f(z_l) - b_l)\,
            \nabla_\phi \log q_\phi(z_l\mid x), \qquad
        f(z) = \log p_\theta(x\mid z) + \log p(z) - \log q_\phi(z\mid x),

    with :math:`z_l \sim q_\phi(z\mid x)` (Ranganath et al., 2014, equation 3). It asks for no
    reparameterization of q and no gradient in z, so z may be discrete. The gradient of the
    decoder is the usual one.

    Parameters
    ----------
    model : VAE
        Has ``prior``, ``encode`` and ``decode``.
    batch : Batch
        ``batch.x`` of shape ``(B, *event)``.
    num_samples : int
        Posterior samples L per example.
    baseline : bool
        Whether to subtract from each sample's f the mean f of the other samples (Mnih and Rezende,
        2016, section 2.5). It leaves the mean of the gradient as it is and lowers its variance.

    Returns
    -------
    dict of str to Tensor
        ``elbo`` and ``loss``, each ``(B,)`` in nats. The value of ``loss`` is ``-elbo``; only its
        gradient is that of a surrogate.

    Raises
    ------
    ValueError
        If `num_samples` is not a positive integer, or is 1 with a baseline.
    """
    check_positive(num_samples=num_samples)
    if baseline and num_samples < 2:
        raise ValueError("num_samples must be at least 2 with a baseline, got 1; draw more")
    posterior = model.encode(batch.x)
    # Of a normal, `sample` asks its device whether all scales are positive, and waits.
    draw = posterior.rsample if posterior.has_rsample else posterior.sample
    z = draw((num_samples,)).detach()
    log_q = posterior.log_prob(z)
    log_joint = model.decode(z).log_prob(batch.x) + model.prior().log_prob(z)
    signal = f = (log_joint - log_q).detach()
    if baseline:
        signal = f - (f.sum(0) - f) / (num_samples - 1)
    bound = f.mean(0)
    surrogate = (log_joint + signal * log_q).mean(0)
    return {"elbo": bound, "loss": -value_with_gradient(bound, surrogate)}
