"""Training runs that kill themselves at a chosen point, for `test_resume.py`."""

import os
import signal
from functools import partial

import torch
from torch import nn

import vaecourse as vc
from vaecourse.data.labels import dynamic_binarization
from vaecourse.objectives import elbo
from vaecourse.runtime import isolated_rng

STEPS = 30
"""Not a multiple of the 4 steps of an epoch, nor of the 7 steps between checkpoints."""

OPTIMIZERS = {
    "adam": vc.training.adam,
    "momentum": partial(torch.optim.SGD, momentum=0.9, nesterov=True),
    "adamw": partial(torch.optim.AdamW, weight_decay=0.1, amsgrad=True),
}


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def split():
    """Return 50 training and 20 validation images, grey."""
    x = torch.rand(75, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    y = torch.arange(75) % 3
    parts = [vc.Batch(x[a:b], y[a:b]) for a, b in ((0, 50), (50, 70), (70, 75))]
    return vc.Split("toy", parts[0], parts[1], vc.HeldOut(*parts[2]), identity="toy")


def model():
    """Return a VAE with dropout and batch normalization: both keep or draw something."""
    with isolated_rng(11):
        built = vc.mlp_vae((1, 4, 4), 2, hidden=(6,))
        layers = built.decoder[0].layers
        built.decoder[0].layers = nn.Sequential(*layers[:2], nn.Dropout(0.4), *layers[2:])
        built.encoder = nn.Sequential(nn.BatchNorm2d(1), *built.encoder)
    return built


class Mortal:
    """The ELBO, except that call number `at` of training or validation kills the process."""

    def __init__(self, at, phase):
        self.left, self.phase = at, phase

    def __repr__(self):
        return "elbo, while it lives"

    def __call__(self, model, batch, *, beta):
        if model.training == (self.phase == "training"):
            if self.left == 0:
                die()
            self.left -= 1
        return elbo(model, batch, beta=beta)


def _die_while_writing(at, when):
    """Kill the process just before or just after checkpoint number `at` takes its place."""
    replace, left = os.replace, [at]

    def mortal_replace(source, target):
        left[0] -= 1
        if left[0] < 0 and when == "before":
            die()
        replace(source, target)
        if left[0] < 0:
            die()

    os.replace = mortal_replace


def run(checkpoint=None, *, at=-1, phase="training", optimizer="adam", **options):
    """Train; die at call `at` of `phase` if it is not negative. Return the model and history."""
    if phase in ("before", "after") and at >= 0:
        _die_while_writing(at, phase)
        at = -1
    built = model()
    history = vc.fit(
        built,
        Mortal(at, phase),
        split(),
        **{
            "steps": STEPS,
            "batch_size": 16,
            "lr": vc.warmup_cosine(1e-2, 3, 25),
            "schedules": {"beta": vc.linear(0.0, 1.0, 20)},
            "transform": dynamic_binarization,
            "optimizer": OPTIMIZERS[optimizer],
            "seed": 5,
            "device": "cpu",
            "checkpoint": checkpoint,
            "checkpoint_every": 7,
            "progress": False,
            **options,
        },
    )
    return built, history
