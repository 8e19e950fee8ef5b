"""A price that depends on the batch."""

from fractions import Fraction

from vaecourse.exercises.exercise import Exercise

__all__ = ["EXERCISE"]


def cases():
    """Batches with few and with many rows without a label."""
    return [(50.0, 100, 250), (50.0, 100, 1000), (8.0, 30, 10), (1.0, 5, 400)]


def truth(weight, num_labeled, num_unlabeled):
    """What a nat of one label costs, over what it costs in a mean over the labeled rows."""
    cost = Fraction(weight) / (num_labeled + num_unlabeled)
    return float(cost / Fraction(1, num_labeled))


def weight_itself(weight, num_labeled, num_unlabeled):
    """You returned the program's weight. It stands beside another mean than λ does."""
    return weight


def upside_down(weight, num_labeled, num_unlabeled):
    """You multiplied by the inverse. A mean over more rows makes the label term smaller."""
    return weight * (num_labeled + num_unlabeled) / num_labeled


def unlabeled_alone(weight, num_labeled, num_unlabeled):
    """You divided by the rows without a label. *All* rows are below: count the labeled, too."""
    return weight * num_labeled / num_unlabeled


def other_share(weight, num_labeled, num_unlabeled):
    """You took the share of rows without a label. The label term comes from the others."""
    return weight * num_unlabeled / (num_labeled + num_unlabeled)


def of_one_row(weight, num_labeled, num_unlabeled):
    """You returned what one label costs. λ stands before a mean, which divides once more."""
    return weight / (num_labeled + num_unlabeled)


def of_the_sum(weight, num_labeled, num_unlabeled):
    """You multiplied by the number of labels, as if the program did not divide at all."""
    return weight * num_labeled


def by_share(weight, num_labeled, num_unlabeled):
    """The share of labeled rows in the batch."""
    return weight / (1 + num_unlabeled / num_labeled)


def by_hand(weight, num_labeled, num_unlabeled):
    """The share of labeled rows."""
    return weight * num_labeled / (num_labeled + num_unlabeled)


EXERCISE = Exercise(
    name="10-price",
    title="A price that depends on the batch",
    difficulty=1,
    minutes=5,
    parameters=("weight", "num_labeled", "num_unlabeled"),
    cases=cases,
    truth=truth,
    returns=float,
    hints=(
        "Both losses contain the same sum over labeled rows. What stands before it in each?",
        "The program has weight / (all rows) before the sum, the Lagrangian λ / (labeled rows). "
        "Set them equal.",
        "`weight * num_labeled / (num_labeled + num_unlabeled)`.",
    ),
    mistakes=(
        weight_itself,
        upside_down,
        unlabeled_alone,
        other_share,
        of_one_row,
        of_the_sum,
    ),
    alternatives=(by_share,),
    formulas=(by_hand,),
    right="The same 50 was a λ of 14.3, and with the larger batch one of 4.5.",
)
