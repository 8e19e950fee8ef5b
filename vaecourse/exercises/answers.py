"""Call a student's answer, watch what it does, and turn what goes wrong into words."""

import inspect
import linecache
import sysconfig
import time
import traceback
from pathlib import Path

import numpy as np
import torch

from vaecourse.exercises.exercise import Estimate, Exercise
from vaecourse.exercises.sandbox import TimeLimitError

__all__ = ["Answer", "Trouble", "Untouched", "check_signature", "gradients", "in_words", "items"]

# Files whose lines are not the student's: this package and what is installed beside it.
OURS = tuple(
    {str(Path(__file__).parent.parent), *(sysconfig.get_path(k) for k in ("stdlib", "purelib"))}
)


class Untouched(Exception):
    """The stub is as it was."""


class Trouble(Exception):
    """What is wrong with an answer, and at which stage of the check it was seen."""

    def __init__(self, stage: str, message: str, line: str = "", status: str = "wrong"):
        super().__init__(message)
        self.stage, self.message, self.line, self.status = stage, message, line, status


def items(value) -> list:
    """Return the parts of what an answer returned: those of a tuple, or the thing itself."""
    plain = isinstance(value, tuple | list) and not isinstance(value, Estimate)
    return list(value) if plain else [value]


def own_line(error: BaseException) -> str:
    """Return the last line of the student's own code that an exception passed, with its number."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith(OURS):
            line = frame.line or linecache.getline(frame.filename, frame.lineno).strip()
            return f"line {frame.lineno}: {line}" if line else f"line {frame.lineno}"
    return ""


def in_words(error: BaseException) -> Trouble:
    """Say what an exception of the student's code means."""
    line, text = own_line(error), " ".join(str(error).split())[:300]
    here = " It was here:" if line else ""
    if isinstance(error, TimeLimitError):
        return Trouble("time", f"It ran out of time.{here}", line, "stopped")
    if isinstance(error, MemoryError) or "can't allocate memory" in text:
        return Trouble("memory", f"It asked for more memory than there is.{here}", line, "stopped")
    if isinstance(error, RecursionError):
        return Trouble("run", "It calls itself without end.", line)
    if isinstance(error, SystemExit):
        return Trouble("run", "It tries to end Python. A function returns; it does not exit.", line)
    return Trouble("run", f"It raised {type(error).__name__}: {text or 'without a message'}", line)


def type_words(value) -> str:
    """Say what a value is, in a few words."""
    if isinstance(value, np.ndarray):
        return "a NumPy array"
    if isinstance(value, bool | int | float | complex):
        return f"the Python number {value!r}"
    return f"a {type(value).__name__}" if value is not None else "None"


def plain(value):
    """Return a number or a tensor as it is, without what a class of the student's adds to it."""
    if isinstance(value, torch.Tensor):
        return value.as_subclass(torch.Tensor)
    for kind in (float, int):
        if isinstance(value, kind) and not isinstance(value, bool):
            return kind.__pos__(value)
    return value


class Answer:
    """A student's answer, to be called with the inputs of a case.

    It is called with copies of tensors. What it does besides returning a value is written down in
    `notes`, and settings that it changed are put back.
    """

    def __init__(self, exercise: Exercise, given):
        self.exercise, self.given, self.notes = exercise, given, []
        self.seconds = 0.0

    def __call__(self, *inputs):
        """Return what the answer returns, of the right type, or raise `Trouble`."""
        if self.exercise.parameters is None:
            return self.typed(self.given)
        dtype, grad, begin = torch.get_default_dtype(), torch.is_grad_enabled(), time.monotonic()
        before = [x.detach().clone() if isinstance(x, torch.Tensor) else None for x in inputs]
        try:
            value = self.given(*inputs)
        except NotImplementedError as error:
            line = own_line(error)
            if "raise NotImplementedError" in line or not str(error):
                raise Untouched from None
            raise in_words(error) from None
        except BaseException as error:
            raise in_words(error) from None
        finally:
            self.seconds = time.monotonic() - begin
            self.watch(inputs, before, dtype, grad)
        return self.typed(value)

    def watch(self, inputs, before, dtype, grad):
        """Note what a call changed, and put the settings back."""
        for name, x, copy in zip(self.exercise.parameters, inputs, before, strict=False):
            if copy is not None and not torch.equal(x.detach().nan_to_num(), copy.nan_to_num()):
                self.notes.append(f"It changes its input `{name}` in place. Make a new tensor.")
        if torch.get_default_dtype() != dtype:
            torch.set_default_dtype(dtype)
            self.notes.append("It changes PyTorch's default dtype, for every cell that follows.")
        if torch.is_grad_enabled() != grad:
            torch.set_grad_enabled(grad)
            self.notes.append(
                "It leaves gradients switched off or on, for every cell that follows."
            )

    def typed(self, value):
        """Return `value` if it is what was asked for, or say what it is."""
        wanted = self.exercise.returns
        verb = "is" if self.exercise.parameters is None else "returned"
        if isinstance(wanted, tuple):
            if not isinstance(value, tuple | list) or len(value) != len(wanted):
                raise Trouble("type", f"It {verb} {type_words(value)}, not {len(wanted)} values.")
            pairs = enumerate(zip(value, wanted, strict=True), 1)
            return tuple(
                self.one(part, kind, f"Value {number} that it returned is")
                for number, (part, kind) in pairs
            )
        return self.one(value, wanted, f"It {verb}")

    def one(self, value, wanted, subject):
        """Return one value if it is of type `wanted`; a number may come as a tensor of one."""
        scalar = isinstance(value, np.generic | np.ndarray | torch.Tensor)
        if wanted in (float, int) and scalar and np.prod(value.shape) == 1:
            return wanted(value.item())
        if wanted is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, wanted) and not (isinstance(value, bool) and wanted is not bool):
            return plain(value)
        if value is None:
            raise Trouble("type", f"{subject} None. Is there a `return` at its end?")
        article = "a PyTorch tensor" if wanted is torch.Tensor else f"a `{wanted.__name__}`"
        raise Trouble("type", f"{subject} {type_words(value)}, where {article} is wanted.")


def gradients(answer, inputs, exercise) -> list:
    """Differentiate a weighted sum of the outputs by the inputs that a gradient must reach."""
    places = [exercise.parameters.index(name) for name in exercise.gradients]
    inputs = list(inputs)
    for place in places:
        inputs[place] = inputs[place].detach().clone().requires_grad_()
    with torch.enable_grad():
        outputs = [x for x in items(answer(*inputs)) if isinstance(x, torch.Tensor)]
        total = sum((x * weights_like(x)).sum() for x in outputs if x.requires_grad)
    if not isinstance(total, torch.Tensor):
        return [None] * len(places)
    leaves = [inputs[place] for place in places]
    return list(torch.autograd.grad(total, leaves, allow_unused=True))


def weights_like(x):
    """Return fixed weights of the shape of `x`, all different."""
    count = torch.arange(x.numel(), dtype=torch.float64, device=x.device)
    return (1 + 0.5 * torch.cos(count)).to(x.dtype).reshape(x.shape)


def check_signature(exercise: Exercise, given) -> None:
    """Raise `Trouble` where the thing handed in cannot be called as the exercise asks."""
    wanted = f"`({', '.join(exercise.parameters)})`"
    if inspect.isclass(given):
        raise Trouble("signature", f"You passed the class `{given.__name__}`. Pass a function.")
    if not callable(given):
        words = f"You passed {type_words(given)}. Pass the function itself, not its value."
        raise Trouble("signature", words)
    try:
        signature = inspect.signature(given)
    except (TypeError, ValueError):
        return  # built in: calling it will tell
    try:
        signature.bind(*exercise.parameters)
    except TypeError:
        words = f"It takes `{signature}`, where {wanted} is wanted."
        raise Trouble("signature", words) from None
    names = list(signature.parameters)[: len(exercise.parameters)]
    if sorted(names) == sorted(exercise.parameters) and names != list(exercise.parameters):
        raise Trouble("signature", f"Its parameters come in another order than {wanted}.")
