"""Exercises of chapter 15: where next."""

from vaecourse.exercises.chapter_15 import coupling, denoising, straight_through

__all__ = ["EXERCISES"]

EXERCISES = tuple(module.EXERCISE for module in (straight_through, coupling, denoising))
