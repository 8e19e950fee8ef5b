"""Models: a prior, an encoder and a decoder, each returning distributions. No loss lives here."""

from collections.abc import Callable

from torch import Tensor, nn
from torch import distributions as td

from vaecourse.checks import Shape, as_positive, as_shape, as_widths
from vaecourse.distributions import (
    Bernoulli,
    Deterministic,
    Gaussian,
    GaussianFixedScale,
    Head,
    StandardNormal,
    build_head,
)
from vaecourse.networks import MLP, Activation, ConvDecoder, ConvEncoder

__all__ = [
    "VAE",
    "Autoencoder",
    "conv_autoencoder",
    "conv_vae",
    "linear_autoencoder",
    "linear_vae",
    "mlp_autoencoder",
    "mlp_vae",
]


class Autoencoder(nn.Module):
    """Encoder and decoder with a deterministic code between them.

    Parameters
    ----------
    encoder : Module
        Maps x of shape ``(B, *event)`` to a distribution over z, usually a `Delta`.
    decoder : Module
        Maps z of shape ``(K, B, L)`` to a distribution over x.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def encode(self, x: Tensor) -> td.Distribution:
        """Return q(z|x) for x of shape ``(B, *event)``; its ``mean`` is the code ``(B, L)``."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> td.Distribution:
        """Return p(x|z) for z of shape ``(*batch, L)``; its ``mean`` is the reconstruction."""
        return self.decoder(z)


class VAE(nn.Module):
    """Variational autoencoder (Kingma and Welling, 2014).

    Parameters
    ----------
    encoder : Module
        Maps x of shape ``(B, *event)`` to q(z|x), the approximate posterior.
    decoder : Module
        Maps z of shape ``(K, B, L)`` to p(x|z), the likelihood.
    prior : Module
        Takes nothing and returns p(z). ``model.prior()`` is the distribution.

    Examples
    --------
    >>> import torch
    >>> import vaecourse as vae
    >>> encoder = torch.nn.Sequential(vae.MLP((1, 8, 8), [100], 4), vae.Gaussian(2))
    >>> decoder = torch.nn.Sequential(vae.MLP(2, [100], (1, 8, 8)), vae.Bernoulli((1, 8, 8)))
    >>> model = vae.VAE(encoder, decoder, prior=vae.StandardNormal(2))
    >>> model.decode(model.prior().sample((3,))).mean.shape
    torch.Size([3, 1, 8, 8])
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, prior: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.prior = prior

    def encode(self, x: Tensor) -> td.Distribution:
        """Return the approximate posterior q(z|x) for x of shape ``(B, *event)``."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> td.Distribution:
        """Return the likelihood p(x|z) for z of shape ``(*batch, L)``."""
        return self.decoder(z)


def _latent_shape(latent_dim: int) -> tuple[int, ...]:
    return (as_positive(latent_dim, "latent_dim"),)


def _join(
    network: Callable[..., nn.Module],
    in_shape: Shape,
    inner: tuple[int, ...],
    head: nn.Module,
    **options: Activation,
) -> nn.Module:
    return nn.Sequential(network(in_shape, inner, head.in_shape, **options), head)


def mlp_vae(
    event_shape: Shape,
    latent_dim: int,
    hidden: Shape = (400,),
    likelihood: Head = Bernoulli,
    activation: Activation = nn.ReLU,
) -> VAE:
    """Build a VAE with fully connected encoder and decoder.

    Parameters
    ----------
    event_shape : int or sequence of int
        Shape of one x.
    latent_dim : int
        Dimension L of z.
    hidden : int or sequence of int
        Hidden units of the encoder; the decoder mirrors them.
    likelihood : callable
        Builds the decoder's head from `event_shape`: `Bernoulli`, `Gaussian`,
        `GaussianSharedScale` or ``functools.partial(GaussianFixedScale, scale=0.1)``.
    activation : callable
        Builds the nonlinearity after each hidden layer.

    Returns
    -------
    VAE
        An untrained model with a standard normal prior.

    Examples
    --------
    >>> import torch
    >>> import vaecourse as vae
    >>> model = vae.mlp_vae((1, 8, 8), latent_dim=2, hidden=(100,))
    >>> q = model.encode(torch.zeros(3, 1, 8, 8))
    >>> q.mean.shape, q.stddev.shape
    (torch.Size([3, 2]), torch.Size([3, 2]))
    >>> model.decode(q.rsample()).mean.shape
    torch.Size([3, 1, 8, 8])
    """
    latent, event = _latent_shape(latent_dim), as_shape(event_shape, "event_shape")
    hidden = as_widths(hidden)
    encoder = _join(MLP, event, hidden, Gaussian(latent), activation=activation)
    decoder = _join(MLP, latent, hidden[::-1], build_head(likelihood, event), activation=activation)
    return VAE(encoder, decoder, StandardNormal(latent))


def conv_vae(
    event_shape: Shape,
    latent_dim: int,
    channels: Shape = (32, 64),
    likelihood: Head = Bernoulli,
) -> VAE:
    """Build a VAE with convolutional encoder and decoder.

    Parameters
    ----------
    event_shape : sequence of int
        ``(channels, height, width)`` of one image.
    latent_dim : int
        Dimension L of z.
    channels : sequence of int
        Channels of the encoder's layers; the decoder mirrors them.
    likelihood : callable
        Builds the decoder's head from `event_shape`.

    Returns
    -------
    VAE
        An untrained model with a standard normal prior.

    Examples
    --------
    >>> import torch
    >>> import vaecourse as vae
    >>> model = vae.conv_vae((1, 28, 28), latent_dim=10, channels=(8, 16))
    >>> model.encode(torch.zeros(3, 1, 28, 28)).mean.shape
    torch.Size([3, 10])
    >>> model.decode(torch.zeros(3, 10)).mean.shape
    torch.Size([3, 1, 28, 28])
    """
    latent, event = _latent_shape(latent_dim), as_shape(event_shape, "event_shape")
    channels = as_shape(channels, "channels")
    encoder = _join(ConvEncoder, event, channels, Gaussian(latent))
    decoder = _join(ConvDecoder, latent, channels[::-1], build_head(likelihood, event))
    return VAE(encoder, decoder, StandardNormal(latent))


def linear_vae(event_shape: Shape, latent_dim: int, likelihood: Head = GaussianFixedScale) -> VAE:
    """Build a VAE whose encoder and decoder are affine: probabilistic PCA, learned by its ELBO.

    Parameters
    ----------
    event_shape : int or sequence of int
        Shape of one x.
    latent_dim : int
        Dimension L of z.
    likelihood : callable
        Builds the decoder's head from `event_shape`; `GaussianSharedScale` gives
        probabilistic PCA (Tipping and Bishop, 1999).

    Returns
    -------
    VAE
        An untrained model with a standard normal prior.

    Examples
    --------
    The encoder has 2 x 3 weights and 2 biases, for a mean and a log variance. The decoder has 3
    and 3:

    >>> import vaecourse as vae
    >>> model = vae.linear_vae(3, latent_dim=1)
    >>> sum(parameter.numel() for parameter in model.parameters())
    14
    """
    return mlp_vae(event_shape, latent_dim, (), likelihood)


def mlp_autoencoder(
    event_shape: Shape,
    latent_dim: int,
    hidden: Shape = (400,),
    likelihood: Head = GaussianFixedScale,
    activation: Activation = nn.ReLU,
) -> Autoencoder:
    """Build a deterministic autoencoder with fully connected layers.

    Parameters
    ----------
    event_shape : int or sequence of int
        Shape of one x.
    latent_dim : int
        Dimension L of the code.
    hidden : int or sequence of int
        Hidden units of the encoder; the decoder mirrors them.
    likelihood : callable
        Builds the decoder's head. The default, a Gaussian of scale 1, makes the loss half the
        squared error plus a constant.
    activation : callable
        Builds the nonlinearity after each hidden layer.

    Returns
    -------
    Autoencoder
        An untrained model.

    Examples
    --------
    >>> import torch
    >>> import vaecourse as vae
    >>> model = vae.mlp_autoencoder((1, 8, 8), latent_dim=2)
    >>> code = model.encode(torch.zeros(3, 1, 8, 8)).mean
    >>> code.shape, model.decode(code).mean.shape
    (torch.Size([3, 2]), torch.Size([3, 1, 8, 8]))
    """
    latent, event = _latent_shape(latent_dim), as_shape(event_shape, "event_shape")
    hidden = as_widths(hidden)
    encoder = _join(MLP, event, hidden, Deterministic(latent), activation=activation)
    decoder = _join(MLP, latent, hidden[::-1], build_head(likelihood, event), activation=activation)
    return Autoencoder(encoder, decoder)


def conv_autoencoder(
    event_shape: Shape,
    latent_dim: int,
    channels: Shape = (32, 64),
    likelihood: Head = GaussianFixedScale,
) -> Autoencoder:
    """Build a deterministic autoencoder with convolutional layers.

    Parameters
    ----------
    event_shape : sequence of int
        ``(channels, height, width)`` of one image.
    latent_dim : int
        Dimension L of the code.
    channels : sequence of int
        Channels of the encoder's layers; the decoder mirrors them.
    likelihood : callable
        Builds the decoder's head from `event_shape`.

    Returns
    -------
    Autoencoder
        An untrained model.
    """
    latent, event = _latent_shape(latent_dim), as_shape(event_shape, "event_shape")
    channels = as_shape(channels, "channels")
    encoder = _join(ConvEncoder, event, channels, Deterministic(latent))
    decoder = _join(ConvDecoder, latent, channels[::-1], build_head(likelihood, event))
    return Autoencoder(encoder, decoder)


def linear_autoencoder(event_shape: Shape, latent_dim: int) -> Autoencoder:
    """Build an autoencoder with one affine map each way: its optimum spans PCA's subspace.

    Parameters
    ----------
    event_shape : int or sequence of int
        Shape of one x.
    latent_dim : int
        Dimension L of the code.

    Returns
    -------
    Autoencoder
        An untrained model (Bourlard and Kamp, 1988; Baldi and Hornik, 1989).
    """
    return mlp_autoencoder(event_shape, latent_dim, ())
