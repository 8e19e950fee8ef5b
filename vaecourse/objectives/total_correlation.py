"""The KL term in three parts, one of them weighted: beta-TCVAE."""

from math import log

from torch import Tensor
from torch import distributions as td

from vaecourse.data import Batch
from vaecourse.divergences import kl
from vaecourse.models.protocols import LatentModel
from vaecourse.objectives.weights import bound_terms

__all__ = ["total_correlation"]


def total_correlation(
    model: LatentModel, batch: Batch, *, beta: float = 1.0, num_data: int | None = None
) -> dict[str, Tensor]:
    r"""Evidence lower bound whose loss weights the total correlation of the code.

    .. math::
        \mathbb{E}_{x}\, D_{\mathrm{KL}}(q(z\mid x) \,\|\, p(z)) = I_q(z; x)
            + D_{\mathrm{KL}}\Big(q(z) \,\Big\|\, \prod_j q(z_j)\Big)
            + \sum_j D_{\mathrm{KL}}(q(z_j) \,\|\, p(z_j)),

    where q(z) is the average of q(z|x) over the data: index-code mutual information, total
    correlation, and dimension-wise KL (Chen et al., 2018, equation 2). The loss is minus the bound
    plus ``beta - 1`` times the total correlation, their equation 4 with alpha = gamma = 1.

    One sample z of each row is scored under the posteriors of all M rows:
    :math:`\log q(z) \approx \log\frac{1}{NM}\sum_m q(z\mid x_m)`, the minibatch-weighted estimator.
    N only adds constants to the parts; no gradient depends on it. Because rows meet one another,
    several processes cannot train on it together.

    Parameters
    ----------
    model : VAE
        Has ``prior``, ``encode`` and ``decode``, and a diagonal Gaussian posterior and prior.
    batch : Batch
        ``batch.x`` of shape ``(B, *event)``.
    beta : float
        Weight of the total correlation in the loss. It does not touch the reported ``elbo``.
    num_data : int, optional
        Size N of the data of which the batch is a part. Without it the batch is all the data, and
        the average ``1 / M`` over its rows is exact.

    Returns
    -------
    dict of str to Tensor
        ``reconstruction``, ``kl``, ``elbo`` and ``loss`` as `elbo` has them; ``index_code``,
        ``total_correlation`` and ``dimension_wise``, whose sum is a one-sample estimate of ``kl``.
        Each ``(B,)`` in nats.

    Raises
    ------
    TypeError
        If the posterior is not a diagonal Gaussian.
    """
    posterior, prior = model.encode(batch.x), model.prior()
    normal = getattr(posterior, "base_dist", posterior)
    if not isinstance(normal, td.Normal):
        raise TypeError(
            f"the posterior must be a diagonal Gaussian, got {type(normal).__name__}; its "
            "dimensions must be scored one by one"
        )
    (z,) = posterior.rsample((1,))
    log_likelihood = model.decode(z[None]).log_prob(batch.x)[0]
    # Row i, posterior m, dimension: log q(z_i | x_m).
    pairs = normal.log_prob(z[:, None])
    count = log(len(z) * (num_data or 1))
    log_joint = pairs.sum(-1).logsumexp(1) - count
    log_product = (pairs.logsumexp(1) - count).sum(-1)
    terms = bound_terms(log_likelihood, kl(posterior, prior), 1.0)
    correlation = log_joint - log_product
    return terms | {
        "index_code": posterior.log_prob(z) - log_joint,
        "total_correlation": correlation,
        "dimension_wise": log_product - prior.log_prob(z),
        "loss": terms["loss"] + (beta - 1) * correlation,
    }
