"""A course on variational autoencoders: every model and trainer it teaches.

The names that chapters use stand here. Everything else is one module away.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from vaecourse.counts import CountVAE, mlp_count_vae
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
from vaecourse.negative_binomial import NegativeBinomial
from vaecourse.networks import MLP, ConditionalMLP, ConvDecoder, ConvEncoder, Linear
from vaecourse.schedules import Schedule, cyclical, linear, warmup_cosine
from vaecourse.seed_offset import seed_offset, shift_seeds
from vaecourse.semi_supervised import (
    M2,
    PredictionConstrainedVAE,
    StackedM2,
    mlp_m2,
    mlp_prediction_constrained_vae,
)
from vaecourse.training import fit

if TYPE_CHECKING:
    from vaecourse import (
        classification,
        data,
        diagrams,
        disentanglement,
        divergences,
        estimators,
        evaluation,
        exercises,
        interactive,
        latents,
        objectives,
        oracle,
        plots,
        results,
    )
    from vaecourse.estimator import VAEEmbedding
    from vaecourse.recipes import fitted

__version__ = "0.1.0"

shift_seeds(seed_offset())

__all__ = [
    "M2",
    "MLP",
    "VAE",
    "Autoencoder",
    "Batch",
    "Bernoulli",
    "ConditionalMLP",
    "ConvDecoder",
    "ConvEncoder",
    "CountVAE",
    "Deterministic",
    "Gaussian",
    "GaussianFixedScale",
    "GaussianSharedScale",
    "HeldOut",
    "Linear",
    "LinearGaussian",
    "NegativeBinomial",
    "PredictionConstrainedVAE",
    "Schedule",
    "Split",
    "StackedM2",
    "StandardNormal",
    "VAEEmbedding",
    "classification",
    "conv_autoencoder",
    "conv_vae",
    "cyclical",
    "data",
    "diagrams",
    "disentanglement",
    "divergences",
    "estimators",
    "evaluation",
    "exercises",
    "fit",
    "fitted",
    "interactive",
    "latents",
    "linear",
    "linear_autoencoder",
    "linear_vae",
    "load",
    "mlp_autoencoder",
    "mlp_count_vae",
    "mlp_m2",
    "mlp_prediction_constrained_vae",
    "mlp_vae",
    "objectives",
    "oracle",
    "plots",
    "results",
    "warmup_cosine",
]

_LAZY = (
    "classification",
    "data",
    "diagrams",
    "disentanglement",
    "divergences",
    "estimators",
    "evaluation",
    "exercises",
    "interactive",
    "latents",
    "objectives",
    "oracle",
    "plots",
    "results",
)


def __getattr__(name: str):
    if name in _LAZY:
        return import_module(f"vaecourse.{name}")
    if name == "VAEEmbedding":
        return import_module("vaecourse.estimator").VAEEmbedding
    if name == "fitted":
        return import_module("vaecourse.recipes").fitted
    raise AttributeError(f"module 'vaecourse' has no attribute {name!r}")
