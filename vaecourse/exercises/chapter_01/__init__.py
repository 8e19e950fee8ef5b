"""Exercises of chapter 1: autoencoders."""

from vaecourse.exercises.chapter_01 import (
    any_code,
    components_needed,
    flat_code,
    squared_error,
    subspace_angle,
)

__all__ = ["EXERCISES"]

EXERCISES = tuple(
    module.EXERCISE
    for module in (components_needed, flat_code, squared_error, subspace_angle, any_code)
)
