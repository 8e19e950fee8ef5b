"""Every number that a row depends on."""

LATENT, CLASSES, PRECISION = 50, 10, "fast-float32"

BELOW_M2 = {
    "hidden": (600, 600),
    "latent": 20,
    "epochs": 25,
    "batch": 250,
    "lr": 3e-3,
    "beta": 0.25,
}
"""The M1 below M2. With its rate at full weight about eleven latents carry something; a quarter of
the weight fills all twenty, and what M1 drops M2 cannot get back."""

# `epochs` are passes over the training images; where only the labelled images are trained on, over
# those, but no fewer than `updates` steps. Each update sees `batch` images and `labeled` labelled
# ones more; `lr` is the peak of a warm-up and cosine. `C` is the inverse strength of scikit-learn's
# penalty; `latent` the number of latents where it is not LATENT.
RECIPES: dict[str, dict] = {
    "pixels": {"C": 1.0},
    "encoder": {"hidden": (600, 600), "epochs": 20, "updates": 1000, "batch": 100, "lr": 1e-3},
    "labeled_vae": {"hidden": (600, 600), "epochs": 10, "updates": 500, "batch": 100, "lr": 1e-3},
    "m1": {"hidden": (600, 600), "epochs": 25, "batch": 250, "lr": 3e-3},
    "beta_vae": {"hidden": (600, 600), "epochs": 25, "batch": 250, "lr": 3e-3, "beta": 4.0},
    "logistic": {"C": 1.0},
    "svm": {"C": 2.0},
    "spreading": {"n_neighbors": 20, "alpha": 0.95, "max_iter": 300},
    # alpha: this share of N, spread over the labelled rows.
    "m2": {
        "hidden": (500,),
        "epochs": 45,
        "batch": 250,
        "labeled": 100,
        "lr": 3e-3,
        "alpha": 0.1,
        "roulette": 0.3,
    },
    "m1_below_m2": BELOW_M2,
    "m1_below_m2_unweighted": BELOW_M2 | {"beta": 1.0},
    "m1_m2": {
        "hidden": (500,),
        "latent": 10,
        "epochs": 60,
        "batch": 250,
        "labeled": 100,
        "lr": 3e-3,
        "alpha": 0.1,
        "roulette": 0.3,
    },
    # Two phases: the bound alone, then the constraints, whose multiplier rises over `ramp` of it.
    "pc_vae": {
        "hidden": (600, 600),
        "epochs": (25, 4),
        "batch": 250,
        "labeled": 100,
        "lr": 3e-3,
        "multiplier": 30.0,
        "ramp": 0.3,
        "dropout": 0.5,
        "encoder_lr": 0.01,
    },
    "cpc_vae": {
        "hidden": (600, 600),
        "epochs": (20, 40),
        "batch": 250,
        "labeled": 100,
        "lr": 3e-3,
        "multiplier": 100.0,
        "ramp": 0.3,
    },
}

CONV: dict[str, dict] = {
    "encoder": {"channels": (32, 64), "epochs": 10, "updates": 300},
    "labeled_vae": {"channels": (32, 64)},
    "m1": {"channels": (32, 64), "epochs": 5, "batch": 100, "lr": 2e-3},
    "beta_vae": {"channels": (32, 64), "epochs": 5, "batch": 100, "lr": 2e-3},
    "m1_below_m2": {"channels": (32, 64), "epochs": 5, "batch": 100, "lr": 2e-3},
    "pc_vae": {"channels": (32, 64), "epochs": (5, 2), "lr": 2e-3},
    "cpc_vae": {"channels": (32, 64), "epochs": (5, 5), "lr": 2e-3},
}
"""What convolutional networks do otherwise. Updates cost ten times as much as without
convolutions, so there are fewer."""

CIFAR10: dict[str, dict] = {
    "pixels": {"C": 0.01},
    "m1": {"epochs": 20},
    "beta_vae": {"epochs": 20},
    "m1_below_m2": {"epochs": 20, "latent": LATENT},
    "pc_vae": {"epochs": (8, 4), "batch": 100},
    "cpc_vae": {"epochs": (8, 8), "batch": 100},
}
"""What CIFAR-10 needs otherwise. On validation images were chosen C, the encoder's channels and
the learning rate of M1; the rest follows MNIST's recipes."""

BY_DATASET = {"cifar10": CIFAR10}


def recipe(name: str, dataset: str, network: str) -> dict:
    """Return the numbers of one recipe for a data set and a kind of network."""
    chosen = dict(RECIPES[name])
    if network == "conv" and name in CONV:
        del chosen["hidden"]
        chosen |= CONV[name]
    return chosen | BY_DATASET.get(dataset, {}).get(name, {})
