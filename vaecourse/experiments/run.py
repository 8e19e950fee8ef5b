"""Train one trial, in whatever process this is, and return its row."""

import platform
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from vaecourse.data.storage import cache_folder
from vaecourse.experiments.rows import made_row, row_path, write_row
from vaecourse.experiments.trials import Trial, split_of
from vaecourse.experiments.work import Work
from vaecourse.runtime import device_name
from vaecourse.runtime.locks import BusyError, alone, in_turn
from vaecourse.runtime.machine import processor

__all__ = ["First", "forget", "run_first", "run_trial"]

# Random numbers and the number of threads belong to the process: one trial at a time has them.
_ONE_AT_A_TIME = threading.RLock()


class First(NamedTuple):
    """The weights of a trained M1, and the seconds of CPU and accelerator that it took."""

    weights: dict[str, np.ndarray]
    cpu_seconds: float
    device_seconds: float = 0.0


@contextmanager
def _alone_on_one_thread() -> Iterator[None]:
    from threadpoolctl import threadpool_limits

    with _ONE_AT_A_TIME, threadpool_limits(1):
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def run_trial(
    trial: Trial,
    first: First | None = None,
    *,
    folder: Path | None = None,
    device: str = "auto",
    progress: bool = False,
) -> dict:
    """Train and judge one model.

    A trial that was killed goes on where it was last saved, if this machine saved it. Where another
    process is at work on it, this one waits.

    Parameters
    ----------
    trial : Trial
        What to train.
    first : First, optional
        The trained M1, where ``trial.shared`` asks for one.
    folder : Path, optional
        Where the row is kept. What another process has put there in the meantime is not made again.
    device : str
        Where to train, as for `vaecourse.fit`. The row says where it was.
    progress : bool
        Whether to show a progress bar.

    Returns
    -------
    dict
        The row, for JSON.

    Raises
    ------
    ValueError
        If the data set here is another than the trial's.
    """
    with ExitStack() as stack:
        # Others may want the same row, or have another folder and the same checkpoints.
        for path in (folder and row_path(folder, trial), _folder() / trial.key):
            if path:
                stack.enter_context(in_turn(path))
        row = made_row(folder, trial) if folder else None
        if row is None:
            row = _trained(trial, first, device, progress)
            if folder:
                write_row(folder, trial, row)
            _delete(trial)
    return row


def _trained(trial: Trial, first: First | None, device: str, progress: bool) -> dict:
    with _alone_on_one_thread():
        work = _work(trial, first, device, progress)
        began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        started, wall = time.process_time(), time.perf_counter()
        found = trial.experiment.run(work)
        own = time.process_time() - started + work.earlier_cpu_seconds
        wall = time.perf_counter() - wall
    costs = _costs(own, work.device_seconds, wall, first)
    return trial.identity | found | costs | _circumstances(work, began)


def run_first(trial: Trial, *, device: str = "auto", progress: bool = False) -> First:
    """Train the M1 that several trials share, or finish what a killed process began.

    Its last checkpoint stays until `forget`, so that no one trains it twice.
    """
    with in_turn(_folder() / trial.key), _alone_on_one_thread():
        work = _work(trial, None, device, progress)
        started = time.process_time()
        model = trial.experiment.run(work)
        seconds = time.process_time() - started + work.earlier_cpu_seconds
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    return First(weights, seconds, work.device_seconds)


def forget(trial: Trial) -> None:
    """Delete the checkpoints of a finished trial, unless another process is at work on it."""
    with suppress(BusyError), alone(_folder() / trial.key, "leave it to that"):
        _delete(trial)


def _delete(trial: Trial) -> None:
    for path in _folder().glob(f"{trial.key}-*"):
        path.unlink(missing_ok=True)


def _folder() -> Path:
    return cache_folder() / "experiments"


def _work(trial: Trial, first: First | None, device: str, progress: bool) -> Work:
    split = split_of(trial.dataset)
    if split.identity != trial.data:
        raise ValueError(
            f"{platform.node()} has another {trial.dataset} ({split.identity[:12]}) than the one "
            f"that was asked for ({trial.data[:12]}); give every machine the same files"
        )
    return Work(
        split,
        trial.labels,
        trial.seed,
        trial.budget,
        trial.recipes,
        checkpoint=_folder() / trial.key,
        first=first and first.weights,
        device=device,
        progress=progress,
    )


def _costs(own: float, on_device: float, wall: float, first: First | None) -> dict:
    first = first or First({}, 0.0)
    return {
        "cpu_seconds": first.cpu_seconds + own,
        "shared_cpu_seconds": first.cpu_seconds,
        "device_seconds": first.device_seconds + on_device,
        "wall_seconds_without_m1": wall,
    }


def _circumstances(work: Work, began: str) -> dict:
    split = work.split
    counts = {name: len(getattr(split, name).y) for name in ("train", "valid", "test")}
    return {
        "images": counts,
        "torch": torch.__version__,
        "machine": platform.machine(),
        "processor": processor(),
        "device": device_name(work.device),
        "started": began,
    }
