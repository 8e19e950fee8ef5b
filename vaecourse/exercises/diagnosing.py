"""Name what is wrong with an answer that no known mistake explains.

Values that are wrong are compared, on all cases, with what comes out of the exact ones by a sign, a
factor or a sum (`relations`), with a right formula that is broken in one place (`mutating`), and
with right answers to a changed question (`disguises`). What fits on every case is said; where
nothing does, nothing is said here.
"""

import math
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product

import numpy as np
import torch

from vaecourse.exercises import relations
from vaecourse.exercises.answers import items
from vaecourse.exercises.comparing import same
from vaecourse.exercises.disguises import disguises
from vaecourse.exercises.exercise import Estimate, Exercise
from vaecourse.exercises.experiments import experiments
from vaecourse.exercises.mutating import mutants
from vaecourse.exercises.mutations import rank
from vaecourse.exercises.profiles import exact_inputs, profile, same_profiles
from vaecourse.exercises.relations import Comparison, close
from vaecourse.exercises.seeds import seeded

__all__ = ["diagnosis"]

SECONDS = 3.0
"""That the search may take: an answer has ten in all, and what it took itself is gone."""


def as_tensor(value) -> torch.Tensor | None:
    """Return numbers in double precision, or None for what holds none."""
    if isinstance(value, Estimate):
        return None
    if isinstance(value, torch.Tensor):
        return value.detach().double()
    if isinstance(value, bool | int | float):
        return torch.tensor(float(value), dtype=torch.float64)
    return None


def sizes(exercise: Exercise, inputs) -> dict[str, float]:
    """Return the sizes that a case has, each by the words for it."""
    found: dict[str, float] = {}
    for name, x in zip(exercise.parameters or (), inputs, strict=True):
        if isinstance(x, torch.Tensor | np.ndarray):
            for axis, length in enumerate(x.shape):
                place = f"the length of axis {axis} of `{name}`" if len(x.shape) > 1 else None
                found[place or f"the length of `{name}`"] = length
            if len(x.shape) > 1:
                found[f"the number of entries of `{name}`"] = math.prod(x.shape)
                found[f"the number of entries of a row of `{name}`"] = math.prod(x.shape[1:])
        elif isinstance(x, int) and not isinstance(x, bool):
            found[f"`{name}`"] = x
        elif isinstance(x, tuple) and all(isinstance(n, int) for n in x):
            found[f"the product of `{name}`"] = math.prod(x)
    return {name: size for name, size in found.items() if size > 0}


def comparisons(exercise: Exercise, seen, exact, part: int) -> list[Comparison] | None:
    """Return one part of the values beside the exact ones, case by case, where all are numbers."""
    rows = []
    for inputs, (values, _), (truths, _) in zip(exercise.cases(), seen, exact, strict=True):
        value, truth = as_tensor(values[part]), as_tensor(truths[part])
        if value is None or truth is None:
            return None
        rows.append(Comparison(value, truth, sizes(exercise, inputs)))
    return rows


class Search:
    """A search for a wrong answer that does the same, within its time."""

    def __init__(self, exercise: Exercise, rows: list[Comparison], part: int):
        self.exercise, self.rows, self.part = exercise, rows, part
        self.cases = exercise.cases()
        self.ends = time.process_time() + SECONDS, time.monotonic() + 2 * SECONDS
        self.exact = [exact_inputs(inputs) for inputs in self.cases]

    def is_over(self) -> bool:
        """Tell whether the time is up."""
        return time.process_time() > self.ends[0] or time.monotonic() > self.ends[1]

    def fits(self, wrong: Callable, cases) -> bool:
        """Tell whether a wrong answer gives these values on every case, and not the exact ones."""
        differs = False
        for inputs, row in zip(cases, self.rows, strict=True):
            try:
                made = as_tensor(wrong(inputs)[self.part])
            except Exception:
                return False
            if made is None or not close(row.value, made):
                return False
            differs = differs or not close(made, row.truth)
        return differs

    def broken_formulas(self, ranks) -> Iterator[tuple[str, str]]:
        """Yield the places at which a right formula, broken, gives the values."""
        exercise = self.exercise
        formulas = (*exercise.formulas, *exercise.alternatives)
        for number, formula in product(ranks, formulas):
            for kind, words, function in mutants(formula):
                if rank(kind) != number:
                    continue
                if self.is_over():
                    return

                def broken(inputs, function=function):
                    if exercise.measure is not None:
                        return items(exercise.measure(function, *inputs))
                    return items(function(*inputs))

                if self.fits(broken, self.cases):
                    yield kind, f"Your values are those of a right formula in which {words}."

    def changed_questions(self) -> Iterator[tuple[str, str]]:
        """Yield the changes of the inputs after which the exact answer gives the values."""
        exercise = self.exercise
        for kind, words, change in disguises(exercise.parameters, self.cases[0]):
            if self.is_over():
                return

            def changed(inputs, change=change):
                return items(exercise.truth(*change(*inputs)))

            if self.fits(changed, self.exact):
                yield kind, f"Your values would be right if {words.replace(' is ', ' were ', 1)}."


def enough(rows: list[Comparison]) -> bool:
    """Tell whether the values say enough: not a handful of whole numbers, and some finite."""
    numbers = torch.cat([row.value.flatten() for row in rows])
    if not numbers.isfinite().any() or len(numbers) < 2:
        return False
    whole = bool((numbers == numbers.round()).all())
    return len(numbers) >= 6 if whole else True


def explanations(exercise: Exercise, answer, seen, exact, part: int) -> Iterator[tuple[str, str]]:
    """Yield what explains one part of the values, likeliest first."""
    rows = comparisons(exercise, seen, exact, part)
    if rows is None or not any(row.value.isfinite().any() for row in rows):
        return
    plain = exercise.measure is None
    if enough(rows):
        search = Search(exercise, rows, part)
        if plain:
            yield from relations.constant(rows)
            yield from relations.shapes(rows)
            yield from other_axes(exercise, rows)
            yield from (found for found in relations.ratios(rows) if found[0] in ("sign", "bits"))
        yield from search.broken_formulas((0, 1))
        if plain:
            yield from relations.offsets(rows)
            yield from relations.ratios(rows)
            yield from relations.functions(rows)
            yield from search.changed_questions()
        yield from search.broken_formulas((2,))
    if plain:
        yield from experiments(exercise, answer, rows, part)


def other_axes(exercise: Exercise, rows: list[Comparison]) -> Iterator[tuple[str, str]]:
    """Yield which axis of an input the values go along, where they should go along another."""
    if all(row.value.shape == row.truth.shape for row in rows):
        return
    for name in rows[0].sizes:
        lengths = [row.sizes.get(name) for row in rows]
        fits = all(row.value.shape == (n,) for row, n in zip(rows, lengths, strict=True))
        if fits and name.startswith("the length") and len(set(lengths)) > 1:
            along = name.replace("the length of ", "").replace("axis", "place along axis")
            along = along if along.startswith("place") else f"entry of {along}"
            if rows[0].truth.dim():
                yield "axis", f"You return one value for each {along}: that is the wrong axis."
            else:
                yield (
                    "not-reduced",
                    f"You return one value for each {along}. One for all is wanted.",
                )
    if all(row.value.dim() == 0 for row in rows) and rows[0].truth.dim():
        yield "reduced-too-far", "You return one number for all: that is reduced too far."
    if all(row.value.dim() > row.truth.dim() for row in rows) and all(
        row.value.numel() > row.truth.numel() for row in rows
    ):
        yield "not-reduced", "You return more axes than are wanted: a sum or a mean is missing."


def crossed(exercise: Exercise, seen, exact) -> bool:
    """Tell whether two values came back in each other's place."""
    pairs = [(values, truths) for (values, _), (truths, _) in zip(seen, exact, strict=True)]
    return all(
        len(values) == 2
        and same(values[0], truths[1], exercise.tolerance)
        and same(values[1], truths[0], exercise.tolerance)
        for values, truths in pairs
    )


def wrong_part(exercise: Exercise, seen, exact) -> int | None:
    """Return the first part that is not right on every case."""
    for part in range(len(exact[0][0])):
        pairs = [
            (values[part], truths[part])
            for (values, _), (truths, _) in zip(seen, exact, strict=True)
        ]
        if not all(same(value, truth, exercise.tolerance) for value, truth in pairs):
            return part
    return None


def of_gradients(exercise: Exercise, seen, exact) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with gradients where the values are right."""
    for place, name in enumerate(exercise.gradients):
        pairs = [
            (slopes[place], truths[place])
            for (_, slopes), (_, truths) in zip(seen, exact, strict=True)
        ]
        pairs = [[torch.zeros(()) if x is None else x.double() for x in pair] for pair in pairs]
        right = (
            same(slope, truth, exercise.tolerance) or not (slope.any() or truth.any())
            for slope, truth in pairs
        )
        if all(right):
            continue
        if not any(slope.any() for slope, _ in pairs):
            yield "no-gradient", f"No gradient reaches `{name}`: something cuts the graph."
        if not any(truth.any() for _, truth in pairs):
            yield "extra-gradient", f"A gradient reaches `{name}`, and none should: detach there."
        if all(slope.shape == truth.shape for slope, truth in pairs):
            rows = [Comparison(slope, truth, {}) for slope, truth in pairs]
            for kind, _ in relations.ratios(rows):
                words = "turned around" if kind == "sign" else f"off by a factor ({kind})"
                yield kind, f"The value is right, but its gradient in `{name}` is {words}."


def detached(exercise: Exercise, seen, exact) -> Iterator[tuple[str, str]]:
    """Yield the expressions of a right formula that, detached, give values and gradients."""
    for formula in (*exercise.formulas, *exercise.alternatives):
        for kind, words, function in mutants(formula):
            if kind in ("detached", "missing-detach"):
                with suppress(Exception), torch.enable_grad():
                    wrong = profile(exercise, function)
                    if same_profiles(wrong, exact, exercise):
                        continue
                    if same_profiles(wrong, seen, exercise):
                        yield kind, f"The values are right, but the gradient is as if {words}."


def diagnosis(exercise: Exercise, answer, seen, exact) -> tuple[str, str] | None:
    """Return the name of what is wrong and the words for it, or None.

    Parameters
    ----------
    exercise : Exercise
        What was asked.
    answer : callable
        The answer, to be called again.
    seen, exact : list
        Profiles of the answer and of the exact one.
    """
    if exact is None or exercise.parameters is None:
        return None
    with warnings.catch_warnings(), np.errstate(all="ignore"), seeded(0), torch.no_grad():
        warnings.simplefilter("ignore")
        if crossed(exercise, seen, exact):
            return "swapped", "Your two values are right, but in the other order."
        part = wrong_part(exercise, seen, exact)
        if part is None:
            found = [*of_gradients(exercise, seen, exact)][:1] or [
                *detached(exercise, seen, exact)
            ][:1]
            return found[0] if found else None
        where = f"Value {part + 1}: " if len(exact[0][0]) > 1 else ""
        for kind, words in explanations(exercise, answer, seen, exact, part):
            return kind, where + words
    return None
