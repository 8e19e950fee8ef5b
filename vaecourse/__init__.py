"""A course on variational autoencoders: every model and trainer it teaches.

The names that chapters use stand here. Everything else is one module away.
"""
# ruff: noqa: F401 - what is imported here is public

from importlib import import_module
from types import ModuleType
from typing import Any

from vaecourse.data import Batch, HeldOut, Split, load
from vaecourse.data.linear_gaussian import LinearGaussian
from vaecourse.distributions import (
    Bernoulli,
    Deterministic,
    Gaussian,
    GaussianFixedScale,
    GaussianSharedScale,
    NegativeBinomial,
    StandardNormal,
)
from vaecourse.models import (
    M2,
    VAE,
    Autoencoder,
    CountVAE,
    PredictionConstrainedVAE,
    StackedM2,
    conv_autoencoder,
    conv_vae,
    linear_autoencoder,
    linear_vae,
    mlp_autoencoder,
    mlp_count_vae,
    mlp_m2,
    mlp_prediction_constrained_vae,
    mlp_vae,
)
from vaecourse.networks import MLP, ConditionalMLP, ConvDecoder, ConvEncoder, Linear
from vaecourse.runtime.moved import MovedModules
from vaecourse.runtime.seed_offset import seed_offset, shift_seeds
from vaecourse.schedules import Schedule, cyclical, linear_schedule, warmup_cosine
from vaecourse.training import fit

__version__ = "0.1.0"

# What else is public, and where it lies: a module, or a name in one after a colon. It is imported
# at its first use, since most programs need few of these.
_LAZY = {
    "VAEEmbedding": "embedding:VAEEmbedding",
    "amortization": "evaluation.amortization",
    "classification": "evaluation.classification",
    "data": "data",
    "diagrams": "diagrams",
    "disentanglement": "evaluation.disentanglement",
    "distributions": "distributions",
    "divergences": "divergences",
    "estimators": "evaluation.marginal",
    "evaluation": "evaluation",
    "exercises": "exercises",
    "fitted": "pretrained:fitted",
    "interactive": "interactive",
    "latents": "latents",
    "load_model": "training.checkpoints:load_model",
    "models": "models",
    "networks": "networks",
    "objectives": "objectives",
    "oracle": "oracle",
    "plots": "plots",
    "priors": "distributions.priors",
    "results": "results",
    "save_model": "training.checkpoints:save_model",
    "schedules": "schedules",
    "training": "training",
}
# Former names: they work as ever, and dir() shows the present ones alone.
_FORMER = {
    "checkpoints": "training.checkpoints",
    "counts": "models.counts",
    "estimator": "embedding",
    "history": "training.history",
    "linear": "schedules:linear_schedule",
    "negative_binomial": "distributions.negative_binomial",
    "recipes": "pretrained",
    "semi_supervised": "models.semi_supervised",
}
_PLACES = _LAZY | _FORMER
MovedModules({name: place for name, place in _PLACES.items() if ":" not in place}).install()
shift_seeds(seed_offset())

_PLUMBING = {"Any", "ModuleType", "MovedModules", "import_module", "seed_offset", "shift_seeds"}
__all__ = sorted(
    {name for name, value in globals().items() if name[0] != "_" and type(value) is not ModuleType}
    - _PLUMBING
    | set(_LAZY)
)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'vaecourse' has no attribute {name!r}")
    place, _, inside = _PLACES[name].partition(":")
    module = import_module(f"vaecourse.{place}")
    return getattr(module, inside) if inside else module


def __dir__() -> list[str]:
    return [*globals(), *__all__]
