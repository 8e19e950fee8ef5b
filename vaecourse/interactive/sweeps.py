"""Live figures of sweeps: models that differ in one number, and pictures of each."""

import hashlib
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from vaecourse.data import Batch
from vaecourse.evaluation import evaluate, reconstruct, sample_prior
from vaecourse.interactive import pictures
from vaecourse.interactive.host import LiveFigure
from vaecourse.objectives import elbo

__all__ = ["beta", "multiplier"]

COUNT = 10


def beta(models: Mapping[float, nn.Module], batch: Batch) -> LiveFigure:
    """Show reconstructions and samples of models trained with different weights of the KL term.

    Parameters
    ----------
    models : mapping of float to Module
        VAEs of 28 by 28 pixels by their beta, two or more.
    batch : Batch
        Binary images with labels: rate and distortion are means over them; the first of each of
        the ten classes is reconstructed.

    Returns
    -------
    LiveFigure
        Its state: ``index``, the place of a model in the order of beta. It starts at the beta
        nearest to 1.
    """
    models = dict(sorted(models.items()))
    means = [evaluate(model, elbo, batch) for model in models.values()]
    rates = [mean["kl"] for mean in means]
    distortions = [-mean["reconstruction"] for mean in means]
    chart = {
        "label": "Distortion over rate of the models",
        "x": [round(rate, 2) for rate in rates],
        "xLabel": "rate (nats)",
        "yLabel": "distortion (nats)",
        "lines": [{"name": "", "color": "accent", "y": [round(d, 2) for d in distortions]}],
    }
    facts = [
        [
            ["rate", f"{rate:.1f} nats"],
            ["distortion", f"{distortion:.1f} nats"],
            ["ELBO", f"−{rate + distortion:.1f} nats"],
        ]
        for rate, distortion in zip(rates, distortions, strict=True)
    ]
    start = min(range(len(models)), key=lambda index: abs(list(models)[index] - 1))
    return _sweep("beta", "weight β of the KL term", models, batch, [chart], facts, start)


def multiplier(
    models: Mapping[float, nn.Module], batch: Batch, accuracies: Mapping[str, Tensor]
) -> LiveFigure:
    """Show accuracy, bound and samples of models trained with different label multipliers.

    Parameters
    ----------
    models : mapping of float to Module
        Prediction-constrained VAEs of 28 by 28 pixels by their multiplier, two or more.
    batch : Batch
        Binary images with labels for the bound; the first of each of the ten classes is
        reconstructed.
    accuracies : mapping of str to Tensor
        Shares of right predictions, one per model in the order of `models`, by their name; one or
        two.

    Returns
    -------
    LiveFigure
        Its state: ``index``, the place of a model.

    Raises
    ------
    ValueError
        If there is not one accuracy for each model.
    """
    for name, values in accuracies.items():
        if len(values) != len(models):
            raise ValueError(
                f"accuracies[{name!r}] needs one value per model, got {len(values)} for "
                f"{len(models)}"
            )
    costs = [-evaluate(model, elbo, batch)["elbo"] for model in models.values()]
    shares = {name: [100 * float(v) for v in values] for name, values in accuracies.items()}
    places, names = list(range(len(models))), [_text(value) for value in models]
    axis = {"x": places, "xText": names, "xLabel": "multiplier λ"}
    lines = [
        {"name": name, "color": color, "y": [round(share, 2) for share in values]}
        for (name, values), color in zip(shares.items(), ("accent", "coral"), strict=False)
    ]
    cost = {"name": "", "color": "violet", "y": [round(value, 2) for value in costs]}
    charts = [
        {"label": "Accuracy over the multiplier", "yLabel": "accuracy (%)", "lines": lines, **axis},
        {"label": "The bound's cost", "yLabel": "−ELBO (nats)", "lines": [cost], **axis},
    ]
    facts = [
        [
            *([f"accuracy, {name}", f"{values[k]:.1f} %"] for name, values in shares.items()),
            ["−ELBO", f"{costs[k]:.1f} nats"],
        ]
        for k in places
    ]
    return _sweep("lambda", "multiplier λ of the labels", models, batch, charts, facts, 0)


def _sweep(
    name: str,
    symbol: str,
    models: Mapping[float, Any],
    batch: Batch,
    charts: list[dict],
    facts: list[list[list[str]]],
    start: int,
) -> LiveFigure:
    """Put pictures of all models into one figure."""
    if len(models) < 2:
        raise ValueError(f"a sweep needs at least two models, got {len(models)}")
    first = [int((batch.y == label).nonzero()[0]) for label in range(COUNT)]
    given = batch.x[first]
    reconstructed = [reconstruct(model, given) for model in models.values()]
    rows, blobs = [], {}
    for title, images, fixed in (
        ("images", [given], True),
        ("reconstructions", reconstructed, False),
        ("samples", [sample_prior(model, COUNT, seed=0) for model in models.values()], False),
    ):
        blob = torch.stack(images).mul(255).round().to(torch.uint8).numpy().tobytes()
        key = hashlib.sha256(blob).hexdigest()[:12]
        blobs[key] = blob
        rows.append({"title": title, "key": key, "fixed": fixed})
    options = {
        "symbol": symbol,
        "values": [_text(value) for value in models],
        "rows": rows,
        "charts": charts,
        "facts": facts,
        "count": COUNT,
    }
    return LiveFigure(
        name,
        options,
        {"index": start},
        blobs=blobs,
        picture=lambda: pictures.sweep(
            given, dict(zip(options["values"], reconstructed, strict=True))
        ),
        description=f"Rows of ten digits: the given images, then their reconstructions by models "
        f"with a growing {symbol}.",
    )


def _text(value: float) -> str:
    return f"{value:,g}" if value < 1000 else f"{value:,.0f}"
