"""The benchmark of bounds: how many samples when, and what its estimate is."""

import sys
from pathlib import Path

import pytest
import torch

import vaecourse as vae
from vaecourse.data.labels import static_binarization
from vaecourse.evaluation.marginal import log_marginal

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

import bounds


def test_samples_follow_the_stages():
    schedule, steps = bounds.sample_counts(((1, 2), (5, 1), (50, 3)), per_epoch=4)
    assert steps == schedule.steps == 24
    assert [schedule(step) for step in range(24)] == [1] * 8 + [5] * 4 + [50] * 12


def test_one_sample_throughout_is_the_elbo_with_its_closed_form():
    assert bounds.objective(bounds.RECIPES["vae_200_200_50"]) is bounds.elbo
    many = bounds.objective(bounds.RECIPES["iwae50_200_200_50"])
    assert many.func is bounds.iwae
    assert many.keywords == {"doubly_reparameterized": True, "gradient_samples": 5}


def test_the_short_rows_have_equal_steps():
    epochs = [
        sum(length for _, length in bounds.RECIPES[f"{name}_equal_steps"].stages)
        for name in ("vae", "iwae5", "iwae50")
    ]
    assert len(set(epochs)) == 1


@pytest.fixture
def model():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return vae.mlp_vae((1, 4, 4), 2, hidden=(8,)).eval()


def test_all_images_with_all_samples_need_no_cheap_bound(model, monkeypatch):
    monkeypatch.setattr(bounds, "SAMPLES", 300)
    gray = torch.rand(20, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    found = bounds.log_likelihood(model, gray, 20)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(2))
    full = log_marginal(model, static_binarization(gray, seed=0)[order], 300, seed=3).value
    assert found["test_nll"] == pytest.approx(-full.mean().item(), abs=1e-9)
    assert found["estimation_error"] == 0


def test_a_part_of_the_images_estimates_the_whole(model, monkeypatch):
    monkeypatch.setattr(bounds, "SAMPLES", 300)
    gray = torch.rand(400, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    part, whole = (bounds.log_likelihood(model, gray, images) for images in (100, 400))
    assert part["images_with_all_samples"] == 100 and part["estimation_error"] > 0
    assert abs(part["test_nll"] - whole["test_nll"]) < 5 * part["estimation_error"]
    assert part["negative_elbo"] > part["test_nll"]
