"""Devices, random numbers and progress bars."""

import io
import platform
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
import torch
import toy

import vaecourse as vc
from vaecourse import runtime
from vaecourse.runtime import (
    autocast,
    isolated_rng,
    progress_bar,
    resolve_device,
    subnormals_as_zero,
)
from vaecourse.training.history import History


def test_auto_prefers_an_accelerator(monkeypatch):
    for cuda, mps, expected in ((True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda cuda=cuda: cuda)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda mps=mps: mps)
        assert resolve_device("auto").type == expected


def test_devices_may_be_named():
    assert resolve_device("cpu") == resolve_device(torch.device("cpu")) == torch.device("cpu")


def test_a_missing_device_is_named():
    with pytest.raises(ValueError, match=r"a device that this machine has, got 'cuda:1'"):
        resolve_device("cuda:1")


def test_isolated_random_numbers_follow_their_seed_alone():
    draws = []
    for outside in (1, 2):
        torch.manual_seed(outside)
        before = torch.get_rng_state()
        with isolated_rng(7):
            draws.append(torch.rand(5))
        assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(draws[0], draws[1])
    assert torch.equal(draws[0], torch.rand(5, generator=torch.Generator().manual_seed(7)))


def test_isolated_random_numbers_survive_an_error():
    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError), isolated_rng(7):
        torch.rand(1 // 0)
    assert torch.equal(torch.get_rng_state(), before)


def test_isolated_random_numbers_leave_other_devices_alone(monkeypatch):
    """`torch.manual_seed` seeds every accelerator; a run on the CPU must not."""

    def refuse(_seed):
        raise AssertionError("another device was seeded")

    monkeypatch.setattr(torch.cuda, "manual_seed_all", refuse)
    monkeypatch.setattr(torch.mps, "manual_seed", refuse)
    with isolated_rng(7, torch.device("cpu")):
        torch.rand(1)


@pytest.mark.parametrize(("enabled", "dtype"), [(False, torch.float32), (True, torch.bfloat16)])
def test_layers_run_in_the_chosen_type(enabled, dtype):
    with autocast(torch.device("cpu"), enabled):
        assert torch.nn.Linear(2, 2)(torch.zeros(1, 2)).dtype == dtype


@pytest.mark.parametrize(
    ("precision", "device", "shortens", "build", "expected"),
    [
        ("float32", "cpu", True, toy.model, False),
        ("fast-float32", "cpu", False, toy.model, False),
        ("bfloat16", "cpu", False, toy.model, True),
        ("bfloat16", "cpu", True, toy.model, False),
        ("bfloat16", "cpu", True, lambda: vc.conv_vae((1, 8, 8), 2), True),
        ("bfloat16", "cuda", True, toy.model, False),
        (
            "bfloat16",
            "cuda",
            True,
            lambda: toy.model(partial(vc.mlp_vae, hidden=(1024, 1024))),
            True,
        ),
        ("bfloat16", "cuda", True, lambda: vc.conv_vae((1, 8, 8), 2), True),
        ("bfloat16", "mps", True, toy.model, True),
    ],
)
def test_bfloat16_takes_the_route_without_casts_where_there_is_one(
    monkeypatch, precision, device, shortens, build, expected
):
    monkeypatch.setattr(runtime.devices, "multiplies_in_bfloat16", lambda: shortens)
    assert runtime.needs_autocast(precision, torch.device(device), build()) is expected


def test_whether_products_are_short_is_seen_in_a_product():
    """1 + 2**-12 is no bfloat16; times the identity it is rounded, or it is kept."""
    factor = torch.full((512, 512), 1 + 2**-12)
    with runtime.matmul_precision("bfloat16"):
        product = factor @ torch.eye(512)
    assert runtime.multiplies_in_bfloat16() is not torch.equal(product, factor)
    with runtime.matmul_precision("float32"):
        assert torch.equal(factor @ torch.eye(512), factor)


class Terminal(io.StringIO):
    """Standard output that claims to be a terminal."""

    def isatty(self):
        return True


def _bar(monkeypatch, stream, show=True):
    monkeypatch.setattr(sys, "stdout", stream)
    with progress_bar(3, 0, "training", show) as bar:
        for _ in range(3):
            bar.update()
        bar.set_postfix_str("loss 1.00")
    return stream.getvalue()


def test_a_terminal_shows_the_bar_and_is_left_clean(monkeypatch):
    text = _bar(monkeypatch, Terminal())
    assert "training" in text
    assert not text.rpartition("\r")[2].strip()
    assert "\n" not in text


def test_the_bar_is_silent_elsewhere(monkeypatch):
    assert _bar(monkeypatch, io.StringIO()) == ""
    assert _bar(monkeypatch, Terminal(), show=False) == ""
    monkeypatch.setenv("VAECOURSE_STATIC", "1")
    assert _bar(monkeypatch, Terminal()) == ""
    monkeypatch.setenv("VAECOURSE_STATIC", "0")
    assert _bar(monkeypatch, Terminal()) != ""


def test_importing_changes_no_random_state_and_loads_nothing_heavy():
    code = """
import sys, torch
torch.manual_seed(3); before = torch.get_rng_state()
import vaecourse
assert torch.equal(torch.get_rng_state(), before)
heavy = {"sklearn", "matplotlib", "torchvision", "IPython", "scipy"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def _history():
    return History(
        terms={"loss": np.arange(7.0), "kl": np.ones(7)},
        validation={"loss": np.array([1.0, 2.0])},
        steps_per_epoch=3,
        seconds=12.4,
    )


def test_history_reads_like_a_table():
    history = _history()
    assert len(history) == 7
    assert np.array_equal(history["loss"], np.arange(7.0))
    assert np.array_equal(history.epochs("loss"), [1.0, 4.0])
    assert repr(history) == "7 steps in 12 s; last epoch: loss 5.00, kl 1.00"
    assert len(History()) == 0
    with pytest.raises(KeyError, match="no term 'elbo' was recorded; the terms are: loss, kl"):
        history["elbo"]


@pytest.mark.parametrize("outside", [False, True])
def test_subnormals_are_zero_inside_alone(outside):
    tiny = torch.tensor(1e-38)
    if not torch.set_flush_denormal(outside):
        pytest.skip("needs a processor that can take subnormal numbers for zero")
    try:
        with pytest.raises(ZeroDivisionError), subnormals_as_zero():
            assert (tiny / 8).item() == 0
            raise ZeroDivisionError
        assert ((tiny / 8).item() == 0) == outside
    finally:
        torch.set_flush_denormal(False)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a trait of Linux's C library")
def test_freed_memory_is_kept():
    """The library then takes a large block from the heap, which it keeps, not from the system."""
    if platform.libc_ver()[0] != "glibc":
        pytest.skip("needs glibc")
    code = """
import ctypes, os, torch
from vaecourse.runtime import keep_freed_memory

class Info(ctypes.Structure):
    _fields_ = [(f"field{index}", ctypes.c_size_t) for index in range(10)]

mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Info

def taken_from_the_system():
    before = mallinfo2().field4  # Bytes in blocks of their own, as man mallinfo says.
    block = torch.empty(20 * 2**20, dtype=torch.uint8)
    return mallinfo2().field4 - before

if os.fork() == 0:
    print(taken_from_the_system())
else:
    os.wait()
    keep_freed_memory()
    print(taken_from_the_system())
"""
    lost, kept = map(int, subprocess.check_output([sys.executable, "-c", code]).split())
    assert kept == 0
    assert lost >= 20 * 2**20
