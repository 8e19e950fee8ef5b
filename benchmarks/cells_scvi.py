"""Train SCVI of scvi-tools on counts from a file; write its latents and its seconds.

    python benchmarks/cells_scvi.py COUNTS.npz LATENTS.npz --epochs 60

`cells.py` calls this with the interpreter of scvi-tools' own environment. Nothing here needs the
course's package.
"""

import argparse
import logging
import time
import warnings

import anndata
import numpy as np
import scvi
import torch


def main():
    """Train on the first rows of the counts, embed the others."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", help="npz with counts, sites, num_train and seed")
    parser.add_argument("latents", help="npz to write")
    parser.add_argument("--epochs", type=int, required=True)
    options = parser.parse_args()
    for name in ("lightning", "lightning.pytorch", "scvi"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    given = np.load(options.counts)
    train = int(given["num_train"])
    scvi.settings.seed = int(given["seed"])
    parts = [
        anndata.AnnData(given["counts"][rows].astype(np.float32), obs={"site": sites})
        for rows in (slice(train), slice(train, None))
        for sites in [given["sites"][rows].astype(str)]
    ]
    scvi.model.SCVI.setup_anndata(parts[0], batch_key="site")
    model = scvi.model.SCVI(parts[0])
    start = time.process_time()
    quiet = {"enable_progress_bar": False, "logger": False, "enable_checkpointing": False}
    model.train(options.epochs, accelerator="cpu", train_size=1.0, batch_size=128, **quiet)
    seconds = time.process_time() - start
    np.savez(
        options.latents,
        latents=model.get_latent_representation(parts[1]),
        seconds=seconds,
        version=scvi.__version__,
    )


if __name__ == "__main__":
    main()
