"""Call a wrong answer again, with changed inputs, and say what it does and does not follow."""

from collections.abc import Iterator
from contextlib import suppress

import torch

from vaecourse.exercises.answers import Answer, items
from vaecourse.exercises.exercise import Exercise
from vaecourse.exercises.profiles import copies, exact_inputs
from vaecourse.exercises.relations import TOLERANCE, Comparison, close
from vaecourse.exercises.seeds import seeded

__all__ = ["experiments"]


def called(answer, inputs, part: int) -> torch.Tensor | None:
    """Return one part of what an answer gives, or None where it breaks."""
    with suppress(Exception), seeded(0):
        value = items(answer(*copies(inputs)))[part]
        return torch.as_tensor(value).detach().double()
    return None


def in_double_precision(exercise: Exercise, answer, rows, part: int) -> Iterator[tuple[str, str]]:
    """Yield that digits are lost, where the answer is right in double precision."""
    for inputs, row in zip(exercise.cases(), rows, strict=True):
        doubled = exact_inputs(copies(inputs))
        value = called(answer, doubled, part)
        if value is None or not close(value, row.truth):
            return
    yield (
        "precision",
        "Your formula is right in double precision. In single precision it loses too many digits, "
        "or leaves the range of numbers: rearrange it.",
    )


def only_not_finite(rows: list[Comparison]) -> Iterator[tuple[str, str]]:
    """Yield that an answer is right wherever it is finite."""
    bad, good = 0, 0
    for value, truth, _ in rows:
        if value.shape != truth.shape:
            return
        finite = value.isfinite()
        if finite.any() and not close(value[finite], truth[finite]):
            return
        bad += int((~finite & truth.isfinite()).sum())
        good += int(finite.sum())
    if bad and good:
        yield (
            "range",
            f"It is right where it is finite. Elsewhere ({bad} of {bad + good} values) a step on "
            "the way has no finite value: an overflow, the logarithm of zero, or 0 times ∞.",
        )


def changed(x, generator):
    """Return another input of the same kind, or None."""
    if isinstance(x, torch.Tensor) and x.is_floating_point() and x.numel():
        return x * (1 + 0.3 * torch.rand(x.shape, generator=generator, dtype=torch.float64)).to(x)
    return x * 1.3 if isinstance(x, float) else None


def ignored(exercise: Exercise, answer, part: int) -> Iterator[tuple[str, str]]:
    """Yield an input on which the exact values depend, and the answer's do not."""
    generator = torch.Generator().manual_seed(0)
    for place, name in enumerate(exercise.parameters or ()):
        verdicts = []
        for inputs in exercise.cases():
            new = changed(inputs[place], generator)
            if new is None:
                break
            others = (*inputs[:place], new, *inputs[place + 1 :])
            mine = [called(answer, x, part) for x in (inputs, others)]
            exact = [called(exercise.truth, exact_inputs(x), part) for x in (inputs, others)]
            if any(x is None for x in (*mine, *exact)):
                break
            verdicts.append(torch.equal(*mine) and not close(exact[0], exact[1]))
        if verdicts and len(verdicts) == len(exercise.cases()) and all(verdicts):
            yield "ignored-input", f"Your values do not depend on `{name}`, and they should."


def partly_right(rows: list[Comparison]) -> Iterator[tuple[str, str]]:
    """Yield where alone entries are wrong: in a row, of one sign, or on a diagonal."""
    tests = (
        (lambda v, t: t < 0, "clamp", "where the exact value is negative"),
        (lambda v, t: t > 0, "sign", "where the exact value is positive"),
        (lambda v, t: on_diagonal(t), "diagonal", "on the diagonal"),
        (lambda v, t: ~on_diagonal(t), "diagonal", "off the diagonal"),
        (lambda v, t: index_of(t, 0) > 0, "one-for-all", "in all rows but the first"),
        (lambda v, t: index_of(t, 0) == 0, "first-row", "in the first row"),
        (lambda v, t: index_of(t, 0) == len(t) - 1, "last-row", "in the last row"),
        (lambda v, t: index_of(t, -1) == 0, "first-column", "in the first column"),
        (lambda v, t: index_of(t, -1) == t.shape[-1] - 1, "last-column", "in the last column"),
    )
    for test, kind, words in tests:
        with suppress(RuntimeError, IndexError):
            found = [wrong_entries_are(row, test) for row in rows]
            if None not in found and sum(found) > 1:
                yield kind, f"It is right but {words}."


def on_diagonal(x: torch.Tensor) -> torch.Tensor:
    """Return which entries of a square matrix lie on its diagonal."""
    if x.dim() != 2 or x.shape[0] != x.shape[1]:
        raise IndexError("no square matrix")
    return torch.eye(len(x), dtype=torch.bool)


def index_of(x: torch.Tensor, axis: int) -> torch.Tensor:
    """Return the index of every entry along an axis."""
    if x.dim() < 2:
        raise IndexError("no matrix")
    shape = [1] * x.dim()
    shape[axis] = -1
    return torch.arange(x.shape[axis]).reshape(shape).expand_as(x)


def wrong_entries_are(row: Comparison, test) -> int | None:
    """Say whether a case has wrong entries, 0 or 1; None where they are not those of a test."""
    value, truth, _ = row
    if value.shape != truth.shape or not value.isfinite().all():
        return None
    wrong = (value - truth).abs() > TOLERANCE * truth.abs().max()
    meant = test(value, truth)
    if not bool((wrong <= meant).all()) or bool(meant.all()):
        return None
    if wrong.sum() < 0.6 * meant.sum():
        return None
    return int(bool(wrong.any()))


def experiments(exercise: Exercise, answer: Answer, rows, part: int) -> Iterator[tuple[str, str]]:
    """Yield what calling the answer again says about it.

    Parameters
    ----------
    exercise : Exercise
        What was asked.
    answer : Answer
        The answer.
    rows : list of Comparison
        The part of its values that is wrong, case by case.
    part : int
        Which part that is.
    """
    yield from only_not_finite(rows)
    if answer.seconds < 0.2:
        yield from in_double_precision(exercise, answer, rows, part)
        yield from ignored(exercise, answer, part)
    yield from partly_right(rows)
