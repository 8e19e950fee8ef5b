"""CPU seconds of each epoch of M2 by `fit`, beside the same model in Pyro.

Both train M2 with 500 hidden units and 50 latents on the same images, 3,000 of them labeled, from
the same weights: batches of 200, Adam at 4.2e-4, the classifier's own term with a weight of 46 per
labeled example. These are the settings of Pyro's example ss_vae_M2, which also has softplus layers
and heads that take probabilities. The sum over the classes is exact, except in the contestant
called "lots", where unlikely classes draw lots (`roulette` of `m2`): an unbiased estimate of the
same bound and gradient that is cheaper once the classifier is sure. So every epoch has its time.

The contestants take turns on one thread, so that a busy machine slows all alike: trust the ratios
before the seconds.
"""

import argparse
import importlib.util
import sys
import time
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vaecourse.data import Batch, load
from vaecourse.data.labels import label_subset
from vaecourse.evaluation import evaluate
from vaecourse.models.semi_supervised import mlp_m2
from vaecourse.objectives import m2
from vaecourse.runtime import isolated_rng
from vaecourse.runtime.files import writable, write_json
from vaecourse.training import fit

HIDDEN, LATENT, CLASSES, BATCH, RATE = 500, 50, 10, 200, 4.2e-4
LABELS, WEIGHT = 3000, 46
EXACT, ROULETTE = 0.0, 0.3
OURS = {
    "fit_fp32": ("float32", EXACT),
    "fit_fast_fp32": ("fast-float32", EXACT),
    "fit_bf16": ("bfloat16", EXACT),
    "fit_fast_fp32_lots": ("fast-float32", ROULETTE),
}
GOAL = 4.0
INSTALL = "not installed: pip install -r benchmarks/requirements-semi-supervised.txt"


def our_model(pixels: int, activation=nn.Softplus):
    """Return M2 in the package's terms."""
    return mlp_m2(pixels, LATENT, CLASSES, (HIDDEN,), activation=activation)


class PyroM2(nn.Module):
    """M2 in Pyro: a generative model and a guide, with the guide's label enumerated in parallel."""

    def __init__(self, weights: dict, pixels: int):
        super().__init__()
        self.classify = network(pixels, CLASSES)
        self.encoder = network(pixels + CLASSES, 2 * LATENT)
        self.decoder = network(LATENT + CLASSES, pixels)
        copy_weights(weights, self)

    def model(self, x, y=None):
        """p(y) p(z) p(x|y, z)."""
        import pyro
        import pyro.distributions as dist

        pyro.module("m2", self)
        with pyro.plate("data", len(x)):
            z = pyro.sample("z", dist.Normal(x.new_zeros(LATENT), 1.0).to_event(1))
            prior = x.new_full((CLASSES,), 1 / CLASSES)
            y = pyro.sample("y", dist.OneHotCategorical(prior), obs=y)
            probs = self.decoder(join(z, y)).sigmoid()
            pyro.sample("x", dist.Bernoulli(probs).to_event(1), obs=x)

    def guide(self, x, y=None):
        """q(y|x) q(z|x, y)."""
        import pyro
        import pyro.distributions as dist

        with pyro.plate("data", len(x)):
            if y is None:
                y = pyro.sample("y", dist.OneHotCategorical(self.classify(x).softmax(-1)))
            mean, log_variance = self.encoder(join(x, y)).chunk(2, -1)
            pyro.sample("z", dist.Normal(mean, (log_variance / 2).exp()).to_event(1))

    def label_model(self, x, y):
        """The classifier's own term."""
        import pyro
        import pyro.distributions as dist

        pyro.module("m2", self)
        with pyro.plate("data", len(x)), pyro.poutine.scale(scale=WEIGHT):
            pyro.sample("label", dist.OneHotCategorical(self.classify(x).softmax(-1)), obs=y)

    def label_guide(self, x, y):
        """Nothing is latent when the label is known."""


def network(inputs: int, outputs: int):
    return nn.Sequential(nn.Linear(inputs, HIDDEN), nn.Softplus(), nn.Linear(HIDDEN, outputs))


def join(first, one_hot):
    batch = torch.broadcast_shapes(first.shape[:-1], one_hot.shape[:-1])
    parts = [first.expand(*batch, -1), one_hot.expand(*batch, -1)]
    return torch.cat(parts, -1)


def copy_weights(weights: dict, peer: nn.Module) -> None:
    """Give the Pyro model the weights of ours: a layer on x beside a one-hot y is one matrix."""
    with torch.no_grad():
        for name, part in (("encoder", peer.encoder), ("decoder", peer.decoder)):
            first = weights[f"{name}.network.first.weight"]
            label = weights[f"{name}.network.label.weight"]
            part[0].weight.copy_(torch.cat([first, label.T], 1))
            part[0].bias.copy_(weights[f"{name}.network.first.bias"])
            part[2].weight.copy_(weights[f"{name}.network.layers.1.weight"])
            part[2].bias.copy_(weights[f"{name}.network.layers.1.bias"])
        names = ("0.layers.0.weight", "0.layers.0.bias", "0.layers.2.weight", "0.layers.2.bias")
        for parameter, name in zip(peer.classify.parameters(), names, strict=True):
            parameter.copy_(weights[f"classifier.{name}"])


def weights_back(peer: nn.Module, model: nn.Module) -> None:
    """Copy the Pyro model's weights to ours, so that both are judged by one program."""
    weights = {}
    for name, part in (("encoder", peer.encoder), ("decoder", peer.decoder)):
        joined = part[0].weight
        weights[f"{name}.network.first.weight"] = joined[:, :-CLASSES]
        weights[f"{name}.network.label.weight"] = joined[:, -CLASSES:].T
        weights[f"{name}.network.first.bias"] = part[0].bias
        weights[f"{name}.network.layers.1.weight"] = part[2].weight
        weights[f"{name}.network.layers.1.bias"] = part[2].bias
    for index in (0, 2):
        for kind in ("weight", "bias"):
            weights[f"classifier.0.layers.{index}.{kind}"] = getattr(peer.classify[index], kind)
    model.load_state_dict({name: value.detach().clone() for name, value in weights.items()})


class Clock(list):
    """CPU seconds at the start and at the end of every epoch."""

    def tick(self) -> None:
        """Note the time."""
        self.append(time.process_time())


def train_pyro(model, data: Batch, epochs: int, seed: int, tick) -> None:
    """Train as the example does: batches with labels between batches without."""
    import pyro
    from pyro.infer import SVI, Trace_ELBO, TraceEnum_ELBO, config_enumerate
    from pyro.optim import Adam
    from torch.utils.data import DataLoader, TensorDataset

    pyro.clear_param_store()
    pyro.enable_validation(False)
    pyro.set_rng_seed(seed)
    peer = PyroM2(model.state_dict(), data.x.shape[1])
    adam = Adam({"lr": RATE, "betas": (0.9, 0.999)})
    guide = config_enumerate(peer.guide, "parallel", expand=True)
    bound = SVI(peer.model, guide, adam, loss=TraceEnum_ELBO(max_plate_nesting=1))
    label = SVI(peer.label_model, peer.label_guide, adam, loss=Trace_ELBO())
    known = data.y >= 0
    one_hot = nn.functional.one_hot(data.y[known], CLASSES).float()
    loader = partial(DataLoader, batch_size=BATCH, shuffle=True)
    with_labels = loader(TensorDataset(data.x[known], one_hot))
    without = loader(TensorDataset(data.x[~known]))
    period = len(data.x) // int(known.sum())
    for _ in range(epochs):
        labeled, unlabeled = iter(with_labels), iter(without)
        for step in range(len(with_labels) + len(without)):
            batch = next(labeled, None) if step % period == 1 else None
            if batch is None:
                bound.step(*next(unlabeled))
            else:
                bound.step(*batch)
                label.step(*batch)
        tick()
    weights_back(peer, model)


def train_ours(
    precision: str, roulette: float, model, data: Batch, epochs, seed: int, tick
) -> None:
    """Train by `fit`: labeled and other rows in one batch."""
    step = count()

    def objective(model, batch):
        number = next(step)
        if number and number % -(-len(data.x) // BATCH) == 0:
            tick()
        return m2(model, batch, alpha=alpha, roulette=roulette)

    # A sum over 3,000 labels with weight 46, as a mean beside a mean over all rows.
    alpha = WEIGHT * int((data.y >= 0).sum()) / len(data.y)
    options = {"batch_size": BATCH, "lr": RATE, "seed": seed, "precision": precision}
    fit(model, objective, data, epochs=epochs, device="cpu", progress=False, **options)
    tick()


def race(data: Batch, test, rounds: int, epochs: int) -> dict[str, list[dict]]:
    """Let contestants take turns, from one set of weights a round."""
    contestants = {name: partial(train_ours, *how) for name, how in OURS.items()}
    if importlib.util.find_spec("pyro"):
        contestants = {"pyro": train_pyro} | contestants
    few = Batch(data.x[: 5 * BATCH], data.y[: 5 * BATCH])
    for train in contestants.values():  # What is imported and set up once belongs to no epoch.
        train(our_model(data.x.shape[1]), few, 1, 0, Clock().tick)
    results: dict[str, list[dict]] = {name: [] for name in contestants}
    for number in range(rounds):
        for name, train in contestants.items():
            with isolated_rng(number):
                model = our_model(data.x.shape[1])
            clock = Clock()
            clock.tick()
            train(model, data, epochs, number, clock.tick)
            row = {"cpu_seconds": np.diff(clock).tolist()}
            bound = evaluate(model, partial(m2, alpha=0.0), test)["elbo"]
            error = (model.classify(test.x).probs.argmax(1) != test.labels).double().mean().item()
            results[name].append(row | {"test_bound": bound, "test_error": error})
            print(f"round {number + 1} of {rounds}: {name} {results[name][-1]}", file=sys.stderr)
    return results


def summarize(results: dict[str, list[dict]]) -> dict:
    """Return ratios of CPU time within a round, in all and by epoch, and each one's figures."""
    times = {name: np.array([row["cpu_seconds"] for row in rows]) for name, rows in results.items()}
    summary: dict = {f"{name}_over_pyro_by_epoch": None for name in OURS}
    summary |= {"over_pyro": {}, "range_over_rounds": {}}
    for name in OURS if "pyro" in times else ():
        ratios = times["pyro"] / times[name]
        in_all = times["pyro"].sum(1) / times[name].sum(1)
        summary["over_pyro"][name] = np.median(in_all).item()
        summary[f"{name}_over_pyro_by_epoch"] = np.median(ratios, 0).tolist()
        summary["range_over_rounds"][name] = np.stack([ratios.min(0), ratios.max(0)], 1).tolist()
    summary["contestants"] = {
        name: {
            "cpu_seconds_by_epoch": np.median(times[name], 0).tolist(),
            "cpu_seconds_rounds": times[name].tolist(),
            "test_negative_bound": median(-row["test_bound"] for row in rows),
            "test_error": median(row["test_error"] for row in rows),
        }
        for name, rows in results.items()
    }
    return summary


def report(summary: dict) -> str:
    """Return the table in words."""
    lines = [f"{'':18} epoch  CPU seconds  ratio      range"]
    for name in ("pyro", *OURS):
        row = summary["contestants"].get(name)
        if row is None:
            lines.append(f"{name:18} {INSTALL}")
            continue
        ratios = summary.get(f"{name}_over_pyro_by_epoch")
        ranges = summary["range_over_rounds"].get(name)
        for epoch, seconds in enumerate(row["cpu_seconds_by_epoch"]):
            low, high = ranges[epoch] if ratios else (0, 0)
            beside = f"{ratios[epoch]:6.2f} {low:5.2f}-{high:.2f}" if ratios else ""
            lines.append(f"{name:18} {epoch + 1:5} {seconds:12.1f} {beside}")
        if name in summary["over_pyro"]:
            lines.append(f"{'':18}   all {'':12} {summary['over_pyro'][name]:6.2f}")
        bound, error = row["test_negative_bound"], row["test_error"]
        lines.append(f"{'':18} test -bound {bound:.2f}, test error {error:.1%}")
    return "\n".join([*lines, f"goal: {GOAL}"])


class _Flat:
    """Test images as vectors without labels, and the labels beside them."""

    def __init__(self, held_out):
        self.x, self.labels = held_out.x.flatten(1), held_out.y
        self.y = torch.full_like(held_out.y, -1)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=writable, metavar="FILE", help="write the results here too")
    parser.add_argument("--rounds", type=int, default=2, help="rounds (default 2)")
    parser.add_argument("--epochs", type=int, default=10, help="epochs a round (default 10)")
    parser.add_argument("--images", type=int, help="train on the first so many (default all)")
    parser.add_argument("--data", default="mnist", choices=("mnist", "fashion_mnist", "strokes"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    split = load(options.data, offline="strokes" if options.data != "strokes" else None)
    x, y = split.train.x[: options.images].flatten(1), split.train.y[: options.images]
    data = Batch(x, label_subset(y, LABELS * len(y) // len(split.train.y) // 10 * 10))
    results = race(data, _Flat(split.test), options.rounds, options.epochs)
    setting = {"data": split.name, "images": len(x), "rounds": options.rounds, "threads": 1}
    summary = summarize(results) | setting | {"epochs": options.epochs}
    print(f"{len(x):,} images of {split.name}, {options.epochs} epochs a round\n{report(summary)}")
    if options.json:
        write_json(options.json, summary)


if __name__ == "__main__":
    main()
