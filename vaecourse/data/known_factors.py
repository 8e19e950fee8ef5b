"""Strokes for which every factor is kept: a code can be held against what it should say."""

from typing import NamedTuple

import numpy as np
import torch

from vaecourse.data.split import Batch
from vaecourse.data.strokes import Strokes, strokes

__all__ = ["FactorImages", "all_digits", "moving_digit"]

MOVES = {
    "slant": (-0.7, 0.7),
    "thickness": (1.0, 4.0),
    "scale": (0.6, 1.0),
    "position_x": (-4.0, 4.0),
    "position_y": (-4.0, 4.0),
}


class FactorImages(NamedTuple):
    """Images, and what each was drawn with.

    Attributes
    ----------
    batch : Batch
        Images ``(N, 1, 28, 28)`` in [0, 1] and the digits that they show.
    factors : dict of str to numpy.ndarray
        K arrays ``(N,)``; whole numbers where a factor is a choice.
    """

    batch: Batch
    factors: dict[str, np.ndarray]


def moving_digit(num: int, seed: int = 0) -> FactorImages:
    """Draw one digit, a 4, whose five factors are independent and uniform.

    Slant, thickness, scale and the two coordinates vary widely; nothing else does. So the five
    numbers say all there is to say about an image.

    Parameters
    ----------
    num : int
        How many images.
    seed : int
        The same seed gives the same images.

    Returns
    -------
    FactorImages
        The images and their five factors, under the names and in the units of
        `vaecourse.data.strokes.strokes`.
    """
    rng = np.random.default_rng(seed)
    moves = {name: rng.uniform(low, high, num) for name, (low, high) in MOVES.items()}
    drawn = strokes(num, seed, label=4, style=0, wobble=0, rotation=0, **moves)
    return _with_factors(drawn, list(MOVES))


def all_digits(num: int, seed: int = 0) -> FactorImages:
    """Draw all digits in their usual variety, and keep their seven factors.

    Two things that vary are left out, since no one number could hold them: the style, whose count
    starts anew for each digit, and wobble, the size of a deviation of many dimensions.

    Parameters
    ----------
    num : int
        How many images.
    seed : int
        The same seed gives the same images.

    Returns
    -------
    FactorImages
        The images; ``label``, the five factors of `moving_digit`, and ``rotation``.
    """
    return _with_factors(strokes(num, seed), ["label", *MOVES, "rotation"])


def _with_factors(drawn: Strokes, names: list[str]) -> FactorImages:
    x = torch.from_numpy(drawn.images)[:, None].float() / 255
    factors = {name: drawn.factors[name] for name in names}
    if "label" in factors:
        factors["label"] = drawn.labels
    return FactorImages(Batch(x, torch.from_numpy(drawn.labels)), factors)
