"""Models: networks and heads put together. No loss lives here."""

from vaecourse.models.counts import CountVAE, mlp_count_vae
from vaecourse.models.semi_supervised import (
    M2,
    PredictionConstrainedVAE,
    StackedM2,
    latent_batch,
    mlp_m2,
    mlp_prediction_constrained_vae,
    sample_latents,
)
from vaecourse.models.vae import (
    VAE,
    Autoencoder,
    conv_autoencoder,
    conv_vae,
    linear_autoencoder,
    linear_vae,
    mlp_autoencoder,
    mlp_vae,
)

__all__ = [
    "M2",
    "VAE",
    "Autoencoder",
    "CountVAE",
    "PredictionConstrainedVAE",
    "StackedM2",
    "conv_autoencoder",
    "conv_vae",
    "latent_batch",
    "linear_autoencoder",
    "linear_vae",
    "mlp_autoencoder",
    "mlp_count_vae",
    "mlp_m2",
    "mlp_prediction_constrained_vae",
    "mlp_vae",
    "sample_latents",
]
