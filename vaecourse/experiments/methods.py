"""How each kind of row is trained and judged: functions of a `Work` that return what was found."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch import distributions as td

from vaecourse.data import Batch
from vaecourse.distributions import Gaussian, Head
from vaecourse.evaluation import embed
from vaecourse.evaluation.classification import error_rate
from vaecourse.experiments.recipes import CLASSES, LATENT
from vaecourse.experiments.work import Work
from vaecourse.models import conv_vae
from vaecourse.models.semi_supervised import (
    Categorical,
    PredictionConstrainedVAE,
    StackedM2,
    latent_batch,
    mlp_m2,
    mlp_prediction_constrained_vae,
    sample_latents,
)
from vaecourse.networks import MLP, ConvEncoder, Linear
from vaecourse.objectives import consistency_constrained, elbo, m2, prediction_constrained
from vaecourse.schedules import linear_schedule

__all__ = [
    "beta_vae",
    "constrained",
    "encoder",
    "first_model",
    "labeled_vae",
    "m1",
    "m2_on_images",
    "m2_on_latents",
    "pixels_logistic",
]


class SlowEncoder(torch.optim.Adam):
    """Adam in which the first parameters, those of the encoder, move at a share of the rate."""

    def __init__(self, parameters: Iterable[nn.Parameter], *, count: int, share: float) -> None:
        parameters = list(parameters)
        groups = [{"params": parameters[:count], "share": share}]
        super().__init__([*groups, {"params": parameters[count:], "share": 1.0}])

    def step(self) -> None:
        """Shorten the rate, which `fit` sets anew before every step, and take the step."""
        for group in self.param_groups:
            group["lr"] *= group["share"]
        super().step()


class _Classifier(nn.Module):
    """A network of images and its head p(y|x)."""

    def __init__(self, network: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.network, self.head = network, head

    def predict(self, x: Tensor) -> td.Categorical:
        return self.head(self.network(x))


def _cross_entropy(model: _Classifier, batch: Batch) -> dict[str, Tensor]:
    return {"loss": -model.predict(batch.x).log_prob(batch.y)}


def logistic(**numbers: Any) -> Any:
    """Return scikit-learn's logistic regression."""
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=2000, **numbers)


def svm(**numbers: Any) -> Any:
    """Return scikit-learn's support vector machine."""
    from sklearn.svm import SVC

    return SVC(**numbers)


def spreading(**numbers: Any) -> Any:
    """Spread labels over the graph of near neighbors among all training latents."""
    from sklearn.semi_supervised import LabelSpreading

    return LabelSpreading(kernel="knn", n_jobs=1, **numbers)


CLASSIFIERS = {"logistic": logistic, "svm": svm, "spreading": spreading}


def _errors(valid: float, test: float) -> dict[str, float]:
    return {"validation_error": valid, "test_error": test}


def _model_errors(model: nn.Module, work: Work) -> dict[str, float]:
    return _errors(error_rate(model, work.split.valid), error_rate(model, work.split.test))


def _classified(
    name: str, work: Work, features: Callable[[Tensor], np.ndarray], recipe: str | None = None
) -> dict[str, float]:
    """Train a classifier on the features of the labeled images, or of all, and judge it."""
    parts = work.train, work.split.valid, work.split.test
    train, valid, test = ((features(part.x), part.y.numpy()) for part in parts)
    known = train[1] >= 0
    if name != "spreading":
        train = train[0][known], train[1][known]
    classifier = CLASSIFIERS[name](**work.recipes[recipe or name])
    classifier.fit(*train)
    return _errors(1 - classifier.score(*valid), 1 - classifier.score(*test))


def _embedded(name: str, work: Work, model: nn.Module) -> dict:
    def features(x: Tensor) -> np.ndarray:
        return embed(model, x).numpy()

    return _classified(name, work, features) | work.bounds(model)


def pixels_logistic(work: Work) -> dict:
    """Classify images by logistic regression on their pixels."""
    return _classified("logistic", work, lambda x: x.flatten(1).numpy(), recipe="pixels")


def encoder(work: Work) -> dict:
    """Classify images by the encoder's network, trained on the labelled ones."""
    recipe, head = work.recipes["encoder"], Categorical(CLASSES)
    kind, inner = (MLP, "hidden") if "hidden" in recipe else (ConvEncoder, "channels")
    network = work.built(kind, work.event, recipe[inner], head.in_shape)
    model, steps = (
        _Classifier(network, head),
        work.steps(recipe, recipe["epochs"], len(work.known.x)),
    )
    work.fit(model, _cross_entropy, recipe, steps, data=work.known, transform=None)
    return _model_errors(model, work)


def labeled_vae(work: Work) -> dict:
    """Classify the latents of a VAE that has seen the labelled images alone."""
    recipe = work.recipes["labeled_vae"]
    model = work.vae(recipe)
    steps = work.steps(recipe, recipe["epochs"], len(work.known.x))
    work.fit(model, elbo, recipe, steps, data=work.known)
    return _embedded("logistic", work, model)


def first_model(work: Work) -> nn.Module:
    """Train M1, which sees every image and no label, for all rows that build on it."""
    recipe = work.recipes["m1"]
    model = work.vae(recipe)
    work.fit(model, elbo, recipe, work.steps(recipe, recipe["epochs"]))
    return model


def m1(work: Work, *, classifier: str) -> dict:
    """Classify the latents of M1 by scikit-learn."""
    return _embedded(classifier, work, work.first())


def _weighted_vae(work: Work, recipe: dict) -> nn.Module:
    """Train a VAE whose rate is weighted by beta on every image and no label."""
    model, steps = work.vae(recipe), work.steps(recipe, recipe["epochs"])
    work.fit(model, partial(elbo, beta=recipe["beta"]), recipe, steps)
    return model


def beta_vae(work: Work) -> dict:
    """Classify the latents of a VAE whose rate is weighted by beta."""
    return _embedded("logistic", work, _weighted_vae(work, work.recipes["beta_vae"]))


def _train_m2(recipe: dict, work: Work, model: nn.Module, **options: Any) -> None:
    weights = {"alpha": recipe["alpha"] / work.share, "labeled_share": work.share}
    objective = partial(m2, roulette=recipe["roulette"], **weights)
    work.fit(model, objective, recipe, work.steps(recipe, recipe["epochs"]), **options)


def m2_on_images(work: Work) -> dict:
    """Train M2 and judge its classifier."""
    recipe = work.recipes["m2"]
    build = partial(mlp_m2, likelihood=work.pixels.likelihood)
    model = work.built(build, work.event, LATENT, CLASSES, recipe["hidden"])
    _train_m2(recipe, work, model)
    return _model_errors(model, work)


def m2_on_latents(work: Work, *, below: str) -> dict:
    """Train a VAE by the recipe `below`, M2 on its latents, and judge M2's classifier."""
    recipe, first = work.recipes["m1_m2"], _weighted_vae(work, work.recipes[below])
    sizes = work.recipes[below]["latent"], recipe["latent"], CLASSES
    second = work.built(partial(mlp_m2, likelihood=Gaussian), *sizes, recipe["hidden"])
    latents = latent_batch(first, work.train)
    _train_m2(recipe, work, second, data=latents, transform=sample_latents)
    return _model_errors(StackedM2(first, second), work)


def constrained(work: Work, *, name: str) -> dict:
    """Train on the bound, then under constraints that grow."""
    recipe = work.recipes[name]
    sizes = work.event, LATENT, CLASSES
    options = {"dropout": recipe.get("dropout", 0.0), "likelihood": work.pixels.likelihood}
    if "hidden" in recipe:
        build = partial(mlp_prediction_constrained_vae, *sizes, recipe["hidden"])
    else:
        build = partial(_conv_prediction_constrained_vae, *sizes, recipe["channels"])
    model = work.built(build, **options)
    before, after = (work.steps(recipe, epochs) for epochs in recipe["epochs"])
    work.fit(model, partial(elbo), {**recipe, "labeled": None}, before)
    objective = consistency_constrained if name == "cpc_vae" else prediction_constrained
    ramp = linear_schedule(0.0, recipe["multiplier"], max(1, int(recipe["ramp"] * after)))
    options = {"schedules": {"multiplier": ramp}}
    if "encoder_lr" in recipe:
        count = len(list(model.encoder.parameters()))
        options["optimizer"] = partial(SlowEncoder, count=count, share=recipe["encoder_lr"])
    work.fit(model, partial(objective, labeled_share=work.share), recipe, after, **options)
    return _model_errors(model, work) | work.bounds(model)


def _conv_prediction_constrained_vae(
    event: tuple[int, ...],
    latent_dim: int,
    num_classes: int,
    channels: Sequence[int],
    *,
    likelihood: Head,
    dropout: float,
) -> PredictionConstrainedVAE:
    """Build a convolutional VAE with logistic regression on z as its classifier."""
    vae, head = conv_vae(event, latent_dim, channels, likelihood), Categorical(num_classes)
    noise = [nn.Dropout(dropout)] if dropout else []
    classifier = nn.Sequential(*noise, Linear(latent_dim, head.in_shape), head)
    return PredictionConstrainedVAE(vae.encoder, vae.decoder, classifier, vae.prior)
