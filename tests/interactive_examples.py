"""Live figures small enough for a test, and pages that hold them."""

import base64
import json
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

import vaecourse as vae
from vaecourse import interactive
from vaecourse.interactive.bundle import module

HIDDEN = (64, 32)


class Example(NamedTuple):
    """How a figure is made, and how every test of all figures moves it."""

    make: Callable
    dragged: tuple[str, tuple, tuple]  # what, from and to, in shares of its box
    keyed: tuple[str, str]  # what takes a key, and the key
    changed: list[str]  # what the drag changes of its state


class Spiral(nn.Module):
    """The curve of chapter 2."""

    def forward(self, z):
        radius, angle = torch.exp(z / 4), 2.5 * z
        return torch.cat([radius * angle.cos(), radius * angle.sin()], dim=-1)


def reading():
    """Return three readings of one cause, and the model that made them."""
    weight = torch.tensor([[1.0], [0.8], [0.9]])
    oracle = vae.LinearGaussian(weight, torch.zeros(3), scale=0.4)
    return oracle, torch.tensor([[1.8, 1.6, 1.3]], dtype=torch.float64)


@cache
def models():
    """Return an untrained VAE and an untrained autoencoder with two latent dimensions."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        pair = (
            vae.mlp_vae((1, 28, 28), 2, HIDDEN),
            vae.mlp_autoencoder((1, 28, 28), 2, HIDDEN),
        )
    for model in pair:
        model.decoder[0].layers[0].weight.data.mul_(4)  # so that pictures differ from code to code
    return tuple(model.eval() for model in pair)


@cache
def digits():
    """Return 40 random pictures with labels."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand((40, 1, 28, 28), generator=generator)
    return vae.HeldOut(images, torch.arange(40) % 10)


def _explorer():
    model, plain = models()
    return interactive.latent_explorer(model, plain, digits(), digits().x.round(), (5, 13))


def _drawing():
    return interactive.draw_a_digit(models()[0], digits(), digits().x.round())


@cache
def stacked():
    """Return an untrained M1+M2 with 3 latents z2 over 4 latents z1."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        first = vae.mlp_vae((1, 28, 28), 4, (32,))
        second = vae.mlp_m2(4, 3, num_classes=10, hidden=(24,), likelihood=vae.Gaussian)
    first.decoder[0].layers[0].weight.data.mul_(6)
    second.decoder.network.first.weight.data.mul_(6)
    second.encoder.network.first.weight.data.mul_(6)
    return vae.StackedM2(first, second).eval()


def _styles():
    return interactive.style_content(stacked(), binary(), [2, 13])


@cache
def swept():
    """Return three untrained VAEs by a number."""
    with torch.random.fork_rng():
        torch.manual_seed(6)
        return {value: vae.mlp_vae((1, 28, 28), 2, (16,)).eval() for value in (0.1, 1, 2000)}


def binary():
    """Return the random pictures in black and white."""
    return vae.Batch(digits().x.round(), digits().y)


def _multipliers():
    accuracies = {"validation": torch.tensor([0.1, 0.5, 0.7]), "labels": torch.tensor([0.1, 1, 1])}
    return interactive.multiplier(swept(), binary(), accuracies)


EXAMPLES = {
    "marginal": Example(
        lambda: interactive.marginal(Spiral()),
        ("canvas.plane", (0.5, 0.5), (0.5, 0.25)),
        ("canvas.plane", "ArrowUp"),
        ["cut"],
    ),
    "monte-carlo": Example(
        interactive.monte_carlo,
        ("input[name=latentDim]", (0.2, 0.5), (0.6, 0.5)),
        ("input[name=power]", "ArrowLeft"),
        ["latentDim"],
    ),
    "elbo-gap": Example(
        lambda: interactive.elbo_gap(*reading()),
        ("[aria-label='mean of q']", (0.5, 0.5), (2.5, 0.5)),
        ("[aria-label='standard deviation of q']", "ArrowRight"),
        ["mean"],
    ),
    "gradients": Example(
        lambda: interactive.gradients(*reading()),
        (".chart >> nth=0", (0.6, 0.4), (0.4, 0.6)),
        ("[role=application]", "ArrowUp"),
        ["mean", "logVariance"],
    ),
    "latent-explorer": Example(
        _explorer,
        ("canvas[role=application] >> nth=0", (0.3, 0.3), (0.7, 0.6)),
        ("canvas[role=application] >> nth=1", "ArrowRight"),
        ["VAE"],
    ),
    "draw-a-digit": Example(
        _drawing,
        ("canvas[role=application]", (0.2, 0.2), (0.8, 0.7)),
        ("canvas[role=application]", " "),
        ["strokes"],
    ),
    "beta": Example(
        lambda: interactive.beta(swept(), binary()),
        ("input[name=index]", (0.5, 0.5), (0.95, 0.5)),
        ("input[name=index]", "ArrowLeft"),
        ["index"],
    ),
    "style-content": Example(
        _styles,
        ("canvas[role=application]", (0.2, 0.2), (0.8, 0.7)),
        ("[aria-label='class 7']", "Enter"),
        ["style"],
    ),
    "lambda": Example(
        _multipliers,
        ("input[name=index]", (0.1, 0.5), (0.95, 0.5)),
        ("input[name=index]", "ArrowLeft"),
        ["index"],
    ),
}


def _of_own_files():
    """Yield the example that stands beside the tests of one figure, `test_figure_NAME.py`."""
    for path in sorted(Path(__file__).parent.glob("test_figure_*.py")):
        name = path.stem.removeprefix("test_figure_").replace("_", "-")
        yield name, import_module(f"tests.{path.stem}").EXAMPLE


EXAMPLES |= _of_own_files()
FIGURES = {name: example.make for name, example in EXAMPLES.items()}


@cache
def html(name):
    """Return one figure as HTML."""
    return FIGURES[name]().html()


def page(*names):
    """Return a page of figures."""
    body = "\n".join(html(name) for name in names)
    return (
        '<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Figures</title>'
        '<link rel="stylesheet" href="course.css"><style>body { margin: 10px; '
        "background: var(--pst-color-background); color: var(--pst-color-text-base) }</style>"
        f"</head><body><main><h1>Figures</h1>{body}</main></body></html>"
    )


def mathematics(browser_page, figure, call, *arguments):
    """Evaluate ``call``, JavaScript on the figure's pure functions ``m`` and the arguments."""
    address = "data:text/javascript;base64," + base64.b64encode(module(figure).encode()).decode()
    code = "([address, given]) => import(address).then(({ mathematics: m }) => JSON.stringify("
    text = browser_page.evaluate(f"{code}(({call})(m, ...given))))", [address, list(arguments)])
    return json.loads(text)
