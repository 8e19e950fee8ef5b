"""Walk along an arc."""

import math

import torch

from vaecourse.exercises.exercise import Exercise, normal

__all__ = ["EXERCISE"]


def cases():
    """Pairs of codes, in few and in many dimensions."""
    return [
        (normal((3,), 1), normal((3,), 2), 5),
        (normal((20,), 3), normal((20,), 4), 10),
        (normal((8,), 5, torch.float64), normal((8,), 6, torch.float64), 7),
    ]


def truth(start, end, num):
    """Point by point, with Python's own cosine."""
    angles = [math.pi / 2 * k / (num - 1) for k in range(num)]
    return torch.stack([math.cos(t) * start + math.sin(t) * end for t in angles])


def along(start, end, t):
    """Points of the arc."""
    t = t.to(start.dtype)[:, None]
    return t.cos() * start + t.sin() * end


def straight(start, end, num):
    """You walked along the straight line. Its middle is too short."""
    t = torch.linspace(0, 1, num, dtype=start.dtype)[:, None]
    return (1 - t) * start + t * end


def half_circle(start, end, num):
    """You went on to π. The arc reaches the end at a quarter of a circle."""
    return along(start, end, torch.linspace(0, math.pi, num))


def in_degrees(start, end, num):
    """You counted in degrees. `cos` and `sin` take radians."""
    return along(start, end, torch.linspace(0, 90, num))


def to_one(start, end, num):
    """Your t ends at 1, so that the walk stops on its way. It should end at π/2."""
    return along(start, end, torch.linspace(0, 1, num))


def backward(start, end, num):
    """You walked from the end to the start."""
    return along(end, start, torch.linspace(0, math.pi / 2, num))


def end_left_out(start, end, num):
    """Your last point is not the end. `num` points have only `num - 1` gaps between them."""
    return along(start, end, math.pi / 2 * torch.arange(num) / num)


def normalized_to_one(start, end, num):
    """You walked over the unit sphere. Draws from the prior are about the root of L long."""
    points = truth(start, end, num)
    return points / points.norm(dim=1, keepdim=True)


def keeps_the_length(answer):
    """The middle of long random codes must be as long as its ends."""
    start, end = normal((4000,), 7), normal((4000,), 8)
    middle = answer(start, end, 3)[1].norm() / 4000**0.5
    if abs(middle - 1) > 0.1:
        return f"In 4,000 dimensions the middle is {middle:.2f} times as long as a draw is."
    return None


def by_complex_numbers(start, end, num):
    """Turn a complex number."""
    turns = torch.polar(
        torch.ones(num, dtype=start.dtype),
        torch.linspace(0, math.pi / 2, num, dtype=start.dtype),
    )
    return torch.outer(turns.real, start) + torch.outer(turns.imag, end)


def by_hand(start, end, num):
    """A quarter of a circle."""
    t = torch.linspace(0, 1, num, dtype=start.dtype)[:, None] * (math.pi / 2)
    return t.cos() * start + t.sin() * end


EXERCISE = Exercise(
    name="07-arc",
    title="Walk along an arc",
    difficulty=1,
    minutes=10,
    parameters=("start", "end", "num"),
    cases=cases,
    truth=truth,
    properties=(keeps_the_length,),
    hints=(
        "How long is a·z₃ + b·z₅ for independent draws? For which a and b is that like one draw?",
        "Variances add up, so a² + b² = 1: take the cosine and the sine of t, for `num` values of "
        "t from 0 to π/2, both ends included.",
        "`t = torch.linspace(0, torch.pi / 2, num, dtype=start.dtype)[:, None]`, then `t.cos() * "
        "start + t.sin() * end`.",
    ),
    mistakes=(
        straight,
        half_circle,
        in_degrees,
        to_one,
        backward,
        end_left_out,
        normalized_to_one,
    ),
    alternatives=(by_complex_numbers,),
    formulas=(by_hand,),
    right="Along the arc every point is about as long as a draw from the prior.",
)
