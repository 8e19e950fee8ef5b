"""`fit`: one loop for every model and every objective."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from math import inf
from numbers import Real
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vaecourse.checks import as_positive, as_seed
from vaecourse.data import Batch, HeldOut, Split
from vaecourse.data.door import checked_batch
from vaecourse.objectives import Objective
from vaecourse.objectives.contract import check_options
from vaecourse.objectives.support import check_labels, check_support
from vaecourse.runtime import (
    check_precision,
    isolated_rng,
    matmul_precision,
    resolve_device,
)
from vaecourse.runtime.files import check_writable
from vaecourse.runtime.locks import alone
from vaecourse.runtime.seed_offset import seed_offset
from vaecourse.schedules import Schedule
from vaecourse.training.capture import Capture, check_capture, route_of
from vaecourse.training.distributed import Alone, local_device, processes_of
from vaecourse.training.history import History
from vaecourse.training.identity import identity_of
from vaecourse.training.optimizers import adam
from vaecourse.training.run import Run

__all__ = ["fit"]


def fit(
    model: nn.Module,
    objective: Objective,
    data: Batch | Split,
    *,
    epochs: int | None = None,
    steps: int | None = None,
    batch_size: int = 128,
    labeled_batch_size: int | None = None,
    lr: float | Schedule = 1e-3,
    schedules: dict[str, float | Schedule] | None = None,
    transform: Callable[[Tensor, torch.Generator], Tensor] | None = None,
    optimizer: Callable = adam,
    seed: int = 0,
    device: str | torch.device = "auto",
    precision: str = "float32",
    capture: Capture = "auto",
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 500,
    progress: bool = True,
) -> History:
    """Minimize the mean of an objective's ``loss`` over a data set, in place.

    Random numbers come from `seed` alone: the program's own random state is neither read nor
    changed. With `checkpoint`, a run that was stopped at any step and is started again with the
    same arguments ends with the same bits as one that was not. This promise holds
    for the versions that requirements.txt pins; with another PyTorch the bits may differ.

    PyTorch's random numbers belong to the process, so where several threads call this, they train
    one after another.

    Under torchrun, and wherever `torch.distributed` is initialized, the processes train one model
    together: each takes its rows of every batch of `batch_size`, after the transform, and draws the
    model's noise for them by itself. Without such noise the losses are those of one process, up to
    the order of sums. With it they are other draws: at the same weights loss and gradient have the
    same mean as in one process. The same number of processes gives the same bits again, also in a
    run that was stopped. Give every process the same arguments; all start with the weights of
    process 0, and that one writes the checkpoint.

    Parameters
    ----------
    model : Module
        Model to train. It returns to its device afterwards, in evaluation mode.
    objective : callable
        ``objective(model, batch, **options) -> dict`` of per-example terms ``(B,)`` with a
        ``loss`` among them. Fix an option with `functools.partial`, vary it with `schedules`.
    data : Batch or Split
        Training examples. Of a `Split`, ``train`` is trained on and ``valid`` is evaluated after
        every epoch; ``test`` is never touched.
    epochs, steps : int, optional
        Length of training in passes over the data or in updates. Give one of the two.
    batch_size : int
        Examples per update; the last batch of an epoch may be smaller.
    labeled_batch_size : int, optional
        Labeled examples that join every batch, whatever it drew: with 100 labels among 50,000
        examples most batches would have none. They are drawn in an order of their own, each as
        often as another.
    lr : float or Schedule
        Learning rate.
    schedules : dict, optional
        Values for keywords of the objective: ``{"beta": linear_schedule(0, 1, 2000)}``.
    transform : callable, optional
        ``transform(x, generator) -> x``, applied to every batch anew, for example
        `vaecourse.data.labels.dynamic_binarization`.
    optimizer : callable
        ``optimizer(parameters) -> torch.optim.Optimizer``.
    seed : int
        Seed of the order of examples, the transform and the model's samples.
    device : str or torch.device
        ``"auto"`` takes CUDA, then MPS, then the CPU.
    precision : {"float32", "fast-float32", "bfloat16"}
        Exact arithmetic; shortened factors in matrix products (TF32 on a GPU, bfloat16 on a CPU
        with matrix units, and often exact elsewhere); or bfloat16 by the fastest route: layers
        under autocast, or, for a small model without convolutions where the device shortens the
        factors of float32 products itself, that. Densities are float32 throughout.
    capture : {"auto", True, False}
        Whether a CUDA GPU repeats steps as CUDA graphs, many times faster for small networks.
        Inside a captured step Python runs once: what it prints, counts or draws on the CPU happens
        once. So the first steps are tried both ways, and where they differ, or a step waits for a
        number from the device, training goes on step by step with a warning. ``"auto"`` captures
        the objectives and transforms of this package, True also others. `History.route` says what
        was done. Elsewhere it changes nothing.
    checkpoint : path, optional
        File to resume from if it exists and to write to. It goes on only with the same model,
        data, numbers and functions. So an objective, transform, optimizer or schedule must be one
        that can be told from another: a named function or a `functools.partial`, no lambda. On
        another kind of device, or with steps captured where they were not, it goes on with a
        warning, since the bits will differ from those of an uninterrupted run. On another kind of
        device random numbers are seeded anew, by `seed` and the step. `vaecourse.load_model` reads
        the weights.
    checkpoint_every : int
        Steps between checkpoints.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    History
        Every term at every step, and the validation terms after every epoch.

    Raises
    ------
    TypeError
        If `data` is a test split or no data set, `lr` or a schedule is a plain function, the
        objective cannot be called with the scheduled keywords, or its first result is no dict of
        tensors.
    ValueError
        If x lies outside the support of the model's likelihood, a label is none of its classes, a
        number is out of range, a schedule outlasts training, labeled examples are asked of
        data without labels, or the objective's first result has no ``loss``, a term that is not
        one number for each example, or a loss that no weight can learn from. With `checkpoint`
        also if the file belongs to another run, or a function is a lambda. In several processes
        also if a term of a row depends on other rows, as in batch normalization.
    FloatingPointError
        If a term stops being finite; it names the term, the step and the likely cause. The weights
        are then those before that step. An accelerator is asked every 50 steps only, so there they
        may be later. The attribute ``history`` of the error holds the steps before.
    KeyboardInterrupt
        If training is stopped by Ctrl-C or a notebook's stop button. The model keeps its weights,
        and the attribute ``history`` of the exception holds the steps that were completed.

    Examples
    --------
    >>> import vaecourse as vae
    >>> data = vae.load("digits")
    >>> model = vae.mlp_vae((1, 8, 8), latent_dim=2)
    >>> history = vae.fit(model, vae.objectives.elbo, data, epochs=2, progress=False)
    >>> len(history["loss"]), len(history.validation["elbo"])  # steps, epochs
    (20, 2)
    """
    train, valid = _training_data(data, model, transform is not None)
    _check_data(model, objective, transform, train, valid)
    batch_size = as_positive(batch_size, "batch_size")
    checkpoint_every = as_positive(checkpoint_every, "checkpoint_every")
    seed = as_seed(seed)
    check_precision(precision)
    check_capture(capture)
    total = _total_steps(epochs, steps, -(-len(train.x) // batch_size))
    if "lr" in (schedules or {}):
        raise TypeError("schedules names 'lr'; a learning rate is given as lr, number or Schedule")
    check_options(objective, schedules or {})
    plan = {"lr": lr, **(schedules or {})}
    _check_plan(plan, total)
    numbers: dict[str, Any] = {
        "batch_size": batch_size,
        "labeled_batch_size": _labeled_size(labeled_batch_size, train),
        "seed": seed,
        "seed_offset": seed_offset(),
        "precision": precision,
    }
    functions: dict[str, Any] = {
        "objective": objective,
        "transform": transform,
        "optimizer": optimizer,
    }
    config = numbers if checkpoint is None else numbers | _identities(functions, plan, model)
    target = local_device(resolve_device(device))
    processes = processes_of(target, seed)
    route = route_of(capture, target, processes.size > 1, functions)
    with _stoppable() as runs, isolated_rng(seed, target), _lent(model, target, precision):
        both = train, valid
        run = Run(model, objective, both, plan, transform, optimizer, config, processes, route)
        runs.append(run)
        with _held(checkpoint, processes) as refused:
            run.restore(checkpoint, total)
            if refused is not None and run.step < total:
                raise refused
            run.train(total, checkpoint, checkpoint_every, progress)
    return run.history()


@contextmanager
def _held(checkpoint: str | Path | None, processes: Alone) -> Iterator[OSError | None]:
    """Have the checkpoint alone; yield the error where nothing can be written, only read."""
    with ExitStack() as stack:
        refused = None
        if checkpoint is not None and processes.is_first:
            cure = "two runs would destroy each other's checkpoint: wait for it or give another"
            try:
                check_writable(checkpoint)
                stack.enter_context(alone(checkpoint, f"{cure} path"))
            except OSError as error:
                refused = error
        yield refused


@contextmanager
def _stoppable() -> Iterator[list[Run]]:
    """Attach the history of the run that is put in the list to what stops it."""
    runs: list[Run] = []
    try:
        yield runs
    except (KeyboardInterrupt, FloatingPointError) as error:
        history = runs[0].stopped_history() if runs else History()
        error.history = history  # type: ignore[union-attr]
        raise


@contextmanager
def _lent(model: nn.Module, target: torch.device, precision: str) -> Iterator[None]:
    """Have the model on `target` inside the block; it comes back in evaluation mode."""
    home = next(model.parameters()).device
    try:
        with matmul_precision(precision):
            model.to(target)
            yield
    finally:
        model.to(home).eval()


def _identities(functions: dict[str, Any], plan: dict, model: nn.Module) -> dict[str, str]:
    """Describe what a checkpoint goes on with, and with nothing else."""
    described = {role: identity_of(value, role) for role, value in functions.items()}
    described |= {f"value of {name}": identity_of(value, name) for name, value in plan.items()}
    return described | {"model": repr(model)}


def _training_data(data: object, model: nn.Module, transformed: bool) -> tuple[Batch, Batch | None]:
    if isinstance(data, HeldOut):
        raise TypeError("data is a test split, and test images never reach training; fit on train")
    train, valid = (data.train, data.valid) if isinstance(data, Split) else (data, None)
    if not isinstance(train, Batch):
        raise TypeError(
            f"data must be a Batch or a Split, got {type(data).__name__}; wrap arrays "
            "as Batch.of(x, y), with y = -1 or None where there is no label"
        )
    first = Batch(*checked_batch(*train, model, transformed))
    if valid is None or not len(valid.x):  # a part of no examples is none
        return first, None
    second = Batch(*checked_batch(*valid, model, transformed))
    if first.x.shape[1:] != second.x.shape[1:]:
        raise ValueError(
            f"valid has examples of shape {tuple(second.x.shape[1:])} and train of "
            f"{tuple(first.x.shape[1:])}; give both one shape"
        )
    return first, second


def _check_data(
    model: nn.Module, objective: Objective, transform: Callable | None, *parts: Batch | None
) -> None:
    for part in parts:
        if part is not None:
            check_support(model, objective, part.x, transform)
            check_labels(model, part.y)


def _labeled_size(labeled_batch_size: int | None, train: Batch) -> int | None:
    if labeled_batch_size is None:
        return None
    size = as_positive(labeled_batch_size, "labeled_batch_size")
    if not (train.y >= 0).any():
        raise ValueError(
            "labeled_batch_size asks for labelled examples, but every y is -1; give labels or "
            "leave labeled_batch_size out"
        )
    return size


def _total_steps(epochs: int | None, steps: int | None, per_epoch: int) -> int:
    if steps is not None and epochs is None:
        return as_positive(steps, "steps")
    if epochs is not None and steps is None:
        return as_positive(epochs, "epochs") * per_epoch
    raise ValueError(f"give either epochs or steps, got epochs={epochs} and steps={steps}")


def _check_plan(plan: dict, total: int) -> None:
    lr = plan["lr"]
    for name, value in plan.items():
        if callable(value) and not isinstance(value, Schedule):
            raise TypeError(
                f"{name} must be a number or a Schedule, got {value!r}; wrap a function of the "
                "step as vae.Schedule(function, steps, name)"
            )
        if isinstance(value, Schedule) and value.steps > total:
            raise ValueError(
                f"the schedule {value!r} of {name} takes {value.steps} steps, but "
                f"training has {total}; shorten it or train longer"
            )
    if not isinstance(lr, Schedule) and not (isinstance(lr, Real) and 0 < float(lr) < inf):
        raise ValueError(f"lr must be a positive number or a Schedule, got {lr!r}")
