"""What machine this is: its processor, its cores, its memory, the room on its disk."""

import ctypes
import os
import platform
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = ["cores", "free_disk", "memory", "processor"]


def processor() -> str:
    """Return the processor's name where the system tells it, else its kind."""
    found: list[str] = []
    with suppress(OSError):
        if platform.system() == "Darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            found = [subprocess.run(command, capture_output=True, encoding="utf-8").stdout.strip()]
        else:
            text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
            lines = [line.partition(":") for line in text.splitlines()]
            found = [value.strip() for name, _, value in lines if name.strip() == "model name"]
    return next(filter(None, found), platform.processor() or platform.machine())


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int | None:
    """Return the bytes of memory that this machine, or its container, has; None where unknown."""
    if os.name == "nt":
        kilobytes = ctypes.c_ulonglong()
        windows: Any = ctypes  # only there does it have windll
        known = windows.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kilobytes))
        return 1024 * kilobytes.value if known else None
    amounts = []
    with suppress(OSError, ValueError):
        amounts.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):  # "max" where a container has no limit
        amounts.append(int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    return min(amounts, default=None)


def free_disk(folder: Path) -> int | None:
    """Return the free bytes where a folder is or would be made; None where unknown."""
    for place in (folder, *folder.parents):
        with suppress(OSError):
            return shutil.disk_usage(place).free
    return None
