"""Where and how a computation runs: device, precision, randomness, progress."""

import hashlib
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

import torch
from torch import nn

from vaecourse.checks import as_seed
from vaecourse.runtime.interrupts import uninterrupted

__all__ = [
    "PRECISIONS",
    "Evaluable",
    "autocast",
    "check_precision",
    "convolutions_like_products",
    "device_name",
    "evaluating",
    "is_static",
    "isolated_rng",
    "keep_freed_memory",
    "matmul_precision",
    "multiplies_in_bfloat16",
    "needs_autocast",
    "progress_bar",
    "resolve_device",
    "seed_generators",
    "seed_of",
    "subnormals_as_zero",
]

PRECISIONS = ("float32", "fast-float32", "bfloat16")
"""Exact; short factors in matrix products; bfloat16 by the fastest route, densities in float32."""


LARGE = 2**20
"""Weights of a layer that a GPU multiplies faster in bfloat16 than in TF32, casts included."""


_ONE_THREAD = threading.RLock()
"""Held by the thread that has seeded the random numbers, which are the process's."""


class Evaluable(Protocol):
    """What `evaluating` asks of a model: a `torch.nn.Module` has it."""

    def modules(self) -> Iterator[nn.Module]:
        """Yield the model and its parts."""

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield its weights."""

    def eval(self) -> object:
        """Switch to evaluation mode."""


def resolve_device(device: str | torch.device) -> torch.device:
    """Return the device that `device` names; ``"auto"`` takes CUDA, then MPS, then the CPU.

    Raises
    ------
    ValueError
        If PyTorch does not know the device or this machine does not have it.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f'device must be "auto" or a device that this machine has, got {device!r} ({error})'
        ) from error


def device_name(device: torch.device) -> str:
    """Return what a record calls a device: a GPU by its card, others by their type."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


@contextmanager
def isolated_rng(seed: int, device: torch.device | None = None) -> Iterator[None]:
    """Seed PyTorch's random numbers inside the block and leave those outside untouched.

    Only the CPU's generator and that of `device` take part: `torch.manual_seed` would seed every
    accelerator of the machine. All threads share these generators, so another thread waits at its
    own block until this one ends. Blocks of one thread may nest.

    Parameters
    ----------
    seed : int
        Seed inside the block.
    device : torch.device, optional
        Accelerator whose generator takes part beside the CPU's.
    """
    seed = as_seed(seed)
    accelerator = None if device is None or device.type == "cpu" else device
    kind = "cuda" if accelerator is None else accelerator.type
    devices = [] if accelerator is None else [accelerator]
    with _ONE_THREAD, torch.random.fork_rng(devices=devices, device_type=kind):
        seed_generators(seed, accelerator)
        yield


def seed_of(key: str) -> int:
    """Return a seed that `key` alone decides; other keys give unrelated ones."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") >> 1


def seed_generators(seed: int, device: torch.device | None = None) -> None:
    """Seed PyTorch's random numbers on the CPU and, if it is another, on `device`."""
    torch.set_rng_state(torch.Generator().manual_seed(seed).get_state())
    if device is not None and device.type != "cpu":
        state = torch.Generator(device).manual_seed(seed).get_state()
        torch.get_device_module(device).set_rng_state(state, device)


@contextmanager
def evaluating(model: Evaluable, seed: int) -> Iterator[torch.device]:
    """Switch to evaluation mode, no gradients and private random numbers; yield the device.

    Every part of the model is in its former mode afterwards.
    """
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    with torch.no_grad(), isolated_rng(seed, device), convolutions_like_products():
        modes = [(module, module.training) for module in model.modules()]
        model.eval()
        try:
            yield device
        finally:
            for module, mode in modes:
                module.training = mode


def check_precision(precision: str) -> None:
    """Raise a ValueError unless `precision` is one of `PRECISIONS`."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")


@contextmanager
def matmul_precision(precision: str) -> Iterator[None]:
    """Set how exactly float32 arrays are multiplied and convolved inside the block.

    Parameters
    ----------
    precision : {"float32", "fast-float32", "bfloat16"}
        ``"float32"`` is exact. The others let the hardware shorten the factors of a product: TF32
        on a GPU, bfloat16 on a CPU with matrix units. Elsewhere they change speed alone.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest" if precision == "float32" else "medium")
    try:
        with convolutions_like_products():
            yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def convolutions_like_products() -> Iterator[None]:
    """Let a GPU convolve as exactly as it multiplies matrices, and by the same algorithm each time.

    By itself PyTorch multiplies exactly and convolves in TF32, by an algorithm whose sums may come
    in another order the next time.
    """
    cudnn = torch.backends.cudnn
    before = cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark
    cudnn.allow_tf32 = torch.get_float32_matmul_precision() != "highest"
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark = before


@cache
def multiplies_in_bfloat16() -> bool:
    """Say whether this CPU rounds the factors of a float32 product to bfloat16 when it may.

    Its matrix units then work on float32 arrays without casts. Other CPUs go on exactly.
    """
    just_above_one = torch.full((256, 256), 1 + 2**-12)
    with matmul_precision("bfloat16"):
        return bool((just_above_one @ torch.eye(256) == 1).all())


def needs_autocast(precision: str, device: torch.device, model: nn.Module) -> bool:
    """Say whether bfloat16 is asked for and casting the layers is the fastest way to it.

    A GPU shortens the factors of float32 products itself, to TF32; casts pay there with
    convolutions, or with products large enough to hide them. A CPU that shortens such factors
    itself casts for convolutions alone, which have no such shortcut; another casts always.
    """
    if precision != "bfloat16":
        return False
    convolutions = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)
    if any(isinstance(module, convolutions) for module in model.modules()):
        return True
    if device.type == "cuda":
        return any(parameter.numel() >= LARGE for parameter in model.parameters())
    return device.type != "cpu" or not multiplies_in_bfloat16()


def autocast(device: torch.device, enabled: bool) -> torch.autocast:
    """Return a context that runs layers in bfloat16 if `enabled`; enter it every step.

    Autocast caches the shortened weights until its block ends, so a block around many steps would
    go on using the first step's weights.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


@contextmanager
def subnormals_as_zero() -> Iterator[None]:
    """Let this thread's processor take numbers below 1.2e-38 for zero inside the block.

    That is the smallest normal float32; in float64 it is 2.2e-308. PyTorch cannot say how the
    switch stands, so a division whose result is subnormal asks the processor.
    """
    before = sys.float_info.min / 2 == 0
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def keep_freed_memory() -> None:
    """Let the process reuse the memory that each training step frees.

    Linux's C library hands large blocks back to the system when they are freed, and a step that
    asks for them again waits for new pages. Freeing one untouched block of almost 32 MiB, its limit
    for learning, teaches it to keep smaller ones. Elsewhere this does nothing.
    """
    torch.empty(31 * 2**20, dtype=torch.uint8)


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def is_static() -> bool:
    """Tell whether a page is being built (``VAECOURSE_STATIC=1``): no kernel, and nobody learns."""
    return os.environ.get("VAECOURSE_STATIC", "") not in ("", "0")


def progress_bar(total: int, initial: int, label: str, show: bool) -> Any:
    """Return a tqdm bar: a widget in JupyterLab, text in a terminal, silent elsewhere.

    A page that is being built gets no bar, so that it keeps no litter.
    """
    static = is_static()
    options = {"total": total, "initial": initial, "desc": label, "unit": "step"}
    if show and not static and _in_notebook():
        with uninterrupted():
            from tqdm.notebook import tqdm

        return tqdm(**options)
    with uninterrupted():
        from tqdm import tqdm

    visible = show and not static and sys.stdout is not None and sys.stdout.isatty()
    return tqdm(**options, file=sys.stdout, disable=not visible, leave=False)
