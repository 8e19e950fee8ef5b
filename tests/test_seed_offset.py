"""``VAECOURSE_SEED_OFFSET``: every seed becomes another, and equal seeds stay equal."""

import json
import os
import subprocess
import sys

import pytest

from vaecourse.runtime.seed_offset import seed_offset

DRAW = """
import json, random
import numpy as np, torch
import vaecourse
from sklearn.utils import check_random_state
from vaecourse.runtime import isolated_rng
seed = {seed}
drawn = {{"generator": torch.randn((), generator=torch.Generator().manual_seed(seed)).item()}}
torch.manual_seed(seed)
drawn["global"] = torch.randn(()).item()
with isolated_rng(seed):
    drawn["isolated"] = torch.randn(()).item()
drawn["numpy"] = np.random.default_rng(seed).normal()
drawn["numpy, two words"] = np.random.default_rng([seed, 2]).normal()
drawn["legacy"] = np.random.RandomState(seed).normal()
drawn["scikit-learn"] = check_random_state(seed).normal()
random.seed(seed)
drawn["random"] = random.random()
drawn["types"] = isinstance(torch.default_generator, torch.Generator)
drawn["types"] &= isinstance(check_random_state(None), np.random.RandomState)
print(json.dumps(drawn))
"""


def drawn(seed, offset):
    """Draw with `seed` from every library in a process of its own."""
    environment = os.environ | {"VAECOURSE_SEED_OFFSET": str(offset)}
    command = [sys.executable, "-c", DRAW.format(seed=seed)]
    run = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout)


def test_an_offset_is_added_to_every_seed_and_to_nothing_else():
    shifted, plain = drawn(3, 40), drawn(43, 0)
    assert shifted == plain
    assert shifted["generator"] == shifted["global"] == shifted["isolated"]
    assert shifted["legacy"] == shifted["scikit-learn"]
    assert shifted["types"]
    unshifted = drawn(3, 0)
    assert all(shifted[name] != unshifted[name] for name in set(shifted) - {"types"})


@pytest.mark.parametrize("text", ["-1", "1.5", "many", "²"])
def test_an_offset_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv("VAECOURSE_SEED_OFFSET", text)
    with pytest.raises(ValueError, match="must be an integer from 0 on"):
        seed_offset()


def test_no_offset_is_zero(monkeypatch):
    monkeypatch.delenv("VAECOURSE_SEED_OFFSET", raising=False)
    assert seed_offset() == 0
