"""Training runs for `test_distributed.py`: the same in one process and, under torchrun, in several.

Run as a program, this file trains every case and lets process 0 write the losses and weights.
"""

import os
import sys
from functools import partial
from pathlib import Path

import torch
from torch import nn

import vaecourse as vc
from vaecourse.data.labels import dynamic_binarization
from vaecourse.objectives import elbo, iwae, prediction_constrained, score_function_elbo
from vaecourse.runtime import isolated_rng
from vaecourse.training.checkpoints import write_checkpoint


def data(num=37):
    """Return grey images, all without labels but three."""
    x = torch.rand(num, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    y = torch.full((num,), -1)
    y[:3] = torch.arange(3)
    return vc.Batch(x, y)


def split():
    return vc.Split("toy", data(), data(11), vc.HeldOut(*data(5)), identity="toy")


def vae(*layers, build=vc.mlp_vae, **options):
    with isolated_rng(11):
        model = build((1, 4, 4), 4, **options)
        model.encoder = nn.Sequential(*layers, *model.encoder)
    return model


def unused_weight():
    model = vae()
    model.unused = nn.Parameter(torch.ones(3))
    return model


class RandomShift(nn.Module):
    """Noise of three kinds: one number for all rows, one for each row, and a chosen class."""

    def forward(self, x):
        x = x + 0.1 * torch.randn(1, device=x.device) + 0.1 * torch.rand(len(x), 1, 1, 1)
        chosen = torch.multinomial(torch.full((len(x), 3), 1 / 3), 1)
        return x + 0.1 * chosen[:, :, None, None]


# Batches of 8 rows: in two processes 4 rows each, as many as there are latent dimensions.
CASES: dict[str, dict] = {
    "elbo": {},
    "odd batch": {"batch_size": 9},
    "a row too few": {"batch_size": 12},
    "many samples": {"objective": partial(iwae, num_samples=4)},
    "score function": {"objective": score_function_elbo},
    "dropout": {"model": partial(vae, nn.Dropout(0.5))},
    "all kinds of noise": {"model": partial(vae, RandomShift())},
    "convolutions": {"model": partial(vae, build=vc.conv_vae, channels=(4,))},
    "an unused weight": {"model": unused_weight},
    "schedules": {
        "lr": vc.warmup_cosine(1e-2, 3, 30),
        "schedules": {"beta": vc.linear(0.0, 1.0, 20)},
    },
    "momentum": {"optimizer": partial(torch.optim.SGD, momentum=0.9), "lr": 1e-3},
}
REFUSED: dict[str, dict] = {
    "batch normalization": {"model": partial(vae, nn.BatchNorm2d(1))},
    "labels": {
        "model": partial(vae, build=partial(vc.mlp_prediction_constrained_vae, num_classes=3)),
        "objective": partial(prediction_constrained, multiplier=2.0),
        "labeled_batch_size": 3,
    },
}


def train(model=vae, objective=elbo, **options):
    """Train a case; return the history and the weights."""
    built = model()
    history = vc.fit(
        built,
        objective,
        split(),
        **{
            "steps": 30,
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


def refusal(**options):
    """Return the words with which a case is refused."""
    try:
        train(**options)
    except ValueError as error:
        return str(error)
    return "it was not refused"


def main(folder):
    """Train every case and write what came out, from process 0."""
    words = {name: refusal(**options) for name, options in REFUSED.items()}
    results = {name: tensors(*train(**options)) for name, options in CASES.items()}
    half = {"checkpoint": folder / "run", "checkpoint_every": 7}
    train(**half, steps=16)
    results["resumed"] = tensors(*train(**half))
    rank = os.environ["RANK"]
    words["a checkpoint that one process sees"] = refusal(
        checkpoint=folder / ("run" if rank == "0" else "elsewhere")
    )
    flat = {f"{case}/{name}": v for case, rows in results.items() for name, v in rows.items()}
    write_checkpoint(folder / f"rank{rank}", flat, {"refused": words})


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
