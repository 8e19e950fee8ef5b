"""Training in two processes: that of one where the model has no noise, as good on average else."""

import json
import os
import subprocess
import sys
from functools import partial

import pytest
import torch
import toy
import two_processes
from test_device_reads import LABELED, VAE_OBJECTIVES

import vaecourse as vc
from vaecourse.objectives import elbo
from vaecourse.runtime import isolated_rng
from vaecourse.training.checkpoints import read_checkpoint
from vaecourse.training.distributed import Together

pytestmark = pytest.mark.skipif(
    not torch.distributed.is_available() or not torch.distributed.is_gloo_available(),
    reason="needs gloo",
)
COMMAND = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, repository):
    """Train every case in two processes; return where they wrote what came out."""
    folder = tmp_path_factory.mktemp("together")
    path = os.pathsep.join([str(repository), str(repository / "tests")])
    subprocess.run(
        [sys.executable, *COMMAND, two_processes.__file__, str(folder)],
        env=os.environ | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        check=True,
        timeout=600,
        capture_output=True,
    )
    return folder


@pytest.fixture(scope="module")
def together(folder):
    """Return what process 0 and process 1 ended with."""
    return [read_checkpoint(folder / f"rank{rank}") for rank in (0, 1)]


def _part(results, case):
    tensors, _ = results
    start = f"{case}/"
    return {n.removeprefix(start): v for n, v in tensors.items() if n.startswith(start)}


@pytest.mark.parametrize("case", two_processes.WITHOUT_NOISE)
def test_without_noise_two_processes_learn_as_one(together, case):
    alone = two_processes.tensors(*two_processes.train(**two_processes.WITHOUT_NOISE[case]))
    shared = _part(together[0], case)
    assert shared.keys() == alone.keys()
    torch.testing.assert_close(shared, alone, rtol=1e-5, atol=1e-5)


def test_both_processes_take_the_weights_of_the_first(together):
    case = "other weights in the second process"
    for results in together:
        same, own = _part(results, "even batches"), _part(results, case)
        assert all(torch.equal(same[name], own[name]) for name in same)


CASES = [*two_processes.WITHOUT_NOISE, *two_processes.WITH_NOISE, "resumed"]


@pytest.mark.parametrize("case", CASES)
def test_both_processes_end_with_the_same_bits(together, case):
    first, second = (_part(results, case) for results in together)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("case", ["elbo again", "resumed"])
def test_a_run_has_the_same_bits_again_also_after_a_stop(together, case):
    whole, again = (_part(together[0], name) for name in ("elbo", case))
    assert all(torch.equal(whole[name], again[name]) for name in whole)


def test_every_process_and_every_step_has_its_own_noise(together):
    drawn = torch.cat([_part(results, "noise")["draws"] for results in together])
    assert drawn.shape == (6, 4)
    assert len(drawn.flatten().unique()) == drawn.numel()


def _exact_gradient():
    """Differentiate the bound of a linear VAE in closed form, where the noise is integrated out."""
    model, (x, _) = two_processes.oracle()
    weights = [weight.detach().clone().requires_grad_() for weight in model.parameters()]
    encoder, encoder_bias, decoder, decoder_bias = weights
    mean, log_variance = (x.double() @ encoder.T + encoder_bias).chunk(2, 1)
    scale = model.decoder[1].scale
    off = (x - mean @ decoder.T - decoder_bias).square().sum(1)
    off = off + (log_variance.exp() * decoder.square().sum(0)).sum(1)
    rate = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum(1)
    loss = (off / (2 * scale**2) + rate).mean()
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, weights)])


def test_with_noise_the_mean_gradient_is_exact(together):
    """Five rows for one process and six for the other, so that equal weights would be wrong."""
    found = _part(together[0], "noise")["gradients"]
    error = found.std(0) / len(found) ** 0.5
    exact = _exact_gradient()
    assert (exact.abs() > 20 * error).sum() > len(exact) / 2  # a wrong share would show
    assert ((found.mean(0) - exact).abs() < 5 * error + 1e-12).all()


@pytest.mark.parametrize("case", two_processes.REFUSED)
def test_rows_that_depend_on_others_are_refused(together, case):
    for _, meta in together:
        assert "depends on the other rows" in meta["words"][case], json.dumps(meta)


def test_a_loss_that_is_no_number_stops_all_processes(together):
    """The row is one process's alone, and the other does not wait for ever."""
    first, second = (meta["words"]["not a number"] for _, meta in together)
    assert first == second
    assert "loss became nan at step" in first


def test_a_checkpoint_that_one_process_sees_is_refused(together):
    for _, meta in together:
        words = meta["words"]["a checkpoint that one process sees"]
        assert "would start from different steps, 0 to 16" in words


def test_a_run_that_goes_on_in_fewer_processes_warns(folder):
    with pytest.warns(UserWarning, match="made with processes = 2; this run has processes = 1"):
        two_processes.train(objective=elbo, checkpoint=folder / "run")


def _first_step(objective, model, labels, batch, **options):
    own = Together(1, 2, CPU, 0).own_rows(partial(objective, model), labels)
    return own(batch, **options)


@pytest.mark.parametrize("name", sorted(VAE_OBJECTIVES.keys() - {"total_correlation"}))
def test_rows_that_do_not_depend_on_others_are_taken(name):
    batch = toy.batch(9)
    terms = _first_step(VAE_OBJECTIVES[name], toy.model(), batch.y, batch)
    assert len(terms["loss"]) == 5


@pytest.mark.parametrize("name", LABELED)
def test_labels_that_the_first_batch_lacks_are_refused(name):
    build, objective = LABELED[name]
    model, batch = toy.model(partial(build, num_classes=3)), toy.batch(8)
    labels = torch.tensor([-1] * 99 + [2])
    options = {"multiplier": 1.0} if name in ("prediction", "consistency") else {}
    unlabeled = vc.Batch(batch.x, torch.full((8,), -1))
    with pytest.raises(ValueError, match="depends on the other rows"):
        _first_step(objective, model, labels, unlabeled, **options)


def _beside(model, batch):
    """Return a loss that looks at the next row, without a gradient."""
    return {"loss": elbo(model, batch)["loss"] + 0.01 * batch.x.roll(-1, 0).detach().sum(1)}


def _logged(model, batch):
    """Return a loss of each row and, beside it, a term that is one for all."""
    terms = elbo(model, batch)
    return terms | {"mean": terms["kl"].mean().expand(len(batch.x))}


@pytest.mark.parametrize(
    "objective",
    [_beside, _logged, VAE_OBJECTIVES["total_correlation"]],
    ids=["beside", "logged", "total_correlation"],
)
def test_dependence_is_seen_in_every_term(objective):
    batch = toy.batch(8)
    with pytest.raises(ValueError, match="depends on the other rows"):
        _first_step(objective, toy.model(), batch.y, batch)


def test_the_check_leaves_random_numbers_alone():
    """The first step has the noise that every later one would have at its place."""
    batch, model = toy.batch(8), toy.model()
    own = Together(0, 2, CPU, 0).own_rows(partial(elbo, model), batch.y)
    with isolated_rng(3):
        first = own(batch)["loss"], torch.rand(2)
    with isolated_rng(3):
        later = own(batch)["loss"], torch.rand(2)
    assert all(map(torch.equal, first, later))


def test_one_process_takes_what_several_refuse():
    for options in two_processes.REFUSED.values():
        two_processes.train(**options, steps=2)


@pytest.mark.parametrize("objective", [two_processes.at_the_mean, elbo])
def test_noise_is_where_it_should_be(objective):
    """The first losses of two models of noise differ by the seed of the noise, or not at all."""
    batch, model = toy.batch(8), toy.model()
    losses = []
    for rank in (0, 1):
        with isolated_rng(0):
            Together(rank, 2, CPU, 0).seed_noise(0)
            losses.append(objective(model, batch)["loss"])
    assert torch.equal(*losses) == (objective is not elbo)
