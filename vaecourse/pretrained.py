"""Trained models by name: trained once, kept in the user's cache, shared by chapters.

A stored model is used only for the very recipe, data and training code that made it. When any of
the three changes, the model is trained anew.
"""

import hashlib
import json
import warnings
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from vaecourse.data import Split
from vaecourse.data.labels import dynamic_binarization
from vaecourse.data.storage import cache_folder
from vaecourse.models import conv_vae, mlp_autoencoder, mlp_vae
from vaecourse.objectives import Objective, elbo, reconstruction
from vaecourse.runtime import is_static, isolated_rng, resolve_device
from vaecourse.runtime.files import check_writable
from vaecourse.runtime.locks import in_turn
from vaecourse.runtime.seed_offset import seed_offset
from vaecourse.runtime.source import source_hash
from vaecourse.schedules import warmup_cosine
from vaecourse.training import fit
from vaecourse.training.checkpoints import load_model, save_model
from vaecourse.training.history import History

__all__ = ["RECIPES", "Recipe", "fitted"]


@dataclass(frozen=True)
class Recipe:
    """How to make one model of images: what to build and how long to train it.

    Parameters
    ----------
    build : callable
        Builds the untrained model from an event shape, ``latent_dim`` and ``architecture``.
    latent_dim : int
        Dimension of z.
    objective : callable
        What to minimize.
    epochs : int
        Passes over the training images.
    binarize : bool
        Whether every batch is binarized anew.
    batch_size : int
        Examples per update.
    peak : float
        Largest learning rate, reached after 200 steps; a cosine takes it to zero.
    architecture : dict
        Keywords of ``build``, such as ``hidden``. What they print as is part of a stored model's
        name, so give numbers and tuples.
    """

    build: Callable[..., nn.Module]
    latent_dim: int
    objective: Objective
    epochs: int
    binarize: bool = True
    batch_size: int = 256
    peak: float = 6e-3
    architecture: dict[str, object] = field(default_factory=dict)

    def untrained(self, split: Split, seed: int = 0) -> nn.Module:
        """Build the model for images of ``split``; `seed` alone decides its weights."""
        with isolated_rng(seed):
            event_shape = tuple(split.train.x.shape[1:])
            return self.build(event_shape, self.latent_dim, **self.architecture)

    def train(self, split: Split, seed: int = 0, **options: Any) -> tuple[nn.Module, History]:
        """Build and train the model on ``split.train``; `options` go to `vaecourse.fit`."""
        model = self.untrained(split, seed)
        steps = self.epochs * -(-len(split.train.x) // self.batch_size)
        history = fit(
            model,
            self.objective,
            split.train,
            epochs=self.epochs,
            batch_size=self.batch_size,
            lr=warmup_cosine(self.peak, 200, steps),
            transform=dynamic_binarization if self.binarize else None,
            seed=seed,
            **{"precision": "fast-float32", **options},
        )
        return model, history


RECIPES = {
    "autoencoder": Recipe(mlp_autoencoder, 16, reconstruction, epochs=4, binarize=False),
    "autoencoder-2d": Recipe(mlp_autoencoder, 2, reconstruction, epochs=4, binarize=False),
    "vae": Recipe(mlp_vae, 20, elbo, epochs=5),
    "vae-2d": Recipe(mlp_vae, 2, elbo, epochs=4, architecture={"hidden": (400, 200)}),
    # A slow network learns most in a short time from many small steps.
    "vae-conv": Recipe(
        conv_vae, 20, elbo, epochs=1, batch_size=64, architecture={"channels": (12, 24)}
    ),
}


def fitted(name: str, split: Split, *, seed: int = 0, progress: bool = True) -> nn.Module:
    """Return the trained model `name`, from the user's cache or by training it now.

    Of several processes that want it, one trains it and the others wait. Where it cannot be kept, a
    warning says so before the training, and the model is trained anew the next time.

    Parameters
    ----------
    name : str
        One of `RECIPES`.
    split : Split
        Images to train on.
    seed : int
        Seed of the weights and of training.
    progress : bool
        Whether to show a progress bar when training.

    Returns
    -------
    Module
        The model, in evaluation mode, on the CPU.

    Raises
    ------
    ValueError
        If there is no recipe of that name.
    """
    if name not in RECIPES:
        raise ValueError(f"name must be one of {', '.join(RECIPES)}, got {name!r}")
    recipe = RECIPES[name]
    path = _path(name, recipe, split, seed)
    model = recipe.untrained(split, seed)
    if _loaded(model, path):
        return model.eval()
    with ExitStack() as stack:
        # Where nothing can be kept, there is nothing to wait for.
        with suppress(OSError):
            stack.enter_context(in_turn(path))
            if _loaded(model, path):
                return model.eval()
        can_be_kept = _asked(path, name)
        model, history = recipe.train(split, seed, progress=progress)
        if can_be_kept:
            _keep(model, path, {"name": name, "seconds": history.seconds})
    return model


def _loaded(model: nn.Module, path: Path) -> bool:
    # A damaged file is no reason to fail, nor one out of reach: what made it can make it again.
    with suppress(ValueError, OSError):
        load_model(model, path)
        return True
    return False


def _asked(path: Path, name: str) -> bool:
    """Say whether a model can be kept, and warn of it where not."""
    try:
        check_writable(path)
    except OSError as error:
        _warn(path, name, error.__cause__ or error)
        return False
    return True


def _keep(model: nn.Module, path: Path, meta: dict) -> None:
    try:
        save_model(model, path, meta)
    except OSError as error:  # such as a disk that is full
        _warn(path, meta["name"], error)


def _warn(path: Path, name: str, error: BaseException) -> None:
    # A page that is built shows no warnings; `vaecourse doctor` says the same.
    if not is_static():
        warnings.warn(
            f"the model {name} will be trained again next time: it cannot be kept in "
            f"{path} ({error}); name a folder in VAECOURSE_CACHE",
            stacklevel=4,
        )


def _path(name: str, recipe: Recipe, split: Split, seed: int) -> Path:
    parts = {
        "recipe": repr({k: getattr(v, "__qualname__", v) for k, v in vars(recipe).items()}),
        "data": split.identity,
        "seed": seed,
        "source": source_hash(__name__),
        "torch": torch.__version__,
        "device": resolve_device("auto").type,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "seed_offset": seed_offset(),
    }
    key = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
    return cache_folder() / "models" / f"{split.name}-{name}-{key}.safetensors"
