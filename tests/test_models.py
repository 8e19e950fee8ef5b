"""The contract that every model keeps: a new model is one more tuple in `MODELS`."""

from functools import partial

import pytest
import torch
from sklearn.decomposition import PCA
from torch import distributions as td
from torch import nn

import vaecourse as vc
from vaecourse.distributions.priors import MixturePrior, VampPrior
from vaecourse.objectives import elbo, iwae, reconstruction, sampled_elbo
from vaecourse.runtime import isolated_rng

LATENT = 3
IMAGE = (1, 8, 8)
VAES, AUTOENCODERS = (elbo, reconstruction), (reconstruction,)
SAMPLED = (sampled_elbo, iwae)


def _with_prior(learned, event, latent_dim):
    model = vc.mlp_vae(event, latent_dim, hidden=(7,))
    model.prior = learned(model, event)
    return model


def _mixture(model, event):
    return MixturePrior(LATENT, 4)


def _vamp(model, event):
    return VampPrior(model.encoder, torch.rand(4, *event))


# One tuple per builder: id, builder of a model from (event_shape, latent_dim), event shape, and
# the objectives that apply to it.
MODELS = [
    ("mlp_vae", partial(vc.mlp_vae, hidden=(7, 5)), IMAGE, VAES),
    ("mlp_vae gaussian", partial(vc.mlp_vae, likelihood=vc.Gaussian), (2, 3), VAES),
    ("mlp_vae shared", partial(vc.mlp_vae, likelihood=vc.GaussianSharedScale), (5,), VAES),
    ("mlp_vae counts", partial(vc.mlp_vae, likelihood=vc.NegativeBinomial), (5,), VAES),
    (
        "mlp_vae fixed",
        partial(vc.mlp_vae, likelihood=partial(vc.GaussianFixedScale, scale=0.1)),
        (5,),
        VAES,
    ),
    ("conv_vae", partial(vc.conv_vae, channels=(2, 3)), IMAGE, VAES),
    (
        "conv_vae gaussian",
        partial(vc.conv_vae, channels=(8, 8), likelihood=vc.Gaussian),
        (3, 8, 4),
        VAES,
    ),
    ("linear_vae", vc.linear_vae, (5,), VAES),
    ("mlp_vae mixture prior", partial(_with_prior, _mixture), IMAGE, SAMPLED),
    ("mlp_vae vamp prior", partial(_with_prior, _vamp), IMAGE, SAMPLED),
    ("mlp_autoencoder", vc.mlp_autoencoder, IMAGE, AUTOENCODERS),
    (
        "mlp_autoencoder bernoulli",
        partial(vc.mlp_autoencoder, hidden=(7,), likelihood=vc.Bernoulli, activation=nn.Tanh),
        IMAGE,
        AUTOENCODERS,
    ),
    ("conv_autoencoder", partial(vc.conv_autoencoder, channels=(2, 3)), IMAGE, AUTOENCODERS),
    ("linear_autoencoder", vc.linear_autoencoder, (5,), AUTOENCODERS),
]
EACH = pytest.mark.parametrize("case", [pytest.param(case[1:], id=case[0]) for case in MODELS])


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def _batch(event, num=6, dtype=torch.float32):
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(num, *event, generator=generator, dtype=dtype)
    return vc.Batch(x, torch.full((num,), -1))


def _build(case, seed=0):
    build, event, objectives = case
    with isolated_rng(seed):
        return build(event, LATENT), _batch(event), objectives


@EACH
def test_shapes(case):
    model, batch, _ = _build(case)
    event = tuple(batch.x.shape[1:])
    posterior = model.encode(batch.x)
    assert (posterior.batch_shape, posterior.event_shape) == ((6,), (LATENT,))
    z = posterior.rsample((4,))
    likelihood = model.decode(z)
    assert z.shape == (4, 6, LATENT)
    assert (likelihood.batch_shape, likelihood.event_shape) == ((4, 6), event)
    assert likelihood.mean.shape == (4, 6, *event)
    assert likelihood.log_prob(batch.x).shape == (4, 6)
    assert model.decode(posterior.mean).mean.shape == batch.x.shape


@EACH
def test_decoding_many_samples_is_decoding_each(case):
    model, batch, _ = _build(case)
    model.double()
    x, z = batch.x.double(), torch.randn(4, 6, LATENT, dtype=torch.float64)
    together = model.decode(z).log_prob(x)
    each = torch.stack([model.decode(one).log_prob(x) for one in z])
    torch.testing.assert_close(together, each)


@pytest.mark.parametrize(
    "case", [pytest.param(case[1:], id=case[0]) for case in MODELS if elbo in case[3]]
)
def test_prior_has_a_closed_form_kl(case):
    model, batch, _ = _build(case)
    prior = model.prior()
    assert (prior.batch_shape, prior.event_shape) == ((), (LATENT,))
    kl = td.kl_divergence(model.encode(batch.x), prior)
    assert kl.shape == (6,)
    assert (kl > 0).all()


@EACH
def test_every_parameter_is_trained_by_every_objective(case):
    model, batch, objectives = _build(case)
    for objective in objectives:
        model.zero_grad()
        terms = objective(model, batch)
        assert all(term.shape == (6,) for term in terms.values())
        terms["loss"].mean().backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad.isfinite().all(), name
            assert parameter.grad.any(), name


@EACH
def test_state_dict_carries_the_model(case):
    model, batch, _ = _build(case)
    other, _, _ = _build(case, seed=1)
    assert not torch.equal(model.encode(batch.x).mean, other.encode(batch.x).mean)
    other.load_state_dict(model.state_dict())
    z = model.encode(batch.x).mean
    assert torch.equal(z, other.encode(batch.x).mean)
    assert torch.equal(model.decode(z).log_prob(batch.x), other.decode(z).log_prob(batch.x))


@EACH
def test_weights_and_terms_follow_the_seed(case):
    (first, batch, objectives), (second, _, _) = _build(case), _build(case)
    for objective in objectives:
        results = []
        for model in (first, second):
            with isolated_rng(5):
                results.append(objective(model, batch))
        assert all(torch.equal(results[0][name], results[1][name]) for name in results[0])


@EACH
def test_encoding_and_decoding_draw_nothing(case):
    model, batch, _ = _build(case)
    before = torch.get_rng_state()
    model.decode(model.encode(batch.x).mean).log_prob(batch.x)
    reconstruction(model, batch)
    assert torch.equal(torch.get_rng_state(), before)


@EACH
def test_double_precision_agrees_with_single(case):
    model, batch, _ = _build(case)
    single = reconstruction(model, batch)["reconstruction"]
    double = reconstruction(model.double(), vc.Batch(batch.x.double(), batch.y))["reconstruction"]
    assert double.dtype == torch.float64
    torch.testing.assert_close(single.double(), double, rtol=1e-4, atol=1e-4)


@EACH
@pytest.mark.parametrize("latent_dim", [-3, 0, 2.0, True, "2"])
def test_latent_dim_must_be_a_positive_integer(case, latent_dim):
    build, event, _ = case
    with pytest.raises(ValueError) as caught:
        build(event, latent_dim)
    assert str(caught.value) == f"latent_dim must be a positive integer, got {latent_dim!r}"


def test_the_decoder_mirrors_the_encoder():
    """Widths read forward in the encoder and backward in the decoder."""
    model = vc.mlp_vae((1, 8, 8), 3, hidden=[40, 30])

    def widths(module):
        linears = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
        return [layer.in_features for layer in linears] + [linears[-1].out_features]

    assert widths(model.encoder) == [64, 40, 30, 2 * 3]
    assert widths(model.decoder) == [3, 30, 40, 64]


def test_linear_autoencoder_at_pca_reconstructs_as_pca():
    """With PCA's directions as weights the model is PCA: scikit-learn's own reconstruction."""
    x = torch.randn(40, 5, dtype=torch.float64) @ torch.randn(5, 5, dtype=torch.float64)
    pca = PCA(2).fit(x.numpy())
    directions, mean = torch.from_numpy(pca.components_), torch.from_numpy(pca.mean_)
    model = vc.linear_autoencoder(5, 2).double()
    encoder, decoder = (list(part.parameters()) for part in (model.encoder, model.decoder))
    with torch.no_grad():
        for parameter, value in zip(
            encoder + decoder, (directions, -directions @ mean, directions.T, mean), strict=True
        ):
            parameter.copy_(value)
    expected = torch.from_numpy(pca.inverse_transform(pca.transform(x.numpy())))
    torch.testing.assert_close(model.decode(model.encode(x).mean).mean, expected)
