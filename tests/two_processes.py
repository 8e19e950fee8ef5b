"""Training runs for `test_distributed.py`: the same in one process and, under torchrun, in several.

Run as a program, this file trains every case and lets each process write what it ended with.
"""

import os
import sys
from functools import partial
from pathlib import Path

import torch
from linear_vae import linear_gaussian
from torch import nn

import vaecourse as vc
from vaecourse.data.labels import dynamic_binarization
from vaecourse.divergences import kl
from vaecourse.objectives import elbo, iwae, prediction_constrained
from vaecourse.runtime import isolated_rng
from vaecourse.training.checkpoints import write_checkpoint

STEPS = 16


def data(num=37):
    """Return grey images, all without labels but three."""
    x = torch.rand(num, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    y = torch.full((num,), -1)
    y[:3] = torch.arange(3)
    return vc.Batch(x, y)


def split():
    return vc.Split("toy", data(), data(11), vc.HeldOut(*data(5)), identity="toy")


def vae(*layers, seed=11, build=vc.mlp_vae, **options):
    with isolated_rng(seed):
        model = build((1, 4, 4), 4, **options)
        model.encoder = nn.Sequential(*layers, *model.encoder)
    return model


def unused_weight():
    model = vae()
    model.unused = nn.Parameter(torch.ones(3))
    return model


def at_the_mean(model, batch, beta=1.0):
    """Return terms without noise: the bound with the mean of q(z|x) in place of a sample."""
    posterior = model.encode(batch.x)
    reconstruction = model.decode(posterior.mean).log_prob(batch.x)
    rate = kl(posterior, model.prior())
    return {"rate": rate, "loss": beta * rate - reconstruction}


def at_the_mean_and_by_labels(model, batch):
    """Return terms by which a weight learns from labeled rows alone: most batches have none."""
    terms = at_the_mean(model, batch)
    labeled = batch.y >= 0
    if labeled.any():
        terms["loss"] = terms["loss"] + labeled * (model.unused**2).sum()
    return terms


def not_a_number(model, batch):
    """Return a loss that is not a number in the first row of the data, so for one process alone."""
    terms = at_the_mean(model, batch)
    first = (batch.x == data().x[0]).flatten(1).all(1)
    return {"loss": terms["loss"].where(~first, torch.nan)}


# Batches of 8 rows: in two processes 4 rows each, as many as there are latent dimensions.
WITHOUT_NOISE: dict[str, dict] = {
    "even batches": {},
    "odd batches": {"batch_size": 9},
    "a row too few": {"batch_size": 12},
    "convolutions": {"model": partial(vae, build=vc.conv_vae, channels=(4,))},
    "an unused weight": {"model": unused_weight},
    "a weight that few use": {"model": unused_weight, "objective": at_the_mean_and_by_labels},
    "schedules": {
        "lr": vc.warmup_cosine(1e-2, 3, STEPS),
        "schedules": {"beta": vc.linear(0.0, 1.0, 10)},
    },
    "momentum": {"optimizer": partial(torch.optim.SGD, momentum=0.9), "lr": 1e-3},
}
WITH_NOISE: dict[str, dict] = {
    "elbo": {"objective": elbo},
    "elbo again": {"objective": elbo},
    "many samples": {"objective": partial(iwae, num_samples=4)},
    "dropout": {"objective": elbo, "model": partial(vae, nn.Dropout(0.5))},
}
REFUSED: dict[str, dict] = {
    "batch normalization": {"model": partial(vae, nn.BatchNorm2d(1))},
    "labels": {
        "model": partial(vae, build=partial(vc.mlp_prediction_constrained_vae, num_classes=3)),
        "objective": partial(prediction_constrained, multiplier=2.0),
        "labeled_batch_size": 3,
    },
}


def train(model=vae, objective=at_the_mean, **options):
    """Train a case; return the history and the weights."""
    built = model()
    history = vc.fit(
        built,
        objective,
        split(),
        **{
            "steps": STEPS,
            "batch_size": 8,
            "lr": 1e-2,
            "transform": dynamic_binarization,
            "seed": 5,
            "device": "cpu",
            "progress": False,
            **options,
        },
    )
    return history, built.state_dict()


def tensors(history, weights):
    """Return everything that training gave as named tensors."""
    rows = {f"step {name}": torch.tensor(values) for name, values in history.terms.items()}
    rows |= {f"valid {name}": torch.tensor(values) for name, values in history.validation.items()}
    return rows | {f"weight {name}": value for name, value in weights.items()}


class Standing(torch.optim.Optimizer):
    """An optimizer that keeps the gradients it is given and leaves the weights as they are."""

    def __init__(self, parameters):
        super().__init__(parameters, {"lr": 0.0})
        self.seen = []

    def step(self, closure=None):
        (group,) = self.param_groups
        self.seen.append(torch.cat([weight.grad.flatten() for weight in group["params"]]))


def oracle():
    """Return a linear-Gaussian VAE off its optimum, and 11 points: 5 rows for one, 6 for another.

    Without orthogonal columns and an exact posterior no part of the gradient is zero by luck.
    """
    model, x, _ = linear_gaussian(shift=0.3, widen=1.5)
    return model, vc.Batch.of(x[:11])


def gradients(steps=400):
    """Return the gradients of many steps at the same weights, ``(steps, weights)``."""
    model, rows = oracle()
    kept = []

    def standing(parameters):
        kept.append(Standing(parameters))
        return kept[0]

    options = {"optimizer": standing, "device": "cpu", "progress": False}
    vc.fit(model, elbo, rows, steps=steps, batch_size=11, **options)
    return torch.stack(kept[0].seen)


def draws():
    """Return the noise that this process drew for its 4 rows in each of 3 steps."""
    seen = []

    def noted(model, batch):
        seen.append(torch.randn(len(batch.x)))
        return at_the_mean(model, batch)

    train(objective=noted, steps=3)
    first, *_checks, second, third = seen
    return torch.stack([first, second, third])


def words_of(**options):
    """Return the words with which a case ends."""
    try:
        train(**options)
    except (ValueError, FloatingPointError) as error:
        return str(error)
    return "it went on"


def main(folder):
    """Train every case and write what came out."""
    rank = os.environ["RANK"]
    words = {name: words_of(**options) for name, options in REFUSED.items()}
    words["not a number"] = words_of(objective=not_a_number, transform=None)
    cases = WITHOUT_NOISE | WITH_NOISE
    cases["other weights in the second process"] = {"model": partial(vae, seed=11 + int(rank))}
    results = {name: tensors(*train(**options)) for name, options in cases.items()}
    half = {"objective": elbo, "checkpoint": folder / "run", "checkpoint_every": 4}
    train(**half, steps=9)
    results["resumed"] = tensors(*train(**half))
    words["a checkpoint that one process sees"] = words_of(
        objective=elbo, checkpoint=folder / ("run" if rank == "0" else "elsewhere")
    )
    results["noise"] = {"gradients": gradients(), "draws": draws()}
    flat = {f"{case}/{name}": v for case, rows in results.items() for name, v in rows.items()}
    write_checkpoint(folder / f"rank{rank}", flat, {"words": words})


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
