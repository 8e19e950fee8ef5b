"""The two lock files: the light one is the full one without CUDA."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CUDA = re.compile(r"(torch|torchvision|triton|(cuda|nvidia)-[\w-]+)==")


def pins(name):
    """Return the lines of a lock file."""
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


def test_the_light_lock_differs_from_the_full_one_by_torch_alone():
    full, light = pins("requirements.txt"), pins("requirements-cpu.txt")
    assert [line for line in light if not CUDA.match(line)] == [
        line for line in full if not CUDA.match(line)
    ], "write it anew: make lock"
    assert [line.split("==")[0] for line in light if CUDA.match(line)] == ["torch"]


def test_every_pin_is_exact():
    for name in ("requirements.txt", "requirements-cpu.txt"):
        for line in pins(name):
            assert re.match(r"[\w.-]+(\[[\w,-]+\])?==[\w.]+( ; .+)?$", line), f"{name}: {line}"
