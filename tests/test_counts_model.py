"""The VAE of counts: its likelihood against torch.distributions, its offset, and what it learns."""

import numpy as np
import pytest
import torch
from torch import distributions as td

import vaecourse as vc
from vaecourse.data import cells
from vaecourse.evaluation import embed, evaluate
from vaecourse.objectives import elbo, given_covariates, iwae
from vaecourse.runtime import isolated_rng

GENES, LATENT = 7, 3


@pytest.fixture
def problem():
    """Return a model with two sites and a batch of cells, in double precision."""
    with isolated_rng(0):
        model = vc.mlp_count_vae(GENES, LATENT, sites=2, hidden=(6,)).double()
        counts = torch.poisson(torch.full((9, GENES), 4.0, dtype=torch.float64))
    site = torch.arange(9) % 2
    x = torch.cat([counts, site[:, None].double()], 1)
    return model, vc.Batch(x, torch.full((9,), -1)), counts, site


def test_the_bound_is_that_of_torch_distributions(problem):
    model, batch, counts, site = problem
    with isolated_rng(3):
        found = given_covariates(model, batch, num_samples=4)
    q = model.encode(batch.x)
    with isolated_rng(3):
        z = q.rsample((4,))
    logits = model.network(z, site)
    mean = logits.softmax(-1) * counts.sum(1, keepdim=True)
    theta = model.head.log_theta.exp()
    log_p = td.NegativeBinomial(theta, logits=mean.log() - theta.log()).log_prob(counts)
    rate = td.kl_divergence(q.base_dist, td.Normal(0.0, 1.0)).sum(-1)
    expected = log_p.sum(-1).mean(0) - rate
    torch.testing.assert_close(found["elbo"], expected)
    assert found["loss"].shape == (9,)


def test_any_objective_of_a_vae_will_do(problem):
    model, batch, _, _ = problem
    for objective, options in ((elbo, {"beta": 0.3}), (iwae, {"num_samples": 5})):
        with isolated_rng(1):
            terms = given_covariates(model, batch, objective=objective, **options)
        model.zero_grad()
        terms["loss"].mean().backward()
        assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())
    assert evaluate(model, given_covariates, batch)["elbo"] < 0


def test_expected_counts_add_up_to_the_library_size(problem):
    model, batch, counts, _ = problem
    given = model.given(batch.x)
    z = given.prior().sample((5, 9)).double()
    mean = given.decode(z).mean
    assert mean.shape == (5, 9, GENES)
    torch.testing.assert_close(mean.sum(-1), counts.sum(1).expand(5, 9))


def test_the_encoder_reads_neither_site_nor_library_size(problem):
    model, batch, counts, site = problem
    other = torch.cat([3 * counts, 1 - site[:, None].double()], 1)
    torch.testing.assert_close(model.encode(batch.x).mean, model.encode(other).mean)
    assert embed(model, batch.x).shape == (9, LATENT)


def test_the_decoder_reads_the_site(problem):
    model, batch, _, site = problem
    z, library = torch.zeros(9, LATENT).double(), cells.observed(batch.x).library
    here, there = model.decode(z, library, site).mean, model.decode(z, library, 1 - site).mean
    assert (here - there).abs().max() > 1e-3


def test_cells_without_counts_are_harmless(problem):
    model, batch, _, _ = problem
    terms = given_covariates(model, vc.Batch(torch.zeros_like(batch.x), batch.y))
    assert all(values.isfinite().all() for values in terms.values())


def test_training_recovers_the_means_better_than_the_counts_themselves():
    drawn = cells.simulate(1200, 60, seed=1, contrast=0.8)
    parts = cells.split(drawn)
    with isolated_rng(0):
        model = vc.mlp_count_vae(60, 5, sites=2, hidden=(64,))
    vc.fit(model, given_covariates, parts.train, epochs=25, batch_size=64, lr=5e-3, progress=False)
    counts, library, site = cells.observed(parts.test.x)
    with torch.no_grad():
        found = model.decode(model.encode(parts.test.x).mean, library, site).mean / library
    truth = drawn.proportions[-len(site) :]
    raw = np.abs((counts / library).numpy() - truth).sum(1).mean()
    assert np.abs(found.numpy() - truth).sum(1).mean() < 0.6 * raw
    assert np.corrcoef(np.log(found.numpy()).ravel(), np.log(truth).ravel())[0, 1] > 0.95


@pytest.mark.parametrize("name", ["genes", "latent_dim", "sites"])
def test_sizes_must_be_positive_integers(name):
    sizes = {"genes": 5, "latent_dim": 2, "sites": 2, name: 0}
    wanted = "num_classes" if name == "sites" else name
    with pytest.raises(ValueError, match=f"{wanted} must be a positive integer, got 0"):
        vc.mlp_count_vae(**sizes)
