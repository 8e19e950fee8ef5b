"""Exercises of chapter 8: semi-supervised learning and M1."""

from vaecourse.exercises.chapter_08 import (
    evidence,
    keep_labels,
    paired,
    sample_distance,
    spreading,
)

__all__ = ["EXERCISES"]

EXERCISES = tuple(
    module.EXERCISE for module in (evidence, keep_labels, paired, sample_distance, spreading)
)
