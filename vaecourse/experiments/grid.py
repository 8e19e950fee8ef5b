"""Run many trials: one after the other, on the cores of a machine, or on a Dask cluster."""

from collections.abc import Iterable, Iterator
from typing import Any

from vaecourse.experiments.run import First, forget, run_first, run_trial
from vaecourse.experiments.trials import Trial

__all__ = ["run_grid"]


def run_grid(
    trials: list[Trial],
    *,
    jobs: int = 1,
    scheduler: str | None = None,
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
        yield from _on_cluster(trials, list(firsts), scheduler, device)
    elif jobs == 1:
        yield from _in_turn(trials, device, progress)
    else:
        yield from _on_cores(trials, list(firsts), jobs, device)
    for first in firsts:
        forget(first)


def _in_turn(trials: list[Trial], device: str, progress: bool) -> Iterator[tuple[Trial, dict]]:
    firsts: dict[Trial, First] = {}
    for trial in trials:
        shared = trial.shared
        if shared and shared not in firsts:
            firsts[shared] = run_first(shared, device=device, progress=progress)
        yield trial, run_trial(trial, firsts.get(shared), device=device, progress=progress)


def _row_of(trial: Trial, first: First | None, device: str) -> tuple[Trial, dict]:
    return trial, run_trial(trial, first, device=device)


def _first_of(trial: Trial, device: str) -> tuple[Trial, First]:
    return trial, run_first(trial, device=device)


def _on_cores(
    trials: list[Trial], shared: list[Trial], jobs: int, device: str
) -> Iterator[tuple[Trial, dict]]:
    from joblib import Parallel, delayed, parallel_config

    # Trials that share nothing fill the cores while the last M1 is trained.
    alone = [delayed(_row_of)(trial, None, device) for trial in trials if not trial.shared]
    with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
        parallel = Parallel(return_as="generator_unordered", batch_size=1)
        firsts: dict[Trial, First] = {}
        first = [delayed(_first_of)(one, device) for one in shared]
        for trial, done in parallel([*first, *alone]):
            if isinstance(done, First):
                firsts[trial] = done
            else:
                yield trial, done
        others = [trial for trial in trials if trial.shared]
        yield from parallel(delayed(_row_of)(one, firsts[one.shared], device) for one in others)


def _on_cluster(
    trials: list[Trial], shared: list[Trial], scheduler: str, device: str
) -> Iterator[tuple[Trial, dict]]:
    client_type, as_completed, killed = _dask()
    with client_type(scheduler) as client:
        firsts = {one: client.submit(run_first, one, device=device, key=one.key) for one in shared}
        futures = {
            client.submit(run_trial, one, firsts.get(one.shared), device=device, key=one.key): one
            for one in trials
        }
        for future in as_completed(futures):
            try:
                yield futures[future], future.result()
            except killed as error:
                raise RuntimeError(
                    f"{futures[future].name} lost its worker again and again ({error}); look for "
                    "a lack of memory on the workers; finished rows are kept"
                ) from error
        client.run(_forget_all, shared)


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
