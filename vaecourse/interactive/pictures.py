"""The pictures that stand for live figures in print and where scripts are off."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from vaecourse.plots import density_panels, images, reconstructions
from vaecourse.plots.style import ACCENT, DIGITS, INK, MUTED, SERIES, new_figure, styled

__all__ = ["elbo_gap", "gradients", "marginal", "monte_carlo", "plane", "styles", "sweep", "walks"]

CORAL = SERIES[1]


def marginal(points: np.ndarray, codes: np.ndarray, scale: float, extent: float) -> Figure:
    """Draw the mixture's density over the plane, for `scale` and three others."""
    weights = np.exp(-0.5 * codes**2)
    axis = np.linspace(-extent, extent, 101)
    panels = {}
    for each in sorted({0.05, scale, 0.4, 1.2}):
        bells = np.exp(-0.5 * ((axis[:, None, None] - points) / each) ** 2)
        density = np.einsum("ik,jk,k->ji", bells[..., 0], bells[..., 1], weights)
        norm = weights.sum() * 2 * math.pi * each**2
        panels[f"$\\sigma$ = {each:g}"] = density / norm
    return density_panels(panels, (-extent, extent, -extent, extent))


def monte_carlo(length: float, scale: float, latent_dim: int, runs: int = 10) -> Figure:
    """Draw running estimates of log p(x) over the number of samples, in nats from the truth."""
    ratio = (length / scale) ** 2
    mean, variance = length / math.hypot(length, scale), 1 / (1 + ratio)
    z = np.random.default_rng(1).standard_normal((runs, 2**14, latent_dim))
    log_ratio = 0.5 * (z**2 - (z - mean) ** 2 / variance - math.log(variance)).sum(-1)
    counts = 2 ** np.arange(15)
    sums = np.logaddexp.accumulate(log_ratio, axis=1)[:, counts - 1] - np.log(counts)
    lines = {f"run {run}": row for run, row in enumerate(sums, 1)}
    return _bundle(counts, lines)


@styled
def _bundle(counts: np.ndarray, lines: dict) -> Figure:
    figure = new_figure(3.4)
    axes = figure.add_subplot()
    for row in lines.values():
        axes.plot(counts, row, color=ACCENT, linewidth=1.2, alpha=0.7)
    axes.axhline(0, color=INK, linewidth=1.2)
    axes.set(xscale="log", xlabel="samples $K$", ylabel="nats from the exact log p(x)")
    return figure


@styled
def elbo_gap(
    mean: float, deviation: float, log_marginal: float, start: dict, axis: Sequence[float]
) -> Figure:
    """Draw posterior and q above the bars of ELBO, KL divergence and log p(x)."""
    z = np.linspace(*axis, 400)
    figure = new_figure(4.0)
    top, bottom = figure.subplots(2, 1, height_ratios=[2, 1])
    for name, m, s, color in (
        ("posterior", mean, deviation, ACCENT),
        ("q", start["mean"], start["deviation"], CORAL),
    ):
        density = np.exp(-0.5 * ((z - m) / s) ** 2) / (s * math.sqrt(2 * math.pi))
        top.plot(z, density, color=color, label=name)
    top.set(xlabel="z", yticks=[])
    top.legend()
    m, s = start["mean"], start["deviation"]
    gap = math.log(deviation / s) + (s**2 + (m - mean) ** 2) / (2 * deviation**2) - 0.5
    bottom.barh("log p(x)", log_marginal, color=ACCENT)
    bottom.barh("log p(x)", -gap, left=log_marginal, color=CORAL, label="minus KL")
    bottom.barh("ELBO", log_marginal - gap, color=MUTED)
    bottom.invert_yaxis()
    bottom.set(xlabel="nats")
    bottom.legend()
    return figure


@styled
def gradients(
    center: float, precision: float, logMarginal: float, mean: float, logVariance: float
) -> Figure:
    """Draw the tips of 300 estimates of each kind around the exact gradient."""
    eps, scale = np.random.default_rng(1).standard_normal(300), math.exp(logVariance / 2)
    distance = mean + scale * eps - center
    path = -precision * distance, 0.5 - 0.5 * precision * distance * scale * eps
    value = logMarginal + 0.5 * (math.log(precision) + logVariance + eps**2)
    value = value - 0.5 * precision * distance**2
    score = value * eps / scale, 0.5 * value * (eps**2 - 1)
    figure = new_figure(3.6)
    axes = figure.add_subplot()
    axes.scatter(*score, s=9, color=CORAL, alpha=0.6, linewidths=0, label="score function")
    axes.scatter(*path, s=9, color=ACCENT, alpha=0.8, linewidths=0, label="pathwise")
    exact = -precision * (mean - center), 0.5 * (1 - precision * math.exp(logVariance))
    axes.scatter(*exact, s=70, facecolors="none", edgecolors=INK, linewidths=1.6, label="exact")
    axes.set(xlabel="∂/∂μ (nats)", ylabel="∂/∂ℓ (nats)")
    axes.legend()
    return figure


@styled
def walks(maps: dict, labels: np.ndarray) -> Figure:
    """Draw the latent planes of several models, each with the line of its walk."""
    figure = new_figure(3.3)
    for axes, (name, each) in zip(figure.subplots(1, len(maps)), maps.items(), strict=True):
        _scatter(axes, each["points"], labels, each["edges"])
        axes.plot(*np.transpose(each["ends"]), color=INK, linestyle="--", marker="o")
        axes.set_title(name)
    return figure


def styles(digits: np.ndarray) -> Figure:
    """Draw generated digits, styles by classes."""
    return images(digits.reshape(-1, 28, 28), columns=10)


def sweep(given: ArrayLike, reconstructed: dict) -> Figure:
    """Draw some images and, row by row, the reconstructions of several models."""
    return reconstructions(given, reconstructed)


@styled
def plane(points: list, labels: np.ndarray, edges: list) -> Figure:
    """Draw encoded images by class."""
    figure = new_figure(4.0, width=4.0)
    _scatter(figure.add_subplot(), points, labels, edges)
    return figure


def _scatter(axes: Axes, points: list, labels: np.ndarray, edges: list) -> None:
    colors = [DIGITS[label] for label in labels]
    axes.scatter(*np.transpose(points), s=6, c=colors, linewidths=0)
    axes.set(xlim=edges[0], ylim=edges[1], xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
