"""How much drawn digits are like MNIST, and how fast they are drawn.

    python benchmarks/strokes.py --json strokes.json

A small convolutional network trained on MNIST reads strokes, and one trained on strokes reads
MNIST's test images. With ``--validation`` the second reads MNIST's validation images instead: use
that while changing the skeletons or the ranges of the factors, so that the test images stay unseen.
"""

import argparse
import json
import statistics
import time

import torch
from torch import nn

from vaecourse.data import load
from vaecourse.data.strokes import NUM_TEST, NUM_TRAIN, TEST_SEED, TRAIN_SEED, strokes
from vaecourse.runtime.files import writable, write_json

BATCH, EPOCHS, PEAK_RATE = 128, 2, 4e-3


def network():
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU()),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Dropout(0.3), nn.Linear(576, 128), nn.ReLU(), nn.Linear(128, 10)),
    )


def train(x, y, seed):
    torch.manual_seed(seed)
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    steps = len(x) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_RATE, EPOCHS * steps)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(x))[: steps * BATCH].view(steps, BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.no_grad()
def accuracy(model, x, y):
    pairs = zip(x.split(1000), y.split(1000), strict=True)
    right = [(model(a).argmax(1) == b).sum() for a, b in pairs]
    return float(torch.stack(right).sum() / len(y))


def drawn(num, seed):
    digits = strokes(num, seed)
    return torch.from_numpy(digits.images)[:, None] / 255, torch.from_numpy(digits.labels)


def measure(seeds, validation):
    start, start_cpu = time.perf_counter(), time.process_time()
    x, y = drawn(NUM_TRAIN, TRAIN_SEED)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - start_cpu
    print(f"{NUM_TRAIN} strokes drawn in {seconds:.1f} s ({cpu_seconds:.1f} s of CPU)", flush=True)
    mnist = load("mnist")
    asked = mnist.valid if validation else mnist.test
    held_out = drawn(NUM_TEST, TEST_SEED)
    part = "validation" if validation else "test"
    reads_strokes, reads_mnist = [], []
    for seed in range(seeds):
        reads_strokes.append(accuracy(train(mnist.train.x, mnist.train.y, seed), *held_out))
        reads_mnist.append(accuracy(train(x, y, seed), asked.x, asked.y))
        print(
            f"seed {seed}: trained on MNIST, reads {reads_strokes[-1]:.2%} of strokes; "
            f"trained on strokes, reads {reads_mnist[-1]:.2%} of MNIST {part} images",
            flush=True,
        )
    return {
        "draw_60000_seconds": seconds,
        "draw_60000_cpu_seconds": cpu_seconds,
        "mean_intensity": float(x.mean()),
        "mnist_mean_intensity": float(mnist.train.x.mean()),
        "mnist_net_on_strokes": reads_strokes,
        "mnist_net_on_strokes_mean": statistics.mean(reads_strokes),
        f"strokes_net_on_mnist_{part}": reads_mnist,
        f"strokes_net_on_mnist_{part}_mean": statistics.mean(reads_mnist),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=writable, metavar="FILE", help="write the figures here")
    parser.add_argument("--seeds", type=int, default=2, help="training runs of each kind")
    parser.add_argument("--validation", action="store_true", help="leave the test images unseen")
    options = parser.parse_args()
    if options.seeds < 1:
        parser.error(f"--seeds must be a positive integer, got {options.seeds}")
    figures = measure(options.seeds, options.validation)
    print(json.dumps(figures, indent=2))
    if options.json:
        write_json(options.json, figures)


if __name__ == "__main__":
    main()
