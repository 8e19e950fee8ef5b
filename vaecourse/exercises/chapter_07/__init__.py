"""Exercises of chapter 7: MNIST."""

from vaecourse.exercises.chapter_07 import (
    aggregate,
    arc,
    noise_floor,
    two_parts,
    wide_proposal,
)

__all__ = ["EXERCISES"]

EXERCISES = tuple(
    module.EXERCISE for module in (noise_floor, arc, aggregate, two_parts, wide_proposal)
)
