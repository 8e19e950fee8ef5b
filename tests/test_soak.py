"""The pieces of `tools/soak.py`: a few trials of each kind, and that they would see a fault."""

import os
import signal
import sys
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and RLIMIT_FSIZE")
if hasattr(os, "fork"):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
    import soak
    import soak_files
    import soak_kills


@pytest.mark.parametrize("moment", ["write", "any"])
def test_a_kill_and_a_resume(tmp_path, moment):
    path = tmp_path / "run.safetensors"
    wanted = soak_kills.train("VAE")
    assert soak_kills.killed("VAE", path, signal.SIGKILL, moment, 0.0)
    assert soak_kills.differing(soak_kills.train("VAE", path), wanted) == ""
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_difference_is_named():
    one = {"a": torch.ones(2), "b": torch.ones(2)}
    assert soak_kills.differing(one, one | {"b": torch.zeros(2)}) == "b"
    assert soak_kills.differing(one, {"a": torch.ones(2)}) == "b"


def test_three_flips(tmp_path):
    found = list(soak_files.flipped("header", tmp_path, 0, 3))
    assert [wrong for _, wrong in found] == [""] * 3


def test_poor_refusals_are_seen():
    assert soak_files.poor("ValueError: x must be y; do z") == ""
    assert soak_files.refusal({}.__getitem__, "x") == (None, "KeyError: 'x'")
    assert "is refused by" in soak_files.poor("KeyError: 'x'")
    assert "in several lines" in soak_files.poor("ValueError: a\nb")


def test_what_fails_is_printed_and_ends_with_one(monkeypatch, capsys):
    trials = [("good", ""), ("bad", "was taken")]
    group = soak_kills.Group("some", 2, lambda *_: iter(trials))
    monkeypatch.setattr(soak, "GROUPS", [group])
    assert soak.main(["--seed", "7"]) == 1
    said = capsys.readouterr().out
    assert "seed 7" in said and "wrong: some, bad: was taken" in said
    trials.pop()
    assert soak.main([]) == 0
