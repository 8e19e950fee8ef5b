"""What was told."""

import torch

from vaecourse.exercises.exercise import Exercise

__all__ = ["EXERCISE"]


def cases():
    """Rows with and without a label; every class occurs, the first one too."""
    return [
        (torch.tensor([2, -1, 0, 1, -1]), 3),
        (torch.arange(60) % 7 - 1, 6),
        (torch.tensor([-1, 3, 0]), 5),
    ]


def truth(y, num_classes):
    """Row by row."""
    rows = [[float(label == k) for k in range(num_classes)] for label in y.tolist()]
    return torch.tensor(rows)


def last_class(y, num_classes):
    """You gave rows without a label to the last class: −1 counts from the end of an index."""
    return torch.eye(num_classes)[y]


def first_class_lost(y, num_classes):
    """You lost the first class. Its label is 0, and 0 is a label."""
    return truth(torch.where(y > 0, y, -1), num_classes)


def first_class_gained(y, num_classes):
    """You gave rows without a label to the first class: clamping −1 makes it a 0."""
    return torch.nn.functional.one_hot(y.clamp(min=0), num_classes).float()


def one_more_class(y, num_classes):
    """You made −1 a class of its own. It only means that nobody told."""
    return torch.nn.functional.one_hot(y + 1, num_classes + 1).float()


def uniform_guess(y, num_classes):
    """You spread rows without a label evenly over the classes. That would be evidence, too."""
    return truth(y, num_classes) + (y < 0)[:, None] / num_classes


def rows_dropped(y, num_classes):
    """You dropped the rows without a label. They take part: their evidence comes from others."""
    return truth(y[y >= 0], num_classes)


def by_comparison(y, num_classes):
    """Compare with every class."""
    return (y[:, None] == torch.arange(num_classes)).float()


def by_hand(y, num_classes):
    """Compare labels with classes."""
    classes = torch.arange(num_classes)
    return (y[:, None] == classes).float()


EXERCISE = Exercise(
    name="08-evidence",
    title="What was told",
    difficulty=1,
    minutes=5,
    parameters=("y", "num_classes"),
    cases=cases,
    truth=truth,
    dtype=torch.float32,
    vectorized=True,
    hints=(
        "Which row has no 1 at all?",
        "Compare y, as a column, with the row of all classes. −1 equals none of them.",
        "`(y[:, None] == torch.arange(num_classes)).float()`.",
    ),
    mistakes=(
        last_class,
        first_class_lost,
        first_class_gained,
        one_more_class,
        uniform_guess,
        rows_dropped,
    ),
    alternatives=(by_comparison,),
    formulas=(by_hand,),
    right="A row of zeros says nothing, and that is what −1 means.",
)
