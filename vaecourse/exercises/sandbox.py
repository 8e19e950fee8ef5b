"""Run what a student wrote where it can do no harm.

Where there is a safe ``fork`` (Linux), the whole check runs in a forked child: it inherits every
object, so nothing is copied or written out, and whatever it does to memory, time, files that are
open, seeds or settings ends with it. The child may use 2 GiB more than the kernel has, and ten
seconds. It sends one line of JSON back.

A fork takes only the calling thread along. OpenMP would then wait for threads that are not there,
so the child computes with one thread. After a backward pass on an accelerator PyTorch refuses
backward passes in a child; the child tries one first, and where that fails, or where there is no
fork, the check runs in this process: with an alarm where there are signals (in the main thread of
Unix systems), with a limit on memory on Linux, and with seeds and settings put back at the end.
There an answer that swallows every exception can still run on, and on Windows nothing stops an
endless loop but the kernel's own interrupt.
"""

import faulthandler
import gc
import io
import json
import os
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress

import torch

from vaecourse.exercises.seeds import seeded

__all__ = ["MEMORY", "SECONDS", "Printed", "TimeLimitError", "run"]

SECONDS = 10.0
MEMORY = 2 * 1024**3
KEPT = 300  # characters of what is printed
READY_SECONDS = 5.0
DIED = {"died": True}
SLOW = {"slow": True}


class TimeLimitError(BaseException):
    """The time is up. No ``except Exception`` of the student's code catches it."""


class Printed(io.TextIOBase):
    """A stream that keeps the beginning of what is written and counts the rest."""

    def __init__(self):
        self.kept, self.count = "", 0

    def writable(self) -> bool:
        """Say that it takes text."""
        return True

    def write(self, text: str) -> int:
        """Keep ``text`` while there is room."""
        self.kept += text[: max(0, KEPT - len(self.kept))]
        self.count += len(text)
        return len(text)

    def __str__(self) -> str:
        more = self.count - len(self.kept)
        return self.kept.strip() + (f" … and {more:,} characters more" if more else "")


def ring(number, frame):
    """Handle the alarm."""
    raise TimeLimitError


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raise `TimeLimitError` after so many seconds, and again each second until the end."""
    main = threading.current_thread() is threading.main_thread()
    if not main or not hasattr(signal, "setitimer"):
        yield
        return
    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def memory_limit(allowance: int) -> Iterator[None]:
    """Allow the block so many bytes of address space more than the process has now."""
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
    except (ImportError, OSError):
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_AS)
    ceilings = [used + allowance, *(limit for limit in before if limit != resource.RLIM_INFINITY)]
    resource.setrlimit(resource.RLIMIT_AS, (min(ceilings), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


@contextmanager
def settings_restored() -> Iterator[None]:
    """Put back every seed, the default dtype and the grad mode when the block is left."""
    dtype, grad = torch.get_default_dtype(), torch.is_grad_enabled()
    threads, recursion = torch.get_num_threads(), sys.getrecursionlimit()
    try:
        with seeded():
            yield
    finally:
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)
        torch.set_num_threads(threads)
        sys.setrecursionlimit(recursion)


def guarded(task: Callable[[], dict], seconds: float) -> dict:
    """Run `task` under the limits and say in its dictionary what it printed."""
    printed = Printed()
    try:
        with (
            redirect_stdout(printed),
            redirect_stderr(printed),
            warnings.catch_warnings(),
            memory_limit(MEMORY),
            alarm(seconds),
        ):
            answer = task()
    except TimeLimitError:
        answer = dict(SLOW)
    except MemoryError:
        answer = dict(DIED)
    return {**answer, "printed": str(printed)}


def close_all_but(pipe: int) -> None:
    """Close what the child inherited, such as the kernel's sockets, but for its way to answer."""
    import resource

    last = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 65536)
    os.closerange(3, pipe)
    os.closerange(pipe + 1, max(last, pipe + 1))


def be_the_child(task, seconds, pipe):
    """Run in the child: cut off its streams, try a backward pass, run the task, send the answer."""
    import resource

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    faulthandler.disable()
    gc.disable()  # no finalizer of the kernel's objects may run here
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    close_all_but(pipe)
    torch.set_num_threads(1)
    with torch.enable_grad():
        torch.ones(1, requires_grad=True).sum().backward()
    os.write(pipe, b"ready\n")
    answer = json.dumps(guarded(task, seconds)).encode() + b"\n"
    while answer:
        answer = answer[os.write(pipe, answer) :]


def receive(pipe, deadline, line=b""):
    """Read one line from the pipe; None where time runs out first, empty where the child ended."""
    while not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([pipe], [], [], left)[0]:
            return None
        # One byte at a time up to the first newline: the line after it is not ours to read yet.
        piece = os.read(pipe, 1)
        if not piece:
            return b""
        line += piece
    return line


def in_a_child(task: Callable[[], dict], seconds: float) -> dict | None:
    """Run `task` in a forked child; None where a child cannot run it."""
    reading, writing = os.pipe()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of threads; see the top of this file
            child = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        return None
    if child == 0:
        with suppress(BaseException):
            be_the_child(task, seconds, writing)
        os._exit(0)
    os.close(writing)
    try:
        if not receive(reading, time.monotonic() + READY_SECONDS):
            return None
        line = receive(reading, time.monotonic() + seconds + 1.5)
        return dict(SLOW) if line is None else json.loads(line) if line else dict(DIED)
    finally:
        os.close(reading)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(child, 0)


def run(task: Callable[[], dict], seconds: float | None = None) -> dict:
    """Run `task` and return its dictionary, with ``printed`` added.

    Parameters
    ----------
    task : callable
        Takes nothing and returns what JSON can hold.
    seconds : float, optional
        Time limit; `SECONDS` without it.

    Returns
    -------
    dict
        ``{"slow": True}`` where the time was up, ``{"died": True}`` where the process ended or had
        no memory left.
    """
    seconds = SECONDS if seconds is None else seconds
    if sys.platform.startswith("linux"):
        answer = in_a_child(task, seconds)
        if answer is not None:
            return answer
    with settings_restored():
        return guarded(task, seconds)
