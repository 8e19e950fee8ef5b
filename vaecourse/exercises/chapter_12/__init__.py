"""Exercises of chapter 12: beta-VAE and disentanglement."""

from vaecourse.exercises.chapter_12 import (
    disentanglement,
    gap,
    index_code,
    total_correlation,
    turned,
)

__all__ = ["EXERCISES"]

EXERCISES = tuple(
    module.EXERCISE for module in (gap, disentanglement, total_correlation, index_code, turned)
)
