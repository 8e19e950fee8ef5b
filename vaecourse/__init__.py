"""A course on variational autoencoders: every model and trainer it teaches.

The names that chapters use stand here. Everything else is one module away.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from vaecourse.data import Batch, HeldOut, Split, load
from vaecourse.data.linear_gaussian import LinearGaussian
from vaecourse.distributions import (
    Bernoulli,
    Deterministic,
    Gaussian,
    GaussianFixedScale,
    GaussianSharedScale,
    StandardNormal,
)
from vaecourse.models import (
    VAE,
    Autoencoder,
    conv_autoencoder,
    conv_vae,
    linear_autoencoder,
    linear_vae,
    mlp_autoencoder,
    mlp_vae,
)
from vaecourse.networks import MLP, ConvDecoder, ConvEncoder, Linear
from vaecourse.schedules import Schedule, cyclical, linear, warmup_cosine
from vaecourse.training import fit

if TYPE_CHECKING:
    from vaecourse import (
        data,
        diagrams,
        divergences,
        estimators,
        evaluation,
        latents,
        objectives,
        oracle,
        plots,
    )
    from vaecourse.recipes import fitted

__version__ = "0.1.0"

__all__ = [
    "MLP",
    "VAE",
    "Autoencoder",
    "Batch",
    "Bernoulli",
    "ConvDecoder",
    "ConvEncoder",
    "Deterministic",
    "Gaussian",
    "GaussianFixedScale",
    "GaussianSharedScale",
    "HeldOut",
    "Linear",
    "LinearGaussian",
    "Schedule",
    "Split",
    "StandardNormal",
    "conv_autoencoder",
    "conv_vae",
    "cyclical",
    "data",
    "diagrams",
    "divergences",
    "estimators",
    "evaluation",
    "fit",
    "fitted",
    "latents",
    "linear",
    "linear_autoencoder",
    "linear_vae",
    "load",
    "mlp_autoencoder",
    "mlp_vae",
    "objectives",
    "oracle",
    "plots",
    "warmup_cosine",
]

_LAZY = (
    "data",
    "diagrams",
    "divergences",
    "estimators",
    "evaluation",
    "latents",
    "objectives",
    "oracle",
    "plots",
)


def __getattr__(name: str):
    if name in _LAZY:
        return import_module(f"vaecourse.{name}")
    if name == "fitted":
        return import_module("vaecourse.recipes").fitted
    raise AttributeError(f"module 'vaecourse' has no attribute {name!r}")
