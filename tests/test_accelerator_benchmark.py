"""The GPU benchmark's contestants learn alike, and its README says what its record says."""

import json
from functools import partial

import pytest
import torch

import vaecourse as vae
from benchmarks import accelerator

RECORD = "results/accelerator.json"


@pytest.fixture(scope="module")
def record(repository):
    return json.loads((repository / RECORD).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def readme(repository):
    return (repository / "benchmarks/README.md").read_text(encoding="utf-8")


def test_the_readme_shows_the_record(record, readme):
    assert accelerator.markdown(record) in readme
    assert f"one {record['card']} (PyTorch {record['torch'].split('.0+')[0]}, two rounds)" in readme
    assert record["rounds"] == 2
    found = record["profile"]["captured"]
    steps = record["profile"]["step by step"]["microseconds_a_step"]
    whole, busy = found["microseconds_a_step"], found["device_microseconds_a_step"]
    words = f"takes {whole:.0f} µs, of which kernels take {busy:.0f}; run by Python it takes"
    assert f"{words} {steps / 1000:.1f} ms" in " ".join(readme.split())
    assert f"takes {record['log_marginal']['seconds']:.2f} s" in readme
    ratios = record["settings"]["784-400-20, batch 128"]["over_eager"]
    assert f"{ratios['compiled']:.1f} times as fast" in " ".join(readme.split())
    assert f"with a `DataLoader` {ratios['tutorial']:.1f} times" in " ".join(readme.split())


def test_goals_are_reached_where_the_readme_says_so(record):
    for row in record["settings"].values():
        assert row["goal"] is None or max(row["over_eager"].values()) >= row["goal"]


@pytest.mark.parametrize("train", [accelerator.eager, accelerator.tutorial])
def test_a_loop_takes_the_steps_that_it_was_asked_for(train, monkeypatch):
    """It learns: after its steps the loss is below that of the first."""
    losses = []

    def recorded(model, batch):
        terms = vae.objectives.elbo(model, batch)
        losses.append(terms["loss"].mean().item())
        return terms

    monkeypatch.setattr(accelerator, "IMAGES", 300)
    setting = accelerator.Setting(
        partial(vae.mlp_vae, accelerator.EVENT, 2, (16,)), recorded, 100, None
    )
    train(setting, accelerator.images(torch.device("cpu")), 8)
    assert len(losses) == 8
    assert losses[-1] < losses[0]
