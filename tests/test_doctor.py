"""The report on a machine: what is there, what will not work, what is broken."""

import json
import os
import sys

import pytest
import torch

from vaecourse import doctor
from vaecourse.__main__ import main
from vaecourse.runtime import machine


@pytest.fixture
def report(monkeypatch, tmp_path):
    """Return a function that gives the report of a machine with its own folders."""
    monkeypatch.setenv("VAECOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("VAECOURSE_DATA", raising=False)
    return doctor.report


def test_the_report_fits_a_screen_and_any_terminal(report):
    found = report()
    lines = [*found.lines, *found.limits, *found.faults]
    assert len(lines) <= 24
    assert "\n".join(lines).isascii()
    text = "\n".join(found.lines)
    assert torch.__version__ in text and torch.backends.cpu.get_cpu_capability() in text
    assert sys.executable in text and str(machine.cores()) in text


def test_no_browser_is_a_note_and_no_fault(report, monkeypatch):
    before = report()
    monkeypatch.setenv("PATH", "")
    found = report()
    assert found.faults == before.faults == []
    assert any("does not check the built pages" in limit for limit in found.limits)


def test_an_empty_data_folder_is_told(report, monkeypatch, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("VAECOURSE_DATA", str(tmp_path))
    assert not any("which is empty" in limit for limit in report().limits)
    monkeypatch.setenv("VAECOURSE_DATA", str(empty))
    found = report()
    assert any(f"{empty}, which is empty" in limit for limit in found.limits)
    assert not found.faults


def test_a_kernel_of_another_python_is_told(report, monkeypatch, tmp_path):
    pytest.importorskip("ipykernel")
    folder = tmp_path / "kernels" / "python3"
    folder.mkdir(parents=True)
    other = str(tmp_path / "other" / "python")
    spec = {"argv": [other, "-m", "ipykernel_launcher"], "display_name": "other"}
    (folder / "kernel.json").write_text(json.dumps(spec | {"language": "python"}), encoding="utf-8")
    assert not any("another Python" in limit for limit in report().limits)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert any(f"another Python ({other})" in limit for limit in report().limits)


def test_no_kernel_is_told(report, monkeypatch):
    kernelspec = pytest.importorskip("jupyter_client.kernelspec")

    def find_none(_self, name):
        raise kernelspec.NoSuchKernel(name)

    monkeypatch.setattr(kernelspec.KernelSpecManager, "get_kernel_spec", find_none)
    assert any("finds no kernel (No such kernel" in limit for limit in report().limits)


def test_little_memory_and_little_disk_are_told(report, monkeypatch):
    monkeypatch.setattr(machine, "memory", lambda: 2**30)
    monkeypatch.setattr(machine, "free_disk", lambda _folder: 2**20)
    found = report()
    assert any("so little memory" in limit for limit in found.limits)
    assert any("little room" in limit for limit in found.limits)


def test_an_old_pytorch_and_a_missing_package_are_faults(report, monkeypatch, capsys):
    monkeypatch.setattr(torch, "__version__", "2.5.1+cpu")
    monkeypatch.setattr(doctor, "NEEDED", (*doctor.NEEDED, "no-such-package"))
    monkeypatch.setattr(doctor, "PACKAGES", (*doctor.PACKAGES, "no-such-package"))
    assert main(["doctor"]) == 1
    text = capsys.readouterr().out
    assert "wrong: PyTorch 2.5.1+cpu is older than 2.6" in text
    assert "wrong: no-such-package is not installed; run: pip install no-such-package" in text


def test_the_machine_is_that_of_the_system():
    assert 1 <= machine.cores() <= os.cpu_count()
    assert machine.processor()


@pytest.mark.skipif(not os.path.exists("/proc/meminfo"), reason="compares with Linux's own number")
def test_the_memory_is_no_more_than_the_system_has():
    with open("/proc/meminfo", encoding="ascii") as file:
        total = next(int(line.split()[1]) for line in file if line.startswith("MemTotal"))
    assert 2**20 < machine.memory() <= 1024 * total


def test_free_disk_is_that_of_the_nearest_folder(tmp_path):
    here, deeper = machine.free_disk(tmp_path), machine.free_disk(tmp_path / "a" / "b")
    assert deeper == pytest.approx(here, rel=0.1)
