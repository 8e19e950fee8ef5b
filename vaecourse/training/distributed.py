"""One training run in several processes: who takes which rows, and how gradients become one.

Every process holds the whole model and takes its own rows of every batch; their gradients are
added up before each update, so all processes keep the same weights. The order of rows and the noise
of the transform are those of one process. The noise of the model is each process's own, a function
of the seed, its rank and the step. Without such noise, training in several processes is the
training of one, up to the order of sums; with it, the mean gradient is the same.
"""

import atexit
import os
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from vaecourse.data import Batch
from vaecourse.objectives.contract import rows_are_independent
from vaecourse.runtime import seed_generators, seed_of

__all__ = ["Alone", "Together", "local_device", "processes_of"]

Terms = Callable[..., dict[str, Tensor]]
"""An objective that has its model: ``f(batch, **options) -> dict`` of terms ``(B,)``."""
DEPENDENT = (
    "what the objective gives for a row depends on the other rows of its batch (by labels, a mean "
    "over the batch, batch normalization or how many random numbers they take), which several "
    "processes do not see; train in one process"
)


class Alone:
    """A process that trains by itself: there is nothing to share and nobody to wait for.

    Attributes
    ----------
    size : int
        Number of processes that train together.
    is_first : bool
        Whether this is the process that shows progress and writes checkpoints.
    told : dict
        What a checkpoint says of them.
    """

    size = 1
    is_first = True
    told: Mapping[str, int] = {}

    def begin(self, step: int, model: nn.Module) -> None:
        """Let all processes start at the same step with the same weights."""

    def seed_noise(self, step: int) -> None:
        """Give this process its own random numbers for a step."""

    def own_rows(self, terms: Terms, labels: Tensor) -> Terms:
        """Return `terms` for this process's rows of a batch, for `sum` to put together."""
        return terms

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of `values` over the processes."""
        return values

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace gradients by their sums over the processes."""

    def wait(self) -> None:
        """Return when every process has come here."""


class Together(Alone):
    """One of several processes that train one model.

    Parameters
    ----------
    rank : int
        From 0, the first, to ``size - 1``.
    size : int
        Number of processes.
    device : device
        Where this one trains.
    seed : int
        Seed of the run, the same for all.
    """

    def __init__(self, rank: int, size: int, device: torch.device, seed: int) -> None:
        self.rank, self.size, self.device, self.seed = rank, size, device, seed
        self.is_first, self.told = rank == 0, {"processes": size}

    @torch.no_grad()
    def begin(self, step: int, model: nn.Module) -> None:
        """Give every process the weights of the first.

        Raises
        ------
        ValueError
            If they would start from different steps.
        """
        steps = torch.tensor([step, -step], device=self.device)
        dist.all_reduce(steps, op=dist.ReduceOp.MAX)
        last, first = steps[0].item(), -steps[1].item()
        if first != last:
            raise ValueError(
                f"the processes would start from different steps, {first} to {last}; put the "
                "checkpoint where all of them can read it"
            )
        for tensor in (*model.parameters(), *model.buffers()):
            sent = tensor.contiguous()
            dist.broadcast(sent, 0)
            tensor.copy_(sent)

    def seed_noise(self, step: int) -> None:
        """Seed PyTorch's random numbers by the run's seed, the rank and the step.

        No stream goes on from step to step, so a checkpoint need not hold one for each process.
        """
        seed_generators(seed_of(f"{self.seed} noise {self.rank} {step}"), self.device)

    def own_rows(self, terms: Terms, labels: Tensor) -> Terms:
        """Return `terms` for this process's rows: their mean is its part of the batch's mean.

        Parameters
        ----------
        terms : callable
            Terms of a batch. The first call checks that a row's terms depend on no other row.
        labels : Tensor
            Labels of all the data, shape ``(N,)``: the first batch may lack a kind of row.
        """
        unchecked = True

        def own(batch: Batch, **options: Any) -> dict[str, Tensor]:
            nonlocal unchecked
            total = len(batch.x)
            start, stop = (total * rank // self.size for rank in (self.rank, self.rank + 1))
            # A process without a row computes one for nothing: it has a gradient to add, of zeros.
            rows = slice(start, max(stop, start + 1))
            found = terms(Batch(batch.x[rows], batch.y[rows]), **options)
            if unchecked:
                if not rows_are_independent(partial(terms, **options), batch.x, labels):
                    raise ValueError(DEPENDENT)
                unchecked = False
            return {name: (stop - start) / total * values for name, values in found.items()}

        return own

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of `values` over the processes."""
        total = values.clone()
        dist.all_reduce(total)
        return total

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace gradients by their sums; a weight that no process has used keeps none."""
        trained = [weight for weight in parameters if weight.requires_grad]
        used = [weight.grad is not None for weight in trained]
        gradients = [torch.zeros_like(w) if w.grad is None else w.grad for w in trained]
        flat = [gradient.flatten() for gradient in gradients]
        everything = torch.cat([*flat, flat[0].new_tensor(used)])
        dist.all_reduce(everything)
        *sums, users = everything.split([*map(len, flat), len(trained)])
        parts = zip(trained, gradients, sums, used, users, strict=True)
        for weight, gradient, total, is_used, count in parts:
            if is_used or count > 0:  # in this order: to read a count is to wait for a GPU
                weight.grad = gradient.copy_(total.view_as(gradient))

    def wait(self) -> None:
        """Return when every process has come here."""
        dist.all_reduce(torch.zeros(1, device=self.device))


def local_device(device: torch.device) -> torch.device:
    """Return the accelerator that torchrun means for this process, or `device` as it is."""
    if device.type != "cuda" or device.index is not None or "LOCAL_RANK" not in os.environ:
        return device
    return torch.device("cuda", int(os.environ["LOCAL_RANK"]))


def processes_of(device: torch.device, seed: int) -> Alone:
    """Return this process's place among those that train together, or `Alone`.

    Processes train together when `torch.distributed` is initialized. Under torchrun it is
    initialized here, once, and stays so until the program ends.
    """
    if not dist.is_available():
        return Alone()
    if _launched_by_torchrun() and not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        atexit.register(_leave)
    size = dist.get_world_size() if dist.is_initialized() else 1
    return Together(dist.get_rank(), size, device, seed) if size > 1 else Alone()


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def _launched_by_torchrun() -> bool:
    return dist.is_torchelastic_launched() and int(os.environ["WORLD_SIZE"]) > 1
