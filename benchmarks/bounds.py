"""Test log-likelihood of VAEs trained by different bounds, on dynamically binarized MNIST.

    python benchmarks/bounds.py vae_200_200_50 iwae50_200_200_50

Every model has two hidden layers of 200 units on each side and 50 latents, as in Burda et al.
(2016). Each run writes one row, a JSON file, to ``results/bounds``. A row that is there is not made
again, and a run that was stopped goes on from its checkpoint. One thread.
"""

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import vaecourse as vae
from vaecourse.data.labels import dynamic_binarization, static_binarization
from vaecourse.data.storage import cache_folder
from vaecourse.evaluation.marginal import log_marginal
from vaecourse.objectives import elbo, iwae
from vaecourse.runtime import isolated_rng
from vaecourse.runtime.files import check_writable, write_json
from vaecourse.training.checkpoints import read_checkpoint

ROWS = Path(__file__).resolve().parents[1] / "results" / "bounds"
LATENT, HIDDEN, SAMPLES, CHEAP = 50, (200, 200), 5000, 100


@dataclass(frozen=True)
class Recipe:
    """How one row is made.

    ``stages`` are pairs of samples K and epochs, one after the other under one learning rate: a
    cosine after 500 steps. K = 1 throughout is the ELBO with its closed-form KL term.
    ``gradient_samples`` and ``doubly_reparameterized`` are those of `iwae`. ``images`` is how many
    test images get 5,000 samples.
    """

    stages: tuple[tuple[int, int], ...]
    batch_size: int = 250
    peak: float = 4e-3
    activation: str = "Tanh"
    gradient_samples: int | None = None
    doubly_reparameterized: bool = False
    images: int = 1000


RECIPES = {
    "vae_200_200_50": Recipe(((1, 450),)),
    "iwae50_200_200_50": Recipe(
        ((1, 120), (5, 90), (50, 125)), gradient_samples=5, doubly_reparameterized=True
    ),
    "vae_equal_steps": Recipe(((1, 4),), images=300),
    "iwae5_equal_steps": Recipe(((5, 4),), images=300),
    "iwae50_equal_steps": Recipe(((50, 4),), images=300),
    "vae_equal_seconds": Recipe(((1, 90),), images=300),
    "iwae5_equal_seconds": Recipe(((5, 35),), images=300),
}


def sample_counts(stages, per_epoch):
    """Return the number of samples at each step, as a schedule, and the steps in all."""
    ends, total = [], 0
    for samples, epochs in stages:
        total += epochs * per_epoch
        ends.append((total, samples))

    def value(step):
        return next((samples for end, samples in ends if step < end), stages[-1][0])

    return vae.Schedule(value, total, f"samples{stages}"), total


def untrained(recipe, x, seed):
    """Return a model that starts as in Burda et al.: Xavier's weights, and the mean image.

    PyTorch's own weights are smaller; from them a trial of 10 epochs ended 10 nats behind.
    """
    with isolated_rng(seed):
        activation = getattr(nn, recipe.activation)
        model = vae.mlp_vae((1, 28, 28), LATENT, hidden=HIDDEN, activation=activation)
        layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
        for layer in layers:
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        with torch.no_grad():
            layers[-1].bias.copy_(x.mean(0).flatten().clamp(0.001, 0.999).logit())
    return model


def objective(recipe):
    """Return the bound to train by."""
    if all(samples == 1 for samples, _ in recipe.stages):
        return elbo
    options = {"gradient_samples": recipe.gradient_samples}
    return partial(iwae, doubly_reparameterized=recipe.doubly_reparameterized, **options)


def train(recipe, batch, seed, checkpoint):
    """Return the trained model, its steps and the CPU seconds of training, stops included."""
    model = untrained(recipe, batch.x, seed)
    counts, steps = sample_counts(recipe.stages, -(-len(batch.x) // recipe.batch_size))
    vae.fit(
        model,
        objective(recipe),
        batch,
        steps=steps,
        batch_size=recipe.batch_size,
        lr=vae.warmup_cosine(recipe.peak, 500, steps),
        schedules={"num_samples": counts},
        transform=dynamic_binarization,
        precision="fast-float32",
        seed=seed,
        checkpoint=checkpoint,
        checkpoint_every=2000,
    )
    return model, steps, read_checkpoint(checkpoint)[1]["cpu_seconds"]


def log_likelihood(model, gray, images):
    """Return test -log p(x) in nats with its errors, from 5,000 samples a code.

    The cheap bound of 100 samples is averaged over all images; what 5,000 samples add to it, over a
    random part of them. The sum has the mean that 5,000 samples for all images would have.
    """
    x = static_binarization(gray, seed=0)
    cheap = log_marginal(model, x, CHEAP, seed=1).value
    chosen = torch.randperm(len(x), generator=torch.Generator().manual_seed(2))[:images]
    full = log_marginal(model, x[chosen], SAMPLES, seed=3)
    gain = full.value - cheap[chosen]
    with isolated_rng(4), torch.no_grad():
        bound = elbo(model, vae.Batch(x, x), num_samples=1)["elbo"]
    missing = (1 - len(chosen) / len(x)) ** 0.5  # the chosen images are drawn without replacement
    return {
        "test_nll": -(cheap.mean() + gain.mean()).item(),
        "standard_error": (full.value.std() / len(x) ** 0.5).item(),
        "estimation_error": (missing * gain.std() / len(gain) ** 0.5).item(),
        "samples": SAMPLES,
        "images_with_all_samples": len(chosen),
        "test_nll_100_samples": -cheap.mean().item(),
        "negative_elbo": -bound.mean().item(),
        "median_effective_sample_size": full.effective_sample_size.median().item(),
    }


def make(name, seed, dataset, folder, limit):
    """Train and measure one row, and write it in one step."""
    path = folder / f"{dataset}-{name}-{seed}.json"
    if path.exists():
        print(f"{path} is there", flush=True)
        return
    recipe, split = RECIPES[name], vae.load(dataset)
    x = torch.cat([split.train.x, split.valid.x])[:limit]
    batch = vae.Batch(x, torch.full((len(x),), -1))
    checkpoint = cache_folder() / "bounds" / f"{path.stem}-{limit or 'all'}.safetensors"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    model, steps, seconds = train(recipe, batch, seed, checkpoint)
    started = time.process_time()
    row = {
        "experiment": name,
        "dataset": dataset,
        "data": split.identity,
        "seed": seed,
        "binarization": "dynamic in training, one static draw of the test images",
        "training_images": len(x),
        **log_likelihood(model, split.test.x[:limit], recipe.images),
        "steps": steps,
        "cpu_seconds": seconds,
        "evaluation_cpu_seconds": time.process_time() - started,
        "recipe": {"hidden": HIDDEN, "latent_dim": LATENT, **asdict(recipe)},
        "precision": "fast-float32",
        "vaecourse": vae.__version__,
        "torch": torch.__version__,
    }
    write_json(path, row)
    print(f"{name}: {row['test_nll']:.2f} nats, {seconds:.0f} CPU-seconds", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=RECIPES, help="which rows to make")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dataset", default="mnist", choices=("mnist", "strokes"))
    parser.add_argument("--folder", type=Path, default=ROWS, help="where rows lie")
    parser.add_argument("--limit", type=int, help="use so many images only: a trial run")
    arguments = parser.parse_args()
    try:
        check_writable(arguments.folder / "row.json")
    except OSError as error:
        parser.error(str(error))
    torch.set_num_threads(1)
    for name in arguments.names:
        make(name, arguments.seed, arguments.dataset, arguments.folder, arguments.limit)


if __name__ == "__main__":
    main()
