"""Checkpoints: one safetensors file whose header carries JSON. Written whole or not at all."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from vaecourse.runtime.files import whole_file
from vaecourse.runtime.interrupts import uninterrupted

__all__ = ["load_model", "read_checkpoint", "save_model", "write_checkpoint"]

WANTED = "a file that save_model or fit(checkpoint=...) wrote"
CURE = "give another path"
COMPILED = "_orig_mod"
"""What `torch.compile` puts into the names of the weights in a part that it compiles."""


def write_checkpoint(path: str | Path, tensors: dict[str, Tensor], meta: dict) -> Path:
    """Write tensors and JSON metadata to `path`, replacing what was there in one step.

    Parameters
    ----------
    path : path
        File to write; missing folders are made.
    tensors : dict of str to Tensor
        What to store.
    meta : dict
        Anything that JSON can hold.

    Returns
    -------
    Path
        The file written.
    """
    path = Path(path)
    tensors = {name: t.detach().cpu().clone().contiguous() for name, t in tensors.items()}
    text = json.dumps(meta)
    content = save(tensors, {"vaecourse": text, "digest": _digest(tensors, text)})
    with whole_file(path) as unfinished:
        unfinished.write_bytes(content)
    return path


def read_checkpoint(path: str | Path) -> tuple[dict[str, Tensor], dict]:
    """Read what `write_checkpoint` wrote.

    Parameters
    ----------
    path : path
        File to read.

    Returns
    -------
    tensors : dict of str to Tensor
        On the CPU.
    meta : dict
        The JSON metadata.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    ValueError
        If it is no safetensors file, or not one of this package, or damaged.
    """
    _check_readable(Path(path))
    try:
        # An interrupt would come out of the library as an error about the file.
        with uninterrupted(), safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if "vaecourse" not in header or not header.keys() & {"digest", "sha256"}:
                raise ValueError(
                    f"{path} is a safetensors file of another program, not {WANTED}; {CURE}"
                )
            # Without a copy the file would stay mapped, and Windows replaces no mapped file.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(
            f"{path} is no safetensors file, or not a whole one ({error}), and {WANTED} was "
            f"wanted; {CURE}"
        ) from error
    return tensors, _intact(path, header, tensors)


def _check_readable(path: Path) -> None:
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}, and {WANTED} was wanted; {CURE}")
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, not {WANTED}; {CURE}")
    if not path.is_file():
        raise ValueError(f"{path} is a pipe or a device, not {WANTED}; {CURE}")
    # To safetensors a file that may not be read is one that is not there.
    path.open("rb").close()


def _intact(path: str | Path, header: dict[str, str], tensors: dict[str, Tensor]) -> dict:
    """Return the JSON metadata, or raise a ValueError if anything in the file has changed."""
    text = header["vaecourse"]
    if "digest" in header:
        intact = header["digest"] == _digest(tensors, text)
    else:  # Older files have a digest of names and numbers alone.
        intact = header["sha256"] == _digest_of_numbers(tensors).hexdigest()
    with suppress(json.JSONDecodeError):
        if intact:
            return json.loads(text)
    raise ValueError(
        f"{path} is damaged: its content has changed since it was written, and {WANTED} was "
        f"wanted; {CURE}"
    )


def _digest(tensors: dict[str, Tensor], text: str) -> str:
    """Return the SHA-256 of all that a file says: metadata, names, types, shapes and numbers."""
    digest = _digest_of_numbers(tensors)
    kinds = [(name, str(t.dtype), list(t.shape)) for name, t in sorted(tensors.items())]
    digest.update(json.dumps([text, kinds]).encode())
    return digest.hexdigest()


def _digest_of_numbers(tensors: dict[str, Tensor]) -> Any:
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest


def save_model(model: nn.Module, path: str | Path, meta: dict | None = None) -> Path:
    """Write the weights of `model` to a safetensors file.

    Parameters
    ----------
    model : Module
        Model to store.
    path : path
        File to write.
    meta : dict, optional
        JSON metadata to store beside the weights.

    Returns
    -------
    Path
        The file written.
    """
    return write_checkpoint(path, model.state_dict(), meta or {})


def load_model(model: nn.Module, path: str | Path) -> dict:
    """Read weights into `model`, in place.

    Parameters
    ----------
    model : Module
        Model of the same architecture as the stored one, on any device. Either of the two, or a
        part of it, may be compiled by `torch.compile`.
    path : path
        File that `save_model` wrote, or ``fit(checkpoint=path)``, of which only the weights are
        read.

    Returns
    -------
    dict
        The metadata stored beside the weights.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    IsADirectoryError
        If it is a folder.
    ValueError
        If it is no file of this package, damaged, or of another architecture; `model` is then
        unchanged.

    Examples
    --------
    >>> import tempfile
    >>> import vaecourse as vae
    >>> model, again = (vae.mlp_vae((1, 8, 8), latent_dim=2) for _ in range(2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = vae.save_model(model, f"{folder}/vae.safetensors", {"trained on": "digits"})
    ...     vae.load_model(again, path)
    {'trained on': 'digits'}
    """
    tensors, meta = read_checkpoint(path)
    weights = part(tensors, "model.") if is_run(tensors, meta) else tensors
    model.load_state_dict(weights_for(model, weights, path))
    return meta


def is_run(tensors: dict[str, Tensor], meta: dict) -> bool:
    """Say whether the content of a file is a training run rather than weights alone."""
    return "config" in meta and "rng.generator" in tensors


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names begin with `prefix`, without it."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def weights_for(
    model: nn.Module, tensors: dict[str, Tensor], path: str | Path
) -> dict[str, Tensor]:
    """Return `tensors` by the names that the weights of `model` have, compiled or not.

    Raises
    ------
    ValueError
        If names or shapes are not those of `model`.
    """
    own = model.state_dict()
    stored = {_plain(name): tensor for name, tensor in tensors.items()}
    wanted = {_plain(name): tuple(tensor.shape) for name, tensor in own.items()}
    given = {name: tuple(tensor.shape) for name, tensor in stored.items()}
    if wanted != given:
        name = next(n for n in sorted(wanted | given) if wanted.get(n) != given.get(n))
        there, here = (
            f"has shape {shapes[name]}" if name in shapes else "is missing"
            for shapes in (given, wanted)
        )
        raise ValueError(
            f"{path} holds another architecture: {name} {there} in the file and {here} in the "
            f"model; build the model as it was trained, or {CURE}"
        )
    return {name: stored[_plain(name)] for name in own}


def _plain(name: str) -> str:
    return ".".join(word for word in name.split(".") if word != COMPILED)


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], dict]:
    """Split an optimizer's state into named tensors and JSON."""
    state = optimizer.state_dict()
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, dict] = {}
    for index, entries in state["state"].items():
        for key, value in entries.items():
            if isinstance(value, Tensor):
                tensors[f"{index}.{key}"] = value
            else:
                numbers.setdefault(str(index), {})[key] = value
    return tensors, {"groups": state["param_groups"], "numbers": numbers}


def restore_optimizer(
    optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], meta: dict
) -> None:
    """Put back what `optimizer_tensors` took out.

    Which kernels compute a step stays as it is: those of another device may not run on this one.
    """
    state: dict[int, dict] = {int(i): dict(entries) for i, entries in meta["numbers"].items()}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    groups = [
        group | {name: own[name] for name in ("capturable", "foreach", "fused") if name in own}
        for group, own in zip(meta["groups"], optimizer.param_groups, strict=True)
    ]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
