"""The experiments by name, and the trials they are made of: one model, data set and seed each."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import vaecourse
from vaecourse.data import Split, load
from vaecourse.data.sources import SOURCES
from vaecourse.experiments import methods
from vaecourse.experiments.recipes import LATENT, PRECISION, recipe
from vaecourse.experiments.work import Work
from vaecourse.runtime.source import source_hash

__all__ = ["EXPERIMENTS", "Experiment", "Trial", "default_names", "label_count", "split_of"]


class Experiment(NamedTuple):
    """What is trained and how it is judged.

    Attributes
    ----------
    name : str
        Its name in tables, files and on the command line.
    title : str
        What it is, in words.
    run : callable
        Takes a `Work` and returns what was found: at least ``validation_error`` and
        ``test_error``, fractions.
    uses : tuple of str
        The recipes that it depends on.
    network : {"mlp", "conv"}
        Kind of encoder and decoder.
    """

    name: str
    title: str
    run: Callable[[Work], dict]
    uses: tuple[str, ...]
    network: str = "mlp"


def _m1(classifier: str) -> Callable[[Work], dict]:
    return partial(methods.m1, classifier=classifier)


def _stacked(below: str) -> Callable[[Work], dict]:
    return partial(methods.m2_on_latents, below=below)


def _constrained(name: str) -> Callable[[Work], dict]:
    return partial(methods.constrained, name=name)


MLP = (
    Experiment("pixels_logistic", "pixels, logistic", methods.pixels_logistic, ("pixels",)),
    Experiment("encoder", "encoder alone", methods.encoder, ("encoder",)),
    Experiment(
        "vae_labeled_logistic",
        "VAE of labeled images, logistic",
        methods.labeled_vae,
        ("labeled_vae", "logistic"),
    ),
    Experiment("m1_logistic", "M1, logistic", _m1("logistic"), ("m1", "logistic")),
    Experiment("m1_svm", "M1, SVM", _m1("svm"), ("m1", "svm")),
    Experiment("m1_transductive", "M1, label spreading", _m1("spreading"), ("m1", "spreading")),
    Experiment(
        "beta_vae_logistic", "beta-VAE, logistic", methods.beta_vae, ("beta_vae", "logistic")
    ),
    Experiment("m2", "M2", methods.m2_on_images, ("m2",)),
    Experiment("m1_m2", "M1+M2", _stacked("m1_below_m2"), ("m1_below_m2", "m1_m2")),
    Experiment("pc_vae", "PC-VAE", _constrained("pc_vae"), ("pc_vae",)),
    Experiment("cpc_vae", "CPC-VAE", _constrained("cpc_vae"), ("cpc_vae",)),
)
CONV = tuple(
    one._replace(name=f"{one.name}_conv", title=f"{one.title} (convolutional)", network="conv")
    for one in MLP
    if one.name not in ("pixels_logistic", "m2")
)
ABLATIONS = (
    Experiment(
        "m1_m2_unweighted",
        "M1+M2, rate of M1 at full weight",
        _stacked("m1_below_m2_unweighted"),
        ("m1_below_m2_unweighted", "m1_m2"),
    ),
)
"""What shows why a recipe is as it is. They run when asked for by name."""

EXPERIMENTS = MLP + CONV + ABLATIONS


def default_names(dataset: str) -> list[str]:
    """Return the experiments that a data set's table has: photographs take convolutions."""
    in_color = dataset in SOURCES and SOURCES[dataset].is_color
    chosen = (MLP[0], *CONV) if in_color else MLP
    return [one.name for one in chosen]


@cache
def split_of(dataset: str) -> Split:
    """Load a data set once."""
    return load(dataset)


def label_count(text: str, split: Split) -> int:
    """Return how many training labels ``"100"`` or ``"80/20"``, 80 % of them, asks for."""
    share, bar, rest = text.partition("/")
    if not bar:
        return int(text)
    return round(int(share) / (int(share) + int(rest)) * len(split.train.y))


@dataclass(frozen=True)
class Trial:
    """One row of results before it is made.

    Parameters
    ----------
    experiment : Experiment
        What to train.
    dataset : str
        Name of the data set.
    labels : int
        Number of training labels that are known.
    seed : int
        Seed of labels, first weights and noise.
    budget : float
        Share of the recipe's steps.
    data : str
        Identity of the data set, so that nobody trains on another by mistake.
    """

    experiment: Experiment
    dataset: str
    labels: int
    seed: int
    budget: float
    data: str

    @property
    def name(self) -> str:
        """Name of the row's file, without its ending."""
        return f"{self.dataset}-{self.labels}-{self.experiment.name}-{self.seed}"

    @property
    def recipes(self) -> dict[str, dict]:
        """The numbers of every recipe that the row uses."""
        one = self.experiment
        return {name: recipe(name, self.dataset, one.network) for name in one.uses}

    @property
    def identity(self) -> dict:
        """What makes two rows the same row, as JSON gives it back."""
        same = {
            "experiment": self.experiment.name,
            "dataset": self.dataset,
            "data": self.data,
            "labels": self.labels,
            "seed": self.seed,
            "budget": self.budget,
            "latent_dim": LATENT,
            "precision": PRECISION,
            "recipes": self.recipes,
            "network": self.experiment.network,
            "vaecourse": vaecourse.__version__,
        }
        return json.loads(json.dumps(same))

    @property
    def key(self) -> str:
        """Name of the row's work in progress: the row, its numbers and the very source code."""
        parts = self.identity | {"source": source_hash(__name__)}
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return f"{self.name}-{digest[:16]}"

    @property
    def shared(self) -> "Trial | None":
        """The trial that trains the M1 which this row shares with others, if it needs one."""
        if "m1" not in self.experiment.uses:
            return None
        network = self.experiment.network
        first = Experiment("m1", "M1", methods.first_model, ("m1",), network)
        return Trial(first, self.dataset, 0, self.seed, self.budget, self.data)
