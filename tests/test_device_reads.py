"""No objective reads a number back from its device: on PyTorch's device without numbers it runs."""

from functools import partial

import pytest
import torch
import toy

import vaecourse as vc
from tests.small_m2 import average_exactly, some_batch, some_model
from vaecourse.data.cells import log_normalize
from vaecourse.objectives import (
    class_sums,
    consistency_constrained,
    elbo,
    given_covariates,
    iwae,
    m2,
    prediction_constrained,
    reconstruction,
    sampled_elbo,
    score_function_elbo,
    total_correlation,
)

VAE_OBJECTIVES = {
    "reconstruction": reconstruction,
    "elbo": elbo,
    "sampled_elbo": partial(sampled_elbo, num_samples=2),
    "sticking_the_landing": partial(sampled_elbo, sticking_the_landing=True),
    "score_function_elbo": partial(score_function_elbo, num_samples=2, baseline=True),
    "iwae": iwae,
    "doubly_reparameterized": partial(iwae, doubly_reparameterized=True),
    "gradient_samples": partial(iwae, num_samples=5, gradient_samples=2),
    "total_correlation": partial(total_correlation, num_data=50),
}
LABELED = {
    "m2": (vc.mlp_m2, partial(m2, alpha=1.0, labeled_share=0.5)),
    "m2, lottery": (vc.mlp_m2, partial(m2, alpha=1.0, roulette=0.3)),
    "m2, sampled": (vc.mlp_m2, partial(m2, alpha=1.0, sum_labels=False)),
    "prediction": (vc.mlp_prediction_constrained_vae, prediction_constrained),
    "consistency": (
        vc.mlp_prediction_constrained_vae,
        partial(consistency_constrained, labeled_share=0.5),
    ),
}


def _learn_without_numbers(model, objective, batch, **options):
    model.to("meta")
    terms = objective(model, vc.Batch(*(part.to("meta") for part in batch)), **options)
    terms["loss"].mean().backward()
    assert all(values.device.type == "meta" for values in terms.values())


def test_the_device_without_numbers_refuses_to_tell_one():
    """Otherwise the tests below could not fail."""
    for read in (torch.Tensor.item, bool, torch.nonzero, lambda x: x[x > 0]):
        with pytest.raises((RuntimeError, NotImplementedError)):
            read(torch.ones(1, device="meta"))


@pytest.mark.parametrize("name", VAE_OBJECTIVES)
def test_an_objective_of_a_vae_reads_no_number(name):
    _learn_without_numbers(toy.model(), VAE_OBJECTIVES[name], toy.batch())


@pytest.mark.parametrize("option", ["beta"])
@pytest.mark.parametrize("objective", [elbo, sampled_elbo, total_correlation])
def test_a_scheduled_option_may_be_a_number_on_the_device(objective, option):
    where = {option: torch.ones((), device="meta")}
    _learn_without_numbers(toy.model(), objective, toy.batch(), **where)


@pytest.mark.parametrize("name", LABELED)
def test_an_objective_of_labels_reads_no_number(name):
    build, objective = LABELED[name]
    x, y = toy.batch()
    hidden = vc.Batch(x, torch.where(torch.arange(len(y)) % 2 > 0, y, -1))
    options = {} if build is vc.mlp_m2 else {"multiplier": torch.ones((), device="meta")}
    _learn_without_numbers(build(toy.D, 2, 3, (8,)), objective, hidden, **options)


def test_an_objective_of_counts_reads_no_number():
    counts = torch.randint(1, 9, (7, 4)).float()
    x = torch.cat([counts, torch.zeros(7, 1)], 1)
    assert log_normalize(counts).isfinite().all()
    batch = vc.Batch(x, torch.full((7,), -1))
    _learn_without_numbers(vc.mlp_count_vae(4, 2, 1), given_covariates, batch)


@pytest.mark.parametrize("y", [[-1, 2, -1, 0, -1, 1, 1], [-1, -1], [0, 2, 1]])
def test_one_pass_over_all_rows_finds_what_two_passes_find(y):
    """M2 on an accelerator, which does not count its labeled rows, and M2 on a CPU, which does."""
    torch.manual_seed(0)
    model, batch = some_model(likelihood=partial(vc.GaussianFixedScale, scale=0.5)), some_batch(y)
    average_exactly(model)
    labeled, guess, found = batch.y >= 0, model.classify(batch.x), []
    weights = list(model.parameters())
    for bounds in (
        class_sums._summed_label,
        partial(class_sums._in_two_passes, class_sums._summed_label),
    ):
        bound = bounds(model, batch, labeled, guess, 4)
        value = torch.stack(bound[:3])
        scales = torch.linspace(1, 2, value.numel(), dtype=value.dtype).reshape(value.shape)
        total = (value * scales).sum()
        slopes = torch.autograd.grad(total, weights, retain_graph=True, allow_unused=True)
        found.append([value, *(torch.zeros(()).double() if s is None else s for s in slopes)])
    assert all(torch.allclose(*pair, atol=1e-12) for pair in zip(*found, strict=True))


def test_one_pass_draws_a_class_where_there_is_no_label_and_learns_from_its_score():
    torch.manual_seed(0)
    model, batch = some_model(), some_batch([-1, 2, -1, 0])
    labeled, guess = batch.y >= 0, model.classify(batch.x)
    bound = class_sums._sampled_label(model, batch, labeled, guess, 1)
    (slope,) = torch.autograd.grad(bound.score.sum(), [guess.logits], retain_graph=True)
    assert (slope[labeled] == 0).all()
    assert (slope[~labeled] != 0).any(1).all()
    log_prior = model.class_prior().log_prob(batch.y[labeled])
    assert torch.allclose(bound.label_kl[labeled], -log_prior)
