"""Live figures of models that know a class."""

import numpy as np
import torch
from torch import Tensor, nn

from vaecourse.data import Batch
from vaecourse.evaluation import embed
from vaecourse.interactive import pictures
from vaecourse.interactive.digits import packed_layers, plane_map, rounded
from vaecourse.interactive.host import LiveFigure
from vaecourse.latents import principal_components
from vaecourse.models.semi_supervised import StackedM2

__all__ = ["style_content"]


def style_content(model: StackedM2, batch: Batch, examples: list[int]) -> LiveFigure:
    """Show what a semi-supervised model decodes from a class and a style.

    The plane of styles is spanned by the first two principal components of the posterior means of
    z; a step of one along an axis is one standard deviation of theirs. What lies outside of the
    plane is taken from one of the examples.

    Parameters
    ----------
    model : StackedM2
        Ten classes; all its networks fully connected; pixels Bernoulli, 28 by 28.
    batch : Batch
        Images with their classes.
    examples : list of int
        Rows of the batch that may lend their style.

    Returns
    -------
    LiveFigure
        Its state: ``style``, the place in the plane, ``label`` and ``from``, the place of the
        example in the list. The last example is the mean style.

    Raises
    ------
    ValueError
        If an example has no class.
    """
    if (batch.y < 0).any():
        raise ValueError("the style of an image is read given its class, but some have none (-1)")
    with torch.no_grad():
        codes = model.second.encode(embed(model.first, batch.x), batch.y).mean.double()
    plane = principal_components(codes, 2)
    spread = plane.variances.sqrt()
    directions = plane.directions * spread.unsqueeze(1)
    styles = plane.project(codes) / spread
    inner, outer = _conditional_layers(model.second.decoder), _linear_layers(model.first.decoder)
    networks = [packed_layers(inner), packed_layers(outer)]
    names = [f"this {int(batch.y[row])}" for row in examples] + ["the average"]
    places = torch.cat([styles[examples], torch.zeros(1, 2)])
    starts = torch.cat([codes[examples], plane.mean.unsqueeze(0)])
    rests = starts - places @ directions
    options = {
        "networks": [about for about, _ in networks],
        "directions": rounded(directions, 4),
        "examples": [
            {"name": name, "style": rounded(place, 2), "rest": rounded(rest, 4)}
            for name, place, rest in zip(names, places, rests, strict=True)
        ],
        **plane_map(styles, batch.y),
    }
    first = options["examples"][0]
    return LiveFigure(
        "style-content",
        options,
        {"style": first["style"], "label": int(batch.y[examples[0]]), "from": 0},
        blobs={about["key"]: blob for about, blob in networks},
        picture=lambda: pictures.styles(_decoded(model, starts)),
        description="A row of ten generated digits for each of several styles: each column has one "
        "class, and the slant and the weight of the pen stay alike along a row.",
    )


def _decoded(model: StackedM2, codes: Tensor) -> np.ndarray:
    """Decode every code as every class: shape (codes, 10, 28, 28)."""
    with torch.no_grad():
        images = model.decode(codes.float(), torch.arange(10)[:, None]).mean
    return images.transpose(0, 1).reshape(len(codes), 10, 28, 28).numpy()


def _linear_layers(network: nn.Module) -> list[tuple[Tensor, Tensor]]:
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    return [(layer.weight.detach(), layer.bias.detach()) for layer in layers]


def _conditional_layers(network: nn.Module) -> list[tuple[Tensor, Tensor]]:
    """Return layers that take a code beside a one-hot class, and give the head's mean."""
    (weight, bias), *inner, (last, last_bias) = _linear_layers(network)
    joined = torch.cat([weight, network.network.label.weight.detach().T], dim=1)
    half = len(last_bias) // 2  # the head's log variance is not needed
    return [(joined, bias), *inner, (last[:half], last_bias[:half])]
