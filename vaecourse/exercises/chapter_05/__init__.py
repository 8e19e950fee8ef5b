"""Exercises of chapter 5: the reparameterization trick."""

from vaecourse.exercises.chapter_05 import (
    exponential,
    leave_one_out,
    reparameterize,
    score_function,
    straight_through,
)

__all__ = ["EXERCISES"]

EXERCISES = tuple(
    module.EXERCISE
    for module in (reparameterize, score_function, leave_one_out, exponential, straight_through)
)
