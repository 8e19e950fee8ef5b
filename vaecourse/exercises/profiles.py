"""What an answer does on every case of an exercise: its values and its gradients."""

import torch

from vaecourse.exercises import answers
from vaecourse.exercises.answers import Trouble, items
from vaecourse.exercises.comparing import same
from vaecourse.exercises.exercise import Exercise
from vaecourse.exercises.seeds import seeded

__all__ = ["copies", "exact_inputs", "exact_profile", "measured", "profile", "same_profiles"]


def measured(exercise: Exercise, answer, inputs) -> list:
    """Return the parts that are compared: those of the answer's value, or of its measurement."""
    with seeded(0):
        if exercise.measure is None:
            return items(answer(*inputs))
        return items(exercise.measure(answer, *inputs))


def exact_inputs(inputs) -> tuple:
    """Return the inputs in double precision."""
    floats = (isinstance(x, torch.Tensor) and x.is_floating_point() for x in inputs)
    return tuple(x.double() if is_float else x for x, is_float in zip(inputs, floats, strict=True))


def copies(inputs) -> tuple:
    """Return the inputs with new tensors."""
    return tuple(x.clone() if isinstance(x, torch.Tensor) else x for x in inputs)


def in_single(inputs) -> tuple:
    """Return the inputs in single precision."""
    doubles = (isinstance(x, torch.Tensor) and x.dtype == torch.float64 for x in inputs)
    return tuple(
        x.float() if is_double else x for x, is_double in zip(inputs, doubles, strict=True)
    )


def row(exercise: Exercise, answer, inputs) -> tuple[list, list]:
    """Return the values and the gradients of one case."""
    values = measured(exercise, answer, copies(inputs))
    if not exercise.gradients:
        return values, []
    with seeded(0):
        return values, answers.gradients(answer, copies(inputs), exercise)


def profile(exercise: Exercise, answer) -> list[tuple[list, list]]:
    """Return, for every case, what the answer's values and its gradients are.

    No stub promises inputs in double precision: an answer that breaks on them, as one does that
    makes a matrix of its own, is asked again in single precision.
    """
    rows = []
    for inputs in exercise.cases():
        try:
            rows.append(row(exercise, answer, inputs))
        except Trouble as trouble:
            if trouble.stage != "run" or "dtype" not in trouble.message.replace(
                "type Float", "dtype"
            ):
                raise
            rows.append(row(exercise, answer, in_single(inputs)))
    return rows


def same_profiles(one, other, exercise: Exercise) -> bool:
    """Tell whether two answers did the same on every case."""
    for (values, slopes), (others, other_slopes) in zip(one, other, strict=True):
        pairs = [*zip(values, others, strict=False), *zip(slopes, other_slopes, strict=True)]
        if len(values) != len(others):
            return False
        if not all(same(a, b, exercise.tolerance) for a, b in pairs):
            return False
    return True


def exact_profile(exercise: Exercise, truth=None):
    """Return the profile of an exact answer, or None where the properties decide alone."""
    truth = truth or exercise.truth
    if truth is None:
        return None
    rows = []
    for inputs in exercise.cases():
        inputs = exact_inputs(copies(inputs))
        slopes = []
        if exercise.gradients:
            slopes = answers.gradients(truth, inputs, exercise)
        rows.append((items(truth(*inputs)), slopes))
    return rows
