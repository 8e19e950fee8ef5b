"""Plain networks: tensor in, tensor out, no probability.

Every network maps ``(*batch, *in_shape)`` to ``(*batch, *out_shape)`` for any number of leading
batch dimensions, so the same decoder serves ``z`` of shape ``(B, L)`` and ``(K, B, L)``.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

from vaecourse.checks import Shape, as_positive, as_shape, as_widths

__all__ = ["MLP", "Activation", "ConditionalMLP", "ConvDecoder", "ConvEncoder", "Linear"]

Activation = Callable[[], nn.Module]
"""Anything that builds a nonlinearity: `torch.nn.ReLU`, or a `functools.partial`."""


def _split_batch(x: Tensor, event_shape: tuple[int, ...]) -> torch.Size:
    """Return the leading batch shape of `x`, after checking its trailing event shape."""
    event_dims = len(event_shape)
    if x.dim() < event_dims or tuple(x.shape[x.dim() - event_dims :]) != event_shape:
        raise ValueError(
            f"the network takes inputs of shape (*batch, {', '.join(map(str, event_shape))}), "
            f"got {tuple(x.shape)}; reshape the input or build the network with its shape"
        )
    return x.shape[: x.dim() - event_dims]


class MLP(nn.Module):
    """Multi-layer perceptron between arrays of any shape.

    Parameters
    ----------
    in_shape, out_shape : int or sequence of int
        Shapes of one input and of one output, without batch dimensions.
    hidden : int or sequence of int
        Units in each hidden layer; an empty sequence gives an affine map.
    activation : callable
        Builds the nonlinearity that follows each hidden layer.

    Raises
    ------
    ValueError
        If a size is not a positive integer, or an input does not end in `in_shape`.
    """

    def __init__(
        self,
        in_shape: Shape,
        hidden: Shape,
        out_shape: Shape,
        activation: Activation = nn.ReLU,
    ) -> None:
        super().__init__()
        self.in_shape = as_shape(in_shape, "in_shape")
        self.out_shape = as_shape(out_shape, "out_shape")
        widths = as_widths(hidden)
        sizes = (prod(self.in_shape), *widths, prod(self.out_shape))
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(sizes[:-1]):
            layers += [nn.Linear(fan_in, fan_out), activation()]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(*batch, *in_shape)`` to ``(*batch, *out_shape)``."""
        batch = _split_batch(x, self.in_shape)
        flat = x.reshape(*batch, prod(self.in_shape))
        return self.layers(flat).reshape(*batch, *self.out_shape)


class Linear(MLP):
    """Affine map between arrays of any shape: an `MLP` with no hidden layer.

    Parameters
    ----------
    in_shape, out_shape : int or sequence of int
        Shapes of one input and of one output, without batch dimensions.
    """

    def __init__(self, in_shape: Shape, out_shape: Shape) -> None:
        super().__init__(in_shape, (), out_shape)


class ConditionalMLP(nn.Module):
    r"""Multi-layer perceptron of an array and a class: an `MLP` on x beside a one-hot y.

    The first layer is split, :math:`h = W_x x + b + W_y y`, and the batch shapes of x and y
    broadcast. With x of shape ``(B, *in_shape)`` and ``y = torch.arange(C)[:, None]`` the output
    holds every class, ``(C, B, *out_shape)``, while the product with x, the largest of all, is
    computed once for the C classes.

    Parameters
    ----------
    in_shape, out_shape : int or sequence of int
        Shapes of one input and of one output, without batch dimensions.
    num_classes : int
        Number C of classes.
    hidden : int or sequence of int
        Units in each hidden layer; an empty sequence gives an affine map.
    activation : callable
        Builds the nonlinearity that follows each hidden layer.

    Raises
    ------
    ValueError
        If a size is not a positive integer, or an input does not end in `in_shape`.
    """

    def __init__(
        self,
        in_shape: Shape,
        num_classes: int,
        hidden: Shape,
        out_shape: Shape,
        activation: Activation = nn.ReLU,
    ) -> None:
        super().__init__()
        num_classes = as_positive(num_classes, "num_classes")
        self.in_shape = as_shape(in_shape, "in_shape")
        self.out_shape = as_shape(out_shape, "out_shape")
        widths = as_widths(hidden)
        sizes = (*widths, prod(self.out_shape))
        self.first = nn.Linear(prod(self.in_shape), sizes[0])
        self.label = nn.Embedding(num_classes, sizes[0])
        bound = (prod(self.in_shape) + num_classes) ** -0.5
        nn.init.uniform_(self.label.weight, -bound, bound)
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(sizes):
            layers += [activation(), nn.Linear(fan_in, fan_out)]
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor, y: Tensor, rows: Tensor | None = None) -> Tensor:
        """Map ``(*batch, *in_shape)`` and classes ``(*batch)`` to ``(*batch, *out_shape)``.

        With `rows` the n-th class goes with ``x[rows[n]]``, and each x is multiplied once.
        """
        batch = _split_batch(x, self.in_shape)
        flat = x.reshape(*batch, prod(self.in_shape))
        inner = self.first(flat)
        if rows is not None:
            inner = inner.index_select(0, rows)
        out = self.layers(inner + self.label(y))
        return out.reshape(*out.shape[:-1], *self.out_shape)


def _check_image(shape: Shape, channels: Sequence[int], name: str) -> tuple[int, int, int]:
    sizes = as_shape(shape, name)
    factor = 2 ** len(channels)
    if len(sizes) != 3 or sizes[1] % factor or sizes[2] % factor:
        raise ValueError(
            f"{name} must be (channels, height, width) with sides divisible by {factor}, one "
            f"halving for each of the {len(channels)} layers, got {sizes}"
        )
    return sizes[0], sizes[1], sizes[2]


class ConvEncoder(nn.Module):
    """Strided convolutions that halve an image once per layer, then an affine map.

    Parameters
    ----------
    in_shape : sequence of int
        ``(channels, height, width)`` of one image.
    channels : sequence of int
        Channels after each 4x4 convolution of stride 2.
    out_shape : int or sequence of int
        Shape of one output.
    activation : callable
        Builds the nonlinearity that follows each convolution.

    Raises
    ------
    ValueError
        If a side of the image cannot be halved that often.
    """

    def __init__(
        self,
        in_shape: Shape,
        channels: Sequence[int],
        out_shape: Shape,
        activation: Activation = nn.ReLU,
    ) -> None:
        super().__init__()
        channels = as_shape(channels, "channels")
        self.in_shape = _check_image(in_shape, channels, "in_shape")
        self.out_shape = as_shape(out_shape, "out_shape")
        depth, height, width = self.in_shape
        layers: list[nn.Module] = []
        for before, after in zip((depth, *channels[:-1]), channels, strict=True):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), activation()]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        factor = 2 ** len(channels)
        features = channels[-1] * (height // factor) * (width // factor)
        self.output = nn.Linear(features, prod(self.out_shape))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(*batch, *in_shape)`` to ``(*batch, *out_shape)``."""
        batch = _split_batch(x, self.in_shape)
        features = self.layers(x.reshape(-1, *self.in_shape))
        return self.output(features).reshape(*batch, *self.out_shape)


class ConvDecoder(nn.Module):
    """Mirror of `ConvEncoder`: an affine map, then transposed convolutions that double.

    Parameters
    ----------
    in_shape : int or sequence of int
        Shape of one input, for example the number of latent dimensions.
    channels : sequence of int
        Channels before each 4x4 transposed convolution of stride 2.
    out_shape : sequence of int
        ``(channels, height, width)`` of one output.
    activation : callable
        Builds the nonlinearity between layers.

    Raises
    ------
    ValueError
        If a side of the output is not divisible by two once per layer.
    """

    def __init__(
        self,
        in_shape: Shape,
        channels: Sequence[int],
        out_shape: Shape,
        activation: Activation = nn.ReLU,
    ) -> None:
        super().__init__()
        channels = as_shape(channels, "channels")
        self.in_shape = as_shape(in_shape, "in_shape")
        self.out_shape = _check_image(out_shape, channels, "out_shape")
        depth, height, width = self.out_shape
        factor = 2 ** len(channels)
        seed_shape = (channels[0], height // factor, width // factor)
        self.input = nn.Linear(prod(self.in_shape), prod(seed_shape))
        layers: list[nn.Module] = [nn.Unflatten(1, seed_shape)]
        for before, after in zip(channels, (*channels[1:], depth), strict=True):
            layers += [activation(), nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)]
        self.layers = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        """Map ``(*batch, *in_shape)`` to ``(*batch, *out_shape)``."""
        batch = _split_batch(z, self.in_shape)
        features = self.input(z.reshape(-1, prod(self.in_shape)))
        return self.layers(features).reshape(*batch, *self.out_shape)
