"""What PyTorch has no public name for, in one place. Who uses it asks first, or does without.

`vaecourse.training.optimizers` tries `FusedAdam` before it trusts it, and has the public optimizer.
Counts differentiate the slow way where nobody says whether a transform is active. Passes have all
their rows where nobody says what one takes.
"""

import importlib
import inspect
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import torch

from vaecourse.runtime.devices import subnormals_as_zero
from vaecourse.runtime.interrupts import uninterrupted

__all__ = [
    "FusedAdam",
    "leave_broken_capture",
    "load_compiler",
    "most_held",
    "transforms_are_active",
]


def transforms_are_active() -> bool:
    """Say whether a transform of `torch.func` runs; True where that is unknown: the slow way."""
    ask = getattr(torch._C, "_are_functorch_transforms_active", None)
    return True if ask is None else ask()


def load_compiler() -> None:
    """Import what PyTorch's optimizers import at their first use, and let an interrupt wait for it.

    These are hundreds of modules. An interrupt in their midst leaves some of them without others,
    and after that no optimizer works until the program is started again.
    """
    with uninterrupted(), suppress(ImportError):
        importlib.import_module("torch._dynamo")


class FusedAdam(torch.optim.Adam):
    """`torch.optim.Adam` with ``fused=True``: its state and kernel, and little else in a step.

    All parameters must share one type and device. A step takes no closure and calls no hooks.

    The moments of a weight without a gradient, such as that of a pixel that is always off, decay
    until they are subnormal, where a processor's arithmetic is many times slower. A step takes
    them for zero: no weight above 1e-20 changes by that.

    It does without PyTorch's compiler, whose import takes longer than many a training.
    """

    # What PyTorch wraps around these keeps its compiler out of them, and imports it for that.
    add_param_group = inspect.unwrap(torch.optim.Adam.add_param_group)
    state_dict = inspect.unwrap(torch.optim.Adam.state_dict)
    load_state_dict = inspect.unwrap(torch.optim.Adam.load_state_dict)

    def __init__(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        super().__init__(parameters, fused=True)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Update every weight that has a gradient."""
        if closure is not None:
            raise TypeError("a step of FusedAdam takes no closure; use torch.optim.Adam for one")
        with subnormals_as_zero():
            self._step()

    def _step(self) -> None:
        for group in self.param_groups:
            lists: tuple[list, ...] = [], [], [], [], [], []
            self._init_group(group, *lists)
            *tensors, steps = lists
            torch._foreach_add_(steps, 1)
            beta1, beta2 = group["betas"]
            numbers = {name: group[name] for name in ("lr", "weight_decay", "eps")}
            switches = {name: group[name] for name in ("amsgrad", "maximize")}
            fused: Any = torch._fused_adam_
            fused(*tensors, steps, beta1=beta1, beta2=beta2, **numbers, **switches)

    # PyTorch wraps a step in its profiler's record unless it has this mark.
    step.__dict__["hooked"] = True


def leave_broken_capture(
    graph: torch.cuda.CUDAGraph, generators: list[torch.Generator], device: torch.device
) -> None:
    """Give memory and random numbers back to the steps that follow a capture that failed.

    PyTorch leaves both in the state of a capture when CUDA has refused an operation in it.
    """
    with suppress(AttributeError, RuntimeError):
        torch._C._cuda_endAllocateToPool(device.index or 0, graph.pool())
    for generator in generators:
        fresh = torch.Generator(device)
        generator.graphsafe_set_state(fresh.graphsafe_get_state())


def most_held(ask: Callable[[], object]) -> int | None:
    """Return the bytes that tensors made in ``ask()`` take at once, or None if nobody can say.

    What an operation needs inside, and gives back before it returns, is not counted.
    """
    try:
        from torch.utils._python_dispatch import TorchDispatchMode
    except ImportError:
        return None

    class Counted(TorchDispatchMode):
        @classmethod
        def _should_skip_dynamo(cls) -> bool:
            # To skip the compiler is to import it, which takes seconds.
            return False

        def __torch_dispatch__(
            self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
        ) -> Any:
            for given in _tensors(args):
                count.know(given)
            made = func(*args, **(kwargs or {}))
            for new in _tensors((made,)):
                count.add(new)
            return made

    count = _Count()
    with Counted():
        ask()
    return count.most


def _tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from _tensors(value)


class _Count:
    """Bytes of the tensors that are alive, and the most that there have been."""

    def __init__(self) -> None:
        self.known: weakref.WeakSet[Any] = weakref.WeakSet()
        self.now = self.most = 0

    def know(self, tensor: torch.Tensor) -> None:
        """Take note of one that others have made."""
        self.known.add(tensor.untyped_storage())

    def add(self, tensor: torch.Tensor) -> None:
        """Count one until it is freed, unless its memory is another's."""
        storage = tensor.untyped_storage()
        if storage in self.known:
            return
        self.known.add(storage)
        size = storage.nbytes()
        self.now += size
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self._free, size)

    def _free(self, size: int) -> None:
        self.now -= size
