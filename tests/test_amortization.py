"""Free posteriors against the linear-Gaussian model, where the best diagonal q is known."""

import pytest
import torch

import vaecourse as vc
from vaecourse.evaluation.amortization import FreeEncoder, optimize_posteriors


def _model(oracle):
    """Return a VAE with the oracle's decoder and an untrained encoder, in float64."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = vc.linear_vae(oracle.data_dim, oracle.latent_dim).double()
    decoder = model.decoder[0].layers[0]
    with torch.no_grad():
        decoder.weight.copy_(oracle.weight)
        decoder.bias.copy_(oracle.bias)
    model.decoder[1].scale.fill_(oracle.scale)
    return model.eval()


def test_the_optimum_is_the_best_diagonal_gaussian():
    weight = torch.tensor([[1.2, 0.5], [0.9, 0.9], [-0.4, 0.8]])
    oracle = vc.LinearGaussian(weight, torch.tensor([0.1, -0.2, 0.3]), scale=0.7)
    x, _ = oracle.sample(6)
    free = optimize_posteriors(_model(oracle), x, steps=600, num_samples=50)
    found, posterior = free.encode(x), oracle.posterior(x)
    best = 1 / posterior.precision_matrix.diagonal(dim1=-2, dim2=-1)
    torch.testing.assert_close(found.mean, posterior.mean, rtol=0, atol=0.02)
    torch.testing.assert_close(found.variance, best, rtol=0.04, atol=0)
    # The gap that the family leaves: half the log ratio of the determinants.
    gap = 0.5 * (best.log().sum(-1).neg() - posterior.precision_matrix.logdet())
    assert (gap > 0.05).all()
    short = oracle.log_marginal(x) - oracle.elbo(x, found)
    torch.testing.assert_close(short, gap, rtol=0, atol=2e-3)


def test_nothing_in_the_model_changes_and_no_gradient_is_left():
    oracle = vc.LinearGaussian.random(4, 2)
    model, (x, _) = _model(oracle), oracle.sample(3)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    free = optimize_posteriors(model, x, steps=5)
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(p.grad is None for p in [*model.parameters(), *free.parameters()])
    again = optimize_posteriors(model, x, steps=5)
    assert torch.equal(free.encoder.values, again.encoder.values)


def test_a_free_encoder_returns_what_it_was_given_and_refuses_other_batches():
    mean, log_variance = torch.randn(3, 2), torch.randn(3, 2)
    encoder = FreeEncoder(mean, log_variance)
    q = encoder(torch.zeros(3, 7))
    torch.testing.assert_close(q.mean, mean)
    torch.testing.assert_close(q.variance, log_variance.exp())
    with pytest.raises(ValueError, match="holds q for 3 examples, got 2"):
        encoder(torch.zeros(2, 7))
    with pytest.raises(ValueError, match="steps must be"):
        optimize_posteriors(vc.linear_vae(3, 2), torch.zeros(1, 3), steps=0)
