"""The ladder of a check: the first rung that breaks is what a student is told.

signature → the call itself → type → shape → dtype and device → finiteness → properties → value.
Where a rung from shape on breaks, the catalogue of known mistakes is asked first: a name helps more
than a symptom.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from vaecourse.exercises import answers
from vaecourse.exercises.answers import Answer, Trouble, Untouched, items
from vaecourse.exercises.comparing import difference, same
from vaecourse.exercises.exercise import Estimate, Exercise, Mistake
from vaecourse.exercises.result import Result
from vaecourse.exercises.sandbox import TimeLimitError
from vaecourse.exercises.seeds import generator_states, seeded

__all__ = ["judge", "recognized"]

NAMEABLE = ("shape", "dtype", "finiteness", "properties", "gradient", "value")


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


def profile(exercise: Exercise, answer) -> list[tuple[list, list]]:
    """Return, for every case, what the answer's values and its gradients are."""
    rows = []
    for inputs in exercise.cases():
        values = measured(exercise, answer, copies(inputs))
        slopes = []
        if exercise.gradients:
            with seeded(0):
                slopes = answers.gradients(answer, copies(inputs), exercise)
        rows.append((values, slopes))
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
    if value.dtype != wanted and (floats or not truth.is_floating_point()):
        return f"Its dtype is {value.dtype}, where {wanted} is wanted, as the inputs have it"
    if floats and value.device != floats[0].device:
        return f"It lies on {value.device}, where its inputs lie on {floats[0].device}"
    return ""


class Counting(TorchFunctionMode):
    """Count the calls of PyTorch."""

    count = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.count += 1
        return func(*args, **(kwargs or {}))


def rungs_of_properties(exercise: Exercise, answer: Answer, seen, exact) -> Iterator[Trouble]:
    """Yield what is wrong besides the value."""
    for note in answer.notes[:1]:
        yield Trouble("properties", note)
    if exercise.parameters is not None and answer.seconds < 0.5:
        yield from reseeding(exercise, answer)
    if exercise.vectorized:
        counts = []
        for inputs in exercise.cases():
            with Counting() as calls, seeded(0):
                answer(*copies(inputs))
            counts.append(calls.count)
        if max(counts) > 4 * min(counts):
            words = "It loops over the rows. One expression on whole tensors does the same, faster."
            yield Trouble("properties", words)
    for found in exercise.properties:
        with seeded(0):
            words = found(answer)
        if words:
            yield Trouble("properties", words)
    for _, slopes in seen:
        for name, slope in zip(exercise.gradients, slopes, strict=True):
            if slope is None:
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


def exact_profile(exercise: Exercise):
    """Return the profile of the exact answer, or None where the properties decide alone."""
    if exercise.truth is None:
        return None
    rows = []
    for inputs in exercise.cases():
        inputs = exact_inputs(copies(inputs))
        slopes = []
        if exercise.gradients:
            slopes = answers.gradients(exercise.truth, inputs, exercise)
        rows.append((items(exercise.truth(*inputs)), slopes))
    return rows


def first_trouble(exercise: Exercise, answer: Answer, seen) -> Trouble | None:
    """Climb the ladder; return the first trouble."""
    exact = exact_profile(exercise)
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

    answer, seen = Answer(exercise, given), None
    try:
        if exercise.parameters is None and (given is None or given is Ellipsis):
            raise Untouched
        if exercise.parameters is not None:
            answers.check_signature(exercise, given)
        seen = profile(exercise, answer)
        trouble = first_trouble(exercise, answer, seen)
    except Untouched:
        return result("not attempted", "Fill in the stub, then run this cell again.")
    except TimeLimitError as error:
        trouble = answers.in_words(error)
    except Trouble as found:
        trouble = found
    except Exception as error:
        trouble = unusable(error)
    if trouble is None:
        return result("right", exercise.right or "It agrees with the exact answer.")
    if trouble.stage in NAMEABLE:
        for mistake in recognized(exercise, answer, seen):
            return result("wrong", mistake.message, stage=trouble.stage, mistake=mistake.name)
    more = {"stage": trouble.stage, "line": trouble.line}
    return result(trouble.status, trouble.message, **more)
