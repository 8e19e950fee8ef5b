"""The bound of M2, in which rows without a label are summed over their classes."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch import distributions as td

from vaecourse.checks import check_positive
from vaecourse.data import Batch
from vaecourse.divergences import kl
from vaecourse.models.protocols import ModelOfClasses
from vaecourse.objectives.rows import rows_of
from vaecourse.objectives.weights import value_with_gradient

__all__ = ["m2"]

DENSE = 0.5
"""Expected share of the classes above which a lottery costs more than the sum over them all."""


class _Bound(NamedTuple):
    """The parts of M2's bound for some rows; `score` has value zero and carries a gradient."""

    reconstruction: Tensor
    kl: Tensor
    label_kl: Tensor
    score: Tensor


def _known_label(
    model: ModelOfClasses, x: Tensor, y: Tensor, num_samples: int, rows: Tensor | None = None
) -> _Bound:
    """Return the bound L(x, y), of which equation (6) of Kingma et al. (2014) takes the negative.

    y may hold every class, (C, 1). With `rows` it is L(x[rows[n]], y[n]) for every n.
    """
    posterior = model.encode(x, y) if rows is None else model.encode(x, y, rows)
    z = posterior.rsample((num_samples,))
    seen = x if rows is None else x.index_select(0, rows)
    log_likelihood = model.decode(z, y).log_prob(seen).mean(0)
    cost = -model.class_prior().log_prob(y).expand_as(log_likelihood)
    zero = torch.zeros_like(log_likelihood)
    return _Bound(log_likelihood, kl(posterior, model.prior()), cost, zero)


def _summed_label(
    model: ModelOfClasses,
    batch: Batch,
    labeled: Tensor,
    guess: td.Categorical,
    num_samples: int,
) -> _Bound:
    """Return the bound U(x), minus equation (7): the sum over y in one pass, class a batch axis.

    A labeled row has one class in its sum, and so the bound L(x, y) of equation (6).
    """
    prior, y = model.class_prior(), batch.y.clamp(min=0)
    classes = torch.arange(guess.logits.shape[-1], device=y.device).unsqueeze(1)
    every = _known_label(model, batch.x, classes, num_samples)
    share = guess.probs.T.where(~labeled, (classes == y).to(guess.probs.dtype))
    log_likelihood, rate = (share * every.reconstruction).sum(0), (share * every.kl).sum(0)
    label_kl = kl(guess, prior).where(~labeled, -prior.log_prob(y))
    return _Bound(log_likelihood, rate, label_kl, torch.zeros_like(label_kl))


def _lottery_label(
    model: ModelOfClasses,
    batch: Batch,
    labeled: Tensor,
    guess: td.Categorical,
    num_samples: int,
    roulette: float,
) -> _Bound:
    """Estimate U(x) from the likeliest class and those that a lottery lets into the sum.

    Where it would let most of them in, the sum is cheaper. The chances alone decide on that, before
    anything is drawn, so the estimate stays right on average.
    """
    share = guess.probs.T
    best = share.argmax(0, keepdim=True)
    chance = (share.detach() / roulette).clamp(max=1).scatter(0, best, 1.0)
    if chance.mean() > DENSE:
        return _summed_label(model, batch, labeled, guess, num_samples)
    y, rows = (torch.rand_like(chance) < chance).nonzero(as_tuple=True)
    drawn = _known_label(model, batch.x, y, num_samples, rows)
    weight = share[y, rows] / chance[y, rows]
    zero, is_best = torch.zeros_like(share[0]), y == best[0, rows]

    def total(values: Tensor) -> Tensor:
        # Probabilities add up to one: the likeliest class's value may leave the lottery.
        base = zero.index_add(0, rows[is_best], values[is_best]).detach()
        return base + zero.index_add(0, rows, weight * (values - base[rows]))

    label_kl = kl(guess, model.class_prior())
    return _Bound(total(drawn.reconstruction), total(drawn.kl), label_kl, zero)


def _sampled_label(
    model: ModelOfClasses,
    batch: Batch,
    labeled: Tensor,
    guess: td.Categorical,
    num_samples: int,
) -> _Bound:
    """Estimate U(x) from one class drawn from q(y|x), with its score-function gradient.

    A labeled row has its own class in place of a drawn one, and no such gradient.
    """
    y = guess.sample().where(~labeled, batch.y)
    known = _known_label(model, batch.x, y, num_samples)
    log_q = guess.log_prob(y).where(~labeled, 0.0)
    bound = known.reconstruction - known.kl - known.label_kl - log_q
    score = value_with_gradient(torch.zeros_like(log_q), bound.detach() * log_q)
    return known._replace(label_kl=known.label_kl + log_q, score=score)


def m2(
    model: ModelOfClasses,
    batch: Batch,
    *,
    alpha: float,
    beta: float = 1.0,
    num_samples: int = 1,
    labeled_share: float | None = None,
    sum_labels: bool = True,
    roulette: float = 0.0,
) -> dict[str, Tensor]:
    r"""Evidence lower bound of M2, with the classifier's own term on the labeled rows.

    A labeled row has the bound

    .. math::
        -\mathcal{L}(x, y) = \mathbb{E}_{q_\phi(z\mid x, y)}[\log p_\theta(x\mid y, z)]
            - D_{\mathrm{KL}}(q_\phi(z\mid x, y) \,\|\, p(z)) + \log p(y),

    and a row without a label the exact sum over its classes and an entropy,

    .. math::
        -\mathcal{U}(x) = \sum_y q_\phi(y\mid x)\, (-\mathcal{L}(x, y))
            + \mathcal{H}(q_\phi(y\mid x)),

    equations (6) and (7) of Kingma et al. (2014). The labeled bound does not train the
    classifier, so equation (9) adds :math:`-\log q_\phi(y\mid x)`. Here

    .. math::
        \text{loss} = \text{mean over rows of } (-\text{bound})
            + \alpha \cdot \text{mean over labeled rows of } (-\log q_\phi(y\mid x)).

    The paper's weight is 0.1 N beside a sum over N rows: divided by N, ``alpha=0.1``. With few
    labels and a short training that leaves the classifier to the bound, whose classes need not be
    the labels. Spread over the :math:`N_\mathrm{l}` labeled rows, 0.1 N gives each of them the
    weight :math:`0.1 N / N_\mathrm{l}`: ``alpha=50`` for 100 labels among 50,000 rows, which is
    this course's choice and not the paper's.

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
    roulette : float
        With 0 the sum over y is exact. Otherwise most classes that hardly matter are skipped: one
        with q(y|x) below `roulette`, if not the likeliest, enters the sum with probability
        q(y|x) / roulette and then counts that much more. Value and gradient stay right on average,
        and once the classifier is sure, a row costs one or two classes instead of all. A batch in
        which most classes would enter has the exact sum, which is then cheaper; and so has every
        batch on an accelerator, which would have to wait for the number of classes.

    Returns
    -------
    dict of str to Tensor
        ``reconstruction``, ``kl`` (of z), ``label_kl`` (of y; -log p(y) where y is known),
        ``prediction``, ``elbo`` and ``loss``, each ``(B,)`` in nats. ``prediction`` is
        :math:`-\log q_\phi(y\mid x)` times B over the number of labeled rows, and 0 without a
        label: its mean over the batch is that over the labeled rows.

    Raises
    ------
    ValueError
        If `num_samples` is not a positive integer, or `labeled_share` or `roulette` not in
        [0, 1], or `roulette` is given without the sum over y.

    Examples
    --------
    The classifier's own term is zero where a label is hidden:

    >>> import vaecourse as vae
    >>> x, y = vae.load("digits").valid
    >>> batch = vae.Batch(x, vae.data.labels.label_subset(y, num=50))
    >>> terms = vae.objectives.m2(vae.mlp_m2((1, 8, 8), 2, num_classes=10), batch, alpha=0.1)
    >>> terms["elbo"].shape, int((terms["prediction"] > 0).sum())
    (torch.Size([249]), 50)
    """
    check_positive(num_samples=num_samples)
    rows = rows_of(batch.y, batch.x.dtype, labeled_share)
    guess = model.classify(batch.x)
    on_cpu = batch.x.device.type == "cpu"
    without = _without_label(sum_labels, roulette, on_cpu)
    bounds = partial(_in_two_passes, without) if on_cpu else without
    terms = bounds(model, batch, rows.labeled, guess, num_samples)._asdict()
    score = terms.pop("score")
    bound = terms["reconstruction"] - terms["kl"] - terms["label_kl"]
    error = -guess.log_prob(batch.y.clamp(min=0)) * rows.of_labeled
    cost = beta * terms["kl"] + terms["label_kl"] - terms["reconstruction"] - score
    loss = rows.of_all * cost + alpha * error
    return terms | {"prediction": error, "elbo": bound, "loss": loss}


def _without_label(sum_labels: bool, roulette: float, on_cpu: bool) -> Callable[..., _Bound]:
    """Return the function that bounds rows without a label."""
    if not 0 <= roulette <= 1:
        raise ValueError(f"roulette must lie between 0 and 1, got {roulette!r}")
    if roulette and not sum_labels:
        raise ValueError("roulette thins out the sum over y; leave sum_labels=True, or roulette=0")
    if roulette and on_cpu:
        return partial(_lottery_label, roulette=roulette)
    return _summed_label if sum_labels else _sampled_label


def _in_two_passes(
    without: Callable[..., _Bound],
    model: ModelOfClasses,
    batch: Batch,
    labeled: Tensor,
    guess: td.Categorical,
    num_samples: int,
) -> _Bound:
    """Bound labeled rows apart, so that they cost one class, and restore the batch's order.

    It needs the number of labeled rows, which a CPU knows and for which an accelerator would wait.
    """
    parts, places = [], []
    if labeled.any():
        places.append(labeled.nonzero().squeeze(1))
        x, y = (values.index_select(0, places[-1]) for values in batch)
        parts.append(_known_label(model, x, y, num_samples))
    if not labeled.all():
        places.append((~labeled).nonzero().squeeze(1))
        hidden = Batch(*(values.index_select(0, places[-1]) for values in batch))
        logits = guess.logits.index_select(0, places[-1])
        some = td.Categorical(logits=logits, validate_args=False)
        parts.append(without(model, hidden, labeled[places[-1]], some, num_samples))
    where = torch.cat(places).argsort()
    return _Bound(*(torch.cat(values)[where] for values in zip(*parts, strict=True)))
