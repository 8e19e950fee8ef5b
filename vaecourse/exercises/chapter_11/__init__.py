"""Exercises of chapter 11: the experiments."""

from vaecourse.exercises.chapter_11 import bits, holm, interval, next_draw, paired

__all__ = ["EXERCISES"]

EXERCISES = tuple(module.EXERCISE for module in (interval, next_draw, paired, holm, bits))
