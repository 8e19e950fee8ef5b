"""A run that is killed and started again ends with the bits of one that was not."""

import json
import pickle

import killed_runs
import numpy as np
import pytest
import torch
import toy
from safetensors.torch import save_file

import vaecourse as vc
from vaecourse.objectives import elbo, reconstruction
from vaecourse.runtime import PRECISIONS
from vaecourse.training.checkpoints import (
    load_model,
    read_checkpoint,
    save_model,
    write_checkpoint,
)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Sums are split over threads, so bits depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def this_process_does_not_die(monkeypatch):
    def survive():
        raise AssertionError("training went on where it should not")

    monkeypatch.setattr(killed_runs, "die", survive)


_finished = {}


def _uninterrupted(**options):
    key = json.dumps(options, sort_keys=True)
    if key not in _finished:
        _finished[key] = killed_runs.run(**options)
    return _finished[key]


def _assert_same(one, other):
    (model, history), (other_model, other_history) = one, other
    weights, other_weights = model.state_dict(), other_model.state_dict()
    assert weights.keys() == other_weights.keys()
    for name, value in weights.items():
        assert torch.equal(value, other_weights[name]), name
    for record in ("terms", "validation"):
        rows, other_rows = getattr(history, record), getattr(other_history, record)
        assert rows.keys() == other_rows.keys()
        for name, values in rows.items():
            assert np.array_equal(values, other_rows[name]), name


def test_the_run_would_notice():
    """Dropout, transform and schedules matter here: without one of them the bits differ."""
    full, _ = _uninterrupted()
    for options in (
        {"seed": 6},
        {"transform": None},
        {"lr": 1e-2},
        {"schedules": {"beta": 1.0}},
        {"steps": 29},
    ):
        other, _ = killed_runs.run(**{"steps": killed_runs.STEPS, "lr": 1e-2, **options})
        weights = zip(full.parameters(), other.parameters(), strict=True)
        assert any(not torch.equal(one, two) for one, two in weights)


# The first checkpoint is written after 7 steps: before it there is nothing to resume from.
@pytest.mark.parametrize("step", [0, 3, 6, 7, 8, 13, 14, 20, 27, 28, 29])
def test_killed_in_a_step(kill, tmp_path, step):
    path = tmp_path / "run.safetensors"
    kill(killed_runs.run, checkpoint=str(path), at=step)
    assert path.exists() == (step >= 7)
    if path.exists():
        assert read_checkpoint(path)[1]["step"] == step // 7 * 7
    _assert_same(killed_runs.run(path), _uninterrupted())


@pytest.mark.parametrize("epoch", [0, 3, 6])
def test_killed_in_validation(kill, tmp_path, epoch):
    path = tmp_path / "run.safetensors"
    kill(killed_runs.run, checkpoint=str(path), at=epoch, phase="validation")
    _assert_same(killed_runs.run(path), _uninterrupted())


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("write", [0, 2, 4])
def test_killed_while_writing(kill, tmp_path, write, when):
    """What a killed write leaves behind is neither read nor kept."""
    path = tmp_path / "run.safetensors"
    bystander = tmp_path / "run.safetensors.other"
    bystander.write_text("mine", encoding="utf-8")
    kill(killed_runs.run, checkpoint=str(path), at=write, phase=when)
    assert len(list(tmp_path.glob("*.partial"))) == (when == "before")
    assert path.exists() == (write > 0 or when == "after")
    _assert_same(killed_runs.run(path), _uninterrupted())
    assert {file.name for file in tmp_path.iterdir()} == {path.name, bystander.name}


def test_killed_again_and_again(kill, tmp_path):
    path = tmp_path / "run.safetensors"
    for calls, step in ((8, 7), (9, 14), (2, 14), (8, 21), (7, 28), (1, 28)):
        kill(killed_runs.run, checkpoint=str(path), at=calls)
        assert read_checkpoint(path)[1]["step"] == step
    _assert_same(killed_runs.run(path), _uninterrupted())


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_precision_resumes(kill, tmp_path, precision):
    path = tmp_path / "run.safetensors"
    kill(killed_runs.run, checkpoint=str(path), at=17, precision=precision)
    _assert_same(killed_runs.run(path, precision=precision), _uninterrupted(precision=precision))


@pytest.mark.parametrize("optimizer", ["momentum", "adamw"])
def test_every_optimizer_resumes(kill, tmp_path, optimizer):
    path = tmp_path / "run.safetensors"
    kill(killed_runs.run, checkpoint=str(path), at=17, optimizer=optimizer)
    _assert_same(killed_runs.run(path, optimizer=optimizer), _uninterrupted(optimizer=optimizer))


def test_checkpoints_do_not_change_a_run(tmp_path):
    _assert_same(killed_runs.run(tmp_path / "deep" / "er" / "run"), _uninterrupted())


def test_a_finished_run_returns_at_once(tmp_path):
    path = tmp_path / "run.safetensors"
    first = killed_runs.run(path)
    stamp = path.stat().st_mtime_ns
    second = killed_runs.run(path, at=0)
    _assert_same(first, second)
    assert second[1].seconds == first[1].seconds
    assert path.stat().st_mtime_ns == stamp


def test_a_run_may_be_prolonged(tmp_path):
    path = tmp_path / "run.safetensors"
    killed_runs.run(path, steps=25)
    _assert_same(killed_runs.run(path), _uninterrupted())


def test_resuming_neither_reads_nor_changes_random_state(tmp_path):
    path = tmp_path / "run.safetensors"
    killed_runs.run(path, steps=25)
    torch.manual_seed(99)
    before = torch.get_rng_state()
    _assert_same(killed_runs.run(path), _uninterrupted())
    assert torch.equal(torch.get_rng_state(), before)


def _refused(path, message, **options):
    """Resume with other options: a clear error, the file untouched, the weights too."""
    content = path.read_bytes()
    with pytest.raises(ValueError, match=message) as caught:
        killed_runs.run(path, at=0, **options)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]
    return str(caught.value)


@pytest.fixture(scope="module")
def halfway(tmp_path_factory):
    path = tmp_path_factory.mktemp("halfway") / "run.safetensors"
    killed_runs.run(path, steps=25)
    return path


def _identity(x, generator):
    return x


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"seed": 6}, ["seed = 5", "seed = 6"]),
        ({"batch_size": 17}, ["batch_size = 16", "batch_size = 17"]),
        ({"precision": "bfloat16"}, ["precision = float32", "precision = bfloat16"]),
        (
            {"transform": _identity},
            ["dynamic_binarization [", "test_resume._identity ["],
        ),
        (
            {"optimizer": "adamw"},
            ["optimizers.adam [", "partial(torch.optim.adamw.AdamW, amsgrad="],
        ),
        ({"lr": 0.5}, ["lr = warmup_cosine(0.01, 3, 25) [", "lr = 0.5"]),
        ({"schedules": {"beta": 2.0}}, ["beta = linear(0.0, 1.0, 20) [", "beta = 2.0"]),
        ({"seed": 6, "batch_size": 17}, ["batch_size = 16, seed = 5", "size = 17, seed = 6"]),
    ],
    ids=["seed", "size", "precision", "transform", "optimizer", "rate", "schedule", "two at once"],
)
def test_another_configuration_is_refused(halfway, options, words):
    message = _refused(halfway, "was made with .*; this run has .*delete the file", **options)
    was, _, has = message.partition("; this run has ")
    assert words[0] in was
    assert words[1] in has


def test_another_objective_is_refused(halfway):
    with pytest.raises(
        ValueError, match=r"= elbo, while it lives; this run has objective = vaecourse"
    ):
        vc.fit(
            killed_runs.model(),
            elbo,
            killed_runs.split(),
            steps=30,
            batch_size=16,
            lr=vc.warmup_cosine(1e-2, 3, 25),
            schedules={"beta": vc.linear(0.0, 1.0, 20)},
            transform=vc.data.labels.dynamic_binarization,
            seed=5,
            device="cpu",
            checkpoint=halfway,
        )


@pytest.mark.parametrize("part", ["train", "valid"])
@pytest.mark.parametrize("field", ["x", "y"])
def test_other_data_are_refused(halfway, monkeypatch, part, field):
    other = killed_runs.split()
    values = getattr(getattr(other, part), field).view(-1)
    values[3] = 1 - values[3]
    monkeypatch.setattr(killed_runs, "split", lambda: other)
    _refused(halfway, "was made with (validation )?data = .*; this run has (validation )?data = ")


def test_data_without_validation_are_refused(halfway, monkeypatch):
    train = killed_runs.split().train
    monkeypatch.setattr(killed_runs, "split", lambda: train)
    _refused(halfway, "was made with validation data = .*; this run has validation data = None")


def test_another_architecture_is_refused(halfway, monkeypatch):
    wide = vc.mlp_vae((1, 4, 4), 2, hidden=(7,))
    before = {name: value.clone() for name, value in wide.state_dict().items()}
    monkeypatch.setattr(killed_runs, "model", lambda: wide)
    _refused(halfway, "holds another architecture: .* has shape .* build the model as it was")
    assert all(torch.equal(value, before[name]) for name, value in wide.state_dict().items())


def test_a_later_step_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    killed_runs.run(path)
    content = path.read_bytes()
    with pytest.raises(ValueError, match="is at step 30, past this run's 29"):
        killed_runs.run(path, steps=29)
    assert path.read_bytes() == content


def test_weights_alone_are_no_run(tmp_path):
    path = save_model(killed_runs.model(), tmp_path / "weights.safetensors")
    _refused(path, "holds weights and no training run")


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1],
        lambda content: b"\xff" * 16 + content[16:],
        lambda content: b"nonsense",
        lambda content: pickle.dumps({"model": 1}),
    ],
    ids=["empty", "half", "one byte short", "header", "text", "pickle"],
)
def test_a_damaged_file_is_refused(halfway, tmp_path, damage):
    path = tmp_path / "run.safetensors"
    path.write_bytes(damage(halfway.read_bytes()))
    message = _refused(path, "is no safetensors file, or not a whole one .*; give another path$")
    assert "delete" not in message


def test_a_foreign_safetensors_file_is_refused(tmp_path):
    path = tmp_path / "run.safetensors"
    save_file({"weight": torch.zeros(2)}, path)
    message = _refused(path, "is a safetensors file of another program.*; give another path$")
    assert "delete" not in message


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match=r"is a folder, not a file that .* another path$"):
        killed_runs.run(tmp_path, at=0)


def test_a_changed_number_of_the_optimizer_is_noticed(halfway, tmp_path):
    content = halfway.read_bytes()
    assert content.count(b"[0.9, 0.999]") == 1
    path = tmp_path / "run.safetensors"
    path.write_bytes(content.replace(b"[0.9, 0.999]", b"[0.1, 0.999]"))
    message = _refused(path, "is damaged: its content has changed.*; give another path$")
    assert "delete" not in message


def _on_a_gpu(source, path, state=0):
    """Write the checkpoint as if a GPU had made it, with random numbers that no CPU understands."""
    tensors, meta = read_checkpoint(source)
    meta["config"] |= {"device": "cuda", "captured": True}
    meta["optimizer"]["groups"][0] |= {"capturable": True, "fused": False, "foreach": True}
    for name in ("rng.generator", "rng.device"):
        tensors[name] = torch.full((16,), state, dtype=torch.uint8)
    return write_checkpoint(path, tensors, meta)


def test_a_run_goes_on_on_another_device_and_says_that_bits_differ(halfway, tmp_path):
    runs = []
    for state in (1, 2):
        path = _on_a_gpu(halfway, tmp_path / str(state), state)
        with pytest.warns(UserWarning, match="bits will differ") as caught:
            runs.append(killed_runs.run(path))
        assert [warning.filename for warning in caught] == [killed_runs.__file__]
        said = str(caught[0].message)
        assert f"{path} was made with device = cuda; this run has device = cpu; it goes on" in said
    _assert_same(*runs)
    whole, history = _uninterrupted()
    for term, values in history.terms.items():
        moved = runs[0][1].terms[term]
        assert np.array_equal(values[:25], moved[:25])
        assert (values[25:] != moved[25:]).all()
        assert np.isfinite(moved).all()
    assert not toy.same(whole.state_dict(), runs[0][0].state_dict())
    meta = read_checkpoint(path)[1]
    config, (group,) = meta["config"], meta["optimizer"]["groups"]
    assert (config["device"], "captured" in config) == ("cpu", False)
    assert (group["capturable"], group["fused"], group["betas"]) == (False, True, [0.9, 0.999])


SEEDS = []


def _seen(x, generator):
    SEEDS.append(generator.initial_seed())
    return x


def test_random_numbers_after_a_move_come_from_seed_and_step(tmp_path):
    found = []
    for seed, steps in ((5, 25), (5, 25), (5, 27), (6, 25)):
        options = {"transform": _seen, "seed": seed}
        here = tmp_path / "here"
        killed_runs.run(here, steps=steps, **options)
        there = _on_a_gpu(here, tmp_path / "there")
        here.unlink()
        SEEDS.clear()
        with pytest.warns(UserWarning, match="bits will differ"):
            killed_runs.run(there, **options)
        found.append(SEEDS[0])
    assert found[0] == found[1]
    assert len({5, 6, *found}) == 5


def test_a_run_goes_on_along_another_route_with_the_random_numbers_it_had(halfway, tmp_path):
    tensors, meta = read_checkpoint(halfway)
    meta["config"]["captured"] = True
    path = write_checkpoint(tmp_path / "run", tensors, meta)
    with pytest.warns(UserWarning, match="with captured = True; this run has captured = None; it"):
        resumed = killed_runs.run(path)
    _assert_same(resumed, _uninterrupted())


def test_another_device_excuses_no_other_difference(halfway, tmp_path):
    path = _on_a_gpu(halfway, tmp_path / "run.safetensors")
    _refused(path, "made with seed = 5; this run has seed = 6; give another", seed=6)


def test_nothing_is_pickled(tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a checkpoint must not need pickle")

    for module, name in ((torch, "save"), (torch, "load"), (pickle, "dump"), (pickle, "load")):
        monkeypatch.setattr(module, name, refuse)
    path = tmp_path / "run.safetensors"
    killed_runs.run(path, steps=25)
    _assert_same(killed_runs.run(path), _uninterrupted())


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = write_checkpoint(tmp_path / "one", {"a": torch.ones(2)}, {"step": 1})
    with pytest.raises(TypeError):
        write_checkpoint(path, {"a": torch.zeros(2)}, {"step": object()})
    tensors, meta = read_checkpoint(path)
    assert torch.equal(tensors["a"], torch.ones(2))
    assert meta == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_saved_weights_come_back(tmp_path):
    model, other = killed_runs.model(), vc.mlp_vae((1, 4, 4), 2, hidden=(7,))
    path = save_model(model, tmp_path / "new" / "weights", {"note": "ELBO in nats"})
    again = killed_runs.model()
    with torch.no_grad():
        for parameter in again.parameters():
            parameter.zero_()
    assert load_model(again, path) == {"note": "ELBO in nats"}
    batch = killed_runs.split().valid
    expected = reconstruction(model.eval(), batch)["loss"]
    assert torch.equal(reconstruction(again.eval(), batch)["loss"], expected)
    with pytest.raises(ValueError, match="another architecture"):
        load_model(other, path)
