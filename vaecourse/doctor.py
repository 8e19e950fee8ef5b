"""`vaecourse doctor`: what this machine has, and what is wrong with it."""

import argparse
import os
import platform
import tempfile
from importlib.metadata import PackageNotFoundError, version

import torch

import vaecourse
from vaecourse.data import NAMES, DataError, identity
from vaecourse.data.storage import cache_folder, data_folders
from vaecourse.runtime import multiplies_in_bfloat16, resolve_device

__all__ = ["add_parser", "report"]

PACKAGES = ("torch", "numpy", "scikit-learn", "matplotlib", "safetensors")


def add_parser(subparsers) -> None:
    """Add the subcommand ``doctor``."""
    parser = subparsers.add_parser(
        "doctor", help="say what this machine has, and what is wrong with it", description=__doc__
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the report; the exit code is 1 where something is wrong."""
    lines, faults = report()
    print("\n".join(lines))
    print("\n".join(f"wrong: {fault}" for fault in faults) if faults else "nothing is wrong")
    return 1 if faults else 0


def report() -> tuple[list[str], list[str]]:
    """Return what there is, a line each, and what is wrong."""
    lines = [f"vaecourse {vaecourse.__version__}, Python {platform.python_version()}"]
    faults = []
    versions = []
    for name in PACKAGES:
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            faults.append(f"{name} is not installed; run make env, or pip install vaecourse")
    lines.append(", ".join(versions))
    lines.append(_device())
    lines.append(f"cache: {cache_folder()}")
    faults += _cache_faults()
    lines.append("data are looked for in: " + ", ".join(map(str, data_folders())))
    for name in NAMES:
        try:
            found = identity(name)
        except DataError as error:
            faults.append(str(error))
        else:
            lines.append(f"  {name:14} {'not here' if found == 'absent' else found[:24]}")
    return lines, faults


def _device() -> str:
    device = resolve_device("auto")
    name = torch.cuda.get_device_name() if device.type == "cuda" else platform.machine()
    factors = "rounds to bfloat16" if multiplies_in_bfloat16() else "is exact"
    return (
        f"device: {device.type} ({name}), {os.cpu_count()} cores, "
        f"{torch.get_num_threads()} threads; fast-float32 {factors} on this CPU"
    )


def _cache_faults() -> list[str]:
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            return []
    except OSError as error:
        return [f"{folder} cannot be written ({error}); name another folder in VAECOURSE_CACHE"]
