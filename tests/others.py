"""Processes that want what another process has, for `test_one_at_a_time.py`: forks of the test's.

A function that a fork runs takes `ready`, which it calls where the test shall let it go on.
"""

import multiprocessing
import os
import signal
import sys

FORK = multiprocessing.get_context("fork") if hasattr(os, "fork") else None


class Other:
    """A process that runs a function. The first is held up where it says that it is ready."""

    def __init__(self, function, *arguments, first=True):
        self.pipe, theirs = FORK.Pipe()
        said, says = os.pipe()
        told = function, arguments, theirs, says, first
        self.process = FORK.Process(target=_live, args=told)  # it may have children
        self.process.start()
        theirs.close()
        os.close(says)
        self.said = os.fdopen(said, encoding="utf-8")
        self.pid = self.process.pid
        if first:
            assert self.pipe.recv() == "ready"

    def go(self):
        """Let it go on."""
        self.pipe.send("go")

    def result(self):
        """Return what the function returned."""
        found = self.pipe.recv()
        self.process.join()
        return found

    def end(self):
        """End it."""
        if self.process.is_alive():
            os.kill(self.pid, signal.SIGKILL)
        self.process.join()
        self.said.close()


def _live(function, arguments, pipe, says, first):
    sys.stderr = os.fdopen(says, "w", buffering=1, encoding="utf-8")

    def ready():
        if first:
            pipe.send("ready")
            pipe.recv()

    pipe.send(function(*arguments, ready=ready))


def together(*others):
    """Let processes go on and return what each returned."""
    for other in others:
        other.go()
    return [other.result() for other in others]
