"""Images per second of `fit` beside a tutorial's loop, Pythae's trainer and Lightning's.

Everybody trains the same VAE from the same weights on the same images, with the same loss, on one
thread. Each contestant has a process of its own, so that its peak memory is its own. They take
turns, round after round, so that a busy machine slows all alike: trust the ratios before the rates.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean, median, variance

from vaecourse.runtime.files import writable, write_json
from vaecourse.runtime.machine import processor

ROOT = Path(__file__).resolve().parents[1]
CONTESTANTS = {
    "tutorial": "plain loop: DataLoader over torchvision's MNIST, sigmoid, BCE, default Adam",
    "pythae": "pythae BaseTrainer, images as one float tensor in memory",
    "lightning": "lightning Trainer, no logs, DataLoader over a TensorDataset in memory",
    "fit_fp32": 'fit, precision="float32": exact products, as those above',
    "fit_fast_fp32": 'fit, precision="fast-float32": the hardware may shorten factors',
    "fit_bf16": 'fit, precision="bfloat16": the fastest route to it',
}
OPTIONAL = ("pythae", "lightning")
RATIOS = {
    "fit_fp32_over_tutorial": 2.5,
    "fit_bf16_over_tutorial": 3.3,
    "fit_fast_fp32_over_tutorial": None,
    "fit_fp32_over_pythae": None,
    "fit_fp32_over_lightning": None,
}
"""Ratios to report, with the one to reach."""
LOSS_LIMIT = 0.3
"""Nats within which the final test -ELBO of all contestants must lie."""
INSTALL = "not installed: pip install -r benchmarks/requirements-throughput.txt"


class Contestant:
    """A process that trains on request and sleeps in between."""

    def __init__(self, name: str, folder: str):
        self.name, self.log = name, Path(folder, f"{name}.log")
        command = [sys.executable, Path(__file__).with_name("throughput_contestants.py")]
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self.process = subprocess.Popen(
            [*command, name, folder],
            env=os.environ | one | {"PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log.open("w", encoding="utf-8"),
            encoding="utf-8",
            bufsize=1,
        )

    def train(self, epochs: int, seed: int) -> dict:
        """Train once; return seconds, peak memory in MiB and the test loss in nats."""
        print(json.dumps({"epochs": epochs, "seed": seed}), file=self.process.stdin)
        reply = self.process.stdout.readline()
        if not reply:
            last = self.log.read_text(encoding="utf-8")[-2000:]
            raise RuntimeError(f"the contestant {self.name} stopped; it said last:\n{last}")
        return json.loads(reply)

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def prepare(name: str, count: int | None, folder: str) -> dict:
    """Write images where torchvision's MNIST finds them, in a process that ends and frees memory.

    The process that starts the contestants must stay small: its memory would count as theirs.
    """
    code = "import sys, json, throughput; throughput.write_images(*json.loads(sys.argv[1]))"
    paths = os.pathsep.join((str(Path(__file__).parent), str(ROOT), *sys.path))
    arguments = json.dumps([name, count, folder])
    subprocess.run(
        [sys.executable, "-c", code, arguments], env=os.environ | {"PYTHONPATH": paths}, check=True
    )
    return json.loads(Path(folder, "about.json").read_text(encoding="utf-8"))


def write_images(name: str, count: int | None, folder: str) -> None:
    """Write the data set as the four files of MNIST, and a line about it."""
    import torch

    from vaecourse.data import load

    split = load(name, offline="strokes" if name != "strokes" else None)
    raw = Path(folder, "MNIST", "raw")
    raw.mkdir(parents=True)
    x = torch.cat([split.train.x, split.valid.x])[:count]
    y = torch.cat([split.train.y, split.valid.y])[:count]
    for part, x_part, y_part in (("train", x, y), ("t10k", split.test.x, split.test.y)):
        for kind, values in (("images-idx3", x_part.squeeze(1) * 255), ("labels-idx1", y_part)):
            values = values.round().to(torch.uint8).numpy()
            header = bytes([0, 0, 8, values.ndim])
            sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
            (raw / f"{part}-{kind}-ubyte").write_bytes(header + sizes + values.tobytes())
    about = {"data": split.name, "images": len(x), "note": split.note}
    Path(folder, "about.json").write_text(json.dumps(about), encoding="utf-8")


def race(names: list[str], folder: str, rounds: int, epochs: int) -> dict[str, list[dict]]:
    """Let contestants take turns; the first row of each is its warm-up, which no rate counts."""
    contestants = [Contestant(name, folder) for name in names]
    results: dict[str, list[dict]] = {name: [] for name in names}
    try:
        for number in range(rounds + 1):
            for contestant in contestants:
                results[contestant.name].append(contestant.train(epochs if number else 1, number))
            print(f"round {number} of {rounds}" if number else "warm-up", file=sys.stderr)
    finally:
        for contestant in contestants:
            contestant.close()
    return results


def standard_error(*samples: list[float]) -> float | None:
    """Return the standard error of a difference of means, None if there is one round only."""
    if min(map(len, samples)) < 2:
        return None
    return sum(variance(values) / len(values) for values in samples) ** 0.5


def summarize(results: dict[str, list[dict]], trained: int) -> dict:
    """Return rates, ratios of medians with their range over rounds, memory and losses."""
    timed = {name: rows[1:] for name, rows in results.items()}
    rates = {name: [trained / r["seconds"] for r in rows] for name, rows in timed.items()}
    cpu = {name: median(trained / r["cpu_seconds"] for r in rows) for name, rows in timed.items()}
    losses = {name: [r["test_loss"] for r in rows] for name, rows in timed.items()}
    summary: dict = dict.fromkeys(RATIOS)
    summary |= {"range_over_rounds": {}, "by_cpu_time": {}}
    for key in RATIOS:
        ours, peer = key.split("_over_")
        if peer in rates:
            pairs = [a / b for a, b in zip(rates[ours], rates[peer], strict=True)]
            summary[key] = median(rates[ours]) / median(rates[peer])
            summary["range_over_rounds"][key] = [min(pairs), max(pairs)]
            summary["by_cpu_time"][key] = cpu[ours] / cpu[peer]
    best, worst = (pick(losses.values(), key=mean) for pick in (min, max))
    summary["loss_spread_nats"] = mean(worst) - mean(best)
    summary["loss_spread_standard_error"] = standard_error(best, worst)
    summary["contestants"] = {
        name: {
            "images_per_second": median(rates[name]),
            "images_per_second_rounds": rates[name],
            "images_per_cpu_second": cpu[name],
            "test_negative_elbo": mean(losses[name]),
            "test_negative_elbo_rounds": losses[name],
            "peak_memory_mib": results[name][0]["peak_mib"],
            "memory_before_data_mib": results[name][0]["start_mib"],
        }
        for name in results
    }
    return summary


def report(summary: dict) -> str:
    """Return the tables in words."""
    lines = [f"{'':14} images/s       min-max  peak MiB  of it data and training  test -ELBO"]
    for name, about in CONTESTANTS.items():
        row = summary["contestants"].get(name)
        if row is None:
            lines.append(f"{name:14} {INSTALL}")
            continue
        rounds, peak = row["images_per_second_rounds"], row["peak_memory_mib"]
        span = f"{min(rounds):,.0f}-{max(rounds):,.0f}"
        lines.append(
            f"{name:14} {row['images_per_second']:8,.0f} {span:>13} {peak:9,.0f}"
            f" {peak - row['memory_before_data_mib']:24,.0f} {row['test_negative_elbo']:11.2f}"
            f"  {about}"
        )
    lines += ["", f"{'':28} ratio  over rounds   by CPU time"]
    for key, goal in RATIOS.items():
        if summary[key] is None:
            lines.append(f"{key:28} {INSTALL}")
            continue
        low, high = summary["range_over_rounds"][key]
        figures = (
            f"{summary[key]:5.2f}  {low:.2f} to {high:.2f}  {summary['by_cpu_time'][key]:11.2f}"
        )
        lines.append(f"{key:28} {figures}" + (f"  (goal {goal})" if goal else ""))
    gap, error = summary["loss_spread_nats"], summary["loss_spread_standard_error"]
    agree = "agree" if gap <= LOSS_LIMIT else "DO NOT AGREE, so the rates do not compare"
    known = "of one round" if error is None else f"with a standard error of {error:.2f}"
    lines += ["", f"final losses {agree}: {gap:.2f} nats apart {known}, {LOSS_LIMIT} allowed"]
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=writable, metavar="FILE", help="write the results here too")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds (default 5)")
    parser.add_argument("--epochs", type=int, default=3, help="epochs a round (default 3)")
    parser.add_argument("--images", type=int, help="train on the first so many (default all)")
    parser.add_argument("--data", default="mnist", choices=("mnist", "fashion_mnist", "strokes"))
    options = parser.parse_args()
    names = [n for n in CONTESTANTS if n not in OPTIONAL or importlib.util.find_spec(n)]
    with tempfile.TemporaryDirectory() as folder:
        about = prepare(options.data, options.images, folder)
        results = race(names, folder, options.rounds, options.epochs)
    trained = about["images"] * options.epochs
    setting = {"rounds": options.rounds, "epochs": options.epochs, "processor": processor()}
    summary = summarize(results, trained) | about | setting
    print(
        f"{about['images']:,} images of {about['data']}, {options.epochs} epochs a round, ", end=""
    )
    print(f"{options.rounds} rounds, one thread, {setting['processor']}\n\n{report(summary)}")
    if options.json:
        write_json(options.json, summary)


if __name__ == "__main__":
    main()
