"""Rate, distortion and match with the true factors over seven weights of the KL term.

    python benchmarks/disentanglement.py --seeds 5

Each file in ``results/disentanglement`` is one sweep of beta with one seed: ``moving`` is one digit
with five factors, ``digits`` all digits with seven. The rows are written when their sweep is
done; sweeps that have a file are left as they are, so an interrupted run goes on where it was.
"""

import argparse
import time
from pathlib import Path

import torch

import vaecourse as vae
from vaecourse.data.known_factors import all_digits, moving_digit
from vaecourse.data.labels import dynamic_binarization, static_binarization
from vaecourse.evaluation import active_units, embed, evaluate
from vaecourse.evaluation.disentanglement import factor_prediction, mutual_information
from vaecourse.objectives import elbo, total_correlation
from vaecourse.runtime import isolated_rng
from vaecourse.runtime.files import check_writable, write_json

FOLDER = Path(__file__).resolve().parent.parent / "results" / "disentanglement"
NUM_TRAIN, NUM_TEST, TRAIN_SEED, TEST_SEED = 10_000, 4_000, 1, 2
LATENTS, BATCH, PEAK_RATE, WARMUP = 10, 64, 3e-3, 200
SEVEN = (0.25, 0.5, 1, 2, 4, 8, 16)
DATA = {"moving": moving_digit, "digits": all_digits}
NETWORKS = {  # builder, its architecture, training steps
    "mlp": (vae.mlp_vae, {"hidden": (200,)}, 2500),
    "conv": (vae.conv_vae, {"channels": (8, 16)}, 1500),
}
OBJECTIVES = {"elbo": elbo, "total_correlation": total_correlation}
SWEEPS = (
    ("moving", "mlp", "elbo", SEVEN),
    ("moving", "conv", "elbo", SEVEN),
    ("moving", "mlp", "total_correlation", (4, 8, 16)),
    ("digits", "mlp", "elbo", SEVEN),
)


def train(images, network, objective, beta, seed):
    """Return a trained model and the CPU seconds of its training."""
    build, architecture, steps = NETWORKS[network]
    start = time.process_time()
    with isolated_rng(seed):
        model = build((1, 28, 28), LATENTS, **architecture)
    vae.fit(
        model,
        objective,
        images,
        steps=steps,
        batch_size=BATCH,
        lr=vae.warmup_cosine(PEAK_RATE, WARMUP, steps),
        schedules={"beta": beta},
        transform=dynamic_binarization,
        precision="fast-float32",
        seed=seed,
        device="cpu",
        progress=False,
    )
    return model, time.process_time() - start


def measure(model, test, seed):
    """Return everything that a row says about a trained model."""
    binary = vae.Batch(static_binarization(test.batch.x, seed=0), test.batch.y)
    means = evaluate(model, elbo, binary)
    codes = embed(model, test.batch.x).numpy()
    information = mutual_information(codes, test.factors)
    prediction = factor_prediction(codes, test.factors, seed=seed)
    informed = zip(test.factors, prediction.informativeness.tolist(), strict=True)
    return {
        "rate": means["kl"],
        "distortion": -means["reconstruction"],
        "elbo": means["elbo"],
        "active_units": int((active_units(model, test.batch.x) > 0.01).sum()),
        "mutual_information_gap": information.gap,
        "disentanglement": prediction.disentanglement,
        "completeness": prediction.completeness,
        "informativeness": dict(informed),
        "information_nats": information.matrix.round(4).tolist(),
        "importance": prediction.matrix.round(4).tolist(),
    }


def sweep(data, network, objective, betas, seed):
    """Return one sweep of beta as a JSON object."""
    images, test = DATA[data](NUM_TRAIN, TRAIN_SEED), DATA[data](NUM_TEST, TEST_SEED)
    runs = []
    for beta in betas:
        model, seconds = train(images.batch, network, OBJECTIVES[objective], beta, seed)
        row = {"beta": beta, "cpu_seconds": seconds} | measure(model, test, seed)
        runs.append(row)
        print(
            f"{data} {network} {objective} seed {seed} beta {beta:g}: rate {row['rate']:.1f}, "
            f"distortion {row['distortion']:.1f}, gap {row['mutual_information_gap']:.3f}, "
            f"disentanglement {row['disentanglement']:.3f}, {seconds:.1f} s",
            flush=True,
        )
    recipe = {"steps": NETWORKS[network][2], "batch_size": BATCH, "peak": PEAK_RATE}
    recipe |= {"latent_dim": LATENTS, "architecture": NETWORKS[network][1], "warmup": WARMUP}
    recipe |= {"num_train": NUM_TRAIN, "num_test": NUM_TEST, "torch": torch.__version__}
    names = {"data": data, "network": network, "objective": objective, "seed": seed}
    return names | {"recipe": recipe, "runs": runs}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="runs of each kind")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the rows go")
    options = parser.parse_args()
    if options.seeds < 1:
        parser.error(f"--seeds must be a positive integer, got {options.seeds}")
    try:
        check_writable(options.folder / "row.json")
    except OSError as error:
        parser.error(str(error))
    for seed in range(options.seeds):
        for data, network, objective, betas in SWEEPS:
            path = options.folder / f"{data}-{network}-{objective}-{seed}.json"
            if not path.exists():
                write_json(path, sweep(data, network, objective, betas, seed))


if __name__ == "__main__":
    main()
