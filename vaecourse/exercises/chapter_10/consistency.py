"""Agree, and be sure."""

import torch
from torch import distributions as td

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Two predictions for a few images, for many, in double precision."""
    cases = []
    for seed, (shape, dtype) in enumerate(
        [((3, 4), torch.float32), ((50, 10), torch.float32), ((4, 3), torch.float64)]
    ):
        cases.append(tuple(normal(shape, 10 * seed + i, dtype, 1.5) for i in range(2)))
    certain = torch.tensor([[2.0, -1.0, 0.5], [0.3, 0.1, -0.2]])
    return [*cases, (certain, torch.tensor([[200.0, 0.0, -150.0], [0.0, 90.0, 180.0]]))]


def truth(logits, logits_again):
    """Entropy plus divergence."""
    p, again = td.Categorical(logits=logits), td.Categorical(logits=logits_again)
    return p.entropy() + td.kl_divergence(p, again)


def cross(p, log_again):
    """Cross-entropy along the classes."""
    return -(p * log_again).sum(-1)


def divergence_alone(logits, logits_again):
    """You returned the KL divergence. The cross-entropy also asks the first to be sure."""
    p, again = logits.log_softmax(-1), logits_again.log_softmax(-1)
    return (p.exp() * (p - again)).sum(-1)


def turned_around(logits, logits_again):
    """You turned the two around. The first prediction gives the probabilities."""
    return cross(logits_again.softmax(-1), logits.log_softmax(-1))


def deaf_teacher(logits, logits_again):
    """The value is right, but you made a fixed target of the first prediction.

    It is to learn, too: to be sure, and to agree.
    """
    return cross(logits.detach().softmax(-1), logits_again.log_softmax(-1))


def hard_target(logits, logits_again):
    """You took the first prediction's favorite class as a label. Keep its probabilities."""
    best = logits.argmax(-1, keepdim=True)
    return -logits_again.log_softmax(-1).gather(-1, best)[..., 0]


def over_the_batch(logits, logits_again):
    """Your probabilities add up to one over the batch. Take the softmax over the classes."""
    return cross(logits.softmax(0), logits_again.log_softmax(0))


def softmax_twice(logits, logits_again):
    """The second prediction went through a softmax twice."""
    return cross(logits.softmax(-1), logits_again.softmax(-1).log_softmax(-1))


def classes_averaged(logits, logits_again):
    """You averaged over the classes. An expectation is a sum, weighted with probabilities."""
    return -(logits.softmax(-1) * logits_again.log_softmax(-1)).mean(-1)


def sign_lost(logits, logits_again):
    """The minus sign is missing: a cross-entropy is never negative."""
    return -cross(logits.softmax(-1), logits_again.log_softmax(-1))


def squared_difference(logits, logits_again):
    """You took a squared distance of the probabilities. The constraint is a cross-entropy."""
    return (logits.softmax(-1) - logits_again.softmax(-1)).square().sum(-1)


def by_pytorch(logits, logits_again):
    """PyTorch's cross-entropy takes probabilities as targets."""
    return torch.nn.functional.cross_entropy(
        logits_again, logits.softmax(-1), reduction="none"
    )  # fmt: skip


def by_hand(logits, logits_again):
    """The cross-entropy of two softmaxes."""
    return -(logits.softmax(-1) * logits_again.log_softmax(-1)).sum(-1)


EXERCISE = Exercise(
    name="10-consistency",
    title="Agree, and be sure",
    difficulty=2,
    minutes=10,
    parameters=("logits", "logits_again"),
    cases=cases,
    truth=truth,
    gradients=("logits", "logits_again"),
    vectorized=True,
    hints=(
        "Which of the two predictions gives the weights, and which the logarithms?",
        "Softmax of the first, log softmax of the second, both along the classes. Multiply, sum "
        "over the classes, change the sign. Detach nothing.",
        "`-(logits.softmax(-1) * logits_again.log_softmax(-1)).sum(-1)`.",
    ),
    mistakes=(
        divergence_alone,
        turned_around,
        deaf_teacher,
        hard_target,
        over_the_batch,
        softmax_twice,
        classes_averaged,
        sign_lost,
        squared_difference,
    ),
    alternatives=(by_pytorch,),
    formulas=(by_hand,),
    right="It is zero only where both predictions are certain of the same class.",
)
