"""The loss of a batch with extra labels."""

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def case(rows, labeled, alpha, share, seed, dtype=torch.float32):
    """Bounds and log probabilities of the labels; where there is no label, that of class 0."""
    bound = -100 + 5 * normal((rows,), seed, dtype)
    is_labeled = normal((rows,), seed + 1).argsort().argsort() < labeled
    bound = bound + 10 * is_labeled
    log_q = -normal((rows,), seed + 2, dtype).abs() - 0.1
    return bound, log_q, is_labeled, alpha, share


def cases():
    """Batches with few and with many labels."""
    return [
        case(4, 2, 0.1, 0.01, 1),
        case(60, 20, 50.0, 0.002, 4),
        case(9, 3, 5.0, 0.1, 7, torch.float64),
    ]


def truth(bound, log_q, labeled, alpha, share):
    """A weight for every row and term, and two dot products."""
    on = labeled.to(bound.dtype)
    weights = share * on / on.sum() + (1 - share) * (1 - on) / (1 - on).sum()
    return -(weights @ bound) - alpha * (on @ log_q) / on.sum()


def bound_over_rows(bound, log_q, labeled, alpha, share):
    """Your bound is a mean over the rows of the batch.

    The labeled rows, of which there are too many here, count too much in it.
    """
    return -bound.mean() - alpha * log_q[labeled].mean()


def mixed(bound, labeled, share):
    """Mean bound over the data, by the share of labeled rows."""
    return share * bound[labeled].mean() + (1 - share) * bound[~labeled].mean()


def label_over_rows(bound, log_q, labeled, alpha, share):
    """You divided the label term by all rows. Then α means less in a larger batch."""
    return -mixed(bound, labeled, share) - alpha * (log_q * labeled).mean()


def labels_summed(bound, log_q, labeled, alpha, share):
    """You summed the label term. Its mean over the labeled rows stands in the loss."""
    return -mixed(bound, labeled, share) - alpha * log_q[labeled].sum()


def all_rows_labeled(bound, log_q, labeled, alpha, share):
    """Rows without a label went into the label term. Nobody told their class."""
    return -mixed(bound, labeled, share) - alpha * log_q.mean()


def share_turned_around(bound, log_q, labeled, alpha, share):
    """You weighted the rows without a label with the share of those that have one."""
    return -mixed(bound, ~labeled, share) - alpha * log_q[labeled].mean()


def label_rewarded(bound, log_q, labeled, alpha, share):
    """The label term has the wrong sign: the loss would fall as the classifier gets worse."""
    return -mixed(bound, labeled, share) + alpha * log_q[labeled].mean()


def alpha_shared(bound, log_q, labeled, alpha, share):
    """You divided α by the share. That is the other reading; here α stands as it is given."""
    return -mixed(bound, labeled, share) - alpha / share * log_q[labeled].mean()


def no_share(bound, log_q, labeled, alpha, share):
    """You added the two mean bounds. Weight them with the shares, which add up to one."""
    both = bound[labeled].mean() + bound[~labeled].mean()
    return -both - alpha * log_q[labeled].mean()


def by_rows(bound, log_q, labeled, alpha, share):
    """A weight of mean one for every row, and one mean at the end."""
    count, size = labeled.sum(), len(labeled)
    weight = torch.where(labeled, share * size / count, (1 - share) * size / (size - count))
    label = torch.where(labeled, log_q, 0.0) * size / count
    return -(weight.to(bound.dtype) * bound + alpha * label).mean()


def by_hand(bound, log_q, labeled, alpha, labeled_share):
    """Weighted means, and the label term."""
    told, untold = bound[labeled].mean(), bound[~labeled].mean()
    mean = labeled_share * told + (1 - labeled_share) * untold
    return -mean - alpha * log_q[labeled].mean()


EXERCISE = Exercise(
    name="09-label-term",
    title="The loss of a batch with extra labels",
    difficulty=2,
    minutes=15,
    parameters=("bound", "log_q", "labeled", "alpha", "labeled_share"),
    cases=cases,
    truth=truth,
    gradients=("bound", "log_q"),
    hints=(
        "Which share of the *data* has a label, and which share of this batch?",
        "Average the bound over labeled and over other rows separately, and weight the two means "
        "with the shares that the data have. The label term is a mean over labeled rows.",
        "`mean = labeled_share * bound[labeled].mean() + (1 - labeled_share) * "
        "bound[~labeled].mean()`, then `-mean - alpha * log_q[labeled].mean()`.",
    ),
    mistakes=(
        bound_over_rows,
        label_over_rows,
        labels_summed,
        all_rows_labeled,
        share_turned_around,
        label_rewarded,
        alpha_shared,
        no_share,
    ),
    alternatives=(by_rows,),
    formulas=(by_hand,),
    right="However many labeled rows a batch takes along, the loss means the same.",
)
