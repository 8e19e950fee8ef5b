"""The ladder of a check: the first rung that breaks is what a student is told.

signature → the call itself → type → shape → dtype and device → finiteness → properties → value.
Where a rung from shape on breaks, the catalogue of known mistakes is asked first: a name helps more
than a symptom.
"""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from vaecourse.exercises import answers
from vaecourse.exercises.answers import Answer, Trouble, Untouched
from vaecourse.exercises.comparing import difference, same
from vaecourse.exercises.diagnosing import diagnosis
from vaecourse.exercises.exercise import Estimate, Exercise, Mistake
from vaecourse.exercises.profiles import copies, exact_profile, profile, same_profiles
from vaecourse.exercises.result import Result
from vaecourse.exercises.sandbox import TimeLimitError
from vaecourse.exercises.seeds import generator_states, seeded

__all__ = ["judge", "recognized"]

LOOP = "It loops over the rows."
NAMEABLE = ("shape", "dtype", "finiteness", "properties", "gradient", "value")
SAID = ("dtype", "properties")
"""What is told in words of its own, which a comparison of values does not better."""


def wrong_profile(exercise: Exercise, mistake: Mistake):
    """Return the profile of a known mistake, or None where it cannot be had."""
    wrong = mistake.wrong() if exercise.parameters is None else mistake.wrong
    try:
        return profile(exercise, Answer(exercise, wrong))
    except (Trouble, Untouched):
        return None


def makes(mistake: Mistake, answer) -> bool:
    """Ask a mistake that has a way of its own to be found; an answer that breaks it does not."""
    try:
        return bool(mistake.found(answer))
    except Exception:
        return False


def recognized(exercise: Exercise, answer, seen) -> Iterator[Mistake]:
    """Yield the known mistakes that an answer with the profile `seen` makes."""
    for mistake in exercise.catalogue:
        if mistake.found is not None:
            if makes(mistake, answer):
                yield mistake
        elif seen is not None:
            wrong = wrong_profile(exercise, mistake)
            if wrong is not None and same_profiles(seen, wrong, exercise):
                yield mistake


def which(exercise: Exercise, number: int, part: int, parts: int) -> str:
    """Say which value of which case is meant, where there is more than one."""
    words = "" if parts == 1 else f"value {part + 1} "
    inputs = exercise.cases()[number]
    shapes = {
        name: tuple(x.shape)
        for name, x in zip(exercise.parameters or (), inputs, strict=False)
        if isinstance(x, torch.Tensor)
    }
    if len(shapes) > 1 and len(set(shapes.values())) == 1:
        return f"{words}for inputs of shape {next(iter(shapes.values()))}"
    named = [f"`{name}` of shape {shape}" for name, shape in shapes.items()]
    return (words + ("for " + " and ".join(named) if named else "")).strip()


def rungs_of_form(exercise: Exercise, seen, exact) -> Iterator[Trouble]:
    """Compare shape, dtype, device and finiteness; yield what is wrong, case by case."""
    for stage in ("shape", "dtype", "finiteness"):
        for number, (values, _) in enumerate(seen):
            truths = exact[number][0] if exact else values
            for part, (value, truth) in enumerate(zip(values, truths, strict=True)):
                value, truth = (x.value if isinstance(x, Estimate) else x for x in (value, truth))
                words = form_words(exercise, stage, value, truth, number)
                where = which(exercise, number, part, len(values))
                if words:
                    yield Trouble(stage, f"{words} ({where})." if where else f"{words}.")


def form_words(exercise: Exercise, stage: str, value, truth, number: int) -> str:
    """Say what is wrong with the form of one value at one stage, or nothing."""
    if isinstance(value, float):
        odd = stage == "finiteness" and not np.isfinite(value) and np.isfinite(truth)
        return "It is not finite" if odd else ""
    if not isinstance(value, torch.Tensor):
        return ""
    if stage == "shape" and value.shape != truth.shape:
        return f"Its shape is {tuple(value.shape)}, where {tuple(truth.shape)} is wanted"
    if stage == "dtype" and exercise.measure is None:
        return dtype_words(exercise, value, truth, number)
    if stage == "finiteness" and not value.isfinite().all() and truth.isfinite().all():
        kind = "NaN" if value.isnan().any() else "infinite values"
        return f"It holds {kind}"
    return ""


def dtype_words(exercise: Exercise, value, truth, number: int) -> str:
    """Say that a value has another dtype or device than the inputs, or nothing."""
    tensors = [x for x in exercise.cases()[number] if isinstance(x, torch.Tensor)]
    floats = [x for x in tensors if x.is_floating_point()]
    wanted = floats[0].dtype if floats and truth.is_floating_point() else truth.dtype
    either = (torch.float32, torch.float64)
    if value.dtype in either and wanted in either and exercise.dtype is None:
        wanted = value.dtype  # no stub says which of the two
    if value.dtype != (exercise.dtype or wanted):
        return f"Its dtype is {value.dtype}, where {exercise.dtype or wanted} is wanted"
    if floats and value.device != floats[0].device:
        return f"It lies on {value.device}, where its inputs lie on {floats[0].device}"
    return ""


class Counting(TorchFunctionMode):
    """Count the calls of PyTorch."""

    count = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.count += 1
        return func(*args, **(kwargs or {}))


def loops(exercise: Exercise, answer: Answer) -> bool:
    """Tell whether an answer calls PyTorch more often where there are more rows."""
    counts = []
    for inputs in exercise.cases():
        with suppress(Trouble), Counting() as calls, seeded(0):
            answer(*copies(inputs))
            counts.append(calls.count)
    return max(counts, default=0) > 4 * min(counts, default=0)


def remark(exercise: Exercise, answer: Answer) -> str:
    """Say what a right answer might do better, or nothing."""
    if exercise.vectorized and loops(exercise, answer):
        return f" {LOOP} One expression on whole tensors does the same, faster."
    return ""


def rungs_of_properties(exercise: Exercise, answer: Answer, seen, exact) -> Iterator[Trouble]:
    """Yield what is wrong besides the value."""
    for note in answer.notes[:1]:
        yield Trouble("properties", note)
    if exercise.parameters is not None and answer.seconds < 0.5:
        yield from reseeding(exercise, answer)
    if exercise.vectorized and not exercise.loops and loops(exercise, answer):
        yield Trouble("properties", f"{LOOP} The task forbids that.")
    for found in exercise.properties:
        with seeded(0):
            words = found(answer)
        if words:
            yield Trouble("properties", words)
    for number, (_, slopes) in enumerate(seen):
        wanted = exact[number][1] if exact else [None] * len(slopes)
        for name, slope, truth in zip(exercise.gradients, slopes, wanted, strict=True):
            needed = not exact or (truth is not None and truth.any())
            if slope is None and needed:
                yield Trouble(
                    "gradient", f"No gradient reaches `{name}`. Something cuts the graph."
                )


def reseeding(exercise: Exercise, answer: Answer) -> Iterator[Trouble]:
    """Yield a fault where a global generator ends in the same state whatever state it began in."""
    ends = []
    for seed in (1, 2):
        with seeded(seed):
            answer(*copies(exercise.cases()[0]))
            ends.append(generator_states())
    if any(one == other for one, other in zip(*ends, strict=True)):
        words = "It sets a global random seed: every later draw in the notebook would repeat."
        yield Trouble("properties", words)


def rungs_of_value(exercise: Exercise, seen, exact) -> Iterator[Trouble]:
    """Compare with the exact values and gradients."""
    for number, ((values, slopes), (truths, exact_slopes)) in enumerate(
        zip(seen, exact, strict=True)
    ):
        for part, (value, truth) in enumerate(zip(values, truths, strict=True)):
            if not same(value, truth, exercise.tolerance):
                where = which(exercise, number, part, len(values))
                words = difference(value, truth)
                yield Trouble("value", f"{words} ({where})." if where else f"{words}.")
        for name, slope, truth in zip(exercise.gradients, slopes, exact_slopes, strict=True):
            if not same(slope, truth, exercise.tolerance):
                words = f"The value is right, but its gradient in `{name}` is not."
                yield Trouble("gradient", words)


def first_trouble(exercise: Exercise, answer: Answer, seen, exact) -> Trouble | None:
    """Climb the ladder; return the first trouble."""
    for values, _ in seen:
        count = len(exact[0][0]) if exact else len(values)
        if len(values) != count:
            return Trouble("shape", f"It returned {len(values)} values, where {count} are wanted.")
    for trouble in rungs_of_form(exercise, seen, exact):
        return trouble
    for trouble in rungs_of_properties(exercise, answer, seen, exact):
        return trouble
    for trouble in rungs_of_value(exercise, seen, exact) if exact else ():
        return trouble
    return None


def named(exercise: Exercise, answer: Answer, seen, exact, stage: str) -> Iterator[tuple[str, str]]:
    """Yield the names of what is wrong: known mistakes, then what a comparison finds."""
    for mistake in recognized(exercise, answer, seen):
        yield mistake.name, mistake.message
    if seen is not None and stage not in SAID:
        with suppress(Exception):  # what cannot be compared is not named
            found = diagnosis(exercise, answer, seen, exact)
            if found is not None:
                yield found


def nearest(exercise: Exercise, seen):
    """Return the profile of the exact answer, or of another that is as good and that was given."""
    for truth in exercise.also:
        other = exact_profile(exercise, truth)
        if same_profiles(seen, other, exercise):
            return other
    return exact_profile(exercise)


def unusable(error: Exception) -> Trouble:
    """Say that what an answer returned broke the check, without a word of the check's insides."""
    words = f"What it returned cannot be used here ({type(error).__name__})."
    return Trouble("run", f"{words} Compare it with what the docstring of the stub asks for.")


def judge(exercise: Exercise, given) -> Result:
    """Judge an answer, in this process and without limits.

    Parameters
    ----------
    exercise : Exercise
        What was asked.
    given : object
        What the student handed in.
    """

    def result(status, message, **more):
        hints = () if status == "right" else exercise.hints
        return Result(exercise.name, exercise.title, status, message, hints=hints, **more)

    answer, seen, exact = Answer(exercise, given), None, None
    try:
        if exercise.parameters is None and (given is None or given is Ellipsis):
            raise Untouched
        if exercise.parameters is not None:
            answers.check_signature(exercise, given)
        seen = profile(exercise, answer)
        exact = nearest(exercise, seen)
        trouble = first_trouble(exercise, answer, seen, exact)
    except Untouched:
        return result("not attempted", "Fill in the stub, then run this cell again.")
    except TimeLimitError as error:
        trouble = answers.in_words(error)
    except Trouble as found:
        trouble = found
    except Exception as error:
        trouble = unusable(error)
    if trouble is None:
        words = exercise.right or "It agrees with the exact answer."
        return result("right", words + remark(exercise, answer))
    if trouble.stage in NAMEABLE:
        for name, words in named(exercise, answer, seen, exact, trouble.stage):
            return result("wrong", words, stage=trouble.stage, mistake=name)
    more = {"stage": trouble.stage, "line": trouble.line}
    return result(trouble.status, trouble.message, **more)
