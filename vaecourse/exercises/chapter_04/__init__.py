"""Exercises of chapter 4: variational inference and the ELBO."""

from vaecourse.exercises.chapter_04 import (
    average_rate,
    covering,
    elbo,
    gaussian_kl,
    log_likelihood,
)

__all__ = ["EXERCISES"]

EXERCISES = tuple(
    module.EXERCISE for module in (gaussian_kl, log_likelihood, elbo, covering, average_rate)
)
