"""Bounds under the constraint that latents predict labels: prediction and consistency."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch import distributions as td

from vaecourse.checks import check_positive
from vaecourse.data import Batch
from vaecourse.divergences import kl
from vaecourse.models.protocols import LatentClassifier
from vaecourse.objectives.rows import Rows, rows_of

__all__ = ["consistency_constrained", "prediction_constrained"]


def prediction_constrained(
    model: LatentClassifier,
    batch: Batch,
    *,
    multiplier: float,
    beta: float = 1.0,
    num_samples: int = 1,
    labeled_share: float | None = None,
) -> dict[str, Tensor]:
    r"""Evidence lower bound under the constraint that latents predict the labels.

    "Maximize the bound such that the mean :math:`-\log p(y\mid z)` is at most
    :math:`\epsilon`" has, up to a constant, the Lagrangian

    .. math::
        \text{mean over rows of } (-\mathcal{L}(x)) + \lambda \cdot \text{mean over labeled rows
        of } \mathbb{E}_{q_\phi(z\mid x)}[-\log p_\theta(y\mid z)],

    Hughes et al. (2018) and Hope et al. (2020). The multiplier :math:`\lambda` is per labeled
    example: 0 gives a VAE, and the larger it is the more of a classifier.

    Parameters
    ----------
    model : PredictionConstrainedVAE
        Has ``prior``, ``encode``, ``decode`` and ``classify``.
    batch : Batch
        ``batch.x`` of shape ``(B, *event)`` and ``batch.y`` of shape ``(B,)``, -1 without a label.
    multiplier : float
        The multiplier. It does not touch the reported ``elbo``.
    beta : float
        Weight of the KL term in the loss.
    num_samples : int
        Posterior samples per example.
    labeled_share : float, optional
        Share of the data's rows that have a label; by default all rows of a batch count alike.

    Returns
    -------
    dict of str to Tensor
        ``reconstruction``, ``kl``, ``prediction``, ``elbo`` and ``loss``, each ``(B,)`` in nats.
        ``prediction`` is :math:`-\log p(y\mid z)` times B over the number of labeled rows, and 0
        without a label: its mean over the batch is that over the labeled rows.

    Raises
    ------
    ValueError
        If `num_samples` is not a positive integer or `labeled_share` not in [0, 1].
    """
    terms, _ = _evidence(model, batch, beta, num_samples, labeled_share)
    return terms | {"loss": terms["loss"] + multiplier * terms["prediction"]}


class _Pass(NamedTuple):
    """What one pass through a prediction-constrained VAE leaves for further terms."""

    rows: Rows
    likelihood: td.Distribution
    guess: td.Categorical


def _evidence(
    model: LatentClassifier,
    batch: Batch,
    beta: float,
    num_samples: int,
    labeled_share: float | None,
) -> tuple[dict[str, Tensor], _Pass]:
    """Return the bound's terms, the label cross-entropy and the pass they come from."""
    check_positive(num_samples=num_samples)
    rows = rows_of(batch.y, batch.x.dtype, labeled_share)
    posterior = model.encode(batch.x)
    z = posterior.rsample((num_samples,))
    likelihood, guess = model.decode(z), model.classify(z)
    log_likelihood = likelihood.log_prob(batch.x).mean(0)
    rate = kl(posterior, model.prior())
    terms = {
        "reconstruction": log_likelihood,
        "kl": rate,
        "prediction": _label_cost(guess, batch.y, rows),
        "elbo": log_likelihood - rate,
        "loss": rows.of_all * (beta * rate - log_likelihood),
    }
    return terms, _Pass(rows, likelihood, guess)


def _label_cost(guess: td.Categorical, y: Tensor, rows: Rows) -> Tensor:
    return -guess.log_prob(y.clamp(min=0)).mean(0) * rows.of_labeled


def consistency_constrained(
    model: LatentClassifier,
    batch: Batch,
    *,
    multiplier: float,
    consistency: float = 1.0,
    aggregate: float = 1.0,
    beta: float = 1.0,
    num_samples: int = 1,
    labeled_share: float | None = None,
    label_prior: Tensor | None = None,
    detach_reconstruction: bool = True,
) -> dict[str, Tensor]:
    r"""Evidence lower bound under prediction and consistency constraints (Hope et al., 2020).

    With :math:`z \sim q_\phi(z\mid x)`, its reconstruction
    :math:`\hat x = \mathbb{E}[x\mid z]` and :math:`\hat z \sim q_\phi(z\mid \hat x)`, the loss is

    .. math::
        -\mathcal{L}(x) + \lambda \left[ -\log p(y\mid z) + c\, C
            + a\, \mathcal{H}(\pi, \bar p) \right].

    The consistency C asks that a reconstruction be classified as its original: it is
    :math:`-\log p(y\mid \hat z)` on labeled rows and the cross-entropy
    :math:`\mathcal{H}(p(y\mid z), p(y\mid \hat z))` on the others, with gradients through both
    sides. The aggregate term compares the label prior :math:`\pi` with the prediction
    :math:`\bar p`, averaged over the rows without a label, or over all if every row has one. Every
    term is a mean over the rows it concerns.

    Parameters
    ----------
    model : PredictionConstrainedVAE
        Has ``prior``, ``encode``, ``decode`` and ``classify``.
    batch : Batch
        ``batch.x`` of shape ``(B, *event)`` and ``batch.y`` of shape ``(B,)``, -1 without a label.
    multiplier : float
        The multiplier :math:`\lambda` of all constraints.
    consistency, aggregate : float
        The weights c and a beside the label cross-entropy.
    beta : float
        Weight of the KL term in the loss.
    num_samples : int
        Posterior samples per example.
    labeled_share : float, optional
        Share of the data's rows that have a label; by default all rows of a batch count alike.
    label_prior : Tensor, optional
        The probabilities :math:`\pi`, shape ``(C,)``; by default uniform.
    detach_reconstruction : bool
        Whether to keep the gradient of C from the decoder. Passing it lets the decoder please the
        classifier, and costs accuracy.

    Returns
    -------
    dict of str to Tensor
        Those of `prediction_constrained`, ``consistency`` and ``aggregate``, each ``(B,)`` in
        nats. The mean of ``consistency`` over the batch is the sum of its means over the two kinds
        of rows; ``aggregate`` is the same for every row.

    Raises
    ------
    ValueError
        If `num_samples` is not a positive integer or `labeled_share` not in [0, 1].
    """
    terms, (rows, likelihood, guess) = _evidence(model, batch, beta, num_samples, labeled_share)
    redrawn = likelihood.mean.detach() if detach_reconstruction else likelihood.mean
    second = model.classify(model.encode(redrawn).rsample())
    disagreement = -(guess.probs * second.logits).sum(-1).mean(0)
    terms["consistency"] = _label_cost(second, batch.y, rows) + disagreement * rows.of_unlabeled
    terms["aggregate"] = _aggregate(guess.logits, rows, label_prior)
    weighted = consistency * terms["consistency"] + aggregate * terms["aggregate"]
    loss = terms["loss"] + multiplier * (terms["prediction"] + weighted)
    return terms | {"loss": loss}


def _aggregate(logits: Tensor, rows: Rows, label_prior: Tensor | None) -> Tensor:
    """Return H(prior, mean prediction), once for every row, from log predictions ``(K, B, C)``."""
    chosen = ~rows.labeled | rows.labeled.all()
    masked = logits.where(chosen.unsqueeze(1), -torch.inf)
    # The log of a mean of probabilities would be infinite where all of them underflow.
    count = (len(logits) * chosen.sum()).to(logits.dtype)
    log_mean = masked.flatten(0, 1).logsumexp(0) - count.log()
    cost = -log_mean.mean() if label_prior is None else -(label_prior * log_mean).sum()
    return cost.expand(logits.shape[1])
