"""Images per second of `fit` on a GPU beside hand-written loops, and seconds of log p(x).

Everybody trains the same model on the same random images, which lie on the device already, but for
the tutorial's loop, which takes them from a DataLoader. Contestants take turns, round after round,
so that a busy machine slows all alike: trust the ratios before the rates. A rate is that of the
steps after the first twenty; what these cost, with trials and captures, stands beside it. It takes
four minutes.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import NamedTuple

import torch
from torch import Tensor

import vaecourse as vae
from vaecourse.data.labels import label_subset
from vaecourse.evaluation import log_marginal
from vaecourse.objectives import elbo, iwae, m2
from vaecourse.runtime import isolated_rng
from vaecourse.runtime.files import writable, write_json
from vaecourse.runtime.machine import processor
from vaecourse.training.history import CAPTURED

EVENT, IMAGES, RATE = (1, 28, 28), 60_000, 1e-3
SECONDS, FASTEST = 1.0, 12
"""About how long a contestant trains in a round; and how much faster than the eager one at most."""
FIRST = 20
"""Steps that no rate counts."""


class Setting(NamedTuple):
    """What is trained: a model, its objective, the batch, and the ratio to the eager loop to reach.

    Attributes
    ----------
    build : callable
        Returns the untrained model.
    objective : callable
        What it minimizes.
    batch : int
        Images in a step.
    goal : float or None
        Ratio of `fit` to the eager loop to reach.
    precisions : tuple of str
        In which `fit` runs; the loops run in exact float32.
    """

    build: Callable[[], torch.nn.Module]
    objective: Callable
    batch: int
    goal: float | None
    precisions: tuple[str, ...] = ("float32", "fast-float32", "bfloat16")


MLP = partial(vae.mlp_vae, EVENT, 20)
SETTINGS = {
    "784-400-20, batch 128": Setting(MLP, elbo, 128, 8.0),
    "784-400-20, batch 1024": Setting(MLP, elbo, 1024, 6.0),
    "784-4096-4096-20, batch 1024": Setting(partial(MLP, (4096, 4096)), elbo, 1024, None),
    "convolutional, batch 512": Setting(partial(vae.conv_vae, EVENT, 20), elbo, 512, 3.0),
    "M2, batch 250": Setting(
        partial(vae.mlp_m2, EVENT, 50, 10), partial(m2, alpha=50.0), 250, 6.0, ("float32",)
    ),
    "IWAE-50, batch 128": Setting(MLP, partial(iwae, num_samples=50), 128, None, ("float32",)),
}


def images(device: torch.device) -> vae.Batch:
    """Return random binary images, a hundred of which have a label."""
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(IMAGES, *EVENT, generator=generator) < 0.2).float()
    y = label_subset(torch.arange(IMAGES) % 10, 100)
    return vae.Batch(x.to(device), y.to(device))


def _order(steps: int, batch: int, device: torch.device) -> Tensor:
    return torch.randint(0, IMAGES, (steps, batch), device=device)


def eager(setting: Setting, data: vae.Batch, steps: int, objective: Callable | None = None) -> None:
    """Train by a lean loop: images on the device, fused Adam, and nothing read back."""
    objective = objective or setting.objective
    model = setting.build().to(data.x.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    for index in _order(steps, setting.batch, data.x.device):
        loss = objective(model, vae.Batch(data.x[index], data.y[index]))["loss"].mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def compiled(setting: Setting, data: vae.Batch, steps: int) -> None:
    """Train by the lean loop with its loss compiled by torch.compile."""
    eager(setting, data, steps, _compiled(setting.objective))


_COMPILED: dict[Callable, Callable] = {}


def _compiled(objective: Callable) -> Callable:
    if objective not in _COMPILED:
        _COMPILED[objective] = torch.compile(objective)
    return _COMPILED[objective]


def tutorial(setting: Setting, data: vae.Batch, steps: int) -> None:
    """Train by a tutorial's loop: a DataLoader, default Adam, the loss read at every step."""
    device = data.x.device
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(data.x.cpu(), data.y.cpu()), setting.batch, shuffle=True
    )
    model = setting.build().to(device)
    optimizer, done = torch.optim.Adam(model.parameters(), lr=RATE), 0
    while done < steps:
        for x, y in loader:
            optimizer.zero_grad()
            loss = setting.objective(model, vae.Batch(x.to(device), y.to(device)))["loss"].mean()
            loss.backward()
            loss.item()
            optimizer.step()
            done += 1
            if done == steps:
                break


def fit(setting: Setting, data: vae.Batch, steps: int, *, precision: str, capture: bool) -> str:
    """Train by `vaecourse.fit` and return how its steps were run."""
    history = vae.fit(
        setting.build(),
        setting.objective,
        data,
        steps=steps,
        batch_size=setting.batch,
        lr=RATE,
        device=data.x.device,
        precision=precision,
        capture=capture,
        progress=False,
    )
    return history.route


def contestants(name: str, setting: Setting) -> dict[str, Callable]:
    """Return who trains in a setting, by name."""
    found: dict[str, Callable] = {"eager": eager}
    if name == next(iter(SETTINGS)):
        found |= {"tutorial": tutorial, "compiled": compiled}
    found["fit_eager"] = partial(fit, precision="float32", capture=False)
    for precision in setting.precisions:
        found[f"fit_{precision}"] = partial(fit, precision=precision, capture=True)
    return found


def _seconds(train: Callable, setting: Setting, data: vae.Batch, steps: int) -> float:
    torch.cuda.synchronize()
    started = time.perf_counter()
    with isolated_rng(0, data.x.device):
        route = train(setting, data, steps)
    torch.cuda.synchronize()
    if route is not None and train.keywords["capture"] and route != CAPTURED:
        print(f"  {route}", file=sys.stderr)
    return time.perf_counter() - started


def race(trainers: dict[str, Callable], setting: Setting, data: vae.Batch, rounds: int) -> dict:
    """Let contestants take turns and return their images per second, all and the median."""
    steps: dict[str, int] = {}
    for who, train in trainers.items():
        _seconds(train, setting, data, FIRST)
        first = _seconds(train, setting, data, FIRST)
        pace = (_seconds(train, setting, data, 200 + FIRST) - first) / 200
        least = SECONDS / steps["eager"] / FASTEST if steps else 0.0
        steps[who] = max(100, round(SECONDS / max(pace, least, 1e-5)))
    rates: dict[str, list[float]] = {who: [] for who in trainers}
    starts: dict[str, list[float]] = {who: [] for who in trainers}
    for _ in range(rounds):
        for who, train in trainers.items():
            starts[who].append(_seconds(train, setting, data, FIRST))
            seconds = _seconds(train, setting, data, steps[who] + FIRST) - starts[who][-1]
            rates[who].append(setting.batch * steps[who] / seconds)
    middle = {who: median(values) for who, values in rates.items()}
    return {
        "batch": setting.batch,
        "goal": setting.goal,
        "steps": steps,
        "seconds_of_first_steps": {who: median(values) for who, values in starts.items()},
        "images_per_second": middle,
        "images_per_second_rounds": rates,
        "over_eager": {who: middle[who] / middle["eager"] for who in middle if who != "eager"},
    }


def profiled(setting: Setting, data: vae.Batch, capture: bool, steps: int = 500) -> dict:
    """Return kernels and microseconds of a step, on the device and in all."""
    from torch.profiler import ProfilerActivity, profile

    train = partial(fit, precision="float32", capture=capture)
    seconds, kernels, busy = [], [], []
    for count in (FIRST, FIRST + steps):
        train(setting, data, count)
        with profile(activities=[ProfilerActivity.CUDA], acc_events=True) as record:
            train(setting, data, count)
            torch.cuda.synchronize()
        events = record.events() or []
        launched = [one for one in events if one.device_type == torch.autograd.DeviceType.CUDA]
        kernels.append(len(launched))
        busy.append(sum(one.device_time for one in launched))
        seconds.append(_seconds(train, setting, data, count))
    return {
        "kernels_a_step": (kernels[1] - kernels[0]) / steps,
        "device_microseconds_a_step": (busy[1] - busy[0]) / steps,
        "microseconds_a_step": 1e6 * (seconds[1] - seconds[0]) / steps,
    }


def marginal(data: vae.Batch, samples: int = 5000) -> dict:
    """Return the seconds that log p(x) of 1,000 images takes, the first call left out."""
    model = MLP().to(data.x.device)
    log_marginal(model, data.x[:1000], 100)
    torch.cuda.synchronize()
    started = time.perf_counter()
    value = log_marginal(model, data.x[:1000], samples).value.mean().item()
    return {"seconds": time.perf_counter() - started, "samples": samples, "mean": value}


def report(name: str, row: dict) -> str:
    """Return a setting's table in words."""
    lines = [name + (f", goal {row['goal']} x the eager loop" if row["goal"] else "")]
    for who, rate in row["images_per_second"].items():
        rounds = row["images_per_second_rounds"][who]
        ratio = row["over_eager"].get(who, 1.0)
        span = f"{min(rounds):,.0f}-{max(rounds):,.0f}"
        first = f"first {FIRST} steps {row['seconds_of_first_steps'][who]:.2f} s"
        lines.append(f"  {who:18} {rate:12,.0f} images/s {span:>23} {ratio:6.2f} x eager, {first}")
    return "\n".join(lines)


def _rounded(rate: float) -> str:
    """Return three digits of a rate."""
    return f"{float(f'{rate:.3g}'):,.0f}"


def markdown(result: dict) -> str:
    """Return the table that the README shows, from a JSON file's content."""
    columns = ("fit_float32", "fit_fast-float32", "fit_bfloat16")
    lines = [
        "| model, batch | eager loop | `float32` | `fast-float32` | `bfloat16` |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, row in result["settings"].items():
        rates, ratios = row["images_per_second"], row["over_eager"]
        cells = [
            f"{_rounded(rates[who])} ({ratios[who]:.1f})" if who in rates else "" for who in columns
        ]
        lines.append(f"| {name} | {_rounded(rates['eager'])} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=writable, metavar="FILE", help="write the results here too")
    parser.add_argument("--rounds", type=int, default=3, help="timed rounds (default 3)")
    parser.add_argument("--only", nargs="*", default=list(SETTINGS), help="settings to run")
    parser.add_argument("--without", nargs="*", default=[], help="contestants to leave out")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("there is no CUDA GPU here; benchmarks/throughput.py measures the CPU")
    device = torch.device("cuda")
    data = images(device)
    about = {
        "card": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "processor": processor(),
        "rounds": options.rounds,
    }
    print(f"{about['card']}, torch {about['torch']}", flush=True)
    result: dict = about | {"settings": {}, "log_marginal": marginal(data)}
    print(f"log p(x): {json.dumps(result['log_marginal'])}", flush=True)
    for name in options.only:
        who = contestants(name, SETTINGS[name])
        who = {key: train for key, train in who.items() if key not in options.without}
        result["settings"][name] = race(who, SETTINGS[name], data, options.rounds)
        print(report(name, result["settings"][name]), flush=True)
        if options.json:
            write_json(options.json, result)
    first = SETTINGS[next(iter(SETTINGS))]
    kinds = {"step by step": False, "captured": True}
    result["profile"] = {kind: profiled(first, data, capture) for kind, capture in kinds.items()}
    print(json.dumps(result["profile"], indent=1))
    if options.json:
        write_json(options.json, result)


if __name__ == "__main__":
    main()
