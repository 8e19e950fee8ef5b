"""Run many trials: one after the other, on the cores of a machine, or on a Dask cluster."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, as_completed
from functools import partial
from pathlib import Path
from typing import Any

from vaecourse.experiments.rows import write_row
from vaecourse.experiments.run import First, forget, run_first, run_trial
from vaecourse.experiments.trials import Trial
from vaecourse.experiments.workers import workers
from vaecourse.runtime.terminal import say

__all__ = ["run_grid"]

WORKERS_EXPECTED = 10.0
"""Seconds after which a cluster without a worker is told of."""


def run_grid(
    trials: list[Trial],
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    folder: Path | None = None,
    device: str = "auto",
    progress: bool = False,
) -> Iterator[tuple[Trial, dict]]:
    """Yield every trial with its row, as they finish.

    An M1 that several trials share is trained once.

    Parameters
    ----------
    trials : list of Trial
        What to run.
    jobs : int
        Processes on this machine, each with one thread.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``"tcp://host:8786"``, whose workers run the trials
        instead. A trial whose worker is lost runs again on another.
    folder : Path, optional
        Where rows are kept: each is written as soon as it is made, and one that another program has
        put there in the meantime is not made again.
    device : str
        Where to train, as for `vaecourse.fit`; processes share one GPU.
    progress : bool
        Whether to show a bar for the trial that runs; only for ``jobs=1``.

    Yields
    ------
    trial : Trial
        One of `trials`.
    row : dict
        Its row.
    """
    firsts = {trial.shared: None for trial in trials if trial.shared}
    if scheduler is not None:
        for trial, row in _on_cluster(trials, list(firsts), scheduler, device):
            if folder is not None:
                write_row(folder, trial, row)
            yield trial, row
    elif jobs == 1:
        yield from _in_turn(trials, folder, device, progress)
    else:
        yield from _on_cores(trials, list(firsts), jobs, folder, device)
    for first in firsts:
        forget(first)


def _in_turn(
    trials: list[Trial], folder: Path | None, device: str, progress: bool
) -> Iterator[tuple[Trial, dict]]:
    make = partial(run_trial, folder=folder, device=device, progress=progress)
    firsts: dict[Trial, First] = {}
    for trial in trials:
        shared = trial.shared
        if shared and shared not in firsts:
            firsts[shared] = run_first(shared, device=device, progress=progress)
        yield trial, make(trial, firsts.get(shared))


def _on_cores(
    trials: list[Trial], shared: list[Trial], jobs: int, folder: Path | None, device: str
) -> Iterator[tuple[Trial, dict]]:
    make = partial(run_trial, folder=folder, device=device)
    with workers(jobs) as pool:
        # Trials that share nothing fill the cores while the last M1 is trained.
        firsts = {pool.submit(run_first, one, device=device): one for one in shared}
        rows = {pool.submit(make, one): one for one in trials if not one.shared}
        trained: dict[Trial, First] = {}
        for done in as_completed([*firsts, *rows]):
            if done in rows:
                yield rows[done], done.result()
            else:
                trained[firsts[done]] = done.result()
        others: dict[Future, Trial] = {
            pool.submit(make, one, trained[one.shared]): one for one in trials if one.shared
        }
        for done in as_completed(others):
            yield others[done], done.result()


def _on_cluster(
    trials: list[Trial], shared: list[Trial], scheduler: str, device: str
) -> Iterator[tuple[Trial, dict]]:
    client_type, in_order_of_completion, killed = _dask()
    with client_type(scheduler) as client:
        _say_without_workers(client, scheduler)
        firsts = {one: client.submit(run_first, one, device=device, key=one.key) for one in shared}
        futures = {
            client.submit(run_trial, one, firsts.get(one.shared), device=device, key=one.key): one
            for one in trials
        }
        for future in in_order_of_completion(futures):
            try:
                yield futures[future], future.result()
            except killed as error:
                raise RuntimeError(
                    f"{futures[future].name} lost its worker again and again ({error}); look for "
                    "a lack of memory on the workers; finished rows are kept"
                ) from error
        client.run(_forget_all, shared)


def _say_without_workers(client: Any, scheduler: str) -> None:
    try:
        client.wait_for_workers(1, timeout=WORKERS_EXPECTED)
    except TimeoutError:
        say(
            f"no worker has come to {scheduler} within {WORKERS_EXPECTED:g} s; rows are made once "
            f"one does: dask worker {scheduler}",
            aside=True,
        )


def _forget_all(trials: Iterable[Trial]) -> None:
    for trial in trials:
        forget(trial)


def _dask() -> tuple[Any, Any, Any]:
    try:
        from distributed import Client, KilledWorker, as_completed
    except ImportError as error:
        raise ImportError(
            "--scheduler needs Dask; install it with: pip install 'vaecourse[cluster]'"
        ) from error
    return Client, as_completed, KilledWorker
