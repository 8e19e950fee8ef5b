"""Live figures of images: the networks that a chapter has trained, run in the page."""

import hashlib
import math

import numpy as np
import torch
from torch import Tensor, nn

from vaecourse.data import HeldOut
from vaecourse.distributions import Bernoulli, Gaussian
from vaecourse.evaluation import embed
from vaecourse.interactive import pictures
from vaecourse.interactive.host import LiveFigure
from vaecourse.models import VAE, Autoencoder

__all__ = ["draw_a_digit", "latent_explorer"]

PIXELS = 784
SHOWN = 600  # encoded images on a plane


def latent_explorer(
    vae: VAE, autoencoder: Autoencoder, test: HeldOut, binary: Tensor, ends: tuple[int, int]
) -> LiveFigure:
    """Show the latent planes of a VAE and of an autoencoder, and what they decode.

    Parameters
    ----------
    vae : VAE
        Two latent dimensions, fully connected, with a Bernoulli decoder of 28 by 28 pixels.
    autoencoder : Autoencoder
        Two latent dimensions, fully connected, of the same images.
    test : HeldOut
        Images and labels; the first 600 are put on the plane.
    binary : Tensor
        The same images, binarized, for the VAE.
    ends : tuple of int
        Rows of the two images that the walk starts from and ends at.

    Returns
    -------
    LiveFigure
        Its state: the codes ``"VAE"`` and ``"autoencoder"``, and ``along``, the share of the walk.

    Raises
    ------
    ValueError
        If a model is not of that kind.
    """
    blobs, models = {}, []
    for name, model, images in (("VAE", vae, binary), ("autoencoder", autoencoder, test.x)):
        decoder, blob = _packed(model.decoder, f"the decoder of the {name}")
        blobs[decoder["key"]] = blob
        codes = embed(model, images)
        walk = codes[list(ends)]
        models.append(
            {"name": name, "decoder": decoder, "ends": rounded(walk), **plane_map(codes, test.y)}
        )
    first, last = (int(test.y[row]) for row in ends)
    state = {model["name"]: model["ends"][0] for model in models}
    return LiveFigure(
        "latent-explorer",
        {"models": models, "walk": f"along the walk from a {first} to a {last}"},
        {**state, "along": 0.0},
        blobs=blobs,
        picture=lambda: pictures.walks({m["name"]: m for m in models}, test.y[:SHOWN].numpy()),
        description=f"Two scatter plots of encoded digits by class, for a VAE and for an "
        f"autoencoder, each with a dashed line from the code of a {first} to the code of a {last}.",
    )


def draw_a_digit(
    vae: VAE, test: HeldOut, binary: Tensor, *, beside: LiveFigure | None = None
) -> LiveFigure:
    """Let the reader draw a digit and show what a VAE makes of it.

    The drawing is centered and scaled as MNIST is, and becomes black or white at a gray level of
    one half.

    Parameters
    ----------
    vae : VAE
        Two latent dimensions, fully connected, with a Bernoulli decoder of 28 by 28 pixels.
    test : HeldOut
        Images and labels; the first 600 are put on the plane.
    binary : Tensor
        The same images, binarized.
    beside : LiveFigure, optional
        A figure that stands before this one on the page. Networks that it holds are not stored
        again.

    Returns
    -------
    LiveFigure
        Its state: ``strokes``, each a list of points in the unit square.

    Raises
    ------
    ValueError
        If the model is not of that kind.
    """
    decoder, decoder_blob = _packed(vae.decoder, "the decoder")
    encoder, encoder_blob = _packed(vae.encoder, "the encoder")
    if decoder["head"] != "logits" or encoder["sizes"][-1] != 4:
        raise ValueError("draw_a_digit needs a VAE with two latent dimensions and Bernoulli pixels")
    codes = embed(vae, binary[:SHOWN])
    options = {"encoder": encoder, "decoder": decoder, **plane_map(codes, test.y)}
    return LiveFigure(
        "draw-a-digit",
        options,
        {"strokes": [_three()]},
        blobs={decoder["key"]: decoder_blob, encoder["key"]: encoder_blob},
        beside=beside,
        picture=lambda: pictures.plane(options["points"], test.y[:SHOWN].numpy(), options["edges"]),
        description="A scatter plot of encoded digits by class. With scripts, a drawn digit "
        "appears on it as an ellipse, with its reconstructions.",
    )


def _packed(network: nn.Module, name: str) -> tuple[dict, bytes]:
    """Return a perceptron's layer widths and head, and its weights as float16."""
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    others = (nn.Linear, nn.ReLU, nn.Sequential)
    mlp = network[0] if isinstance(network, nn.Sequential) else network
    inner = [module for module in mlp.modules() if module is not mlp]
    if not layers or not all(isinstance(module, others) for module in inner):
        raise ValueError(f"{name} must be an MLP with ReLU units, got {type(mlp).__name__}")
    sizes = [layers[0].in_features, *(layer.out_features for layer in layers)]
    if PIXELS not in sizes or not {2, 4} & {sizes[0], sizes[-1]}:
        raise ValueError(f"{name} must join {PIXELS} pixels and 2 latent dimensions, got {sizes}")
    about, blob = packed_layers([(layer.weight.detach(), layer.bias.detach()) for layer in layers])
    heads = {Bernoulli: "logits", Gaussian: "mean and log variance"}
    return {**about, "head": heads.get(type(network[-1]), "mean")}, blob


def packed_layers(layers: list[tuple[Tensor, Tensor]]) -> tuple[dict, bytes]:
    """Return the widths and a key of some affine layers, and their weights as float16."""
    parts = [part.flatten() for layer in layers for part in layer]
    blob = torch.cat(parts).half().cpu().numpy().astype("<f2").tobytes()
    sizes = [layers[0][0].shape[1], *(len(bias) for _, bias in layers)]
    return {"key": hashlib.sha256(blob).hexdigest()[:12], "sizes": sizes}, blob


def plane_map(codes: Tensor, labels: Tensor) -> dict:
    """Return the points of the plane, their labels, and edges that hold nearly all of them."""
    low, high = np.quantile(codes.numpy(), [0.005, 0.995], axis=0)
    reach = 0.56 * float((high - low).max())
    edges = [[float(c - reach), float(c + reach)] for c in (low + high) / 2]
    return {
        "points": rounded(codes[:SHOWN]),
        "labels": labels[:SHOWN].tolist(),
        "edges": np.round(edges, 2).tolist(),
    }


def rounded(values: Tensor, digits: int = 2) -> list:
    """Return a tensor as lists of numbers with few digits: each digit weighs on the page."""
    return np.round(values.double().numpy(), digits).tolist()


def _three() -> list[list[float]]:
    """Draw a 3 from two arcs."""
    upper = [
        (0.48 + 0.17 * math.cos(a), 0.34 + 0.15 * math.sin(a)) for a in np.linspace(-2.6, 1.4, 12)
    ]
    lower = [
        (0.48 + 0.20 * math.cos(a), 0.66 + 0.18 * math.sin(a)) for a in np.linspace(-1.4, 2.7, 14)
    ]
    return [[round(x, 3), round(y, 3)] for x, y in upper + lower]
