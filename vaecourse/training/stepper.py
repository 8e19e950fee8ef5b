"""One training step: rows in, weights moved, the mean of each term out."""

import warnings
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from vaecourse.data import Batch
from vaecourse.objectives import Objective
from vaecourse.objectives.contract import Checked, check_transformed, name_of
from vaecourse.objectives.support import check_support
from vaecourse.runtime import autocast, needs_autocast
from vaecourse.schedules import Schedule
from vaecourse.training.capture import CannotCapture, CapturedSteps, let_capture
from vaecourse.training.distributed import Alone
from vaecourse.training.history import CAPTURED, STEP_BY_STEP

__all__ = ["Stepper"]


def _at(value: float | Schedule, step: int) -> float:
    return value(step) if isinstance(value, Schedule) else value


class Stepper:
    """What one step needs, run by Python or repeated as a CUDA graph.

    Parameters
    ----------
    model, objective, data, transform, optimizer
        As for `vaecourse.fit`; the optimizer is made, and all is on the device.
    plan : dict of str to float or Schedule
        The learning rate ``lr`` and the objective's keywords.
    generator : Generator
        Where the transform draws.
    precision : str
        As for `vaecourse.fit`.
    processes : Alone
        Those that train together.
    route : str
        `CAPTURED`, or `STEP_BY_STEP` and why. It changes if a step cannot be captured.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        data: Batch,
        plan: dict[str, float | Schedule],
        transform: Callable[[Tensor, torch.Generator], Tensor] | None,
        optimizer: torch.optim.Optimizer,
        generator: torch.Generator,
        *,
        precision: str,
        processes: Alone,
        route: str,
    ) -> None:
        self.model, self.objective = model, Checked(objective, trains=True)
        self.processes = processes
        self.terms = processes.own_rows(partial(self.objective, model), data.y)
        self.data, self.plan, self.transform = data, plan, transform
        self.optimizer, self.generator, self.device = optimizer, generator, generator.device
        self.parameters = list(model.parameters())
        self.short_layers = needs_autocast(precision, self.device, model)
        self.names: list[str] = []
        self.route = route
        self.captured: CapturedSteps | None = None
        if route == CAPTURED:
            let_capture(optimizer)

    def options(self, step: int) -> tuple[float, dict]:
        """Return the learning rate and the objective's options at `step`."""
        options = {name: _at(value, step) for name, value in self.plan.items()}
        return options.pop("lr"), options

    def take(self, index: Tensor, number: int, see: Callable[[Tensor], None]) -> None:
        """Take step `number` on the rows `index` of the data.

        Its terms go to `see`: before the update, which an error then prevents, where Python runs
        the step, and after it where a graph does.
        """
        # The first step checks the objective, and after it the optimizer has its state.
        if self.route == CAPTURED and number > 0:
            terms = self._repeat(index, number)
            if terms is not None:
                see(terms)
                return
        first = self.objective.fresh
        rate, options = self.options(number)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.processes.seed_noise(number)
        loss, terms = self._forward(index, options, first)
        see(self.processes.sum(terms))
        self._learn(loss, first)

    def _repeat(self, index: Tensor, number: int) -> Tensor | None:
        """Take a step as a CUDA graph and return its terms, or None if that is impossible."""
        if self.captured is None:
            self.captured = self._captured_steps()
        try:
            return self.captured(index, number)
        except CannotCapture as error:
            self.route, self.captured = f"{STEP_BY_STEP}: {error}", None
            self._free_gradients()
            warnings.warn(f"training goes on {self.route}", stacklevel=6)
            return None

    def _captured_steps(self) -> CapturedSteps:
        varying = {name for name, value in self.plan.items() if isinstance(value, Schedule)}
        _, fixed = self.options(0)

        def step(index: Tensor, options: dict) -> Tensor:
            loss, terms = self._forward(index, fixed | options)
            self._learn(loss)
            return terms

        def numbers(number: int) -> tuple[float, dict[str, float]]:
            rate, options = self.options(number)
            return rate, {name: value for name, value in options.items() if name in varying}

        roots: dict[str, object] = {
            "objective": self.objective.objective,
            "transform": self.transform,
            "model": self.model,
            "optimizer": self.optimizer,
        }
        optimizer, generator = self.optimizer, self.generator
        return CapturedSteps(step, numbers, optimizer, self._tensors, generator, roots)

    def _tensors(self) -> list[Tensor]:
        """Return what a step changes on the device."""
        kept = [value for entry in self.optimizer.state.values() for value in entry.values()]
        everything = *self.parameters, *self.model.buffers(), *kept
        return [value for value in everything if isinstance(value, Tensor)]

    def _forward(self, index: Tensor, options: dict, first: bool = False) -> tuple[Tensor, Tensor]:
        """Return the loss of some rows, and the mean of each of their terms.

        Only a first step that Python runs may look at numbers: a captured one must not wait.
        """
        x = self.data.x.index_select(0, index)
        if self.transform is not None:
            x = self.transform(x, self.generator)
        if first:
            check_transformed(x, len(index), self.transform)
            check_support(self.model, self.objective.objective, x)
        with autocast(self.device, self.short_layers):
            batch = Batch(x, self.data.y.index_select(0, index))
            terms = self.terms(batch, **options)
            loss = terms["loss"].mean()
        self.names = list(terms)
        with torch.no_grad():
            return loss, torch.stack(tuple(terms.values())).float().mean(1)

    def _learn(self, loss: Tensor, first: bool = False) -> None:
        """Take one step down the gradient of `loss`."""
        loss.backward()
        self.processes.sum_gradients(self.parameters)
        if first and all(parameter.grad is None for parameter in self.parameters):
            raise ValueError(
                f"the 'loss' of {name_of(self.objective.objective)} depends on no weight of the "
                "model that is trained; compute it from what that model returns"
            )
        self.optimizer.step()
        self._free_gradients()

    def _free_gradients(self) -> None:
        """Let the gradients' memory serve the next forward pass while caches still hold it."""
        for parameter in self.parameters:
            parameter.grad = None
