"""`vaecourse experiments`: run what is missing, then print the table."""

import argparse
from contextlib import closing
from pathlib import Path
from typing import Any

from vaecourse.data import NAMES, Split
from vaecourse.data.labels import label_subset
from vaecourse.experiments.estimate import dry_run
from vaecourse.experiments.grid import run_grid
from vaecourse.experiments.rows import read_rows, row_path, sort_out
from vaecourse.experiments.table import FORMATS, table
from vaecourse.experiments.trials import (
    EXPERIMENTS,
    Trial,
    default_names,
    label_count,
    split_of,
)
from vaecourse.results import FOLDER
from vaecourse.runtime import device_name, resolve_device
from vaecourse.runtime.files import check_writable

__all__ = ["add_parser", "plan", "run"]

BY_NAME = {one.name: one for one in EXPERIMENTS}


def add_parser(subparsers: Any) -> None:
    """Add the subcommand ``experiments``."""
    parser = subparsers.add_parser(
        "experiments",
        help="test errors with few labels: run what is missing, print the table",
        description=__doc__,
        epilog="experiments: " + ", ".join(BY_NAME),
    )
    parser.add_argument(
        "names", nargs="*", type=_name, help="experiments (default: those of the data set's table)"
    )
    parser.add_argument("--datasets", type=_datasets, default=["mnist"], help="default mnist")
    parser.add_argument(
        "--labels",
        type=_labels,
        default=["100"],
        help="numbers of labels, or 80/20 for 80 %% of the training images (default 100)",
    )
    parser.add_argument("--seeds", type=_positive, default=5, help="how many (default 5)")
    parser.add_argument("--budget", type=_share, default=1.0, help="share of the steps (default 1)")
    parser.add_argument("--jobs", type=_positive, default=1, help="processes here (default 1)")
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where (default auto)"
    )
    parser.add_argument("--scheduler", help="address of a Dask scheduler that runs them instead")
    parser.add_argument(
        "--folder", type=Path, default=Path("results/semi_supervised"), help="where rows are kept"
    )
    parser.add_argument("--redo", action="store_true", help="make rows of other code or data again")
    parser.add_argument("--dry-run", action="store_true", help="say what would run and how long")
    parser.add_argument("--format", choices=FORMATS, default="text", help="of the table")
    parser.set_defaults(run=run)


def _name(text: str) -> str:
    if text not in BY_NAME:
        known = ", ".join(BY_NAME)
        raise argparse.ArgumentTypeError(f"unknown experiment {text!r}; there are {known}")
    return text


def _datasets(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in NAMES:
            known = ", ".join(NAMES)
            raise argparse.ArgumentTypeError(f"unknown data set {name!r}; there are {known}")
    return names


def _labels(text: str) -> list[str]:
    parts = text.split(",")
    for part in parts:
        share, bar, rest = part.partition("/")
        if not share.isdecimal() or (bar and not rest.isdecimal()) or int(share) == 0:
            raise argparse.ArgumentTypeError(f"labels must be like 100 or 80/20, got {part!r}")
    return parts


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a positive integer, got {text!r}")
    return int(text)


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text!r}")
    return value


def plan(
    names: list[str], *, datasets: list[str], labels: list[str], seeds: int, budget: float
) -> list[Trial]:
    """Return the trials of a command, experiment by experiment, each once."""
    trials = []
    for dataset in datasets:
        split = split_of(dataset)
        for asked in labels:
            count = label_count(asked, split)
            _check_labels(asked, count, split)
            for name in names or default_names(dataset):
                same = BY_NAME[name], dataset, count
                trials += [Trial(*same, seed, budget, split.identity) for seed in range(seeds)]
    return list(dict.fromkeys(trials))


def _check_labels(asked: str, count: int, split: Split) -> None:
    """Refuse more labels than there are, or fewer than a classifier can tell apart."""
    kept = label_subset(split.train.y, count)
    if len(kept[kept >= 0].unique()) < 2:
        raise ValueError(
            f"--labels {asked} keeps {count} of {len(kept)} labels of {split.name}, and a "
            "classifier needs two classes at least: ask for more"
        )


def run(options: argparse.Namespace) -> None:
    """Run the experiments that the command line asks for."""
    if options.scheduler is None:
        resolve_device(options.device)
    trials = plan(
        options.names,
        datasets=options.datasets,
        labels=options.labels,
        seeds=options.seeds,
        budget=options.budget,
    )
    rows, missing = sort_out(options.folder, trials, redo=options.redo)
    if options.dry_run:
        recorded = FOLDER / "semi_supervised"
        measured = read_rows(options.folder)
        if options.folder.resolve() != recorded.resolve():
            measured += read_rows(recorded)
        device = device_name(resolve_device(options.device))
        alike = [row for row in measured if row.get("device", "cpu") == device]
        print(dry_run(missing, alike, there=len(rows), jobs=options.jobs))
        return
    for trial in missing:
        check_writable(row_path(options.folder, trial))
    progress = options.format == "text"
    grid = run_grid(
        missing,
        jobs=options.jobs,
        scheduler=options.scheduler,
        folder=options.folder,
        device=options.device,
        progress=progress,
    )
    with closing(grid) as done:
        for number, (_, row) in enumerate(done, 1):
            rows.append(row)
            if progress:
                print(_line(number, len(missing), row), flush=True)
    print(table(rows, options.format))


def _line(number: int, count: int, row: dict) -> str:
    used = "" if row["device"] == "cpu" else f", {row['device_seconds']:.0f} s of {row['device']}"
    return (
        f"[{number}/{count}] {row['dataset']}, {row['labels']} labels, {row['experiment']}, "
        f"seed {row['seed']}: test error {100 * row['test_error']:.2f} %, "
        f"{row['cpu_seconds']:.0f} s of CPU{used}"
    )
