"""The Kullback-Leibler divergence, in closed form and by Monte Carlo."""

from typing import TypeGuard

from torch import Tensor
from torch import distributions as td

from vaecourse.checks import check_positive

__all__ = ["kl", "sampled_kl"]


def kl(q: td.Distribution, p: td.Distribution) -> Tensor:
    r"""Kullback-Leibler divergence from q to p, in closed form.

    For diagonal Gaussians it is, summed over dimensions,

    .. math::
        D_{\mathrm{KL}}(q \,\|\, p) = \tfrac12 \sum_d \left[
            \frac{\sigma_{q,d}^2 + (\mu_{q,d} - \mu_{p,d})^2}{\sigma_{p,d}^2} - 1
            - \log\frac{\sigma_{q,d}^2}{\sigma_{p,d}^2} \right],

    which for a standard normal p is Kingma and Welling (2014), appendix B. Every other pair goes to
    `torch.distributions.kl_divergence`.

    Parameters
    ----------
    q, p : Distribution
        Distributions over the same space, whose batch shapes broadcast.

    Returns
    -------
    Tensor
        The divergence in nats, of the broadcast batch shape. It is zero or more.

    Raises
    ------
    NotImplementedError
        If the pair has no closed form that is known here; `sampled_kl` then estimates it.

    Examples
    --------
    A mean that lies one standard deviation off costs half a nat:

    >>> import torch
    >>> import vaecourse as vae
    >>> q = vae.Gaussian(2)(torch.tensor([1.0, 0.0, 0.0, 0.0]))  # two means, two log variances
    >>> vae.divergences.kl(q, vae.StandardNormal(2)()).item()
    0.5
    """
    if _is_diagonal_gaussian(q) and _is_diagonal_gaussian(p):
        # Dividing first keeps a collapsed dimension's two scales, both tiny, from underflowing.
        variance_ratio = (q.base_dist.scale / p.base_dist.scale).square()
        shift = (q.base_dist.loc - p.base_dist.loc) / p.base_dist.scale
        divergence = 0.5 * (variance_ratio + shift.square() - 1 - variance_ratio.log())
        return divergence.flatten(-len(q.event_shape)).sum(-1)
    return td.kl_divergence(q, p)


def sampled_kl(q: td.Distribution, p: td.Distribution, num_samples: int) -> Tensor:
    r"""Kullback-Leibler divergence from q to p, by Monte Carlo.

    The mean of :math:`\log q(z_k) - \log p(z_k)` over :math:`z_k \sim q`. It is unbiased, and a
    single estimate may be negative. Samples are reparameterized where q can do that.

    Parameters
    ----------
    q, p : Distribution
        Distributions over the same space, whose batch shapes broadcast.
    num_samples : int
        Samples K from q.

    Returns
    -------
    Tensor
        The estimate in nats, of the broadcast batch shape.

    Raises
    ------
    ValueError
        If `num_samples` is not a positive integer.

    Examples
    --------
    The exact divergence here is half a nat:

    >>> import torch
    >>> import vaecourse as vae
    >>> q = vae.Gaussian(1)(torch.tensor([1.0, 0.0]))  # mean, log variance
    >>> estimate = vae.divergences.sampled_kl(q, vae.StandardNormal(1)(), num_samples=10_000)
    >>> abs(estimate.item() - 0.5) < 0.1
    True
    """
    check_positive(num_samples=num_samples)
    draw = q.rsample if q.has_rsample else q.sample
    z = draw((num_samples,))
    return (q.log_prob(z) - p.log_prob(z)).mean(0)


def _is_diagonal_gaussian(
    distribution: td.Distribution,
) -> "TypeGuard[td.Independent[td.Normal]]":
    return (
        isinstance(distribution, td.Independent)
        and isinstance(distribution.base_dist, td.Normal)
        and distribution.reinterpreted_batch_ndims > 0
    )
