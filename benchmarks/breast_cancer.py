"""Few labels on real clinical data: M1, M2 and a prediction-constrained VAE on breast-cancer cells.

    python benchmarks/breast_cancer.py --json results/breast_cancer.json

scikit-learn's Wisconsin set: 569 tumors, 30 measurements each. Per draw, 169 tumors are the test
set, and 10, 20 or 50 of the other 400 keep their label; measurements are standardized with the 400.
The opponent, logistic regression, sees the labeled rows alone. All settings were fixed beforehand,
for there are no labels to choose them by.
"""

import argparse
import time
from functools import partial

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

import vaecourse as vae
from vaecourse.data.labels import label_subset, stratified_split
from vaecourse.evaluation.classification import error_rate
from vaecourse.objectives import m2, prediction_constrained
from vaecourse.runtime import isolated_rng
from vaecourse.runtime.files import writable, write_json

TEST, LABELS, LATENT_DIM, HIDDEN, STEPS = 169, (10, 20, 50), 5, (64,), 600


def draw(seed):
    """Return training rows and labels, and test rows and labels, standardized by the former."""
    x, y = (torch.tensor(array) for array in load_breast_cancer(return_X_y=True))
    train, test = stratified_split(y, TEST, seed)
    mean, scale = x[train].mean(0), x[train].std(0)
    x = ((x - mean) / scale).float()
    return vae.Batch(x[train], y[train]), vae.HeldOut(x[test], y[test])


def logistic(few, test, seed):
    """Fit logistic regression to the labeled rows and nothing else."""
    known = few.y >= 0
    return 1 - LogisticRegression(max_iter=1000).fit(few.x[known], few.y[known]).score(*both(test))


def m1(embedding, few, test, seed):
    """Fit logistic regression to the latents of the labeled rows."""
    known = few.y >= 0
    model = LogisticRegression(max_iter=1000).fit(embedding.transform(few.x[known]), few.y[known])
    return 1 - model.score(embedding.transform(test.x), test.y)


def joint(build, objective, few, test, seed):
    """Train a model of rows and labels together; return its test error."""
    with isolated_rng(seed):
        model = build(30, LATENT_DIM, 2, HIDDEN, vae.GaussianSharedScale)
    share = (few.y >= 0).double().mean().item()
    vae.fit(
        model,
        partial(objective, labeled_share=share),
        few,
        steps=STEPS,
        batch_size=100,
        labeled_batch_size=10,
        lr=vae.warmup_cosine(3e-3, 50, STEPS),
        seed=seed,
        device="cpu",
        progress=False,
    )
    return error_rate(model, test)


def both(data):
    """Return rows and labels as scikit-learn takes them."""
    return data.x, data.y


def one_draw(seed, labels=LABELS):
    """Yield a row per number of labels and method."""
    train, test = draw(seed)
    embedding = vae.VAEEmbedding(
        LATENT_DIM, hidden=HIDDEN, epochs=STEPS // 4, batch_size=100, lr=3e-3, random_state=seed
    ).fit(train.x)
    constrained = partial(prediction_constrained, multiplier=20.0)
    methods = {
        "logistic": logistic,
        "m1": partial(m1, embedding),
        "m2": partial(joint, vae.mlp_m2, partial(m2, alpha=20.0)),
        "pc_vae": partial(joint, vae.mlp_prediction_constrained_vae, constrained),
    }
    for num in labels:
        few = vae.Batch(train.x, label_subset(train.y, num, seed))
        for name, method in methods.items():
            start = time.process_time()
            error = method(few, test, seed)
            seconds = time.process_time() - start
            row = {"method": name, "labels": num, "seed": seed, "test_error": float(error)}
            yield row | {"cpu_seconds": round(seconds, 2)}


def main():
    """Run every draw, print a line a row, write the file when all are done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--json", type=writable, metavar="FILE")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for seed in range(options.draws):
        for row in one_draw(seed):
            rows.append(row)
            print(row, flush=True)
    if options.json:
        write_json(options.json, {"rows": rows})


if __name__ == "__main__":
    main()
