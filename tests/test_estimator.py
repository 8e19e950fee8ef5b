"""`VAEEmbedding` against scikit-learn's own contract, and M1 as a pipeline of it."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

import vaecourse as vc
from vaecourse.data.labels import dynamic_binarization
from vaecourse.evaluation import embed
from vaecourse.runtime import isolated_rng

SMALL = {"latent_dim": 3, "hidden": (16,), "device": "cpu", "random_state": 0}


@parametrize_with_checks([vc.VAEEmbedding(latent_dim=2, hidden=(8,), epochs=3, device="cpu")])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y


@pytest.fixture(scope="module")
def fitted(digits):
    x, _ = digits
    options = {"likelihood": vc.Bernoulli, "augment": dynamic_binarization, "epochs": 30}
    options |= {"latent_dim": 10, "hidden": (100,), "lr": 3e-3}
    return vc.VAEEmbedding(**SMALL | options).fit(x)


def test_embedding_is_the_posterior_mean(digits, fitted):
    x, _ = digits
    expected = embed(fitted.model_, torch.from_numpy(x).double())
    embedded = fitted.transform(x)
    assert embedded.dtype == np.float32
    np.testing.assert_allclose(embedded, expected, rtol=1e-6)
    exact = fitted.transform(x.astype(np.float64))
    assert exact.dtype == np.float64
    np.testing.assert_array_equal(exact, expected)


def test_training_is_that_of_fit(digits):
    """The same model comes from `vaecourse.fit` with the same seeds."""
    x = digits[0][:200]
    embedding = vc.VAEEmbedding(**SMALL, epochs=2, beta=0.5).fit(x)
    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    with isolated_rng(seed):
        model = vc.mlp_vae(64, 3, (16,), vc.GaussianSharedScale)
    vc.fit(
        model,
        vc.objectives.elbo,
        vc.Batch(torch.from_numpy(x), torch.full((200,), -1)),
        epochs=2,
        lr=vc.warmup_cosine(1e-3, 200, 4),
        schedules={"beta": 0.5},
        seed=seed,
        device="cpu",
        progress=False,
    )
    for name, value in model.state_dict().items():
        assert torch.equal(embedding.model_.state_dict()[name], value.double()), name


def test_m1_is_a_pipeline_that_beats_its_classifier_on_few_principal_components(digits, fitted):
    """Ten latents of a trained VAE classify; ten random features of an untrained one do worse."""
    x, y = digits
    train, test = slice(0, 1200), slice(1200, None)
    m1 = make_pipeline(fitted, LogisticRegression(max_iter=1000))
    trained = m1[-1].fit(fitted.transform(x[train]), y[train])
    untrained = clone(fitted).set_params(epochs=1, lr=1e-12).fit(x)
    other = LogisticRegression(max_iter=1000).fit(untrained.transform(x[train]), y[train])
    accuracy = trained.score(fitted.transform(x[test]), y[test])
    assert accuracy > 0.8
    assert accuracy > other.score(untrained.transform(x[test]), y[test])


def test_unlabeled_rows_are_accepted(digits):
    """y = -1 is ignored by the embedding and understood by a self-training classifier."""
    x, y = digits[0][:300], digits[1][:300]
    partly = np.where(np.arange(300) < 100, y, -1)
    embedding = vc.VAEEmbedding(**SMALL, epochs=1)
    np.testing.assert_array_equal(
        embedding.fit(x, partly).transform(x), embedding.fit(x).transform(x)
    )
    classifier = SelfTrainingClassifier(KNeighborsClassifier())
    pipeline = make_pipeline(embedding, classifier).fit(x, partly)
    assert set(pipeline.predict(x)) <= set(y)


def test_cross_validation_and_grid_search_run(digits):
    x, y = digits[0][:150], digits[1][:150]
    pipeline = make_pipeline(vc.VAEEmbedding(**SMALL, epochs=1), LogisticRegression())
    assert len(cross_val_score(pipeline, x, y, cv=2, error_score="raise")) == 2
    grid = GridSearchCV(vc.VAEEmbedding(**SMALL, epochs=1), {"latent_dim": [1, 2]}, cv=2)
    assert grid.fit(x).best_params_["latent_dim"] in (1, 2)


def test_inverse_transform_decodes(digits, fitted):
    """What comes back is closer to the images than their mean is, and has their shape."""
    x, _ = digits
    back = fitted.inverse_transform(fitted.transform(x))
    assert back.shape == x.shape
    assert np.square(back - x).sum() < 0.7 * np.square(x.mean(0) - x).sum()
    with pytest.raises(ValueError, match=r"X must be latents of shape \(N, 10\), got \(2, 3\)"):
        fitted.inverse_transform(np.zeros((2, 3)))


def test_score_is_the_bound_and_falls_on_other_data(digits, fitted):
    x, _ = digits
    assert fitted.score(x) > fitted.score(1 - x)


def test_a_linear_embedding_finds_the_principal_subspace():
    """With no hidden layer and one scale the model is probabilistic PCA (Lucas et al., 2019)."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 2)) @ rng.normal(size=(2, 6)) * 2 + 0.3 * rng.normal(size=(500, 6))
    options = {"latent_dim": 2, "hidden": (), "epochs": 150, "lr": 3e-2, "device": "cpu"}
    embedding = vc.VAEEmbedding(**options, random_state=0).fit(x)
    directions = embedding.model_.decoder[0].layers[0].weight.detach().numpy().T
    pca = PCA(2).fit(x).components_
    inside = directions @ pca.T @ pca
    assert np.linalg.norm(inside) > 0.99 * np.linalg.norm(directions)


def test_feature_names(digits):
    embedding = vc.VAEEmbedding(**SMALL, epochs=1).fit(digits[0][:50])
    expected = ["vaeembedding0", "vaeembedding1", "vaeembedding2"]
    assert list(embedding.get_feature_names_out()) == expected


def test_random_state_decides(digits):
    x = digits[0][:100]
    first, again = (vc.VAEEmbedding(**SMALL, epochs=1).fit(x).transform(x) for _ in range(2))
    other = vc.VAEEmbedding(**SMALL | {"random_state": 1}, epochs=1).fit(x).transform(x)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_features_that_want_standardizing_are_named_before_training():
    x = np.random.default_rng(0).normal(150, 60, (40, 3))
    with pytest.warns(UserWarning, match=r"values up to 2\d\d.*StandardScaler"):
        vc.VAEEmbedding(**SMALL, epochs=1).fit(x)
    scaled = (x - x.mean(0)) / x.std(0)
    vc.VAEEmbedding(**SMALL, epochs=1).fit(scaled)  # a warning would be an error here
