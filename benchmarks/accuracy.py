"""Test error of the course's semi-supervised models with few labels, a row for model and seed.

A seed draws the labels (stratified, from the training split alone), the first weights and the
noise. The 10,000 validation images are those on which the recipes were chosen; the test images are
looked at once, when a row is finished. A row is a file, and rows that are there already are kept:
an interrupted run is simply started again. One thread; CPU seconds cover everything that a row
needs, the M1 that several rows share included.
"""

import argparse
import json
import os
import time
from functools import cache, partial
from pathlib import Path

import torch

from vaecourse.classification import error_rate
from vaecourse.data import Batch, Split, load
from vaecourse.data.labels import dynamic_binarization, label_subset
from vaecourse.distributions import Gaussian
from vaecourse.evaluation import embed
from vaecourse.models import mlp_vae
from vaecourse.objectives import consistency_constrained, elbo, m2, prediction_constrained
from vaecourse.runtime import isolated_rng
from vaecourse.schedules import linear, warmup_cosine
from vaecourse.semi_supervised import (
    StackedM2,
    latent_batch,
    mlp_m2,
    mlp_prediction_constrained_vae,
    sample_latents,
)
from vaecourse.training import fit

LATENT, CLASSES, PRECISION = 50, 10, "fast-float32"

# Every number that a row depends on. `epochs` are passes over the 50,000 training images; each
# update sees `batch` of them and `labeled` labelled rows; `lr` is the peak of a warm-up and cosine.
RECIPES = {
    "m1": {"hidden": (600, 600), "epochs": 25, "batch": 250, "lr": 3e-3},
    "logistic": {"C": 1.0},
    "svm": {"C": 10.0},
    "spreading": {"n_neighbors": 10, "alpha": 0.99, "max_iter": 200},
    # alpha: this share of N, spread over the labelled rows.
    "m2": {"hidden": (500,), "epochs": 30, "batch": 250, "labeled": 100, "lr": 3e-3, "alpha": 0.1},
    "m1_m2": {
        "hidden": (500,),
        "epochs": 40,
        "batch": 250,
        "labeled": 100,
        "lr": 3e-3,
        "alpha": 0.1,
    },
    # Two phases: the bound alone, then the constraints, whose multiplier rises over `ramp` of it.
    "pc_vae": {
        "hidden": (500,),
        "epochs": (14, 6),
        "batch": 250,
        "labeled": 100,
        "lr": 3e-3,
        "multiplier": 30.0,
        "ramp": 0.3,
        "dropout": 0.5,
        "encoder_lr": 0.05,
    },
    "cpc_vae": {
        "hidden": (500,),
        "epochs": (20, 60),
        "batch": 250,
        "labeled": 100,
        "lr": 3e-3,
        "multiplier": 100.0,
        "ramp": 0.3,
    },
}
USES = {
    "m1_logistic": ("m1", "logistic"),
    "m1_svm": ("m1", "svm"),
    "m1_transductive": ("m1", "spreading"),
    "m2": ("m2",),
    "m1_m2": ("m1", "m1_m2"),
    "pc_vae": ("pc_vae",),
    "cpc_vae": ("cpc_vae",),
}
"""The recipes that make each row."""
SHORT = {"cpc": "cpc_vae", "pc": "pc_vae", "m1": "m1_logistic"}


class SlowEncoder(torch.optim.Adam):
    """Adam in which the first parameters, those of the encoder, move at a share of the rate."""

    def __init__(self, parameters, *, count: int, share: float):
        parameters = list(parameters)
        groups = [{"params": parameters[:count], "share": share}]
        super().__init__([*groups, {"params": parameters[count:], "share": 1.0}])

    def step(self):
        """Shorten the rate, which `fit` sets anew before every step, and take the step."""
        for group in self.param_groups:
            group["lr"] *= group["share"]
        super().step()


class Data:
    """The split with only some labels left, and how long the models train on it."""

    def __init__(self, split: Split, labels: int, seed: int, budget: float):
        self.split, self.labels, self.seed, self.budget = split, labels, seed, budget
        y = label_subset(split.train.y, labels, seed)
        self.train = Batch(split.train.x, y)
        self.share = labels / len(y)
        self.event = tuple(split.train.x.shape[1:])

    def built(self, build, *arguments, **options):
        """Build a model whose first weights come from the seed."""
        with isolated_rng(self.seed):
            return build(*arguments, **options)

    def steps(self, recipe: dict, epochs: int) -> int:
        """Return the updates in so many epochs, as far as the budget goes."""
        return max(2, round(self.budget * epochs * len(self.train.x) / recipe["batch"]))

    def fit(self, model, objective, recipe: dict, steps: int, **options) -> None:
        """Train with the recipe's batches and learning rate."""
        options = {"transform": dynamic_binarization, "data": self.train} | options
        fit(
            model,
            objective,
            steps=steps,
            batch_size=recipe["batch"],
            labeled_batch_size=recipe.get("labeled"),
            lr=warmup_cosine(recipe["lr"], min(200, steps // 2), steps),
            seed=self.seed,
            device="cpu",
            precision=PRECISION,
            progress=False,
            **options,
        )

    def errors(self, model) -> tuple[float, float]:
        """Return the errors on validation and test images."""
        return error_rate(model, self.split.valid), error_rate(model, self.split.test)


@cache
def first_model(data: Data):
    """Train M1 once for all rows of a seed; return it and its CPU seconds."""
    started, recipe = time.process_time(), RECIPES["m1"]
    model = data.built(mlp_vae, data.event, LATENT, recipe["hidden"])
    data.fit(model, elbo, recipe, data.steps(recipe, recipe["epochs"]))
    return model, time.process_time() - started


def m1(name: str, data: Data):
    """Classify the latents of M1 by scikit-learn."""
    model, _ = first_model(data)
    parts = data.train, data.split.valid, data.split.test
    train, valid, test = ((embed(model, part.x).numpy(), part.y.numpy()) for part in parts)
    classifier = CLASSIFIERS[name]()
    known = train[1] >= 0
    if name != "m1_transductive":
        train = train[0][known], train[1][known]
    classifier.fit(*train)
    return 1 - classifier.score(*valid), 1 - classifier.score(*test)


def logistic():
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=2000, **RECIPES["logistic"])


def svm():
    from sklearn.svm import SVC

    return SVC(**RECIPES["svm"])


def spreading():
    """Labels spread over the graph of near neighbors among all training latents."""
    from sklearn.semi_supervised import LabelSpreading

    return LabelSpreading(kernel="knn", n_jobs=1, **RECIPES["spreading"])


CLASSIFIERS = {"m1_logistic": logistic, "m1_svm": svm, "m1_transductive": spreading}


def train_m2(recipe: dict, few: Data, model, **options) -> None:
    objective = partial(m2, alpha=recipe["alpha"] / few.share, labeled_share=few.share)
    few.fit(model, objective, recipe, few.steps(recipe, recipe["epochs"]), **options)


def m2_on_images(name: str, data: Data):
    recipe = RECIPES["m2"]
    model = data.built(mlp_m2, data.event, LATENT, CLASSES, recipe["hidden"])
    train_m2(recipe, data, model)
    return data.errors(model)


def m2_on_latents(name: str, data: Data):
    recipe = RECIPES["m1_m2"]
    first, _ = first_model(data)
    build = partial(mlp_m2, likelihood=Gaussian)
    second = data.built(build, LATENT, LATENT, CLASSES, recipe["hidden"])
    latents = latent_batch(first, data.train)
    train_m2(recipe, data, second, data=latents, transform=sample_latents)
    return data.errors(StackedM2(first, second))


def constrained(name: str, data: Data):
    """Train on the bound, then under constraints that grow."""
    recipe = RECIPES[name]
    sizes = data.event, LATENT, CLASSES, recipe["hidden"]
    options = {"dropout": recipe.get("dropout", 0.0)}
    model = data.built(mlp_prediction_constrained_vae, *sizes, **options)
    before, after = (data.steps(recipe, epochs) for epochs in recipe["epochs"])
    data.fit(model, partial(elbo), {**recipe, "labeled": None}, before)
    objective = consistency_constrained if name == "cpc_vae" else prediction_constrained
    ramp = linear(0.0, recipe["multiplier"], max(1, int(recipe["ramp"] * after)))
    options = {"schedules": {"multiplier": ramp}}
    if "encoder_lr" in recipe:
        count = len(list(model.encoder.parameters()))
        options["optimizer"] = partial(SlowEncoder, count=count, share=recipe["encoder_lr"])
    data.fit(model, partial(objective, labeled_share=data.share), recipe, after, **options)
    return data.errors(model)


RUN = dict.fromkeys(CLASSIFIERS, m1) | {
    "m2": m2_on_images,
    "m1_m2": m2_on_latents,
    "pc_vae": constrained,
    "cpc_vae": constrained,
}


def row(name: str, data: Data) -> dict:
    """Train and judge one model; return what is written down."""
    shared = first_model(data)[1] if "m1" in USES[name] else 0.0
    started, wall = time.process_time(), time.perf_counter()
    valid, test = RUN[name](name, data)
    return identity(name, data) | {
        "validation_error": valid,
        "test_error": test,
        "cpu_seconds": shared + time.process_time() - started,
        "wall_seconds_without_m1": time.perf_counter() - wall,
        "torch": torch.__version__,
    }


def identity(name: str, data: Data) -> dict:
    """Return what makes two rows the same row."""
    recipes = {key: RECIPES[key] for key in USES[name]}
    same = {
        "experiment": name,
        "dataset": data.split.name,
        "data": data.split.identity,
        "labels": data.labels,
        "seed": data.seed,
        "budget": data.budget,
        "latent_dim": LATENT,
        "precision": PRECISION,
        "recipes": recipes,
    }
    return json.loads(json.dumps(same))


def path_of(folder: Path, same: dict) -> Path:
    """Return the file of a row: one for every model, number of labels and seed."""
    return folder / f"{same['dataset']}-{same['labels']}-{same['experiment']}-{same['seed']}.json"


def read_row(path: Path, same: dict) -> dict | None:
    """Return the row that is there, unless another recipe, budget or data set made it."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    return kept if all(kept.get(key) == value for key, value in same.items()) else None


def write_row(path: Path, done: dict) -> None:
    """Put the row in its place in one step: a reader sees a whole row or none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial_file = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial_file.write_text(json.dumps(done, indent=1) + "\n")
    os.replace(partial_file, path)


def table(rows: list[dict]) -> str:
    """Return mean test error by experiment and number of labels, with a 95 % interval."""
    from scipy import stats

    lines = [f"{'':16} labels seeds  test error %            validation  CPU s"]
    for key in sorted({(r["labels"], r["experiment"], r["budget"]) for r in rows}):
        some = [r for r in rows if (r["labels"], r["experiment"], r["budget"]) == key]
        errors = torch.tensor([100 * r["test_error"] for r in some], dtype=torch.float64)
        count = len(some)
        half = float("nan")
        if count > 1:
            half = stats.t.ppf(0.975, count - 1) * errors.std().item() / count**0.5
        valid = sum(100 * r["validation_error"] for r in some) / count
        seconds = sum(r["cpu_seconds"] for r in some) / count
        spread = f"{errors.mean():6.2f} ± {half:5.2f} ({errors.min():.2f}-{errors.max():.2f})"
        lines.append(f"{key[1]:16} {key[0]:6} {count:5}  {spread:28} {valid:6.2f} {seconds:6.0f}")
    return "\n".join(lines)


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def models(text: str) -> list[str]:
    names = [SHORT.get(part, part) for part in text.split(",")]
    unknown = [name for name in names if name not in USES]
    if unknown:
        known = ", ".join([*USES, *SHORT])
        raise argparse.ArgumentTypeError(f"unknown model {unknown[0]!r}; the models are {known}")
    return names


def main() -> None:
    """Run the experiments from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", type=models, default=list(USES), help=", ".join(USES))
    parser.add_argument("--seeds", type=numbers, default=[0, 1, 2, 3, 4], help="default 0,1,2,3,4")
    parser.add_argument("--labels", type=numbers, default=[100], help="default 100")
    parser.add_argument("--budget", type=float, default=1.0, help="share of the epochs (default 1)")
    parser.add_argument("--data", default="mnist", choices=("mnist", "fashion_mnist", "strokes"))
    parser.add_argument("--folder", type=Path, default=Path("results/semi_supervised"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    split = load(options.data)
    rows = []
    for labels in options.labels:
        for seed in options.seeds:
            data = Data(split, labels, seed, options.budget)
            for name in options.models:
                path = path_of(options.folder, identity(name, data))
                done = read_row(path, identity(name, data))
                if done is None:
                    done = row(name, data)
                    write_row(path, done)
                print(json.dumps({k: v for k, v in done.items() if k != "recipes"}), flush=True)
                rows.append(done)
            first_model.cache_clear()
    print(table(rows))


if __name__ == "__main__":
    main()
