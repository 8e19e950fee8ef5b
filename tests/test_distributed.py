"""Training in two processes is the training of one, for every kind of noise and every tail."""

import json
import os
import subprocess
import sys

import pytest
import torch
import two_processes

from vaecourse.training import shared_noise
from vaecourse.training.checkpoints import read_checkpoint

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available() or not torch.distributed.is_gloo_available(),
    reason="needs gloo",
)
COMMAND = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@pytest.fixture(scope="module")
def together(tmp_path_factory, repository):
    """Train every case in two processes; return what process 0 and process 1 ended with."""
    folder = tmp_path_factory.mktemp("together")
    path = os.pathsep.join([str(repository), str(repository / "tests")])
    subprocess.run(
        [sys.executable, *COMMAND, two_processes.__file__, str(folder)],
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        check=True,
        timeout=600,
        capture_output=True,
    )
    return [read_checkpoint(folder / f"rank{rank}") for rank in (0, 1)]


def _part(results, case):
    tensors, _ = results
    start = f"{case}/"
    return {n.removeprefix(start): v for n, v in tensors.items() if n.startswith(start)}


@pytest.mark.parametrize("case", two_processes.CASES)
def test_two_processes_learn_as_one(together, case):
    alone = two_processes.tensors(*two_processes.train(**two_processes.CASES[case]))
    shared = _part(together[0], case)
    assert shared.keys() == alone.keys()
    torch.testing.assert_close(shared, alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", [*two_processes.CASES, "resumed"])
def test_both_processes_end_with_the_same_bits(together, case):
    first, second = (_part(results, case) for results in together)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_stopped_run_goes_on(together):
    whole, resumed = (_part(together[0], case) for case in ("elbo", "resumed"))
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.parametrize("case", two_processes.REFUSED)
def test_rows_that_depend_on_others_are_refused(together, case):
    for _, meta in together:
        assert "depends on the other rows" in meta["refused"][case], json.dumps(meta)


def test_a_checkpoint_that_one_process_sees_is_refused(together):
    for _, meta in together:
        words = meta["refused"]["a checkpoint that one process sees"]
        assert "would start from different steps, 0 to 30" in words


def test_noise_of_a_new_kind_is_refused():
    rows = shared_noise.Rows(0, 1, 2)
    with (
        pytest.raises(ValueError, match=r"drew aten\.randn.* where it did not before"),
        shared_noise.SharedNoise([], rows),
    ):
        torch.randn(3)


def test_noise_in_which_no_dimension_counts_the_rows_is_refused():
    """Two rows by three samples in one dimension: the rows of one process are no slice of it."""
    with pytest.raises(ValueError, match=r"draws \(6,\) numbers for 2 rows and \(12,\) for 4"):
        shared_noise._grown((6,), (12,), torch.ops.aten.normal_.default)


def test_one_process_takes_what_several_refuse():
    for options in two_processes.REFUSED.values():
        two_processes.train(**options, steps=2)


def test_the_noise_matters():
    """The comparison can fail: another stream of random numbers gives other losses."""
    losses = [two_processes.train(seed=seed)[0]["loss"] for seed in (5, 6)]
    assert abs(losses[0] - losses[1]).max() > 1e-2
