"""`vaecourse doctor`: what this machine has, what will not work on it, and the cure."""

import argparse
import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

import vaecourse
from vaecourse.data import NAMES, DataError, identity, torchvision_sets
from vaecourse.data.storage import cache_folder, content_hash, data_folders
from vaecourse.runtime import machine, multiplies_in_bfloat16, resolve_device
from vaecourse.runtime.files import check_writable

__all__ = ["Findings", "add_parser", "report"]

PACKAGES = ("numpy", "scikit-learn", "matplotlib", "safetensors", "torchvision", "jupyter-book")
NEEDED = PACKAGES[:4]
OLDEST_TORCH = (2, 6)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
LITTLE_MEMORY = 3 * 2**30
LITTLE_DISK = 2**30


class Findings:
    """What there is, line by line; what will not work; what is broken."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.limits: list[str] = []
        self.faults: list[str] = []

    def say(self, title: str, text: str) -> None:
        """Add a line."""
        self.lines.append(f"{title:9}{text}")


def add_parser(subparsers: Any) -> None:
    """Add the subcommand ``doctor``."""
    parser = subparsers.add_parser(
        "doctor",
        help="say what this machine has, and what will not work on it",
        description=__doc__,
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the report; the exit code is 1 where something is broken."""
    found = report()
    print("\n".join(found.lines))
    for limit in found.limits:
        print(f"note: {limit}")
    for fault in found.faults:
        print(f"wrong: {fault}")
    if not found.faults:
        print("nothing is wrong")
    return 1 if found.faults else 0


def report() -> Findings:
    """Look at everything that the course needs or can use."""
    found = Findings()
    _python(found)
    _machine(found)
    _torch(found)
    _data(found)
    _cache(found)
    _browser(found)
    _kernel(found)
    return found


def _python(found: Findings) -> None:
    found.say("course", f"vaecourse {vaecourse.__version__} in {Path(vaecourse.__file__).parent}")
    found.say("Python", f"{platform.python_version()}, {sys.executable}")
    there = []
    for name in PACKAGES:
        try:
            there.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            if name in NEEDED:
                found.faults.append(f"{name} is not installed; run: pip install {name}")
    found.say("with", ", ".join(there))


def _machine(found: Findings) -> None:
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    found.say("machine", f"{system}, {machine.processor()}")
    memory = machine.memory()
    size = "unknown" if memory is None else _gigabytes(memory)
    found.say("", f"{machine.cores()} of {os.cpu_count()} cores usable, memory {size}")
    if memory is not None and memory < LITTLE_MEMORY:
        found.limits.append(
            "with so little memory the book may not build, two chapters at a time; close other "
            "programs, or read the chapters one by one in JupyterLab (make lab)"
        )


def _torch(found: Findings) -> None:
    build = next(
        (
            f"{name} {number}"
            for name in ("cuda", "hip")
            if (number := getattr(torch.version, name))
        ),
        "CPU",
    )
    device = resolve_device("auto")
    gpu = torch.cuda.get_device_name() if device.type == "cuda" else device.type
    found.say(
        "torch",
        f"{torch.__version__}, built for {build}, runs on {gpu}, {torch.get_num_threads()} threads",
    )
    factors = "rounds to bfloat16" if multiplies_in_bfloat16() else "is exact"
    capability = torch.backends.cpu.get_cpu_capability()
    found.say("", f"instructions {capability}; fast-float32 {factors} on this CPU")
    number = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if number < OLDEST_TORCH:
        found.faults.append(
            f"PyTorch {torch.__version__} is older than {'.'.join(map(str, OLDEST_TORCH))}; "
            "run: pip install --upgrade torch"
        )


def _data(found: Findings) -> None:
    folders = data_folders()
    found.say("data", "looked for in " + " and then ".join(map(str, folders)))
    found.limits += _named_folder_limits(folders[0])
    for name in NAMES:
        try:
            place = _place(name, folders)
        except DataError as error:
            found.faults.append(str(error))
            place = "damaged"
        found.say("", f"{name:14}{place}")
        if name == "mnist" and place == "not here":
            found.limits.append(
                "without a network strokes stand in for MNIST; with one, 12 MB are downloaded once"
            )


def _named_folder_limits(folder: Path) -> list[str]:
    named = os.environ.get("VAECOURSE_DATA")
    if not named:
        return []
    try:
        if next(folder.iterdir(), None) is None:
            return [f"VAECOURSE_DATA names {named}, which is empty; put data sets there"]
    except OSError as error:
        return [f"VAECOURSE_DATA names {named}, which is no readable folder ({error}); correct it"]
    return []


def _place(name: str, folders: list[Path]) -> str:
    """Return the beginning of a data set's hash and where it was found."""
    if name == "strokes":
        return "drawn by this package"
    if name == "digits":
        return f"{identity(name)[:12]} in scikit-learn"
    for folder in folders:
        arrays = torchvision_sets.read(name, [folder])
        if arrays is not None:
            return f"{content_hash(arrays)[:12]} in {folder}"
    return "not here"


def _cache(found: Findings) -> None:
    folder = cache_folder()
    free = machine.free_disk(folder)
    size = "an unknown amount" if free is None else _gigabytes(free)
    found.say("cache", f"{folder}, {size} free")
    if free is not None and free < LITTLE_DISK:
        found.limits.append(
            f"{folder} has little room for data and trained models; make room, or name a folder on "
            "another disk in VAECOURSE_CACHE"
        )
    try:
        check_writable(folder / "any file")
    except OSError as error:
        found.faults.append(
            f"{folder} cannot be written ({error.__cause__ or error}); name another folder in "
            "VAECOURSE_CACHE"
        )


def _browser(found: Findings) -> None:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    found.say("browser", path or "none on the path")
    if path is None:
        found.limits.append(
            "without Chromium or Chrome on the path, `make test` does not check the built pages; "
            "run: apt-get install chromium, or brew install --cask chromium"
        )


def _kernel(found: Findings) -> None:
    if find_spec("ipykernel") is None or find_spec("jupyter_client") is None:
        found.say("Jupyter", "none")
        found.limits.append(
            'without Jupyter no chapter runs; run: make env, or pip install "vaecourse[book]"'
        )
        return
    try:
        command = _kernel_command()
    except (LookupError, OSError, RuntimeError, ValueError) as error:
        found.say("Jupyter", "no kernel")
        found.limits.append(
            f"Jupyter finds no kernel ({error}), so a notebook opened outside `make lab` does not "
            "run; run: python -m ipykernel install --sys-prefix"
        )
        return
    own = _is_this_python(command)
    found.say("Jupyter", f"kernel python3 runs {'this Python' if own else command}")
    if not own:
        found.limits.append(
            f"Jupyter's kernel python3 is another Python ({command}); `make book` and `make lab` "
            "pass it by, other ways to start Jupyter do not. Unset JUPYTER_PATH, or run: "
            "python -m ipykernel install --sys-prefix"
        )


def _kernel_command() -> str:
    from jupyter_client.kernelspec import KernelSpecManager

    return KernelSpecManager().get_kernel_spec("python3").argv[0]


def _is_this_python(command: str) -> bool:
    # Jupyter itself puts this interpreter in the place of a bare name.
    bare = ("python", f"python{sys.version_info.major}", "python{}.{}".format(*sys.version_info))
    here, there = (os.path.normcase(os.path.abspath(path)) for path in (sys.executable, command))
    return command in bare or here == there


def _gigabytes(size: int) -> str:
    return f"{size / 2**30:.1f} GB"
