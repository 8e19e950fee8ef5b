"""Files of weights: every way to load them, and what is said of a file that is none."""

import hashlib
import json
import os
import struct

import numpy as np
import pytest
import torch
import toy
from safetensors.torch import save_file
from torch import nn

import vaecourse as vc
from vaecourse.training.checkpoints import read_checkpoint, write_checkpoint


def _other():
    return toy.model(seed=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a trained model and the checkpoint of its run."""
    path = tmp_path_factory.mktemp("run") / "run.safetensors"
    model = toy.model()
    toy.fit(model, steps=9, checkpoint=path)
    return model, path


def _part_compiled(model):
    model.encoder = torch.compile(model.encoder)
    return model


COMPILED = {"plain": lambda model: model, "whole": torch.compile, "part": _part_compiled}


@pytest.mark.parametrize("now", COMPILED)
@pytest.mark.parametrize("then", COMPILED)
def test_weights_go_into_and_come_from_compiled_models(tmp_path, then, now):
    path = vc.save_model(COMPILED[then](toy.model()), tmp_path / "weights", {"then": then})
    model = COMPILED[now](_other())
    assert not toy.same(dict(_other().named_parameters()), toy.weights(toy.model()))
    assert vc.load_model(model, path) == {"then": then}
    for found, wanted in zip(model.parameters(), toy.model().parameters(), strict=True):
        assert torch.equal(found, wanted)


def test_the_weights_of_a_run_are_read_and_nothing_else(run):
    trained, path = run
    model = _other()
    before = torch.get_rng_state()
    meta = vc.load_model(model, path)
    assert toy.same(trained.state_dict(), model.state_dict())
    assert meta["step"] == 9
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("now", COMPILED)
def test_the_weights_of_a_compiled_models_run_are_read(run, tmp_path, now):
    """The checkpoint of a compiled model differs from that of a plain one by names alone."""
    trained, path = run
    tensors, meta = read_checkpoint(path)
    renamed = {name.replace("model.", "model._orig_mod."): t for name, t in tensors.items()}
    model = COMPILED[now](_other())
    vc.load_model(model, write_checkpoint(tmp_path / "run", renamed, meta))
    for found, wanted in zip(model.parameters(), trained.parameters(), strict=True):
        assert torch.equal(found, wanted)


def test_a_model_with_a_part_called_model_and_metadata_called_config(tmp_path):
    """Neither makes a training run of a file of weights."""
    wrapped = nn.ModuleDict({"model": nn.Linear(2, 2), "other": nn.Linear(2, 1)})
    meta = {"config": {"lr": 0.1}}
    path = vc.save_model(wrapped, tmp_path / "weights", meta)
    again = nn.ModuleDict({"model": nn.Linear(2, 2), "other": nn.Linear(2, 1)})
    assert vc.load_model(again, path) == meta
    assert toy.same(wrapped.state_dict(), again.state_dict())


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: nn.Linear(3, 2), "bias has shape (1,) in the file and has shape (2,) in the"),
        (lambda: nn.Linear(3, 1, bias=False), "bias has shape (1,) in the file and is missing in"),
        (lambda: nn.Bilinear(3, 3, 1), "weight has shape (1, 3) in the file and has shape (1, 3,"),
        (lambda: nn.ModuleDict({"a": nn.Linear(3, 1)}), "a.bias is missing in the file and has"),
    ],
    ids=["shape", "more", "rank", "names"],
)
def test_another_architecture_is_named(tmp_path, build, words):
    path = vc.save_model(nn.Linear(3, 1), tmp_path / "weights")
    model = build()
    before = toy.weights(model)
    with pytest.raises(ValueError, match="holds another architecture: ") as caught:
        vc.load_model(model, path)
    said = str(caught.value)
    assert said.startswith(str(path))
    assert words in said
    assert said.endswith("build the model as it was trained, or give another path")
    assert toy.same(before, model.state_dict())


WANTED = "a file that save_model or fit(checkpoint=...) wrote"


def _refusal(path, kind):
    with pytest.raises(kind) as caught:
        vc.load_model(toy.model(), path)
    assert type(caught.value) is kind
    said = str(caught.value)
    assert "delete" not in said
    assert "\n" not in said
    assert str(path) in said
    return said


def test_a_missing_file_is_named(tmp_path):
    path = tmp_path / "none"
    wanted = f"there is no file {path}, and {WANTED} was wanted; give another path"
    assert _refusal(path, FileNotFoundError) == wanted


def test_a_folder_is_named(tmp_path):
    wanted = f"{tmp_path} is a folder, not {WANTED}; give another path"
    assert _refusal(tmp_path, IsADirectoryError) == wanted


@pytest.mark.skipif(os.name != "posix", reason="Windows has no named pipes")
def test_a_pipe_is_named(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    wanted = f"{path} is a pipe or a device, not {WANTED}; give another path"
    assert _refusal(path, ValueError) == wanted


def test_a_file_that_may_not_be_read_is_no_missing_one(tmp_path, monkeypatch):
    """The system is asked by a stand-in: an administrator may read every file."""
    path = vc.save_model(toy.model(), tmp_path / "weights")

    def refuse(self, *_args, **_options):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(type(path), "open", refuse)
    assert "Permission denied" in _refusal(path, PermissionError)


@pytest.mark.parametrize("content", [b"", b"a letter", b"\xff" * 99, b"PK\3\4" * 30], ids=len)
def test_a_file_of_another_kind_is_named(tmp_path, content):
    path = tmp_path / "letter"
    path.write_bytes(content)
    said = _refusal(path, ValueError)
    assert said.startswith(f"{path} is no safetensors file, or not a whole one (")
    assert said.endswith(f"), and {WANTED} was wanted; give another path")


@pytest.mark.parametrize("header", [None, {"format": "pt"}, {"vaecourse": "{}"}])
def test_a_safetensors_file_of_another_program_is_named(tmp_path, header):
    path = tmp_path / "weights"
    save_file(dict(toy.model().state_dict()), path, metadata=header)
    wanted = f"{path} is a safetensors file of another program, not {WANTED}; give another path"
    assert _refusal(path, ValueError) == wanted


def test_changed_numbers_are_named(tmp_path):
    path = vc.save_model(toy.model(), tmp_path / "weights")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    wanted = f"{path} is damaged: its content has changed since it was written, and {WANTED} was "
    assert _refusal(path, ValueError) == f"{wanted}wanted; give another path"


def _older(path, tensors, text):
    """Write a file as the package did when its digest knew names and numbers alone."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode() + tensor.numpy().tobytes())
    save_file(tensors, path, metadata={"vaecourse": text, "sha256": digest.hexdigest()})


def test_an_older_file_is_read_and_its_damage_noticed(tmp_path):
    path = tmp_path / "older"
    tensors = {"weight": torch.arange(6.0).view(2, 3), "bias": torch.ones(2)}
    _older(path, tensors, '{"step": 3}')
    found, meta = read_checkpoint(path)
    assert meta == {"step": 3}
    assert found.keys() == tensors.keys()
    assert toy.same(found, tensors)
    _older(path, tensors, '{"step": 3')
    assert "is damaged" in _refusal(path, ValueError)
    _older(path, tensors, "{}")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "is damaged" in _refusal(path, ValueError)


def _flipped(content, bit):
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_every_flipped_bit_is_noticed(run, tmp_path):
    """In the length and the header of the file, and in the numbers."""
    content = run[1].read_bytes()
    start = 8 + struct.unpack("<Q", content[:8])[0]
    rng = np.random.default_rng(0)
    header = rng.choice(np.arange(64, 8 * start), 250, replace=False)
    body = rng.choice(np.arange(8 * start, 8 * len(content)), 100, replace=False)
    path = tmp_path / "flipped"
    for bit in (*range(64), *header.tolist(), *body.tolist()):
        path.write_bytes(_flipped(content, bit))
        said = _refusal(path, ValueError)
        assert said.endswith("; give another path")


def test_every_flipped_bit_of_a_small_header_is_noticed(tmp_path):
    path = write_checkpoint(tmp_path / "small", {"a": torch.ones(1, 2)}, {"betas": [0.9, 0.999]})
    content = path.read_bytes()
    assert json.loads(content[8:-8])["__metadata__"]["vaecourse"] == '{"betas": [0.9, 0.999]}'
    for bit in range(8 * len(content)):
        path.write_bytes(_flipped(content, bit))
        _refusal(path, ValueError)
    path.write_bytes(content)
    assert read_checkpoint(path)[1] == {"betas": [0.9, 0.999]}


@pytest.mark.parametrize("length", [2**62, 2**40, 2**27])
def test_an_absurd_header_is_not_made_room_for(tmp_path, length):
    """The length of the header stands in the first eight bytes."""
    path = tmp_path / "absurd"
    path.write_bytes(struct.pack("<Q", length) + b"{" + bytes(100))
    with pytest.raises(ValueError, match="is no safetensors file, or not a whole one"):
        read_checkpoint(path)


def test_an_absurd_tensor_is_not_made_room_for(tmp_path):
    path = tmp_path / "absurd"
    tensor = {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}
    header = json.dumps({"weight": tensor}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(100))
    with pytest.raises(ValueError, match="is no safetensors file, or not a whole one"):
        read_checkpoint(path)
