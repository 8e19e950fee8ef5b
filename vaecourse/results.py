"""Recorded results: one JSON file a run, written by the benchmarks, read by chapters and tables."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

__all__ = ["Summary", "read", "read_row", "summary"]

PACKED = Path(__file__).parent / "recorded"
"""A copy of the results, which an installed package carries."""
FOLDER = PACKED if PACKED.is_dir() else Path(__file__).parent.parent / "results"


class Summary(NamedTuple):
    """Test error of one experiment over its seeds.

    Attributes
    ----------
    mean : float
        Mean test error, a fraction.
    half_width : float
        Half of the 95 % interval of the mean by Student's t; infinite for a single run.
    num_seeds : int
        How many runs.
    cpu_seconds : float
        Mean CPU time of a run.
    """

    mean: float
    half_width: float
    num_seeds: int
    cpu_seconds: float


def read(folder: str | Path = FOLDER / "semi_supervised") -> list[dict]:
    """Return the recorded runs of a folder.

    Parameters
    ----------
    folder : path
        By default that of the semi-supervised models, which the package brings.

    Returns
    -------
    list of dict
        One for each file, by file name: ``experiment``, ``dataset``, ``labels``, ``seed``,
        ``test_error``, ``cpu_seconds`` and what else the run wrote down.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    ValueError
        If a file is no JSON object.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is no folder of results; they lie in the course's repository, in results/"
        )
    try:
        return [read_row(path) for path in sorted(folder.glob("*.json"))]
    except ValueError as error:
        cure = "move it out of the folder; its run can be made again"
        raise ValueError(f"{error}; {cure}") from error


def read_row(path: Path) -> dict:
    """Return one recorded run.

    Parameters
    ----------
    path : Path
        Its file.

    Returns
    -------
    dict
        What the file holds.

    Raises
    ------
    ValueError
        If the file is no JSON object.
    """
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON ({error})") from error
    if not isinstance(row, dict):
        raise ValueError(f"{path} must hold one JSON object, got {type(row).__name__}")
    return row


def summary(
    rows: list[dict], experiment: str, *, labels: int = 100, dataset: str = "mnist"
) -> Summary:
    """Return mean test error and its interval over the seeds of one experiment.

    Parameters
    ----------
    rows : list of dict
        What `read` returned.
    experiment, labels, dataset
        Which runs.

    Returns
    -------
    Summary
        Mean, half width of the 95 % interval, number of seeds, CPU seconds.

    Raises
    ------
    ValueError
        If there is no such run.
    """
    wanted = {"experiment": experiment, "labels": labels, "dataset": dataset}
    chosen = [row for row in rows if all(row.get(k) == v for k, v in wanted.items())]
    if not chosen:
        there = sorted({(row["experiment"], row["labels"], row["dataset"]) for row in rows})
        raise ValueError(f"there is no run with {wanted}; there are {there}")
    errors = np.array([row["test_error"] for row in chosen])
    seconds = float(np.mean([row["cpu_seconds"] for row in chosen]))
    return Summary(float(errors.mean()), _half_width(errors), len(errors), seconds)


def _half_width(errors: np.ndarray) -> float:
    from scipy import stats

    count = len(errors)
    if count == 1:
        return float("inf")
    return float(stats.t.ppf(0.975, count - 1) * errors.std(ddof=1) / count**0.5)
