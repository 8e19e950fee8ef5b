"""Two doors between the linear-Gaussian model, where all is exact, and the VAE."""

from typing import cast

import torch
from torch import Tensor, nn

from vaecourse.data.linear_gaussian import LinearGaussian
from vaecourse.distributions import GaussianFixedScale, GaussianSharedScale
from vaecourse.models import VAE, linear_vae
from vaecourse.networks import MLP

__all__ = ["as_linear_gaussian", "as_vae"]


def as_vae(oracle: LinearGaussian) -> VAE:
    """Turn a linear-Gaussian model into a VAE: its decoder, and its exact posterior as encoder.

    Parameters
    ----------
    oracle : LinearGaussian
        A model whose columns of W are orthogonal: only then is its posterior diagonal.

    Returns
    -------
    VAE
        A linear VAE in float64, in evaluation mode, whose ELBO is log p(x).

    Raises
    ------
    ValueError
        If the columns of W are not orthogonal.
    """
    gram = oracle.weight.T @ oracle.weight
    if not torch.allclose(gram, gram.diag().diag(), atol=1e-8 * gram.max().item()):
        raise ValueError(
            "the columns of weight must be orthogonal, since a diagonal Gaussian cannot be the "
            "posterior of other models; take LinearGaussian.random or LinearGaussian.fit"
        )
    variance = 1 / (1 + gram.diag() / oracle.scale**2)
    gain = variance[:, None] * oracle.weight.T / oracle.scale**2
    model = linear_vae(oracle.data_dim, oracle.latent_dim).double()
    encoder, decoder = _affine(model.encoder), _affine(model.decoder)
    with torch.no_grad():
        encoder.weight.copy_(torch.cat([gain, torch.zeros_like(gain)]))
        encoder.bias.copy_(torch.cat([-gain @ oracle.bias, variance.log()]))
        decoder.weight.copy_(oracle.weight)
        decoder.bias.copy_(oracle.bias)
        _scale(_parts(model.decoder)[1]).fill_(oracle.scale)
    return model.eval()


def as_linear_gaussian(model: VAE) -> LinearGaussian:
    """Read the generative half of a linear VAE, whose log p(x) is then exact.

    Parameters
    ----------
    model : VAE
        Its decoder is affine with a Gaussian of one scale, as `vaecourse.linear_vae` builds it.

    Returns
    -------
    LinearGaussian
        The model that the decoder and the standard normal prior define.

    Raises
    ------
    TypeError
        If the decoder is not affine or its likelihood has not one scale.
    """
    decoder = _affine(model.decoder)
    with torch.no_grad():
        weight, bias = decoder.weight.detach().clone(), decoder.bias.detach().clone()
        return LinearGaussian(weight, bias, _scale(_parts(model.decoder)[1]).item())


def _affine(half: nn.Module) -> nn.Linear:
    network = _parts(half)[0]
    if not isinstance(network, MLP) or len(network.layers) != 1:
        raise TypeError(
            f"the model must be linear, got a {type(network).__name__} with more than one layer; "
            "build it with vaecourse.linear_vae"
        )
    return cast(nn.Linear, network.layers[0])


def _parts(half: nn.Module) -> nn.Sequential:
    return cast(nn.Sequential, half)  # as linear_vae joins a network and its head


def _scale(head: nn.Module) -> Tensor:
    if isinstance(head, GaussianFixedScale):
        return head.scale
    if isinstance(head, GaussianSharedScale):
        return head.log_scale.exp()
    raise TypeError(
        f"the likelihood must be a Gaussian with one scale, got {type(head).__name__}; build the "
        "model with vaecourse.linear_vae"
    )
