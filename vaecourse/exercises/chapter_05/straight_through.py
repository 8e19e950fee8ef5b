"""Straight through the jump."""

import torch
from torch.nn import functional

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Relaxed draws: rows of positive numbers that sum to one."""
    return [
        (normal((3, 4), 1).softmax(-1),),
        (normal((50, 10), 2).softmax(-1),),
        (normal((2, 3), 3, torch.float64).softmax(-1),),
    ]


def winner(relaxed):
    """One-hot vector of the largest entry, of the type of the input."""
    return functional.one_hot(relaxed.argmax(-1), relaxed.shape[-1]).to(relaxed.dtype)


class Pass(torch.autograd.Function):
    """The winner forward, the gradient as it comes backward."""

    @staticmethod
    def forward(context, relaxed):
        """Return the winner."""
        return winner(relaxed)

    @staticmethod
    def backward(context, gradient):
        """Return the gradient."""
        return gradient


def truth(relaxed):
    """By a function with a backward pass of its own."""
    return Pass.apply(relaxed)


def hard_only(relaxed):
    """You returned the one-hot vectors alone, or detached the sum: no gradient passes."""
    return winner(relaxed)


def soft_only(relaxed):
    """You returned the relaxed vectors. The decoder is to see one-hot vectors."""
    return 1 * relaxed


def hard_times_soft(relaxed):
    """You multiplied. Then only the winner gets a gradient, and the value is not one."""
    return winner(relaxed) * relaxed


def both_added(relaxed):
    """You forgot to take the relaxed value off again, without its gradient."""
    return winner(relaxed) + relaxed


def minus_sign(relaxed):
    """Your gradient has the wrong sign: subtract the detached copy, and add the other."""
    return winner(relaxed) + relaxed.detach() - relaxed


def over_the_batch(relaxed):
    """You took the largest entry of a column. The classes of one example stand in a row."""
    hard = functional.one_hot(relaxed.argmax(0), len(relaxed)).T.to(relaxed.dtype)
    return hard + relaxed - relaxed.detach()


def by_detached_difference(relaxed):
    """Add the detached difference."""
    hard = torch.zeros_like(relaxed).scatter_(-1, relaxed.argmax(-1, keepdim=True), 1.0)
    return relaxed + (hard - relaxed).detach()


def by_hand(relaxed):
    """One-hot in value, relaxed in gradient."""
    hard = (relaxed == relaxed.amax(-1, keepdim=True)).to(relaxed.dtype)
    return hard + relaxed - relaxed.detach()


EXERCISE = Exercise(
    name="05-straight-through",
    title="Straight through the jump",
    difficulty=3,
    minutes=20,
    parameters=("relaxed",),
    cases=cases,
    truth=truth,
    gradients=("relaxed",),
    vectorized=True,
    hints=(
        "You want the value of one thing and the gradient of another. What does `detach` do?",
        "Let h be the one-hot vectors and s the relaxed ones. s − detach(s) has the value 0 and "
        "the gradient of s.",
        "`hard = functional.one_hot(relaxed.argmax(-1), relaxed.shape[-1]).to(relaxed.dtype)`, "
        "then `hard + relaxed - relaxed.detach()`.",
    ),
    mistakes=(
        hard_only,
        soft_only,
        hard_times_soft,
        both_added,
        minus_sign,
        over_the_batch,
    ),
    alternatives=(by_detached_difference,),
    formulas=(by_hand,),
    right="The value is discrete. The gradient is that of the relaxation, and so is its bias.",
)
