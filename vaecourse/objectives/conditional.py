"""Objectives of a model that is told something about each example, such as a library size."""

from typing import Any

from torch import Tensor

from vaecourse.data import Batch
from vaecourse.models.protocols import Conditioned
from vaecourse.objectives.bounds import elbo
from vaecourse.objectives.contract import Objective

__all__ = ["given_covariates"]


def given_covariates(
    model: Conditioned, batch: Batch, *, objective: Objective = elbo, **options: Any
) -> dict[str, Tensor]:
    r"""Bound on the log-likelihood of counts, given what the decoder is told.

    .. math::
        \log p_\theta(x\mid c) \ge \mathbb{E}_{q_\phi(z\mid x)}[\log p_\theta(x\mid z, c)]
            - D_{\mathrm{KL}}(q_\phi(z\mid x)\,\|\,p(z)),

    for the covariates c, here library size and site: the bound of a conditional VAE (Sohn et al.,
    2015, equation 4) whose prior does not depend on c. With c held fixed the model is a VAE, so
    any objective of a VAE will do.

    Parameters
    ----------
    model : CountVAE
        Has ``given(x)``, which returns a VAE of these rows and their ``counts``.
    batch : Batch
        Rows of counts and site, ``x`` of shape ``(B, G + 1)``.
    objective : callable
        The objective of that VAE, for example `elbo` or `iwae`.
    **options
        Keywords of that objective, such as ``beta``.

    Returns
    -------
    dict of str to Tensor
        The terms of the objective, each ``(B,)`` in nats.
    """
    given = model.given(batch.x)
    return objective(given, Batch(given.counts, batch.y), **options)
