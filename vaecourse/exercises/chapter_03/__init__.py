"""Exercises of chapter 3: the inference problem and direct Monte Carlo."""

from vaecourse.exercises.chapter_03 import (
    effective_samples,
    importance,
    log_mean_exp,
    samples_needed,
    standard_error,
)

__all__ = ["EXERCISES"]

EXERCISES = tuple(
    module.EXERCISE
    for module in (log_mean_exp, effective_samples, standard_error, samples_needed, importance)
)
