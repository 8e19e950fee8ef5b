"""One training run in several processes: who takes which rows, and whose noise they see.

Every process holds the whole model and the same seed. Each takes its own rows of every batch and
the gradients are averaged, by PyTorch's DistributedDataParallel. The noise of a batch is drawn as
one process would draw it, for all rows, and each process keeps the part of its own rows. Training
in two processes is therefore the training of one, up to the order of sums. Where PyTorch does not
let noise be shared, each process computes all rows and learns from its own: slower, the same end.
"""

import atexit
import inspect
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from vaecourse.data import Batch
from vaecourse.runtime import isolated_rng
from vaecourse.training.shared_noise import (
    Draw,
    Rows,
    SharedNoise,
    Witness,
    can_share_noise,
    row_dimensions,
)

__all__ = ["Group", "SharedTerms", "local_device", "training_group"]

DEPENDENT = (
    "the loss of a row depends on the other rows of its batch (by labels, a mean over the batch or "
    "batch normalization), which several processes do not see; train in one process"
)


class Group(NamedTuple):
    """Place of a process among those that train together.

    Attributes
    ----------
    rank : int
        From 0 to ``size - 1``. Process 0 shows progress and writes checkpoints.
    size : int
        Number of processes.
    """

    rank: int
    size: int

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of `values` over the processes."""
        total = values.clone()
        dist.all_reduce(total)
        return total / self.size

    def wait(self, device: torch.device) -> None:
        """Return when every process has come here."""
        dist.all_reduce(torch.zeros(1, device=device))

    def check_same(self, step: int, device: torch.device) -> None:
        """Raise a ValueError unless every process stands at the same step."""
        steps = torch.tensor([step, -step], device=device)
        dist.all_reduce(steps, op=dist.ReduceOp.MAX)
        last, first = steps[0].item(), -steps[1].item()
        if first != last:
            raise ValueError(
                f"the processes would start from different steps, {first} to {last}; put the "
                "checkpoint where all of them can read it"
            )


def local_device(device: torch.device) -> torch.device:
    """Return the accelerator that torchrun means for this process, or `device` as it is."""
    if device.type != "cuda" or device.index is not None or "LOCAL_RANK" not in os.environ:
        return device
    return torch.device("cuda", int(os.environ["LOCAL_RANK"]))


def training_group(device: torch.device) -> Group | None:
    """Return this process's `Group`, or None where it trains alone.

    Processes train together when `torch.distributed` is initialized. Under torchrun it is
    initialized here, once, and stays so until the program ends.
    """
    if not dist.is_available():
        return None
    if _launched_by_torchrun() and not dist.is_initialized():
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        atexit.register(_leave)
    size = dist.get_world_size() if dist.is_initialized() else 1
    return Group(dist.get_rank(), size) if size > 1 else None


def _leave() -> None:
    if dist.is_initialized():
        dist.destroy_process_group()


def _launched_by_torchrun() -> bool:
    return dist.is_torchelastic_launched() and int(os.environ["WORLD_SIZE"]) > 1


class _Terms(nn.Module):
    """An objective of a model as a module: what DistributedDataParallel can wrap.

    Without `draws` it computes all rows of the batch, with the noise of one process.
    """

    def __init__(self, model: nn.Module, objective: Callable, draws: list[Draw] | None) -> None:
        super().__init__()
        self.model, self.objective, self.draws = model, objective, draws

    def forward(self, batch: Batch, rows: Rows, options: dict) -> dict[str, Tensor]:
        own = slice(rows.start, rows.stop)
        if self.draws is None:
            whole = self.objective(self.model, batch, **options)
            return {name: values[own] for name, values in whole.items()}
        part = Batch(batch.x[own], batch.y[own])
        with SharedNoise(self.draws, rows):
            return self.objective(self.model, part, **options)


class SharedTerms:
    """Terms of this process's rows, weighted so that their mean over processes is the batch's.

    Parameters
    ----------
    group : Group
        The processes that train together.
    model : Module
        The model, with equal weights in every process after the first call.
    objective : callable
        Objective whose terms at one row depend on that row alone.
    """

    def __init__(self, group: Group, model: nn.Module, objective: Callable) -> None:
        self.group, self.model, self.objective = group, model, objective
        self.shared: DistributedDataParallel | None = None

    def __call__(self, batch: Batch, **options: Any) -> dict[str, Tensor]:
        """Return the terms of the rows of `batch` that are this process's."""
        if self.shared is None:
            self.shared = self._share(batch, options)
        (rank, size), total = self.group, len(batch.x)
        start, stop = rank * total // size, (rank + 1) * total // size
        weight = (stop - start) * size / total
        # A process that has no row computes one for nothing: all must take part in the average.
        rows = Rows(start, max(stop, start + 1), total)
        terms = self.shared(batch, rows, options)
        return {name: weight * value for name, value in terms.items()}

    def _share(self, batch: Batch, options: dict) -> DistributedDataParallel:
        if not can_share_noise():
            return _parallel(_Terms(self.model, self.objective, None), unused=True)
        # Rows with and without labels, if there are both.
        order, last = batch.y.argsort(), len(batch.y) - 1
        chosen = order[[0, min(1, last), max(0, last - 1), last]]
        few = Batch(*(part[chosen] for part in batch))
        two, four = (self._observe(few, num, options) for num in (2, 4))
        if len(two) != len(four):
            raise ValueError(DEPENDENT)
        draws = [row_dimensions(*pair) for pair in zip(two, four, strict=True)]
        terms = _Terms(self.model, self.objective, draws)
        return _parallel(terms, unused=_check_independent(terms, few, options))

    def _observe(self, batch: Batch, num: int, options: dict) -> list:
        with isolated_rng(0, batch.x.device), torch.no_grad(), Witness() as witness:
            self.objective(self.model, Batch(batch.x[:num], batch.y[:num]), **options)
        return witness.seen


def _parallel(terms: _Terms, unused: bool) -> DistributedDataParallel:
    """Average the gradients of `terms` over the processes, and leave buffers alone."""
    names = inspect.signature(DistributedDataParallel).parameters
    # An older PyTorch knows the switch by its first name alone, a newer one warns of that name.
    switch = "forward_sync_buffers" if "forward_sync_buffers" in names else "broadcast_buffers"
    options: dict[str, Any] = {switch: False}
    return DistributedDataParallel(terms, find_unused_parameters=unused, **options)


def _check_independent(terms: _Terms, few: Batch, options: dict) -> bool:
    """Check that a row's terms depend on no other row; say whether a weight is left unused."""
    pieces = []
    for start, stop in ((0, 4), (0, 2), (2, 4)):
        # Shortened factors would hide a small dependence behind their rounding.
        exact = torch.autocast(few.x.device.type, enabled=False)
        with isolated_rng(0, few.x.device), exact:
            pieces.append(terms(few, Rows(start, stop, 4), options)["loss"])
    whole, parts = pieces[0], torch.cat(pieces[1:])
    if not torch.allclose(whole, parts, rtol=1e-4, atol=1e-4):
        raise ValueError(DEPENDENT)
    weights = [weight for weight in terms.parameters() if weight.requires_grad]
    return any(
        grad is None for grad in torch.autograd.grad(whole.sum(), weights, allow_unused=True)
    )
