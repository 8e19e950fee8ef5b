"""Exercises of chapter 14: counts, library sizes and cells."""

from vaecourse.exercises.chapter_14 import (
    adjusted_rand,
    dispersion,
    log_pmf,
    normalize,
    zeros,
)

__all__ = ["EXERCISES"]

EXERCISES = tuple(
    module.EXERCISE for module in (dispersion, log_pmf, zeros, normalize, adjusted_rand)
)
