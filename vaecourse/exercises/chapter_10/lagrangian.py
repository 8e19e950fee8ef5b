"""Labeled and unlabeled rows in one loss."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(y, multiplier, seed, classes=4, dtype=torch.float32):
    """Bounds and logits of a batch."""
    bound = -100 + 5 * normal((len(y),), seed, dtype)
    return bound, normal((len(y), classes), seed + 1, dtype, 1.5), y, multiplier


def cases():
    """Some labels, many labels, and none at all."""
    return [
        case(torch.tensor([0, -1, 2, -1, -1, 1]), 20.0, 1),
        case((torch.arange(60) % 7 - 3).clamp(min=-1), 100.0, 3),
        case(torch.full((5,), -1), 20.0, 5, dtype=torch.float64),
        case(torch.tensor([3, 0, -1]), 5.0, 7, dtype=torch.float64),
    ]


def truth(bound, logits, y, multiplier):
    """Add up row by row."""
    told = [n for n, label in enumerate(y.tolist()) if label >= 0]
    loss = -sum(bound) / len(bound)
    for n in told:
        log_p = logits[n, y[n]] - logits[n].exp().sum().log()
        loss = loss - multiplier * log_p / len(told)
    return loss + 0 * logits.sum()


def costs(logits, y):
    """Cross-entropy of every row; where there is no label, that of class 0."""
    return torch.nn.functional.cross_entropy(logits, y.clamp(min=0), reduction="none")


def put_together(bound, costs, on, multiplier):
    """Loss whose label term is a mean over the rows that are on; 0 if there are none."""
    on = on.to(bound.dtype)
    return -bound.mean() + multiplier * (on * costs).sum() / on.sum().clamp(min=1)


def over_all_rows(bound, logits, y, multiplier):
    """You divided the label term by all rows. Then λ means less in a larger batch."""
    return -bound.mean() + multiplier * (costs(logits, y) * (y >= 0)).mean()


def nan_without_labels(bound, logits, y, multiplier):
    """A batch without any label gives NaN: the mean of nothing. Its label term is 0."""
    on = y >= 0
    return -bound.mean() + multiplier * costs(logits, y)[on].mean()


def last_class(bound, logits, y, multiplier):
    """Rows without a label were taught the last class: −1 counts from the end of an index."""
    costs = -logits.log_softmax(-1)[torch.arange(len(y)), y]
    return -bound.mean() + multiplier * costs.mean()


def first_class_lost(bound, logits, y, multiplier):
    """You left out the labels that are 0. 0 is a class; −1 means that nobody told."""
    return put_together(bound, costs(logits, y), y > 0, multiplier)


def first_class_taught(bound, logits, y, multiplier):
    """Rows without a label were taught class 0: you clamped the labels and forgot the mask."""
    return -bound.mean() + multiplier * costs(logits, y).mean()


def summed(bound, logits, y, multiplier):
    """You summed the label term. λ is a price per labeled example: take their mean."""
    return -bound.mean() + multiplier * (costs(logits, y) * (y >= 0)).sum()


def softmax_twice(bound, logits, y, multiplier):
    """Your logits went through a softmax twice. `cross_entropy` takes them as they are."""
    return put_together(bound, costs(logits.softmax(-1), y), y >= 0, multiplier)


def over_the_batch(bound, logits, y, multiplier):
    """Your probabilities add up to one over the batch. Take the softmax over the classes."""
    log_p = logits.log_softmax(0)[torch.arange(len(y)), y.clamp(min=0)]
    return put_together(bound, -log_p, y >= 0, multiplier)


def bound_not_negated(bound, logits, y, multiplier):
    """The bound has the wrong sign. A loss falls as the bound rises."""
    return put_together(-bound, costs(logits, y), y >= 0, multiplier)


def by_ignoring(bound, logits, y, multiplier):
    """Let PyTorch skip the rows."""
    total = torch.nn.functional.cross_entropy(logits, y, ignore_index=-1, reduction="sum")
    return multiplier * total / max(int((y != -1).sum()), 1) - bound.mean()


def by_hand(bound, logits, y, multiplier):
    """The mean bound, and the mean cross-entropy of the labeled rows."""
    labeled = y >= 0
    log_p = logits.log_softmax(-1).gather(-1, y.clamp(min=0)[:, None])[:, 0]
    total = torch.where(labeled, log_p, 0 * log_p).sum()
    return -bound.mean() - multiplier * (total / max(int(labeled.sum()), 1))


EXERCISE = Exercise(
    name="10-lagrangian",
    title="Labeled and unlabeled rows in one loss",
    difficulty=2,
    minutes=15,
    parameters=("bound", "logits", "y", "multiplier"),
    cases=cases,
    truth=truth,
    gradients=("bound", "logits"),
    hints=(
        "Two means stand in the Lagrangian. Over which rows does each go?",
        "The bound is averaged over all rows, the cross-entropy over those with y ≥ 0. If there "
        "are none, the second term is 0: sum, then divide by the count, but at least by 1.",
        "`costs = torch.nn.functional.cross_entropy(logits, y, ignore_index=-1, reduction='sum')`, "
        "then `-bound.mean() + multiplier * costs / (y >= 0).sum().clamp(min=1)`.",
    ),
    mistakes=(
        over_all_rows,
        nan_without_labels,
        last_class,
        first_class_lost,
        first_class_taught,
        summed,
        softmax_twice,
        over_the_batch,
        bound_not_negated,
    ),
    alternatives=(by_ignoring,),
    formulas=(by_hand,),
    right="The price per label stays, whatever else is in the batch.",
)
