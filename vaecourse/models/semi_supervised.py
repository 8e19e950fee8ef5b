"""Models with labels: M2, M1+M2 and the prediction-constrained VAE. No loss lives here.

All of them have ``predict(x)``, which returns a distribution over the classes of x.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch import distributions as td

from vaecourse.checks import Shape, as_positive, as_shape, as_widths
from vaecourse.data import Batch, HeldOut
from vaecourse.data.door import as_input
from vaecourse.distributions import (
    Bernoulli,
    Categorical,
    Gaussian,
    Head,
    StandardNormal,
    UniformClasses,
    build_head,
)
from vaecourse.models.protocols import EncoderModule
from vaecourse.models.vae import VAE, mlp_vae
from vaecourse.networks import MLP, Activation, ConditionalMLP, Linear
from vaecourse.runtime.passes import in_passes

__all__ = [
    "M2",
    "PredictionConstrainedVAE",
    "StackedM2",
    "latent_batch",
    "mlp_m2",
    "mlp_prediction_constrained_vae",
    "sample_latents",
]


class M2(nn.Module):
    r"""The generative semi-supervised model M2 (Kingma et al., 2014, section 2).

    .. math::
        p(y)\, p(z)\, p_\theta(x\mid y, z), \qquad q_\phi(y\mid x)\, q_\phi(z\mid x, y).

    The class y says what is drawn, the latent z how it is drawn. In `encode` and `decode` the
    batch shape of y broadcasts with that of x or z: ``y = torch.arange(C)[:, None]`` asks for
    every class at once.

    Parameters
    ----------
    encoder : Module
        Maps x of shape ``(B, *event)`` and classes to q(z|x, y).
    decoder : Module
        Maps z of shape ``(*batch, L)`` and classes to p(x|y, z).
    classifier : Module
        Maps x of shape ``(B, *event)`` to q(y|x).
    prior : Module
        Takes nothing and returns p(z).
    class_prior : Module
        Takes nothing and returns p(y).
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        classifier: nn.Module,
        prior: nn.Module,
        class_prior: nn.Module,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.classifier = classifier
        self.prior = prior
        self.class_prior = class_prior

    def encode(self, x: Tensor, y: Tensor, rows: Tensor | None = None) -> td.Distribution:
        """Return q(z|x, y) for x of shape ``(B, *event)`` and classes ``(B,)`` or ``(C, 1)``.

        With `rows` it is q(z|x[rows[n]], y[n]) for every n, and y may ask about an x repeatedly.
        """
        return self.encoder(x, y) if rows is None else self.encoder(x, y, rows)

    def decode(self, z: Tensor, y: Tensor) -> td.Distribution:
        """Return p(x|y, z), the conditional generator, for z ``(*batch, L)`` and classes."""
        return self.decoder(z, y)

    def classify(self, x: Tensor) -> td.Categorical:
        """Return q(y|x) for x of shape ``(B, *event)``."""
        return self.classifier(x)

    def predict(self, x: Tensor) -> td.Categorical:
        """Return q(y|x): M2 predicts by its classifier alone."""
        return self.classifier(x)


class PredictionConstrainedVAE(nn.Module):
    r"""A VAE with a classifier p(y|z) on its latents (Hope et al., 2020; Hughes et al., 2018).

    Unlike in M2 the class is no input of encoder or decoder: z alone must carry it.

    Parameters
    ----------
    encoder : Module
        Maps x of shape ``(B, *event)`` to q(z|x).
    decoder : Module
        Maps z of shape ``(*batch, L)`` to p(x|z).
    classifier : Module
        Maps z of shape ``(*batch, L)`` to p(y|z).
    prior : Module
        Takes nothing and returns p(z).
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, classifier: nn.Module, prior: nn.Module
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.classifier = classifier
        self.prior = prior

    def encode(self, x: Tensor) -> td.Distribution:
        """Return the approximate posterior q(z|x) for x of shape ``(*batch, *event)``."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> td.Distribution:
        """Return the likelihood p(x|z) for z of shape ``(*batch, L)``."""
        return self.decoder(z)

    def classify(self, z: Tensor) -> td.Categorical:
        """Return p(y|z) for z of shape ``(*batch, L)``."""
        return self.classifier(z)

    def predict(self, x: Tensor) -> td.Categorical:
        """Return p(y|z) at the posterior mean of x, for x of shape ``(B, *event)``."""
        return self.classifier(self.encoder(x).mean)


class StackedM2(nn.Module):
    r"""M1+M2: an M2 whose data are the latents of a trained VAE (Kingma et al., 2014, section 2).

    .. math::
        p(y)\, p(z_2)\, p_\theta(z_1\mid y, z_2)\, p_\theta(x\mid z_1).

    The two are trained one after the other: `latent_batch` turns images into what the second
    trains on.

    Parameters
    ----------
    first : VAE
        M1, over x.
    second : M2
        Over the latents :math:`z_1` of `first`.
    """

    def __init__(self, first: VAE, second: M2) -> None:
        super().__init__()
        self.first = first
        self.second = second

    def predict(self, x: Tensor) -> td.Categorical:
        """Return q(y|z1) at the posterior mean of x, for x of shape ``(B, *event)``."""
        return self.second.classify(self.first.encode(x).mean)

    def decode(self, z: Tensor, y: Tensor) -> td.Distribution:
        """Return p(x|z1) at the mean z1 of p(z1|y, z2), for z2 ``(*batch, L)`` and classes."""
        return self.first.decode(self.second.decode(z, y).mean)


class _Conditional(nn.Module):
    """A network of two inputs and its head: what `nn.Sequential` is for one input."""

    def __init__(self, network: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.head = head

    def forward(self, x: Tensor, y: Tensor, rows: Tensor | None = None) -> td.Distribution:
        return self.head(self.network(x, y, rows))


def mlp_m2(
    event_shape: Shape,
    latent_dim: int,
    num_classes: int,
    hidden: Shape = (500,),
    likelihood: Head = Bernoulli,
    activation: Activation = nn.ReLU,
) -> M2:
    """Build an M2 whose encoder, decoder and classifier are fully connected.

    Parameters
    ----------
    event_shape : int or sequence of int
        Shape of one x.
    latent_dim : int
        Dimension L of z.
    num_classes : int
        Number C of classes.
    hidden : int or sequence of int
        Hidden units of encoder and classifier; the decoder mirrors them.
    likelihood : callable
        Builds the decoder's head from `event_shape`: `Bernoulli` for images, `Gaussian` for the
        latents of another model.
    activation : callable
        Builds the nonlinearity after each hidden layer.

    Returns
    -------
    M2
        An untrained model with a standard normal p(z) and a uniform p(y).

    Examples
    --------
    Draw one style z as each of three classes:

    >>> import torch
    >>> import vaecourse as vae
    >>> model = vae.mlp_m2((1, 8, 8), latent_dim=2, num_classes=3)
    >>> model.decode(torch.zeros(3, 2), torch.arange(3)).mean.shape
    torch.Size([3, 1, 8, 8])
    >>> model.classify(torch.zeros(5, 1, 8, 8)).probs.shape
    torch.Size([5, 3])
    """
    event, latent = as_shape(event_shape, "event_shape"), (as_positive(latent_dim, "latent_dim"),)
    hidden = as_widths(hidden)
    to_z, to_x = Gaussian(latent), build_head(likelihood, event)
    to_y = Categorical(num_classes)
    encoder = ConditionalMLP(event, num_classes, hidden, to_z.in_shape, activation)
    in_shape = cast(Shape, to_x.in_shape)
    decoder = ConditionalMLP(latent, num_classes, hidden[::-1], in_shape, activation)
    return M2(
        _Conditional(encoder, to_z),
        _Conditional(decoder, to_x),
        nn.Sequential(MLP(event, hidden, to_y.in_shape, activation), to_y),
        StandardNormal(latent),
        UniformClasses(num_classes),
    )


def mlp_prediction_constrained_vae(
    event_shape: Shape,
    latent_dim: int,
    num_classes: int,
    hidden: Shape = (500,),
    likelihood: Head = Bernoulli,
    activation: Activation = nn.ReLU,
    dropout: float = 0.0,
) -> PredictionConstrainedVAE:
    """Build a fully connected VAE with logistic regression on z as its classifier.

    Parameters
    ----------
    event_shape : int or sequence of int
        Shape of one x.
    latent_dim : int
        Dimension L of z.
    num_classes : int
        Number C of classes.
    hidden : int or sequence of int
        Hidden units of the encoder; the decoder mirrors them.
    likelihood : callable
        Builds the decoder's head from `event_shape`.
    activation : callable
        Builds the nonlinearity after each hidden layer.
    dropout : float
        Share of the latents that the classifier does not see in a training step.

    Returns
    -------
    PredictionConstrainedVAE
        An untrained model with a standard normal prior.

    Raises
    ------
    ValueError
        If a size is not a positive integer or `dropout` does not lie in [0, 1).
    """
    if not 0 <= dropout < 1:
        raise ValueError(f"dropout must lie in [0, 1), got {dropout!r}")
    head = Categorical(num_classes)
    vae = mlp_vae(event_shape, latent_dim, hidden, likelihood, activation)
    noise = [nn.Dropout(dropout)] if dropout else []
    classifier = nn.Sequential(*noise, Linear(latent_dim, head.in_shape), head)
    return PredictionConstrainedVAE(vae.encoder, vae.decoder, classifier, vae.prior)


def latent_batch(
    model: EncoderModule, data: Batch | HeldOut, *, batch_size: int | None = None
) -> Batch:
    """Replace every x by its posterior: the data on which the second model of M1+M2 trains.

    Parameters
    ----------
    model : VAE
        Trained model with a Gaussian ``encode``.
    data : Batch or HeldOut
        ``x`` of shape ``(N, *event)``; the labels go along.
    batch_size : int, optional
        Most examples per pass, by default 1000 on a CPU and 10,000 on an accelerator; fewer where
        they would not have room.

    Returns
    -------
    Batch
        ``x`` of shape ``(N, 2, L)`` on the CPU: mean and standard deviation of each posterior,
        for `sample_latents`.
    """

    def moments(part: Tensor) -> Tensor:
        posterior = model.encode(part)
        return torch.stack([posterior.mean, posterior.stddev], dim=1)

    return Batch(in_passes(model, as_input(data.x, model), moments, batch_size), data.y)


def sample_latents(x: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a latent from each posterior: a ``transform`` for `vaecourse.fit`.

    Parameters
    ----------
    x : Tensor
        Means and standard deviations ``(B, 2, L)`` from `latent_batch`.
    generator : torch.Generator
        The source of randomness, on the device of x.

    Returns
    -------
    Tensor
        Shape ``(B, L)``.
    """
    mean, scale = x.unbind(1)
    noise = torch.randn(mean.shape, generator=generator, device=x.device, dtype=x.dtype)
    return torch.addcmul(mean, scale, noise)
