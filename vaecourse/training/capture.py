"""Training steps as CUDA graphs: one call launches all the kernels of a step.

A step of a small network is some forty kernels of a few microseconds each, and Python takes ten
times as long to launch them as the device to run them. PyTorch can capture the launches of a step
and repeat them. Noise stays a function of the seed: captured kernels ask their generator where it
stands. Learning rate and scheduled options are numbers on the device, set before each step.

Inside a captured step Python runs only once, so a step is captured only after it was tried both
ways: nothing waits for the device, no Python state changes, and the numbers agree.
"""

import os
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from vaecourse.objectives.contract import is_of_package, name_of
from vaecourse.runtime.private import leave_broken_capture
from vaecourse.training.history import CAPTURED, STEP_BY_STEP
from vaecourse.training.python_state import PythonState, random_states, set_random_states, watching

__all__ = [
    "CannotCapture",
    "Capture",
    "CapturedSteps",
    "Step",
    "check_capture",
    "let_capture",
    "route_of",
]

TRIALS = 3
"""Steps that are tried both ways."""
Capture = bool | Literal["auto"]
Step = Callable[[Tensor, dict], Tensor]
"""Takes rows of the data and the objective's options; trains and returns the mean of each term."""


def check_capture(capture: object) -> None:
    """Raise a ValueError unless `capture` is ``"auto"``, True or False."""
    if capture not in ("auto", True, False):
        raise ValueError(f'capture must be "auto", True or False, got {capture!r}')


def route_of(
    capture: Capture, device: torch.device, together: bool, functions: dict[str, object]
) -> str:
    """Say how steps will be run, unless trying them shows that they cannot be captured.

    Parameters
    ----------
    capture : bool or "auto"
        What was asked for.
    device : torch.device
        Where training runs.
    together : bool
        Whether several processes train one model.
    functions : dict of str to object
        What a step calls, by its role.

    Returns
    -------
    str
        `CAPTURED`, or `STEP_BY_STEP` with the reason, if the device is a GPU.
    """
    if device.type != "cuda":
        return STEP_BY_STEP
    own = [value for value in functions.values() if not is_of_package(value)]
    if not capture:
        return f"{STEP_BY_STEP}: capture=False"
    if together:
        return f"{STEP_BY_STEP}: several processes train together"
    if capture == "auto" and own:
        return f"{STEP_BY_STEP}: {name_of(own[0])} is not of this package; capture=True tries it"
    return CAPTURED


def let_capture(optimizer: torch.optim.Optimizer) -> None:
    """Let an optimizer that can do so keep its count of steps on the device."""
    for group in optimizer.param_groups:
        if "capturable" in group:
            group["capturable"] = True


class CannotCapture(Exception):
    """A step cannot be captured; the message says why."""


class _Captured(NamedTuple):
    """A graph, where it reads which rows it trains on, and where it writes its terms."""

    graph: torch.cuda.CUDAGraph
    rows: Tensor
    terms: Tensor


class _Kept:
    """The content of tensors and the state of generators, to be put back."""

    def __init__(self, tensors: list[Tensor], generators: list[torch.Generator]) -> None:
        self.tensors, self.values = tensors, [t.detach().clone() for t in tensors]
        self.generators, self.states = generators, [g.get_state() for g in generators]
        self.cpu = random_states()

    @torch.no_grad()
    def put_back(self) -> None:
        set_random_states(self.cpu)
        for tensor, value in zip(self.tensors, self.values, strict=True):
            tensor.copy_(value)
        for generator, state in zip(self.generators, self.states, strict=True):
            generator.set_state(state)


class CapturedSteps:
    """The steps of one training run, one graph for each size of batch.

    Parameters
    ----------
    step : callable
        The step as Python runs it.
    numbers : callable
        Maps the number of a step to its learning rate and the objective's scheduled options.
    optimizer : Optimizer
        Has taken a step, so that its state exists, and reads its learning rate as a tensor.
    tensors : callable
        Returns whatever a step changes on the device: weights, buffers, the optimizer's state.
    generator : Generator
        The run's own, beside the device's default one.
    roots : dict of str to object
        Functions and modules whose Python state a step must leave alone.
    """

    def __init__(
        self,
        step: Step,
        numbers: Callable[[int], tuple[float, dict[str, float]]],
        optimizer: torch.optim.Optimizer,
        tensors: Callable[[], list[Tensor]],
        generator: torch.Generator,
        roots: dict[str, object],
    ) -> None:
        self.step, self.numbers, self.optimizer = step, numbers, optimizer
        self.tensors, self.roots, self.device = tensors, roots, generator.device
        index = self.device.index or 0
        self.generators = [generator, torch.cuda.default_generators[index]]
        self.rates = [torch.zeros((), device=self.device) for _ in optimizer.param_groups]
        self.options = {name: torch.zeros((), device=self.device) for name in numbers(0)[1]}
        self.stream = torch.cuda.Stream(self.device)
        self.captured: dict[int, _Captured] = {}

    def __call__(self, index: Tensor, number: int) -> Tensor:
        """Take step `number` on the rows `index` of the data, and return the mean of each term.

        Raises
        ------
        CannotCapture
            If this step cannot be captured. Nothing has changed then.
        """
        if len(index) not in self.captured:
            self.captured[len(index)] = self._capture(index, number)
        graph, where, terms = self.captured[len(index)]
        where.copy_(index)
        self._set(number)
        graph.replay()
        return terms.clone()

    def _set(self, number: int) -> None:
        """Put the numbers of a step where its kernels read them."""
        rate, options = self.numbers(number)
        for tensor in self.rates:
            tensor.fill_(rate)
        for name, value in options.items():
            self.options[name].fill_(value)

    def _capture(self, index: Tensor, number: int) -> _Captured:
        where = index.clone()
        with _rates_on_device(self.optimizer, self.rates):
            before = PythonState(self.roots)
            reached = [t for t in before.tensors if t.device == self.device]
            kept = _Kept([*self.tensors(), *reached], self.generators)
            try:
                wanted = self._try(where, number, before)
                kept.put_back()
                graph, terms = self._record(where)
                captured = _Captured(graph, where, terms)
                found = [self._replayed(captured, number + trial) for trial in range(TRIALS)]
                _check_alike(wanted, torch.stack(found))
            finally:
                kept.put_back()
        return captured

    def _replayed(self, captured: _Captured, number: int) -> Tensor:
        self._set(number)
        captured.graph.replay()
        return captured.terms.clone()

    def _try(self, index: Tensor, number: int, before: PythonState) -> Tensor:
        """Take some steps as Python runs them and return their terms."""
        rows = []
        places = [tensor.data_ptr() for tensor in self.tensors()]
        self.stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.stream(self.stream), watching() as streams, _no_waiting():
            for trial in range(TRIALS):
                self._set(number + trial)
                rows.append(self.step(index, self.options))
        torch.cuda.current_stream(self.device).wait_stream(self.stream)
        change = before.difference(PythonState(self.roots))
        if any(stream.printed for stream in streams):
            change = "every step prints"
        if places != [tensor.data_ptr() for tensor in self.tensors()]:
            change = "every step puts new tensors in place of weights or buffers"
        if change:
            raise CannotCapture(f"{change}; a captured step runs its Python once")
        return torch.stack(rows)

    def _record(self, index: Tensor) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.generators[0])
        try:
            mode = "thread_local"
            with torch.cuda.graph(graph, stream=self.stream, capture_error_mode=mode):
                terms = self.step(index, self.options)
        except RuntimeError as error:
            leave_broken_capture(graph, self.generators, self.device)
            raise CannotCapture(
                f"the device refused to capture it: {_first_line(error)}"
            ) from error
        return graph, terms


@contextmanager
def _rates_on_device(optimizer: torch.optim.Optimizer, rates: list[Tensor]) -> Iterator[None]:
    """Let an optimizer read its learning rates from the device while its step is captured."""
    groups = optimizer.param_groups
    before = [group["lr"] for group in groups]
    for group, rate in zip(groups, rates, strict=True):
        group["lr"] = rate
    try:
        yield
    finally:
        for group, rate in zip(groups, before, strict=True):
            group["lr"] = rate


@contextmanager
def _no_waiting() -> Iterator[None]:
    """Raise `CannotCapture` where the block waits for the device, and say where that is."""
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch calls this mode a prototype
        torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    except RuntimeError as error:
        if "synchronizing" not in str(error):
            raise CannotCapture(f"{_place(error)}: {_first_line(error)}") from error
        raise CannotCapture(f"{_place(error)} waits for a number from the device") from error
    finally:
        torch.cuda.set_sync_debug_mode(before)


def _place(error: BaseException) -> str:
    """Return the line outside of PyTorch that an error comes from."""
    inside = os.path.dirname(torch.__file__)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if not frame.filename.startswith(inside)]
    frame = (ours or frames)[-1]
    return f"`{frame.line}` ({os.path.basename(frame.filename)}, line {frame.lineno})"


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0]


def _check_alike(wanted: Tensor, found: Tensor) -> None:
    """Compare the terms of the trials, those of Python with those of the graph."""
    if not torch.allclose(wanted, found, rtol=1e-4, atol=1e-4, equal_nan=True):
        raise CannotCapture(
            "the captured steps found other terms than the same steps run by Python; something in "
            "them changes from step to step that no kernel computes"
        )
