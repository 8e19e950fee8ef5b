"""Exercises of chapter 10: the prediction-constrained VAE."""

from vaecourse.exercises.chapter_10 import (
    aggregate,
    consistency,
    lagrangian,
    price,
    redraw,
)

__all__ = ["EXERCISES"]

EXERCISES = tuple(module.EXERCISE for module in (price, lagrangian, consistency, aggregate, redraw))
