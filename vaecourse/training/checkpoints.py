"""Checkpoints: one safetensors file whose header carries JSON. Written whole or not at all."""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from vaecourse.runtime.files import whole_file

__all__ = ["load_model", "read_checkpoint", "save_model", "write_checkpoint"]


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
    header = {"vaecourse": json.dumps(meta), "sha256": _digest(tensors)}
    with whole_file(path) as unfinished:
        save_file(tensors, unfinished, metadata=header)
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
    ValueError
        If the file is damaged or is no checkpoint of this package.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            meta = json.loads(header["vaecourse"])
            # Without a copy the file would stay mapped, and Windows replaces no mapped file.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
            if _digest(tensors) != header["sha256"]:
                raise SafetensorError("its content has changed since it was written")
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path} is not a readable vaecourse checkpoint ({error}); delete it to start anew"
        ) from error
    return tensors, meta


def _digest(tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


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
        Model of the same architecture as the stored one.
    path : path
        File that `save_model` wrote.

    Returns
    -------
    dict
        The metadata stored beside the weights.

    Raises
    ------
    ValueError
        If the file is damaged or holds another architecture; `model` is then unchanged.
    """
    tensors, meta = read_checkpoint(path)
    check_weights(model, tensors, path)
    model.load_state_dict(tensors)
    return meta


def check_weights(model: nn.Module, tensors: dict[str, Tensor], path: str | Path) -> None:
    """Raise a ValueError unless `tensors` have the names and shapes of `model`'s weights."""
    wanted = {name: tuple(t.shape) for name, t in model.state_dict().items()}
    given = {name: tuple(t.shape) for name, t in tensors.items()}
    if wanted != given:
        name = next(n for n in sorted(wanted | given) if wanted.get(n) != given.get(n))
        raise ValueError(
            f"{path} holds another architecture: {name} has shape {given.get(name)} there and "
            f"{wanted.get(name)} in the model; build the model as trained, or delete the file"
        )


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
    """Put back what `optimizer_tensors` took out."""
    state: dict[int, dict] = {int(i): dict(entries) for i, entries in meta["numbers"].items()}
    for name, value in tensors.items():
        index, key = name.split(".", 1)
        state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": meta["groups"]})
