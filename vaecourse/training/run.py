"""The training loop's state: what one step needs, and what a checkpoint must hold."""

import hashlib
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property, partial
from itertools import zip_longest
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vaecourse.data import Batch
from vaecourse.evaluation.averages import ROWS, averaged
from vaecourse.objectives import Objective
from vaecourse.runtime import keep_freed_memory, progress_bar, seed_generators, seed_of
from vaecourse.runtime.files import remove_unfinished
from vaecourse.schedules import Schedule
from vaecourse.training.checkpoints import (
    is_run,
    optimizer_tensors,
    part,
    read_checkpoint,
    restore_optimizer,
    weights_for,
    write_checkpoint,
)
from vaecourse.training.distributed import Alone
from vaecourse.training.history import CAPTURED, STEP_BY_STEP, History
from vaecourse.training.not_finite import cause
from vaecourse.training.optimizers import build_optimizer
from vaecourse.training.stepper import Stepper

__all__ = ["Run"]

Place = str | Path | None
WHERE = "device", "captured", "processes"
"""What may differ in a run that goes on: it says how to compute and not what."""
CHECK_EVERY = 50
"""Steps between looks at the terms on an accelerator, where each look waits for the device."""


def _unlike(old: object, new: object) -> tuple:
    """Return two values, or of two long texts the first lines that differ."""
    if not isinstance(old, str) or not isinstance(new, str):
        return old, new
    lines = zip_longest(old.splitlines(), new.splitlines(), fillvalue="nothing")
    return next(tuple(map(str.strip, pair)) for pair in lines if pair[0] != pair[1])


def _contrast(then: dict, now: dict, names: list[str]) -> str:
    """Say what a checkpoint was made with and what this run has."""
    pairs = [(name, *_unlike(then.get(name), now.get(name))) for name in names]
    was = ", ".join(f"{name} = {old}" for name, old, _ in pairs)
    has = ", ".join(f"{name} = {new}" for name, _, new in pairs)
    return f"was made with {was}; this run has {has}"


def _digest(data: Batch) -> str:
    digest = hashlib.sha256()
    for array in data:
        digest.update(f"{array.dtype} {tuple(array.shape)}".encode())
        digest.update(array.cpu().contiguous().numpy().data)
    return digest.hexdigest()


def _permutation(size: int, key: str) -> Tensor:
    """Return an order of ``0, …, size - 1`` that `key` alone decides."""
    return torch.randperm(size, generator=torch.Generator().manual_seed(seed_of(key)))


class Run:
    """One training run: its state is all that a checkpoint must hold."""

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        data: tuple[Batch, Batch | None],
        plan: dict[str, float | Schedule],
        transform: Callable[[Tensor, torch.Generator], Tensor] | None,
        optimizer: Callable[..., torch.optim.Optimizer],
        config: dict[str, Any],
        processes: Alone,
        route: str = STEP_BY_STEP,
    ) -> None:
        self.model, self.processes, self.config, self.route = model, processes, config, route
        self.device = next(model.parameters()).device
        train, self.valid = data
        self.data = Batch(train.x.to(self.device), train.y.to(self.device))
        self.optimizer = build_optimizer(optimizer, list(model.parameters()))
        self.generator = torch.Generator(self.device).manual_seed(config["seed"])
        self.stepper = Stepper(
            model,
            objective,
            self.data,
            plan,
            transform,
            self.optimizer,
            self.generator,
            precision=config["precision"],
            processes=processes,
            route=route,
        )
        self.batch_size = config["batch_size"]
        self.steps_per_epoch = -(-len(train.x) // self.batch_size)
        self.extra = config["labeled_batch_size"]
        self.labeled = (train.y.cpu() >= 0).nonzero().squeeze(1)
        self.labeled_order = -1, self.labeled
        self.pending: list[Tensor] = []
        self.records: list[list[float]] = []
        self.validation: list[list[float]] = []
        self.step = 0
        self.seconds = self.cpu_seconds = 0.0

    def train(self, total: int, path: Place, every: int, progress: bool) -> None:
        """Update until step `total`; validate after epochs, save every `every` steps."""
        self.model.train()
        # A run that was stopped between gradient and update has left its gradients behind.
        self.model.zero_grad()
        keep_freed_memory()
        started = time.perf_counter() - self.seconds
        self.cpu_started = time.process_time() - self.cpu_seconds
        shown = progress and self.processes.is_first
        with progress_bar(total, self.step, "training", shown) as bar:
            order = None
            while self.step < total:
                epoch, batch = divmod(self.step, self.steps_per_epoch)
                if order is None or batch == 0:
                    order = self._epoch_order(epoch)
                start = batch * self.batch_size
                self._update(order[start : start + self.batch_size])
                bar.update()
                if self.step % self.steps_per_epoch == 0:
                    self._validate()
                    bar.set_postfix_str(self._status())
                if self.step == total:
                    self._check_finite()
                self.seconds = time.perf_counter() - started
                if path is not None and (self.step % every == 0 or self.step == total):
                    self.save(path)

    def _epoch_order(self, epoch: int) -> Tensor:
        """Return this epoch's order of examples: a function of seed and epoch alone."""
        order = _permutation(len(self.data.x), f"{self.config['seed']} {epoch}")
        return order.to(self.device)

    def _labeled_index(self) -> Tensor:
        """Return this step's further labeled rows: a function of seed and step alone.

        They come from an endless sequence of permutations of the labeled rows, one a cycle.
        """
        count, position, parts = len(self.labeled), self.step * self.extra, []
        end = position + self.extra
        while position < end:
            cycle, start = divmod(position, count)
            if self.labeled_order[0] != cycle:
                order = _permutation(count, f"{self.config['seed']} labeled {cycle}")
                self.labeled_order = cycle, self.labeled[order].to(self.device)
            parts.append(self.labeled_order[1][start : start + end - position])
            position += len(parts[-1])
        return torch.cat(parts)

    def _update(self, index: Tensor) -> None:
        if self.extra:
            index = torch.cat([index, self._labeled_index()])
        self.stepper.take(index, self.step, self._see)
        self.step += 1

    def _see(self, terms: Tensor) -> None:
        """Record the terms of a step; to look at them is to wait for an accelerator."""
        self.pending.append(terms)
        if self.device.type == "cpu" or len(self.pending) >= CHECK_EVERY:
            self._flush()

    def _flush(self) -> None:
        """Move pending terms to the record, or stop at the first that is not finite."""
        if not self.pending:
            return
        rows = torch.stack(self.pending)
        self.pending.clear()
        for row in rows.tolist():
            for name, value in zip(self.stepper.names, row, strict=True):
                if not isfinite(value):
                    self._stop(name, value)
            self.records.append(row)

    def _stop(self, name: str, value: float) -> None:
        """Raise an error that says which term stopped being finite, where, and why."""
        step = len(self.records)
        rate, options = self.stepper.options(step)
        seen = self.stepper.parameters if self.device.type == "cpu" else ()
        why = cause(step, self.data.x, {"lr": rate, **options}, seen)
        raise FloatingPointError(f"{name} became {value} at step {step}: {why}")

    def _check_finite(self) -> None:
        """Stop if the last update ruined the weights: no term has seen them yet."""
        self._flush()
        if not all(weights.isfinite().all() for weights in self.stepper.parameters):
            raise FloatingPointError(
                f"the weights stopped being finite before step {self.step}, though every term "
                "still was; look for a term whose slope is infinite, such as a square root at 0"
            )

    def _validate(self) -> None:
        if self.valid is None:
            return
        _, options = self.stepper.options(self.step - 1)
        terms = averaged(
            self.model,
            partial(self.stepper.objective.objective, **options),
            self.valid,
            self.stepper.transform,
            ROWS,
            self.config["seed"],
        )
        self.validation.append([terms[name] for name in self.stepper.names])

    def _status(self) -> str:
        self._flush()
        tail = np.mean(self.records[-self.steps_per_epoch :], axis=0)
        return ", ".join(
            f"{name} {value:.2f}" for name, value in zip(self.stepper.names, tail, strict=True)
        )

    def history(self) -> History:
        """Return the record of the steps that were completed."""

        def columns(rows: list[list[float]]) -> dict[str, np.ndarray]:
            table = np.array(rows).reshape(len(rows), len(self.stepper.names))
            return dict(zip(self.stepper.names, table.T.copy(), strict=True)) if rows else {}

        terms, validation = columns(self.records[: self.step]), columns(self.validation)
        return History(terms, validation, self.steps_per_epoch, self.seconds, self.stepper.route)

    def stopped_history(self) -> History:
        """Return the record of a run that was stopped, with the terms still on an accelerator."""
        with suppress(FloatingPointError):
            self._flush()
        return self.history()

    @cached_property
    def identity(self) -> dict:
        """The configuration and a hash of the data: what makes two runs the same run."""
        asked = {"captured": self.route == CAPTURED} if self.device.type == "cuda" else {}
        return (
            self.config
            | asked
            | dict(self.processes.told)
            | {
                "device": self.device.type,
                "data": _digest(self.data),
                "validation data": self.valid and _digest(self.valid),
            }
        )

    def save(self, path: str | Path) -> None:
        """Write everything that the next step depends on."""
        self._check_finite()
        if self.processes.is_first:
            self._write(path)
        self.processes.wait()

    def _write(self, path: str | Path) -> None:
        optimizer, numbers = optimizer_tensors(self.optimizer)
        tensors = {f"model.{name}": t for name, t in self.model.state_dict().items()}
        tensors |= {f"optimizer.{name}": t for name, t in optimizer.items()}
        tensors["rng.generator"] = self.generator.get_state()
        tensors["rng.cpu"] = torch.get_rng_state()
        if self.device.type != "cpu":
            tensors["rng.device"] = torch.get_device_module(self.device).get_rng_state()
        tensors["history.steps"] = torch.tensor(self.records, dtype=torch.float64)
        tensors["history.validation"] = torch.tensor(self.validation, dtype=torch.float64)
        meta = {
            "config": self.identity,
            "step": self.step,
            "seconds": self.seconds,
            "cpu_seconds": time.process_time() - self.cpu_started,
            "names": self.stepper.names,
            "optimizer": numbers,
        }
        write_checkpoint(path, tensors, meta)

    def restore(self, path: Place, total: int) -> None:
        """Continue from `path` if there is such a file; refuse one that another run wrote."""
        if path is not None:
            if self.processes.is_first:
                remove_unfinished(path)
            if Path(path).exists():
                self._read(path, total)
        self.processes.begin(self.step, self.model)

    def _read(self, path: str | Path, total: int) -> None:
        tensors, meta = read_checkpoint(path)
        if not is_run(tensors, meta):
            raise ValueError(
                f"{path} holds weights and no training run; give another checkpoint path or read "
                "it with vaecourse.load_model"
            )
        weights = weights_for(self.model, part(tensors, "model."), path)
        self._check_same_run(path, meta, total)
        self.model.load_state_dict(weights)
        restore_optimizer(self.optimizer, part(tensors, "optimizer."), meta["optimizer"])
        self._restore_random_state(tensors, meta)
        self.records = tensors["history.steps"].tolist()
        self.validation = tensors["history.validation"].tolist()
        self.stepper.names, self.step, self.seconds = meta["names"], meta["step"], meta["seconds"]
        self.cpu_seconds = meta.get("cpu_seconds", 0.0)

    def _restore_random_state(self, tensors: dict[str, Tensor], meta: dict) -> None:
        """Go on with the random numbers of the checkpoint.

        No generator can take up the state of one on another kind of device. Coming from there the
        generators are seeded anew, by the seed and the step.
        """
        if meta["config"].get("device") != self.device.type:
            seed = seed_of(f"{self.config['seed']} moved at {meta['step']}")
            self.generator.manual_seed(seed)
            seed_generators(seed, self.device)
            return
        self.generator.set_state(tensors["rng.generator"])
        torch.set_rng_state(tensors["rng.cpu"])
        if self.device.type != "cpu":
            torch.get_device_module(self.device).set_rng_state(tensors["rng.device"])

    def _check_same_run(self, path: str | Path, meta: dict, total: int) -> None:
        """Refuse the checkpoint of another run; warn of one that was made in another place."""
        then, now = ({"processes": 1} | config for config in (meta["config"], self.identity))
        changed = [name for name in now if name not in WHERE and then.get(name) != now[name]]
        if changed:
            raise ValueError(
                f"the checkpoint {path} {_contrast(then, now, changed)}; give another "
                "checkpoint path or delete the file"
            )
        if meta["step"] > total:
            raise ValueError(
                f"the checkpoint {path} is at step {meta['step']}, past this run's {total}; train "
                "longer, give another checkpoint path or delete the file"
            )
        moved = [name for name in WHERE if then.get(name) != now.get(name)]
        if moved:
            warnings.warn(
                f"the checkpoint {path} {_contrast(then, now, moved[:1])}; it goes on, but its "
                "bits will differ from those of an uninterrupted run",
                stacklevel=5,
            )
