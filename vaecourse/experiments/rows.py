"""Rows on disk: one JSON file each, written whole, and never taken for what they are not."""

import re
from collections.abc import Iterable
from math import isfinite
from numbers import Real
from pathlib import Path

import vaecourse
from vaecourse.experiments.trials import Trial
from vaecourse.results import read_row
from vaecourse.runtime.files import write_json
from vaecourse.runtime.terminal import say

__all__ = ["StaleRows", "made_row", "read_rows", "row_path", "sort_out", "write_row"]

NEEDED = ("experiment", "dataset", "labels", "seed", "test_error", "cpu_seconds")
OPTIONAL = ("network", "vaecourse")
"""What rows made before these were recorded may lack."""
NUMBERS = ("labels", "seed", "test_error", "cpu_seconds")


class StaleRows(ValueError):
    """A folder holds rows of other code, data or recipes under the names of those wanted."""


def write_row(folder: Path, trial: Trial, row: dict) -> None:
    """Put a row in its place in one step: a reader sees a whole row or none.

    Raises
    ------
    ValueError
        If whoever made the row has other code or data than this program.
    """
    changed = _changed(row, trial)
    if changed:
        raise ValueError(
            f"{trial.name} was made with another {', '.join(changed)} than here; give every worker "
            "the same version of vaecourse and the same data"
        )
    write_json(row_path(folder, trial), row)


def sort_out(
    folder: Path, trials: Iterable[Trial], *, redo: bool = False
) -> tuple[list[dict], list[Trial]]:
    """Return the rows that are there and the trials that are still to be run.

    A file that holds no row, or one of a later version, costs that row alone: it is left as it is
    and named on standard error, and its trial is not run.

    Parameters
    ----------
    folder : Path
        Where rows lie.
    trials : iterable of Trial
        What is wanted.
    redo : bool
        Whether a row of other code, data or recipes, or what is no row, counts as missing.

    Raises
    ------
    ValueError
        If a file is no row, such as a damaged one. Nothing is known of what it held, so it stays.
    StaleRows
        If there is such a row and `redo` is false. A row may have taken hours, so nothing
        replaces it unasked, and a table that mixes the two would compare what cannot be compared.
    """
    rows, missing, stale = [], [], []
    for trial in trials:
        path = row_path(folder, trial)
        try:
            row = _read(path) if path.is_file() else None
        except ValueError as error:
            if redo:
                missing.append(trial)
            else:
                words = f"{error}; its row is left out: move the file away, or --redo to make it"
                say(words, aside=True)
            continue
        changed = _changed(row, trial) if row else []
        if changed:
            stale.append(f"{path.name} ({', '.join(changed)})")
        if row and not changed:
            rows.append(row)
        else:
            missing.append(trial)
    if stale and not redo:
        more = f" and {len(stale) - 5} more" if len(stale) > 5 else ""
        raise StaleRows(
            f"{folder} has rows that were made otherwise: {'; '.join(stale[:5])}{more}. Give "
            "another --folder, or --redo to make them again; each stays until its successor is done"
        )
    return rows, missing


def read_rows(folder: Path) -> list[dict]:
    """Return every row of a folder, none if there is no such folder; name what is no row."""
    rows = []
    for path in sorted(folder.glob("*.json")):
        try:
            rows.append(_read(path))
        except ValueError as error:
            say(f"{error}; it is left out", aside=True)
    return rows


def made_row(folder: Path, trial: Trial) -> dict | None:
    """Return the row of a trial if there is one, made by this code from these data."""
    try:
        row = _read(row_path(folder, trial))
    except (FileNotFoundError, ValueError):
        return None
    return None if _changed(row, trial) else row


def row_path(folder: Path, trial: Trial) -> Path:
    """Return the file of a trial's row."""
    return folder / f"{trial.name}.json"


def _read(path: Path) -> dict:
    """Read a row that a table can count on, or raise a ValueError that names what is none."""
    row = read_row(path)
    lacking = [name for name in NEEDED if name not in row]
    if lacking:
        raise ValueError(f"{path} is no row of an experiment: it lacks {', '.join(lacking)}")
    for name in NUMBERS:
        if not isinstance(row[name], Real) or not isfinite(row[name]):
            raise ValueError(f"{path} must hold a number as {name}, got {row[name]!r}")
    if _version(row.get("vaecourse")) > _version(vaecourse.__version__):
        raise ValueError(f"{path} was made by a later version of vaecourse ({row['vaecourse']})")
    return row


def _version(text: object) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d{1,9}", text))) if isinstance(text, str) else ()


def _changed(row: dict, trial: Trial) -> list[str]:
    """Name what a row was made with that the trial would not be."""
    wanted = trial.identity
    known = [name for name in wanted if name in row or name not in OPTIONAL]
    return [name for name in known if row.get(name) != wanted[name]]
