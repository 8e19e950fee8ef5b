"""Interrupts that wait until a piece of work is whole, and what ends a program like one."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["terminated_like_interrupted", "uninterrupted"]

ENDS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM") if hasattr(signal, name))


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let Ctrl-C, a notebook's stop button and what asks a program to end wait for the block's end.

    Python interrupts the main thread alone, so elsewhere this does nothing; nor does it where the
    program has given interrupts another meaning than a function of Python.
    """
    handlers = {number: signal.getsignal(number) for number in ENDS}
    mine = {number: before for number, before in handlers.items() if callable(before)}
    if threading.current_thread() is not threading.main_thread() or not mine:
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    for number in mine:
        signal.signal(number, lambda *received: came.append(received))
    try:
        yield
    finally:
        for number, before in mine.items():
            signal.signal(number, before)
        if came:
            mine[signal.Signals(came[-1][0])](*came[-1])


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM, by which `kill` and batch systems end a program, raise KeyboardInterrupt."""
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
