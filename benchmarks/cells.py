"""Cell types in the latents of simulated cells: the course's VAE beside PCA and scvi-tools' SCVI.

    python benchmarks/cells.py --json results/cells.json --scvi PATH/TO/SCVI/bin/python

Per seed: 3,000 cells of 300 genes, six types, two sites. Every method learns from the first 2,000;
k-means with six clusters, the scores and the site's trace are taken on the other 1,000. Without
``--scvi`` the row of SCVI is left out.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, silhouette_score

import vaecourse as vae
from vaecourse.data import cells
from vaecourse.evaluation import embed
from vaecourse.objectives import given_covariates
from vaecourse.runtime import isolated_rng
from vaecourse.runtime.files import writable, write_json

CELLS, TYPES, LATENT_DIM, EPOCHS, SCVI_EPOCHS = 3000, 6, 10, 60, 400
HERE = Path(__file__).parent


def scores(z, drawn, train):
    """Return adjusted Rand index and silhouettes of the cells that nothing learned from."""
    types, sites = drawn.types[train:], drawn.sites[train:]
    clusters = KMeans(TYPES, n_init=50, random_state=0).fit_predict(z)
    return {
        "ari": adjusted_rand_score(types, clusters),
        "silhouette_type": float(silhouette_score(z, types)),
        "silhouette_site": float(silhouette_score(z, sites)),
    }


def components(drawn, train, *, centered):
    """Return PCA of log-normalized counts; `centered` takes each site's mean out first."""
    y = cells.log_normalize(torch.tensor(drawn.counts).float()).numpy()
    if centered:
        for site in np.unique(drawn.sites):
            at = drawn.sites == site
            y[at] -= y[:train][at[:train]].mean(0)
    return PCA(LATENT_DIM, random_state=0).fit(y[:train]).transform(y[train:]), {}


def train_vae(split, seed, *, sites):
    """Train the course's model; with one site it is not told where a cell comes from."""
    x = split.train.x.clone()
    if sites == 1:
        x[:, -1] = 0
    with isolated_rng(seed):
        model = vae.mlp_count_vae(x.shape[1] - 1, LATENT_DIM, sites)
    steps = EPOCHS * -(-len(x) // 128)
    start = time.process_time()
    vae.fit(
        model,
        given_covariates,
        vae.Batch(x, split.train.y),
        epochs=EPOCHS,
        lr=vae.warmup_cosine(3e-3, 50, steps),
        schedules={"beta": vae.linear_schedule(0, 1, steps // 3)},
        seed=seed,
        device="cpu",
        progress=False,
    )
    seconds = time.process_time() - start
    return model, {"epochs": EPOCHS, "seconds_per_epoch": seconds / EPOCHS}


def embedded(drawn, split, seed, *, sites):
    """Return the latents of the held-out cells, and how long training took."""
    model, timing = train_vae(split, seed, sites=sites)
    return embed(model, torch.cat([split.valid.x, split.test.x])).numpy(), timing


def scvi(drawn, train, seed, python):
    """Return SCVI's latents from its own environment, trained for as long as it is by default."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder) / "counts.npz", Path(folder) / "latents.npz"
        np.savez(given, counts=drawn.counts, sites=drawn.sites, num_train=train, seed=seed)
        command = [python, HERE / "cells_scvi.py", given, found, "--epochs", str(SCVI_EPOCHS)]
        subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        with np.load(found) as file:
            timing = {
                "epochs": SCVI_EPOCHS,
                "seconds_per_epoch": float(file["seconds"]) / SCVI_EPOCHS,
                "version": str(file["version"]),
            }
            return file["latents"], timing


def one_seed(seed, python):
    """Yield one row for every method."""
    drawn = cells.simulate(CELLS, seed=seed)
    split = cells.split(drawn)
    train = len(split.train.y)
    methods = {
        "pca": lambda: components(drawn, train, centered=False),
        "pca_centered": lambda: components(drawn, train, centered=True),
        "vae_without_site": lambda: embedded(drawn, split, seed, sites=1),
        "vae": lambda: embedded(drawn, split, seed, sites=2),
    }
    if python:
        methods["scvi"] = lambda: scvi(drawn, train, seed, python)
    for name, method in methods.items():
        z, more = method()
        yield {"method": name, "seed": seed, **scores(z, drawn, train), **more}


def main():
    """Run every seed, print a line a row, write the file when all are done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--scvi", metavar="PYTHON", help="interpreter that has scvi-tools")
    parser.add_argument("--json", type=writable, metavar="FILE")
    options = parser.parse_args()
    torch.set_num_threads(1)
    start, rows = time.process_time(), []
    for seed in range(options.seeds):
        for row in one_seed(seed, options.scvi):
            rows.append(row)
            print(row, flush=True)
    result = {"rows": rows, "cpu_seconds_without_scvi": time.process_time() - start}
    if options.json:
        write_json(options.json, result)


if __name__ == "__main__":
    main()
