"""Runs that are killed at random moments and go on: they must end as the one nobody stopped."""

import os
import random
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

import vaecourse as vae
from vaecourse.data.labels import dynamic_binarization
from vaecourse.objectives import elbo, m2
from vaecourse.runtime import isolated_rng
from vaecourse.training import run as training_run

SIGNALS = signal.SIGKILL, signal.SIGTERM, signal.SIGINT
MOMENTS = "any", "any", "write", "read"


class Group(NamedTuple):
    """Trials of one kind: ``trials(folder, seed, number)`` yields their names and what is wrong."""

    name: str
    number: int
    trials: object


def data():
    """Return 48 gray images of three classes, of which a few are labeled."""
    x = torch.rand(48, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    y = torch.full((48,), -1)
    y[:6] = torch.arange(6) % 3
    return vae.Batch(x, y)


KINDS = {
    "VAE": {"build": partial(vae.mlp_vae, (1, 8, 8), 2, hidden=(16,))},
    "convolutional VAE": {"build": partial(vae.conv_vae, (1, 8, 8), 2, channels=(4, 8))},
    "M2 with labeled rows": {
        "build": partial(vae.mlp_m2, (1, 8, 8), 2, 3, hidden=(16,)),
        "objective": partial(m2, alpha=5.0),
        "labeled_batch_size": 4,
    },
    "schedules": {
        "build": partial(vae.mlp_vae, (1, 8, 8), 2, hidden=(16,)),
        "lr": vae.warmup_cosine(1e-2, 5, 40),
        "schedules": {"beta": vae.linear(0.0, 1.0, 30)},
    },
    "bfloat16": {
        "build": partial(vae.conv_vae, (1, 8, 8), 2, channels=(4, 8)),
        "precision": "bfloat16",
    },
}


def train(kind, checkpoint=None):
    """Train one kind; return the weights and losses."""
    options = {"objective": elbo, "transform": dynamic_binarization} | KINDS[kind]
    with isolated_rng(3):
        model = options.pop("build")()
    history = vae.fit(
        model,
        options.pop("objective"),
        data(),
        **{"steps": 40, "batch_size": 16, "seed": 5, "checkpoint_every": 3} | options,
        device="cpu",
        progress=False,
        checkpoint=checkpoint,
    )
    losses = {f"term {name}": torch.tensor(values) for name, values in history.terms.items()}
    return model.state_dict() | losses


def differing(found: dict[str, Tensor], wanted: dict[str, Tensor]):
    """Name the first of the tensors that is not the same to the bit, or nothing."""
    names = sorted(found.keys() | wanted.keys())
    same = (n in found and n in wanted and torch.equal(found[n], wanted[n]) for n in names)
    return next((name for name, alike in zip(names, same, strict=True) if not alike), "")


def _strike(number, moment):
    """Let this process get a signal when it next writes or reads a checkpoint."""
    place = (os, "replace") if moment == "write" else (training_run, "read_checkpoint")
    before = getattr(*place)

    def struck(*arguments):
        os.kill(os.getpid(), number)
        return before(*arguments)

    setattr(*place, struck)


def killed(kind, path, number, moment, seconds):
    """Train in a process of its own that gets a signal; return whether that ended it."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        status = 9
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            if moment != "any":
                _strike(number, moment)
            train(kind, path)
            status = 0
        except KeyboardInterrupt:
            status = 1
        finally:
            os._exit(status)
    if moment == "any":
        time.sleep(seconds)  # the random moment itself
        with suppress(ProcessLookupError):
            os.kill(child, number)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status == 9:
        raise RuntimeError(f"a run of {kind} ended by itself")
    return status != 0


def kills(kind, folder, seed, number):
    """Kill runs at random moments; after each kill another run goes on from what is left."""
    dice = random.Random(f"{seed} {kind}")
    train(kind)  # the first run of a process also loads what later ones find loaded
    started = time.perf_counter()
    wanted, path = train(kind), folder / "run.safetensors"
    whole, count = time.perf_counter() - started, 0
    while count < number:
        path.unlink(missing_ok=True)
        times = 0
        for _ in range(min(dice.randint(1, 4), number - count)):
            how = dice.choice(SIGNALS), dice.choice(MOMENTS), dice.uniform(0, 1.2 * whole)
            times += killed(kind, path, *how)
        found = differing(train(kind, path), wanted)
        left = [file.name for file in folder.iterdir() if file != path]
        said = f"differs in {found}" if found else f"left {left}" if left else ""
        count += times
        yield from ((f"{times} kills", said) for _ in range(times))


GROUPS = [Group(f"kills, {kind}", 20, partial(kills, kind)) for kind in KINDS]
