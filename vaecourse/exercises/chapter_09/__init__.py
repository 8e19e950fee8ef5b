"""Exercises of chapter 9: M2."""

from vaecourse.exercises.chapter_09 import (
    disagreement,
    label_term,
    roulette,
    style_grid,
    unlabeled_bound,
)

__all__ = ["EXERCISES"]

EXERCISES = tuple(
    module.EXERCISE for module in (unlabeled_bound, disagreement, label_term, style_grid, roulette)
)
