"""Memory that each look at a model takes: evaluation, predictions, codes, validation.

    python benchmarks/memory.py --json memory.json

Each operation runs in a process of its own. Printed is the most memory that the process held before
the operation and until its end.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch import distributions as td

import vaecourse as vae
from vaecourse.distributions import Categorical, UniformClasses
from vaecourse.evaluation import embed, evaluate, log_marginal, predict, reconstruct
from vaecourse.models import M2
from vaecourse.objectives import iwae, m2

EVENT, CLASSES, LATENTS = (3, 64, 64), 50, 8
LABELS = {"unlabeled": 0, "partly": 5}


class Encoder(nn.Module):
    """Convolves image and class together: one image for each class."""

    def __init__(self) -> None:
        super().__init__()
        self.label = nn.Embedding(CLASSES, 64 * 64)
        self.network = vae.ConvEncoder((4, 64, 64), (32, 64), 2 * LATENTS)
        self.head = vae.Gaussian(LATENTS)

    def forward(self, x: Tensor, y: Tensor, rows: Tensor | None = None) -> td.Distribution:
        """Return q(z|x, y)."""
        x = x if rows is None else x[rows]
        plane = self.label(y).reshape(*y.shape, 1, 64, 64)
        shape = torch.broadcast_shapes(x.shape[:-3], y.shape)
        both = [part.expand(*shape, -1, 64, 64) for part in (x, plane)]
        return self.head(self.network(torch.cat(both, -3)))


class Decoder(nn.Module):
    """Transposed convolutions of latent and class."""

    def __init__(self) -> None:
        super().__init__()
        self.label = nn.Embedding(CLASSES, LATENTS)
        self.network = vae.ConvDecoder(2 * LATENTS, (64, 32), EVENT)
        self.head = vae.Bernoulli(EVENT)

    def forward(self, z: Tensor, y: Tensor) -> td.Distribution:
        """Return p(x|y, z)."""
        shape = torch.broadcast_shapes(z.shape[:-1], y.shape)
        both = [part.expand(*shape, -1) for part in (z, self.label(y))]
        return self.head(self.network(torch.cat(both, -1)))


def convolutional_m2() -> M2:
    """Build an M2 as anyone might, of convolutions."""
    classifier = nn.Sequential(vae.ConvEncoder(EVENT, (32, 64), CLASSES), Categorical(CLASSES))
    prior, classes = vae.StandardNormal(LATENTS), UniformClasses(CLASSES)
    return M2(Encoder(), Decoder(), classifier, prior, classes)


def _validated(model: nn.Module, data: vae.Batch) -> None:
    few = vae.Batch(data.x[:8], data.y[:8])
    split = vae.data.Split("memory", few, data, vae.HeldOut(*few), "memory")
    vae.fit(model, bound, split, epochs=1, batch_size=8, progress=False, device="cpu")


bound = partial(m2, alpha=1.0)
MODELS = {
    "M2, convolutions": convolutional_m2,
    "M2, fully connected": partial(vae.mlp_m2, EVENT, LATENTS, CLASSES, (64,)),
    "VAE, wide convolutions": partial(vae.conv_vae, EVENT, LATENTS, (64, 128)),
}
OPERATIONS = {
    "evaluate": lambda model, data: evaluate(model, bound, data),
    "evaluate, batch_size=8": lambda model, data: evaluate(model, bound, data, batch_size=8),
    "validation in fit, batch_size=8": _validated,
    "predict": lambda model, data: predict(model, data.x),
    "embed": lambda model, data: embed(model, data.x),
    "reconstruct": lambda model, data: reconstruct(model, data.x),
    "evaluate, IWAE-20": lambda model, data: evaluate(model, partial(iwae, num_samples=20), data),
    "log_marginal, 20 samples": lambda model, data: log_marginal(model, data.x[:100], 20),
}
SUITABLE = {
    "M2, convolutions": list(OPERATIONS)[:4],
    "M2, fully connected": list(OPERATIONS)[:4],
    "VAE, wide convolutions": list(OPERATIONS)[4:],
}


def _peak() -> float:
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measured(name: str, operation: str, labels: str, num: int) -> dict[str, str | float]:
    """Run one operation in this process and return its memory in MiB."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    x, y = torch.rand(num, *EVENT), torch.arange(num) % CLASSES
    every = LABELS[labels]
    y[torch.ones_like(y, dtype=torch.bool) if every == 0 else torch.arange(num) % every > 0] = -1
    model = MODELS[name]()
    before, started = _peak(), time.perf_counter()
    OPERATIONS[operation](model, vae.Batch(x, y))
    seconds, peak = time.perf_counter() - started, _peak()
    return {
        "model": name,
        "operation": operation,
        "labels": labels,
        "before": before,
        "peak": peak,
        "added": peak - before,
        "seconds": seconds,
    }


def main() -> None:
    """Measure everything, each in a process of its own, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measured(*options.one, options.images)))
        return
    rows = []
    for model, operations in SUITABLE.items():
        for operation in operations:
            for labels in ("unlabeled", "partly") if "M2" in model else ("unlabeled",):
                command = [sys.executable, __file__, "--images", str(options.images)]
                command += ["--one", model, operation, labels]
                done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
                row = json.loads(done.stdout.splitlines()[-1])
                rows.append(row)
                sizes = "".join(f"{row[key]:8.0f}" for key in ("before", "peak", "added"))
                print(f"{model:24}{operation:34}{labels:12}{sizes} MiB {row['seconds']:8.1f} s")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
