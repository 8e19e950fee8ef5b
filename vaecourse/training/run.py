"""The training loop's state: what one step needs, and what a checkpoint must hold."""

import hashlib
import time
from collections.abc import Callable
from functools import cached_property, partial
from itertools import zip_longest
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vaecourse.data import Batch
from vaecourse.evaluation import evaluate
from vaecourse.objectives import Objective
from vaecourse.objectives.contract import Checked, check_transformed, name_of
from vaecourse.runtime import autocast, keep_freed_memory, needs_autocast, progress_bar
from vaecourse.runtime.files import remove_unfinished
from vaecourse.schedules import Schedule
from vaecourse.training.checkpoints import (
    check_weights,
    optimizer_tensors,
    read_checkpoint,
    restore_optimizer,
    write_checkpoint,
)
from vaecourse.training.distributed import Group, SharedTerms
from vaecourse.training.history import History
from vaecourse.training.not_finite import cause

__all__ = ["Run"]

Place = str | Path | None
CHECK_EVERY = 50
"""Steps between looks at the terms on an accelerator, where each look waits for the device."""


def _at(value: float | Schedule, step: int) -> float:
    return value(step) if isinstance(value, Schedule) else value


def _unlike(old: object, new: object) -> tuple:
    """Return two values, or of two long texts the first lines that differ."""
    if not isinstance(old, str) or not isinstance(new, str):
        return old, new
    lines = zip_longest(old.splitlines(), new.splitlines(), fillvalue="nothing")
    return next(tuple(map(str.strip, pair)) for pair in lines if pair[0] != pair[1])


def _digest(data: Batch) -> str:
    digest = hashlib.sha256()
    for array in data:
        digest.update(f"{array.dtype} {tuple(array.shape)}".encode())
        digest.update(array.cpu().contiguous().numpy().data)
    return digest.hexdigest()


def _permutation(size: int, key: str) -> Tensor:
    """Return an order of ``0, …, size - 1`` that `key` alone decides."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") >> 1
    return torch.randperm(size, generator=torch.Generator().manual_seed(seed))


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
        group: Group | None = None,
    ) -> None:
        self.model, self.objective, self.plan = model, Checked(objective, trains=True), plan
        self.group = group
        alone = partial(self.objective, model)
        self.terms = alone if group is None else SharedTerms(group, model, self.objective)
        self.transform, self.config = transform, config
        self.device = next(model.parameters()).device
        train, self.valid = data
        self.data = Batch(train.x.to(self.device), train.y.to(self.device))
        self.short_layers = needs_autocast(config["precision"], self.device, model)
        self.parameters = list(model.parameters())
        self.optimizer = optimizer(self.parameters)
        self.generator = torch.Generator(self.device).manual_seed(config["seed"])
        self.batch_size = config["batch_size"]
        self.steps_per_epoch = -(-len(train.x) // self.batch_size)
        self.extra = config["labeled_batch_size"]
        self.labeled = (train.y.cpu() >= 0).nonzero().squeeze(1)
        self.names: list[str] = []
        self.pending: list[Tensor] = []
        self.records: list[list[float]] = []
        self.validation: list[list[float]] = []
        self.step = 0
        self.seconds = self.cpu_seconds = 0.0

    def train(self, total: int, path: Place, every: int, progress: bool) -> None:
        """Update until step `total`; validate after epochs, save every `every` steps."""
        self.model.train()
        keep_freed_memory()
        started = time.perf_counter() - self.seconds
        self.cpu_started = time.process_time() - self.cpu_seconds
        first = self.group is None or self.group.rank == 0
        with progress_bar(total, self.step, "training", progress and first) as bar:
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
                self.seconds = time.perf_counter() - started
                if path is not None and (self.step % every == 0 or self.step == total):
                    self.save(path)
        self._check_finite()

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
            order = _permutation(count, f"{self.config['seed']} labeled {cycle}")
            parts.append(order[start : start + end - position])
            position += len(parts[-1])
        return self.labeled[torch.cat(parts)].to(self.device)

    def _options(self, step: int) -> tuple[float, dict]:
        """Return the learning rate and the objective's options at `step`."""
        options = {name: _at(value, step) for name, value in self.plan.items()}
        return options.pop("lr"), options

    def _update(self, index: Tensor) -> None:
        if self.extra:
            index = torch.cat([index, self._labeled_index()])
        x = self.data.x.index_select(0, index)
        if self.transform is not None:
            x = self.transform(x, self.generator)
        first = self.objective.fresh
        if first:
            check_transformed(x, len(index), self.transform)
        rate, options = self._options(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with autocast(self.device, self.short_layers):
            batch = Batch(x, self.data.y.index_select(0, index))
            terms = self.terms(batch, **options)
            loss = terms["loss"].mean()
        self.names = list(terms)
        with torch.no_grad():
            self.pending.append(torch.stack(tuple(terms.values())).float().mean(1))
        if self.device.type == "cpu" or len(self.pending) >= CHECK_EVERY:
            self._flush()
        loss.backward()
        if first and all(parameter.grad is None for parameter in self.parameters):
            raise ValueError(
                f"the 'loss' of {name_of(self.objective.objective)} depends on no weight of the "
                "model that is trained; compute it from what that model returns"
            )
        self.optimizer.step()
        # Freed now, the gradients' memory serves the next forward pass while caches still hold it.
        for parameter in self.parameters:
            parameter.grad = None
        self.step += 1

    def _flush(self) -> None:
        """Move pending terms to the record, or stop at the first that is not finite."""
        if not self.pending:
            return
        rows = torch.stack(self.pending)
        self.pending.clear()
        if self.group is not None:
            rows = self.group.mean(rows)
        for row in rows.tolist():
            for name, value in zip(self.names, row, strict=True):
                if not isfinite(value):
                    self._stop(name, value)
            self.records.append(row)

    def _stop(self, name: str, value: float) -> None:
        """Raise an error that says which term stopped being finite, where, and why."""
        step = len(self.records)
        options = {name: _at(value, step) for name, value in self.plan.items()}
        seen = self.parameters if self.device.type == "cpu" else ()
        why = cause(step, self.data.x, options, seen)
        raise FloatingPointError(f"{name} became {value} at step {step}: {why}")

    def _check_finite(self) -> None:
        """Stop if the last update ruined the weights: no term has seen them yet."""
        self._flush()
        if not all(weights.isfinite().all() for weights in self.parameters):
            raise FloatingPointError(
                f"the weights stopped being finite before step {self.step}, though every term "
                "still was; look for a term whose slope is infinite, such as a square root at 0"
            )

    def _validate(self) -> None:
        if self.valid is None:
            return
        _, options = self._options(self.step - 1)
        terms = evaluate(
            self.model,
            partial(self.objective.objective, **options),
            self.valid,
            transform=self.transform,
            seed=self.config["seed"],
        )
        self.validation.append([terms[name] for name in self.names])

    def _status(self) -> str:
        self._flush()
        tail = np.mean(self.records[-self.steps_per_epoch :], axis=0)
        return ", ".join(
            f"{name} {value:.2f}" for name, value in zip(self.names, tail, strict=True)
        )

    def history(self) -> History:
        """Return the record so far."""

        def columns(rows: list[list[float]]) -> dict[str, np.ndarray]:
            table = np.array(rows).reshape(len(rows), len(self.names))
            return dict(zip(self.names, table.T.copy(), strict=True)) if rows else {}

        return History(
            columns(self.records), columns(self.validation), self.steps_per_epoch, self.seconds
        )

    @cached_property
    def identity(self) -> dict:
        """The configuration and a hash of the data: what makes two runs the same run."""
        return self.config | {
            "device": self.device.type,
            "data": _digest(self.data),
            "validation data": self.valid and _digest(self.valid),
        }

    def save(self, path: str | Path) -> None:
        """Write everything that the next step depends on."""
        self._check_finite()
        if self.group is None or self.group.rank == 0:
            self._write(path)
        if self.group is not None:
            self.group.wait(self.device)

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
            "names": self.names,
            "optimizer": numbers,
        }
        write_checkpoint(path, tensors, meta)

    def restore(self, path: Place, total: int) -> None:
        """Continue from `path` if there is such a file; refuse one that another run wrote."""
        if path is not None:
            if self.group is None or self.group.rank == 0:
                remove_unfinished(path)
            if Path(path).exists():
                self._read(path, total)
        if self.group is not None:
            self.group.check_same(self.step, self.device)

    def _read(self, path: str | Path, total: int) -> None:
        tensors, meta = read_checkpoint(path)
        if "config" not in meta:
            raise ValueError(
                f"{path} holds weights and no training run; give another checkpoint path or read "
                "it with vaecourse.training.checkpoints.load_model"
            )

        def part(prefix: str) -> dict[str, Tensor]:
            return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}

        check_weights(self.model, part("model."), path)
        self._check_same_run(path, meta, total)
        self.model.load_state_dict(part("model."))
        restore_optimizer(self.optimizer, part("optimizer."), meta["optimizer"])
        self.generator.set_state(tensors["rng.generator"])
        torch.set_rng_state(tensors["rng.cpu"])
        if self.device.type != "cpu":
            torch.get_device_module(self.device).set_rng_state(tensors["rng.device"])
        self.records = tensors["history.steps"].tolist()
        self.validation = tensors["history.validation"].tolist()
        self.names, self.step, self.seconds = meta["names"], meta["step"], meta["seconds"]
        self.cpu_seconds = meta.get("cpu_seconds", 0.0)

    def _check_same_run(self, path: str | Path, meta: dict, total: int) -> None:
        then, now = meta["config"], self.identity
        changed = [name for name in now if then.get(name) != now[name]]
        if changed:
            pairs = [(name, *_unlike(then.get(name), now[name])) for name in changed]
            was = ", ".join(f"{name} = {old}" for name, old, _ in pairs)
            has = ", ".join(f"{name} = {new}" for name, _, new in pairs)
            raise ValueError(
                f"the checkpoint {path} was made with {was}; this run has {has}; give another "
                "checkpoint path or delete the file"
            )
        if meta["step"] > total:
            raise ValueError(
                f"the checkpoint {path} is at step {meta['step']}, past this run's {total}; train "
                "longer, give another checkpoint path or delete the file"
            )
