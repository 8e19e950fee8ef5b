"""Try what the course promises under kills, damage and bad luck; print a table of what held.

    python tools/soak.py                     everything, with seed 0
    python tools/soak.py --seed 7 --share 0.1    another seed, a tenth of the trials

Each line of the table is a group: trials, those that were right, seconds. What was not right is
printed below it, and then the exit status is 1. Nothing is written outside a temporary folder.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # sums are split over threads, and bits depend on it
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

import soak_data  # noqa: E402
import soak_files  # noqa: E402
import soak_kills  # noqa: E402
import soak_places  # noqa: E402

GROUPS = [*soak_kills.GROUPS, *soak_files.GROUPS, *soak_data.GROUPS, *soak_places.GROUPS]


def tried(group, folder, seed, share):
    """Make the trials of one group; return how many there were, what failed, and the seconds."""
    started, count, failures = time.perf_counter(), 0, []
    number = max(1, round(group.number * share))
    for name, found in group.trials(folder, seed, number):
        count += 1
        if found:
            failures.append(f"{group.name}, {name}: {found}")
    return count, failures, time.perf_counter() - started


def _share(text):
    share = float(text)
    if not 0 < share < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a positive number, got {text!r}")
    return share


def main(arguments=None):
    """Make all trials, print the table and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default 0)")
    parser.add_argument("--share", type=_share, default=1.0, help="share of the trials (default 1)")
    options = parser.parse_args(arguments)
    print(f"soak: seed {options.seed}, {options.share:g} of the trials", flush=True)
    print(f"{'group':44}{'tried':>7}{'right':>7}{'seconds':>9}", flush=True)
    failures = []
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        for number, group in enumerate(GROUPS):
            folder = Path(temporary) / str(number)
            folder.mkdir()
            count, wrong, seconds = tried(group, folder, options.seed, options.share)
            failures += wrong
            line = f"{group.name:44}{count:>7}{count - len(wrong):>7}{seconds:>9.1f}"
            print(line, flush=True)
    for failure in failures:
        print(f"wrong: {failure}")
    print("nothing is wrong" if not failures else f"{len(failures)} are wrong", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)
