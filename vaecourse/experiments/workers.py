"""Processes on this machine that end when the one that started them does, however it ends."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection

__all__ = ["workers"]


@contextmanager
def workers(number: int) -> Iterator[ProcessPoolExecutor]:
    """Lend a pool of processes, all of them gone when the block ends.

    Where it ends by an error, or this process is killed, they stop at once, in the midst of what
    they do.

    Parameters
    ----------
    number : int
        How many.

    Raises
    ------
    RuntimeError
        If one of them was killed.
    """
    context = multiprocessing.get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(number, context, initializer=_live_with, initargs=(theirs,))
    try:
        yield pool
    except BrokenProcessPool as error:
        raise RuntimeError(
            "a worker process was killed, perhaps for want of memory; finished rows are kept, and "
            "the same command goes on from here"
        ) from error
    except BaseException:
        ours.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        ours.close()
        theirs.close()


def _live_with(parent: Connection) -> None:
    """End this process when the one at the other end of a pipe is no more.

    Nothing is ever sent: the system closes the pipe when its last writer dies, even of SIGKILL.
    """
    # What Ctrl-C in a terminal means to all its processes, the parent decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait() -> None:
        with suppress(OSError, EOFError):
            parent.poll(None)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
