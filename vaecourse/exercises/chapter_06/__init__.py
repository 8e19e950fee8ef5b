"""Exercises of chapter 6: a VAE in ten lines."""

from vaecourse.exercises.chapter_06 import (
    collapse,
    effective_beta,
    free_bits,
    log_scale,
    two_counts,
)

__all__ = ["EXERCISES"]

EXERCISES = tuple(
    module.EXERCISE for module in (log_scale, effective_beta, two_counts, free_bits, collapse)
)
