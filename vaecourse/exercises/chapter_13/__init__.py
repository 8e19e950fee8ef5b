"""Exercises of chapter 13: tighter bounds."""

from vaecourse.exercises.chapter_13 import doubly, effective_size, leading_gap, mixture, weighted

__all__ = ["EXERCISES"]

EXERCISES = tuple(
    module.EXERCISE for module in (weighted, effective_size, leading_gap, doubly, mixture)
)
