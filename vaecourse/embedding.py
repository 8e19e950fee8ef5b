"""A VAE as a scikit-learn transformer, so that M1 is a pipeline: embed, then classify."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from vaecourse.checks import (
    Shape,
    as_positive,
    check_not_negative,
    check_positive_number,
)
from vaecourse.data import Batch
from vaecourse.distributions import GaussianSharedScale, Head
from vaecourse.evaluation import embed, evaluate
from vaecourse.models import mlp_vae
from vaecourse.objectives import elbo
from vaecourse.runtime import evaluating, isolated_rng
from vaecourse.runtime.passes import row_by_row
from vaecourse.schedules import warmup_cosine
from vaecourse.training import fit

__all__ = ["VAEEmbedding"]

LARGE = 200.0
"""Size of a feature above which the first steps of training overshoot."""


class VAEEmbedding(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Latent features of a VAE: the model M1 (Kingma et al., 2014) up to its classifier.

    ``make_pipeline(VAEEmbedding(), LogisticRegression())`` is M1. To use examples without labels,
    fit the embedding on all of them and the classifier on those that have one.

    Parameters
    ----------
    latent_dim : int
        Dimension L of the embedding.
    hidden : int or sequence of int
        Hidden units of the encoder; the decoder mirrors them.
    likelihood : callable
        Builds the decoder's head from an event shape, such as `vaecourse.Bernoulli` for pixels in
        [0, 1]. The default suits real numbers.
    beta : float
        Weight of the KL term.
    epochs : int
        Passes over the data.
    batch_size : int
        Examples per update.
    lr : float
        Largest learning rate, reached after at most 200 steps; a cosine takes it to zero.
    augment : callable, optional
        ``augment(x, generator) -> x``, applied to every batch anew, such as
        `vaecourse.data.labels.dynamic_binarization`.
    precision : {"float32", "fast-float32", "bfloat16"}
        Arithmetic of training, as for `vaecourse.fit`.
    device : str
        Where to train, as for `vaecourse.fit`.
    random_state : int, RandomState or None
        Seed of the weights, the order of examples and the samples.

    Attributes
    ----------
    model_ : VAE
        The trained model.
    history_ : History
        The terms of every training step.
    n_features_in_ : int
        Features of one example.
    feature_names_in_ : ndarray of str
        Their names, if the data had names.

    Examples
    --------
    >>> import vaecourse as vae
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> x, y = vae.load("digits").valid
    >>> m1 = make_pipeline(vae.VAEEmbedding(epochs=1, random_state=0), LogisticRegression())
    >>> m1.fit(x.flatten(1).numpy(), y.numpy()).predict(x.flatten(1).numpy()).shape
    (249,)
    """

    def __init__(
        self,
        latent_dim: int = 10,
        *,
        hidden: Shape = (400,),
        likelihood: Head = GaussianSharedScale,
        beta: float = 1.0,
        epochs: int = 20,
        batch_size: int = 128,
        lr: float = 1e-3,
        augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
        precision: str = "float32",
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.likelihood = likelihood
        self.beta = beta
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.augment = augment
        self.precision = precision
        self.device = device
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> "VAEEmbedding":
        """Train the VAE on every row of X, labeled or not.

        Parameters
        ----------
        X : array-like of shape (N, D)
            Examples, finite real numbers.
        y : array-like of shape (N,), optional
            Ignored; it may hold -1 for rows without a label.

        Returns
        -------
        VAEEmbedding
            Itself.

        Raises
        ------
        ValueError
            If X is no finite matrix or a parameter is out of range.
        TypeError
            If `likelihood` builds no head.

        Warns
        -----
        UserWarning
            If features are so large that they should be standardized.
        """
        rows: np.ndarray = validate_data(self, X, dtype=(np.float64, np.float32))
        _check_scales(rows)
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        check_positive_number(lr=self.lr)
        check_not_negative(beta=self.beta)
        epochs, size = (
            as_positive(self.epochs, "epochs"),
            as_positive(self.batch_size, "batch_size"),
        )
        with isolated_rng(seed):
            model = mlp_vae(rows.shape[1], self.latent_dim, self.hidden, self.likelihood)
        steps = epochs * -(-len(rows) // size)
        self.history_ = fit(
            model,
            elbo,
            _batch(rows, torch.float32),
            epochs=epochs,
            batch_size=size,
            lr=warmup_cosine(self.lr, 200, steps),
            schedules={"beta": self.beta},
            transform=self.augment,
            seed=seed,
            device=self.device,
            precision=self.precision,
            progress=False,
        )
        # Densities and means are then computed as exactly as the data are given.
        self.model_ = model.double()
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return the posterior means of X.

        Parameters
        ----------
        X : array-like of shape (N, D)
            Examples.

        Returns
        -------
        ndarray of shape (N, L)
            In the precision of X.
        """
        check_is_fitted(self)
        rows: np.ndarray = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return embed(self.model_, _batch(rows, torch.float64).x).numpy().astype(rows.dtype)

    def inverse_transform(self, X: ArrayLike) -> np.ndarray:
        """Return the decoder's means at given latents.

        Parameters
        ----------
        X : array-like of shape (N, L)
            Latents.

        Returns
        -------
        ndarray of shape (N, D)
            Reconstructions.
        """
        check_is_fitted(self)
        z = torch.tensor(np.asarray(X), dtype=torch.float64)
        if z.dim() != 2 or z.shape[1] != self._n_features_out:
            raise ValueError(
                f"X must be latents of shape (N, {self._n_features_out}), got {tuple(z.shape)}"
            )
        with evaluating(self.model_, 0) as device:
            return row_by_row(lambda part: self.model_.decode(part).mean, z, device).numpy()

    def score(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """Return the mean evidence lower bound of X, from one posterior sample per example.

        Parameters
        ----------
        X : array-like of shape (N, D)
            Examples.
        y : array-like, optional
            Ignored.

        Returns
        -------
        float
            In nats per example; larger is better.
        """
        check_is_fitted(self)
        rows: np.ndarray = validate_data(self, X, reset=False, dtype=(np.float64, np.float32))
        return evaluate(self.model_, elbo, _batch(rows, torch.float64))["elbo"]

    @property
    def _n_features_out(self) -> int:
        """How many features `get_feature_names_out` names."""
        return self.latent_dim

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _check_scales(rows: np.ndarray) -> None:
    """Warn of features that no network reads well, before the work begins."""
    largest = np.abs(rows).max()
    if largest > LARGE:
        warnings.warn(
            f"X has values up to {largest:.4g}, too large for a network to learn from: standardize "
            "the features, as make_pipeline(StandardScaler(), VAEEmbedding()) does",
            stacklevel=3,
        )


def _batch(X: np.ndarray, dtype: torch.dtype) -> Batch:
    # A copy: the array may be one that nobody may write to.
    return Batch(torch.tensor(X, dtype=dtype), torch.full((len(X),), -1))
