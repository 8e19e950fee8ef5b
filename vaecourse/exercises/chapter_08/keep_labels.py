"""A hundred labels, ten of each class."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(counts, per_class, seed):
    """Labels of classes of unequal size, in random order, and lots."""
    y = torch.cat([torch.full((count,), k) for k, count in enumerate(counts)])
    order = normal((len(y),), seed).argsort()
    return y[order], normal((len(y),), seed + 1), per_class


def cases():
    """Three and ten classes."""
    return [case((9, 4, 6), 2, 1), case((30, 12, 25, 9, 18, 40, 11, 22, 10, 13), 5, 3)]


def truth(y, lots, per_class):
    """Row by row: count the rows of the class with a smaller lot."""
    kept = []
    for label, lot in zip(y.tolist(), lots.tolist(), strict=True):
        before = sum(1 for v, u in zip(y.tolist(), lots.tolist(), strict=True)
                     if v == label and u < lot)  # fmt: skip
        kept.append(label if before < per_class else -1)
    return torch.tensor(kept)


def chosen(y, lots, per_class, classes=None):
    """Rows that keep their label."""
    keep = torch.zeros(len(y), dtype=torch.bool)
    for k in y.unique() if classes is None else classes:
        members = (y == k).nonzero()[:, 0]
        keep[members[lots[members].argsort()[:per_class]]] = True
    return keep


def classes_ignored(y, lots, per_class):
    """You drew from all rows together. Then a frequent class has more labels than a rare one."""
    keep = torch.zeros(len(y), dtype=torch.bool)
    keep[lots.argsort()[: per_class * len(y.unique())]] = True
    return torch.where(keep, y, -1)


def zero_for_hidden(y, lots, per_class):
    """You wrote 0 where a label is hidden. 0 is a class; −1 means that nobody told."""
    return torch.where(chosen(y, lots, per_class), y, 0)


def kept_rows_alone(y, lots, per_class):
    """You returned the labels that are kept. The other rows stay, with a −1."""
    return y[chosen(y, lots, per_class)]


def hidden_instead(y, lots, per_class):
    """You hid the labels that should stay, and kept all others."""
    return torch.where(chosen(y, lots, per_class), -1, y)


def total_for_class(y, lots, per_class):
    """You took `per_class` for the number of all labels, and drew them from all rows."""
    keep = torch.zeros(len(y), dtype=torch.bool)
    keep[lots.argsort()[:per_class]] = True
    return torch.where(keep, y, -1)


def first_rows(y, lots, per_class):
    """You kept the first rows of each class. The lots decide, or every draw would be the same."""
    order = torch.arange(len(y), dtype=lots.dtype)
    return torch.where(chosen(y, order, per_class), y, -1)


def largest_lots(y, lots, per_class):
    """You kept the rows with the largest lots. The smallest are asked for."""
    return torch.where(chosen(y, -lots, per_class), y, -1)


def by_ranks(y, lots, per_class):
    """Sort by class and lot, and count from the beginning of each class."""
    order = lots.argsort()
    order = order[y[order].argsort(stable=True)]
    counts = torch.bincount(y)
    starts = (counts.cumsum(0) - counts)[y[order]]
    kept = torch.full_like(y, -1)
    early = order[torch.arange(len(y)) - starts < per_class]
    kept[early] = y[early]
    return kept


EXERCISE = Exercise(
    name="08-keep-labels",
    title="Ten labels of each class",
    difficulty=2,
    minutes=15,
    parameters=("y", "lots", "per_class"),
    cases=cases,
    truth=truth,
    hints=(
        "Solve it for one class first. Which of its rows keep their label?",
        "Begin with −1 everywhere. For each class take the positions of its rows, sort them by "
        "their lots, and write the label back at the first few.",
        "For each `k` in `y.unique()`: `members = (y == k).nonzero()[:, 0]`, then "
        "`kept[members[lots[members].argsort()[:per_class]]] = k`.",
    ),
    mistakes=(
        classes_ignored,
        zero_for_hidden,
        kept_rows_alone,
        hidden_instead,
        total_for_class,
        first_rows,
        largest_lots,
    ),
    alternatives=(by_ranks,),
    right="Other lots, other labels: that is a draw, and one draw proves nothing.",
)
