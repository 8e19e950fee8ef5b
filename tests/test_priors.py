"""Learned priors against scipy and scikit-learn, and inside the objectives."""

import copy

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import logsumexp

import vaecourse as vc
from vaecourse.distributions.priors import MixturePrior, VampPrior
from vaecourse.evaluation.marginal import log_marginal
from vaecourse.objectives import elbo, iwae, sampled_elbo


@pytest.fixture(autouse=True)
def seed():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def _mixture():
    prior = MixturePrior(2, 3).double()
    with torch.no_grad():
        for parameter in prior.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return prior


def _scipy_log_prob(prior, z):
    logits, means, logs = (p.detach().numpy() for p in prior.parameters())
    parts = [
        stats.norm(means[m], np.exp(logs[m])).logpdf(z.numpy()).sum(-1) for m in range(len(means))
    ]
    weights = logits - logsumexp(logits)
    return logsumexp(weights[:, None] + np.stack(parts), axis=0)


def test_the_mixture_has_the_density_of_scipy():
    prior = _mixture()
    z = torch.randn(50, 2, dtype=torch.float64)
    np.testing.assert_allclose(prior().log_prob(z).detach(), _scipy_log_prob(prior, z), rtol=1e-9)
    assert prior().log_prob(torch.zeros(4, 5, 2).double()).shape == (4, 5)


def test_the_components_start_apart_and_near_the_standard_normal():
    prior = MixturePrior(3, 20)()
    draws = prior.sample((20_000,))
    assert abs(draws.mean()) < 0.2 and 0.9 < draws.std() < 1.2
    assert torch.pdist(prior.component_distribution.mean).min() > 0


def test_the_vamp_prior_is_the_mixture_of_the_encoders_posteriors():
    encoder = vc.mlp_vae(6, 2, (5,)).encoder
    prior = VampPrior(encoder, torch.rand(4, 6))
    z = torch.randn(7, 2)
    q = encoder(prior.pseudo_inputs)
    by_hand = q.log_prob(z[:, None]).logsumexp(-1) - np.log(4)
    torch.testing.assert_close(prior().log_prob(z), by_hand)


def test_the_vamp_prior_shares_the_encoder_and_does_not_own_it():
    model = vc.mlp_vae(6, 2, (5,))
    model.prior = VampPrior(model.encoder, torch.rand(4, 6))
    assert {name for name, _ in model.prior.named_parameters()} == {"logits", "pixels"}
    twin = copy.deepcopy(model)
    with torch.no_grad():
        twin.encoder[0].layers[0].weight.add_(1)
    z = torch.randn(3, 2)
    assert not torch.allclose(twin.prior().log_prob(z), model.prior().log_prob(z))
    expected = VampPrior(twin.encoder, model.prior.pseudo_inputs)().log_prob(z)
    torch.testing.assert_close(twin.prior().log_prob(z), expected)


@pytest.mark.parametrize("objective", [sampled_elbo, iwae])
@pytest.mark.parametrize("kind", ["mixture", "vamp"])
def test_the_sampled_bounds_train_every_weight_of_a_learned_prior(objective, kind):
    model = vc.mlp_vae(6, 2, (5,))
    learned = {
        "mixture": lambda: MixturePrior(2, 3),
        "vamp": lambda: VampPrior(model.encoder, torch.rand(3, 6)),
    }
    model.prior = learned[kind]()
    batch = vc.Batch(torch.rand(8, 6).round(), torch.full((8,), -1))
    objective(model, batch, num_samples=3)["loss"].mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.prior.parameters())


def test_the_closed_form_says_that_there_is_none():
    model = vc.mlp_vae(6, 2, (5,))
    model.prior = MixturePrior(2, 3)
    with pytest.raises(NotImplementedError):
        elbo(model, vc.Batch(torch.zeros(2, 6), torch.zeros(2)))


def test_a_gaussian_mixture_behind_a_linear_decoder_is_estimated_rightly():
    """With x = z + noise the marginal is a mixture too, of components widened by the noise."""
    model = vc.linear_vae(2, 2).double()
    model.prior = prior = _mixture()
    decoder = model.decoder[0].layers[0]
    with torch.no_grad():
        decoder.weight.copy_(torch.eye(2))
        decoder.bias.zero_()
    logits, means, logs = (p.detach() for p in prior.parameters())
    x = torch.randn(5, 2, dtype=torch.float64)
    wide = (1 + (2 * logs).exp()).sqrt()
    parts = torch.distributions.Normal(means, wide).log_prob(x[:, None]).sum(-1)
    exact = (logits.log_softmax(0) + parts).logsumexp(-1)
    found = log_marginal(model, x, 5000, proposal="prior", chunk=500)
    assert ((found.value - exact).abs() < 5 * found.standard_error).all()
    assert (found.standard_error < 0.1).all()


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="num_components must be a positive integer, got 0"):
        MixturePrior(2, 0)
    for images in (torch.zeros(0, 6), torch.full((2, 6), 1.5)):
        with pytest.raises(ValueError, match="at least one image with values in"):
            VampPrior(torch.nn.Identity(), images)
