r"""Objectives for batches in which some rows have a label and others, with y = -1, have none.

The bound is a mean over rows and the label terms are means over the labelled rows, so a weight on
them is a weight per labelled example: it means the same at every batch size and for every number
of labelled rows in a batch. With 100 labels among 50,000 rows, `vaecourse.fit` adds labelled rows
to every batch (``labeled_batch_size``). ``labeled_share``, the share of rows of the *data* that
have a label, takes their excess out of the bound again: a labelled row then counts
:math:`s B / B_\mathrm{l}` and another :math:`(1 - s) B / (B - B_\mathrm{l})`, for
:math:`B_\mathrm{l}` labelled rows among B.
"""

from math import log
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch import distributions as td

from vaecourse.checks import check_positive
from vaecourse.divergences import kl
from vaecourse.objectives.weights import value_with_gradient

__all__ = ["consistency_constrained", "m2", "prediction_constrained"]


class _Rows(NamedTuple):
    """Which rows have labels, and weights whose batch mean is a mean over some of the rows."""

    labeled: Tensor
    of_labeled: Tensor
    of_unlabeled: Tensor
    of_all: Tensor | float


def _rows(y: Tensor, dtype: torch.dtype, labeled_share: float | None) -> _Rows:
    if labeled_share is not None and not 0 <= labeled_share <= 1:
        raise ValueError(f"labeled_share must lie between 0 and 1, got {labeled_share!r}")
    labeled = y >= 0
    size, count = len(y), int(labeled.sum())
    of_labeled = labeled.to(dtype) * (size / max(count, 1))
    of_unlabeled = (~labeled).to(dtype) * (size / max(size - count, 1))
    if labeled_share is None or count in (0, size):
        return _Rows(labeled, of_labeled, of_unlabeled, 1.0)
    of_all = labeled_share * of_labeled + (1 - labeled_share) * of_unlabeled
    return _Rows(labeled, of_labeled, of_unlabeled, of_all)


class _Bound(NamedTuple):
    """The parts of M2's bound for some rows; `score` has value zero and carries a gradient."""

    reconstruction: Tensor
    kl: Tensor
    label_kl: Tensor
    score: Tensor


def _known_label(model: nn.Module, x: Tensor, y: Tensor, num_samples: int) -> _Bound:
    """Return -L(x, y) of Kingma et al. (2014), equation (6); y may hold every class, (C, 1)."""
    posterior = model.encode(x, y)
    z = posterior.rsample((num_samples,))
    log_likelihood = model.decode(z, y).log_prob(x).mean(0)
    cost = -model.class_prior().log_prob(y).expand_as(log_likelihood)
    zero = torch.zeros_like(log_likelihood)
    return _Bound(log_likelihood, kl(posterior, model.prior()), cost, zero)


def _summed_label(model: nn.Module, x: Tensor, guess, num_samples: int) -> _Bound:
    """Return -U(x) of equation (7): the sum over y as one pass in which class is a batch axis."""
    classes = torch.arange(guess.logits.shape[-1], device=x.device)
    every = _known_label(model, x, classes.unsqueeze(1), num_samples)
    share = guess.probs.T
    log_likelihood, rate = (share * every.reconstruction).sum(0), (share * every.kl).sum(0)
    label_kl = kl(guess, model.class_prior())
    return _Bound(log_likelihood, rate, label_kl, torch.zeros_like(label_kl))


def _sampled_label(model: nn.Module, x: Tensor, guess, num_samples: int) -> _Bound:
    """Estimate -U(x) from one class drawn from q(y|x), with its score-function gradient."""
    y = guess.sample()
    known = _known_label(model, x, y, num_samples)
    log_q = guess.log_prob(y)
    bound = known.reconstruction - known.kl - known.label_kl - log_q
    score = value_with_gradient(torch.zeros_like(log_q), bound.detach() * log_q)
    return known._replace(label_kl=known.label_kl + log_q, score=score)


def m2(
    model: nn.Module,
    batch,
    *,
    alpha: float,
    beta: float = 1.0,
    num_samples: int = 1,
    labeled_share: float | None = None,
    sum_labels: bool = True,
) -> dict[str, Tensor]:
    r"""Evidence lower bound of M2, with the classifier's own term on the labelled rows.

    A labelled row has the bound

    .. math::
        -\mathcal{L}(x, y) = \mathbb{E}_{q_\phi(z\mid x, y)}[\log p_\theta(x\mid y, z)]
            - D_{\mathrm{KL}}(q_\phi(z\mid x, y) \,\|\, p(z)) + \log p(y),

    and a row without a label the exact sum over its classes and an entropy,

    .. math::
        -\mathcal{U}(x) = \sum_y q_\phi(y\mid x)\, (-\mathcal{L}(x, y))
            + \mathcal{H}(q_\phi(y\mid x)),

    equations (6) and (7) of Kingma et al. (2014). The labelled bound does not train the
    classifier, so equation (9) adds :math:`-\log q_\phi(y\mid x)`. Here

    .. math::
        \text{loss} = \text{mean over rows of } (-\text{bound})
            + \alpha \cdot \text{mean over labelled rows of } (-\log q_\phi(y\mid x)).

    The paper's weight is 0.1 N beside a sum over N rows: divided by N, ``alpha=0.1``. With few
    labels and a short training that leaves the classifier to the bound, whose classes need not be
    the labels. Spread over the :math:`N_\mathrm{l}` labelled rows, 0.1 N gives each of them the
    weight :math:`0.1 N / N_\mathrm{l}`: ``alpha=50`` for 100 labels among 50,000 rows.

    Parameters
    ----------
    model : M2
        Has ``prior``, ``class_prior``, ``encode``, ``decode`` and ``classify``.
    batch : Batch
        ``batch.x`` of shape ``(B, *event)`` and ``batch.y`` of shape ``(B,)``, -1 without a label.
    alpha : float
        Weight of the mean label cross-entropy. It does not touch the reported ``elbo``.
    beta : float
        Weight of the KL term of z in the loss.
    num_samples : int
        Samples of z per example and class.
    labeled_share : float, optional
        Share of the data's rows that have a label; by default all rows of a batch count alike.
    sum_labels : bool
        Whether to sum over y. Otherwise one y is drawn from q(y|x), and the classifier learns by
        the score function: right on average and far noisier.

    Returns
    -------
    dict of str to Tensor
        ``reconstruction``, ``kl`` (of z), ``label_kl`` (of y; -log p(y) where y is known),
        ``prediction``, ``elbo`` and ``loss``, each ``(B,)`` in nats. ``prediction`` is
        :math:`-\log q_\phi(y\mid x)` times B over the number of labelled rows, and 0 without a
        label: its mean over the batch is that over the labelled rows.

    Raises
    ------
    ValueError
        If `num_samples` is not a positive integer or `labeled_share` not in [0, 1].
    """
    check_positive(num_samples=num_samples)
    rows = _rows(batch.y, batch.x.dtype, labeled_share)
    guess = model.classify(batch.x)
    terms = _bounds(model, batch, guess, rows.labeled, num_samples, sum_labels)._asdict()
    score = terms.pop("score")
    bound = terms["reconstruction"] - terms["kl"] - terms["label_kl"]
    error = -guess.log_prob(batch.y.clamp(min=0)) * rows.of_labeled
    cost = beta * terms["kl"] + terms["label_kl"] - terms["reconstruction"] - score
    loss = rows.of_all * cost + alpha * error
    return terms | {"prediction": error, "elbo": bound, "loss": loss}


def _bounds(model: nn.Module, batch, guess, labeled: Tensor, num_samples, sum_labels) -> _Bound:
    """Bound labelled rows and rows without label each in a pass, and restore the batch's order."""
    parts, places = [], []
    if labeled.any():
        places.append(labeled.nonzero().squeeze(1))
        x, y = (values.index_select(0, places[-1]) for values in batch)
        parts.append(_known_label(model, x, y, num_samples))
    if not labeled.all():
        places.append((~labeled).nonzero().squeeze(1))
        x, logits = (values.index_select(0, places[-1]) for values in (batch.x, guess.logits))
        without = _summed_label if sum_labels else _sampled_label
        some = td.Categorical(logits=logits, validate_args=False)
        parts.append(without(model, x, some, num_samples))
    where = torch.cat(places).argsort()
    return _Bound(*(torch.cat(values)[where] for values in zip(*parts, strict=True)))


def prediction_constrained(
    model: nn.Module,
    batch,
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
        \text{mean over rows of } (-\mathcal{L}(x)) + \lambda \cdot \text{mean over labelled rows
        of } \mathbb{E}_{q_\phi(z\mid x)}[-\log p_\theta(y\mid z)],

    Hughes et al. (2018) and Hope et al. (2020). The multiplier :math:`\lambda` is per labelled
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
        ``prediction`` is :math:`-\log p(y\mid z)` times B over the number of labelled rows, and 0
        without a label: its mean over the batch is that over the labelled rows.

    Raises
    ------
    ValueError
        If `num_samples` is not a positive integer or `labeled_share` not in [0, 1].
    """
    terms, _ = _evidence(model, batch, beta, num_samples, labeled_share)
    return terms | {"loss": terms["loss"] + multiplier * terms["prediction"]}


class _Pass(NamedTuple):
    """What one pass through a prediction-constrained VAE leaves for further terms."""

    rows: _Rows
    likelihood: td.Distribution
    guess: td.Categorical


def _evidence(model: nn.Module, batch, beta, num_samples, labeled_share):
    """Return the bound's terms, the label cross-entropy and the pass they come from."""
    check_positive(num_samples=num_samples)
    rows = _rows(batch.y, batch.x.dtype, labeled_share)
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


def _label_cost(guess, y: Tensor, rows: _Rows) -> Tensor:
    return -guess.log_prob(y.clamp(min=0)).mean(0) * rows.of_labeled


def consistency_constrained(
    model: nn.Module,
    batch,
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
    :math:`-\log p(y\mid \hat z)` on labelled rows and the cross-entropy
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


def _aggregate(logits: Tensor, rows: _Rows, label_prior: Tensor | None) -> Tensor:
    """Return H(prior, mean prediction), once for every row, from log predictions ``(K, B, C)``."""
    unlabeled = ~rows.labeled
    chosen = logits[:, unlabeled] if unlabeled.any() else logits
    # The log of a mean of probabilities would be infinite where all of them underflow.
    log_mean = chosen.flatten(0, 1).logsumexp(0) - log(chosen.shape[0] * chosen.shape[1])
    cost = -log_mean.mean() if label_prior is None else -(label_prior * log_mean).sum()
    return cost.expand(logits.shape[1])
