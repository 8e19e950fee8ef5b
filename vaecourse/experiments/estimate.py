"""What is still to be run and how long it takes, from rows that were measured."""

from itertools import groupby
from typing import NamedTuple

from vaecourse.experiments.trials import Trial

__all__ = ["dry_run"]


class _Cost(NamedTuple):
    """CPU seconds of one trial, without and for the M1 that it shares."""

    own: float
    shared: float


def dry_run(missing: list[Trial], rows: list[dict], *, there: int, jobs: int = 1) -> str:
    """Say which rows would be made, and for how long, without making any.

    Parameters
    ----------
    missing : list of Trial
        What would run.
    rows : list of dict
        Measured rows. The same experiment on the same data tells how long a trial takes, if
        possible with as many labels.
    there : int
        Number of rows that are there already.
    jobs : int
        Processes that would run at a time.

    Returns
    -------
    str
        A line for every experiment, then the total.
    """
    lines = [f"{len(missing)} rows to make; {there} are there"]
    total, unknown, counted = 0.0, 0, set()
    for name, group in groupby(missing, key=lambda t: (t.dataset, t.labels, t.experiment.name)):
        trials = list(group)
        cost = _cost(trials[0], rows)
        fresh = {t.shared for t in trials if t.shared} - counted
        counted |= fresh
        seeds = ", ".join(str(trial.seed) for trial in trials)
        time = "unknown, nothing like it was measured"
        if cost is None:
            unknown += len(trials)
        else:
            seconds = cost.own * len(trials) + cost.shared * len(fresh)
            total += seconds
            time = f"about {_words(seconds)}"
        lines.append(f"  {name[0]:8} {name[1]:>6} labels  {name[2]:26} seeds {seeds:16} {time}")
    lines.append(
        f"together about {_words(total)} of CPU time, {_words(total / jobs)} at {jobs} jobs"
    )
    if unknown:
        lines[-1] += f", and {unknown} rows of unknown length"
    return "\n".join(lines)


def _cost(trial: Trial, rows: list[dict]) -> _Cost | None:
    name, dataset = trial.experiment.name, trial.dataset
    alike = [row for row in rows if (row["experiment"], row["dataset"]) == (name, dataset)]
    alike = [row for row in alike if row["labels"] == trial.labels] or alike
    if not alike:
        return None
    costs = [_measured(row, trial.budget, rows) for row in alike]
    return _Cost(*(sum(part) / len(costs) for part in zip(*costs, strict=True)))


def _measured(row: dict, budget: float, rows: list[dict]) -> _Cost:
    scale = budget / row.get("budget", 1.0)
    shared = row.get("shared_cpu_seconds")
    if shared is None:
        # An old row: nearly all that the cheapest row on the same M1 cost was the M1.
        same = [other for other in rows if _on_same_first(row, other)]
        shared = min((other["cpu_seconds"] for other in same), default=0.0)
    return _Cost(scale * (row["cpu_seconds"] - shared), scale * shared)


def _on_same_first(row: dict, other: dict) -> bool:
    keys = ("dataset", "budget", "network", "seed")
    same = all(row.get(key) == other.get(key) for key in keys)
    return same and all("m1" in each.get("recipes", ()) for each in (row, other))


def _words(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
