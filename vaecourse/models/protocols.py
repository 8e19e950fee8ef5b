"""What a model must have, for those who are given one: any class with these methods will do."""

from typing import Protocol

from torch import Tensor
from torch import distributions as td

from vaecourse.models.counts import Given
from vaecourse.runtime import Evaluable

__all__ = [
    "CoderModule",
    "Codes",
    "Conditioned",
    "EncoderModule",
    "Encodes",
    "LatentClassifier",
    "LatentModel",
    "LatentModule",
    "ModelOfClasses",
    "PredictorModule",
]


class Encodes(Protocol):
    """Turns examples into distributions over codes."""

    def encode(self, x: Tensor, /) -> td.Distribution:
        """Return q(z|x) for x of shape ``(B, *event)``."""


class Codes(Encodes, Protocol):
    """An encoder and a decoder, such as an `Autoencoder`."""

    def decode(self, z: Tensor, /) -> td.Distribution:
        """Return p(x|z) for z of shape ``(*batch, L)``."""


class LatentModel(Codes, Protocol):
    """An encoder, a decoder and a prior, such as a `VAE`."""

    def prior(self) -> td.Distribution:
        """Return p(z)."""


class LatentClassifier(LatentModel, Protocol):
    """A latent-variable model that reads labels from its codes: a `PredictionConstrainedVAE`."""

    def classify(self, z: Tensor, /) -> td.Categorical:
        """Return p(y|z) for z of shape ``(*batch, L)``."""


class ModelOfClasses(Protocol):
    """A latent-variable model that is told the class, such as an `M2`."""

    def encode(self, x: Tensor, y: Tensor, rows: Tensor | None = None, /) -> td.Distribution:
        """Return q(z|x, y)."""

    def decode(self, z: Tensor, y: Tensor, /) -> td.Distribution:
        """Return p(x|y, z)."""

    def classify(self, x: Tensor, /) -> td.Categorical:
        """Return q(y|x)."""

    def prior(self) -> td.Distribution:
        """Return p(z)."""

    def class_prior(self) -> td.Distribution:
        """Return p(y)."""


class Conditioned(Protocol):
    """A model that becomes a VAE once it is told something of each row, such as a `CountVAE`."""

    def given(self, x: Tensor, /) -> Given:
        """Return the VAE of these rows."""


class EncoderModule(Encodes, Evaluable, Protocol):
    """A module with ``encode``."""


class CoderModule(Codes, Evaluable, Protocol):
    """A module with ``encode`` and ``decode``."""


class LatentModule(LatentModel, Evaluable, Protocol):
    """A module with ``encode``, ``decode`` and ``prior``."""


class PredictorModule(Evaluable, Protocol):
    """A module that says which class an example has."""

    def predict(self, x: Tensor, /) -> td.Categorical:
        """Return a distribution over the classes of x."""
