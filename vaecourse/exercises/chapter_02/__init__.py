"""Exercises of chapter 2: variational autoencoders."""

from vaecourse.exercises.chapter_02 import (
    ancestral,
    best_scale,
    grid_posterior,
    linear_marginal,
    missing_constant,
)

__all__ = ["EXERCISES"]

EXERCISES = tuple(
    module.EXERCISE
    for module in (ancestral, linear_marginal, best_scale, grid_posterior, missing_constant)
)
