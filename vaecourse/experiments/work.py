"""What every method needs to train one row: the data with few labels, and a `fit` that resumes."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from vaecourse.data import Batch, Split
from vaecourse.data.labels import label_subset
from vaecourse.experiments.pixels import bounds, pixels_of
from vaecourse.experiments.recipes import LATENT, PRECISION
from vaecourse.models import conv_vae, mlp_vae
from vaecourse.objectives import Objective
from vaecourse.runtime import isolated_rng, resolve_device
from vaecourse.schedules import warmup_cosine
from vaecourse.training import fit
from vaecourse.training.checkpoints import read_checkpoint

__all__ = ["Work"]


class Work:
    """The data of one row with only some labels left, and how long its models train on them.

    Parameters
    ----------
    split : Split
        All data.
    labels : int
        How many training labels are known; a stratified draw by `seed` says which.
    seed : int
        Seed of labels, first weights and noise.
    budget : float
        Share of the recipes' steps.
    recipes : dict of str to dict
        The numbers of the recipes that the row uses.
    checkpoint : Path, optional
        File names of checkpoints begin so.
    first : dict of str to ndarray, optional
        The weights of M1, where rows share it.
    device : str
        Where models are trained, as for `vaecourse.fit`.
    progress : bool
        Whether to show a progress bar.
    """

    def __init__(
        self,
        split: Split,
        labels: int,
        seed: int,
        budget: float,
        recipes: dict[str, dict],
        *,
        checkpoint: Path | None = None,
        first: dict[str, np.ndarray] | None = None,
        device: str = "auto",
        progress: bool = False,
    ) -> None:
        self.pixels, self.split = pixels_of(split)
        self.seed, self.budget, self.recipes = seed, budget, recipes
        y = label_subset(split.train.y, labels, seed)
        self.train = Batch(self.split.train.x, y)
        self.known = Batch(self.train.x[y >= 0], y[y >= 0])
        self.share = labels / len(y)
        self.event = tuple(split.train.x.shape[1:])
        self.checkpoint, self.weights, self.progress = checkpoint, first, progress
        self.device = resolve_device(device)
        self.fits = 0
        self.earlier_cpu_seconds = self.device_seconds = 0.0

    def built(self, build: Callable[..., nn.Module], *arguments: Any, **options: Any) -> Any:
        """Build a model whose first weights come from the seed."""
        with isolated_rng(self.seed):
            return build(*arguments, **options)

    def vae(self, recipe: dict) -> nn.Module:
        """Build the VAE of a recipe, fully connected or convolutional."""
        build, inner = (mlp_vae, "hidden") if "hidden" in recipe else (conv_vae, "channels")
        sizes = self.event, recipe.get("latent", LATENT), recipe[inner]
        return self.built(build, *sizes, likelihood=self.pixels.likelihood)

    def first(self) -> nn.Module:
        """Return M1 with the weights that several rows share."""
        model = self.vae(self.recipes["m1"])
        model.load_state_dict({k: torch.from_numpy(v.copy()) for k, v in self.weights.items()})
        return model.eval()

    def steps(self, recipe: dict, epochs: int, size: int | None = None) -> int:
        """Return the updates in so many epochs, as far as the budget goes."""
        full = epochs * (size or len(self.train.x)) / recipe["batch"]
        return max(2, round(self.budget * max(full, recipe.get("updates", 0))))

    def fit(
        self, model: nn.Module, objective: Objective, recipe: dict, steps: int, **options: Any
    ) -> None:
        """Train with the recipe's batches and learning rate; resume where a killed run stopped."""
        place = f"{self.checkpoint}-{self.device.type}-{self.fits}.safetensors"
        path = self.checkpoint and Path(place)
        self.fits += 1
        started = time.process_time()
        options = {"transform": self.pixels.transform, "data": self.train} | options
        history = fit(
            model,
            objective,
            steps=steps,
            batch_size=recipe["batch"],
            labeled_batch_size=recipe.get("labeled"),
            lr=warmup_cosine(recipe["lr"], 200, steps),
            seed=self.seed,
            device=self.device,
            precision=PRECISION,
            checkpoint=path,
            progress=self.progress,
            **options,
        )
        if self.device.type != "cpu":
            self.device_seconds += history.seconds
        if path is not None:
            spent = read_checkpoint(path)[1]["cpu_seconds"]
            self.earlier_cpu_seconds += max(0.0, spent - (time.process_time() - started))

    def bounds(self, model: nn.Module) -> dict:
        """Return the bound on validation and test images, and what it bounds."""
        return bounds(model, self.split, self.pixels, self.seed)
