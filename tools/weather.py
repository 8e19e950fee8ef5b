"""Run the chapters under changed conditions and tell how every assertion fares.

    python tools/weather.py run [WEATHER ...] [--chapters 04 12]    what is missing or has changed
    python tools/weather.py report                                  write results/weather.json

A run does not stop at an assertion that fails; it writes the margin of each. What a chapter and
the package do is hashed, comments and docstrings left out. Where that changed the plain weather is
run again, and the other weathers where one of its margins is another.
"""

import argparse
import hashlib
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import weather_report
from kernels import kernel_of
from run_chapters import execute
from speak import on_any_terminal
from weathers import WEATHERS

import book
from vaecourse.runtime.files import check_writable
from vaecourse.runtime.machine import processor
from vaecourse.runtime.source import code_of

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "_build/weather"
RECORD = ROOT / "results/weather.json"
OTHER_TORCH = Path(os.environ.get("WEATHER_PYTHON", ROOT / ".venv-cpu/bin/python"))
# No chapter can reach these.
LEAVES = {
    "__main__.py",
    "commands.py",
    "doctor.py",
    "runtime/machine.py",
    "runtime/terminal.py",
}


def chapters(names):
    """List the chapters in the order of the book, those that `names` begin, or all."""
    paths = sorted((ROOT / "book").glob("*.ipynb"))
    return [p for p in paths if not names or any(p.name.startswith(name) for name in names)]


def code(source):
    """Return what Python runs of a cell: no comments, no docstrings, no magics."""
    return code_of(re.sub(r"^[%!].*$", "", source, flags=re.MULTILINE))


def hashed(texts):
    """Return a short hash of `texts`."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def package_hash():
    """Hash what the package does."""
    paths = sorted((ROOT / "vaecourse").rglob("*.py"))
    kept = [p for p in paths if p.relative_to(ROOT / "vaecourse").as_posix() not in LEAVES]
    return hashed(code(path.read_text(encoding="utf-8")) for path in kept)


def cells(path):
    """Return the code cells of a chapter."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def versions_of(paths):
    """Return for every chapter what a run must have been made with to count."""
    package = package_hash()
    # All cells at once: where one ends and the next begins changes nothing.
    whole = {path: code("\n".join(cell.source for cell in cells(path))) for path in paths}
    return {path: {"chapter": hashed([text]), "package": package} for path, text in whole.items()}


def run(job):
    """Run one chapter in one weather; return what its cells and assertions did."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "asserts"
        log.touch()
        environment = {**os.environ, **job.environment, "WEATHER_LOG": str(log)}
        environment = {name: value for name, value in environment.items() if value is not None}
        kernel = kernel_of(job.python, "--ext", "weather_asserts")
        _, seconds, failures = execute(job.path, kernel, environment)
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    errors = {f"code cell {failure.cell}": failure.error for failure in failures}
    return {"seconds": round(seconds), "errors": errors, **merged(lines)}


def merged(lines):
    """Return the assertions that failed, and the least margin of each part of every assertion."""
    failed, margins = set(), {}
    for line in lines:
        parts = margins.setdefault(line["assert"], {})
        failed |= set() if line["held"] else {line["assert"]}
        for part, margin in line["margins"].items():
            parts[part] = min(margin, parts.get(part, margin))
    return {"failed": sorted(failed), "margins": margins}


class Job(NamedTuple):
    """One chapter in one weather, and what its run is made of."""

    weather: str
    path: Path
    environment: dict
    python: Path
    version: dict


def jobs_of(weather, versions, kept):
    """List what is to be run in `weather`, of the chapters in `versions`."""
    environment = {"VAECOURSE_CACHE": str(RUNS / weather / "cache"), **WEATHERS[weather]}
    python = OTHER_TORCH if weather == "other-torch" else Path(sys.executable)
    if not python.exists():
        cure = "make env TORCH=cpu, or name one in WEATHER_PYTHON"
        print(f"weather: {weather} needs {python}: {cure}")
        return []
    return [
        Job(weather, path, environment, python, version)
        for path, version in versions.items()
        if not weather_report.counts(path.stem, weather, kept, version)
    ]


def run_missing(names, paths):
    """Run every chapter in every weather where no run of these sources is kept."""
    os.environ.setdefault("VAECOURSE_DATA", "")
    book.set_environment()
    os.environ.pop("VAECOURSE_OFFLINE", None)
    tools = str(ROOT / "tools")
    os.environ["PYTHONPATH"] = os.pathsep.join([tools, os.environ["PYTHONPATH"]])
    versions, failed = versions_of(paths), 0
    # The plain weather comes first: where its numbers are the old ones, all other runs still count.
    for group in ([name for name in names if name == "plain"], names):
        kept = weather_report.kept_runs(RECORD, RUNS)
        jobs = [job for name in group for job in jobs_of(name, versions, kept)]
        for job, result in book.in_parallel(run, jobs):
            result |= {"version": job.version, "processor": processor()}
            failed += keep(job.weather, job.path.stem, result, kept)
    return min(failed, 1)


def keep(weather, chapter, result, kept):
    """Write a run to its file and say how it ended; return whether something failed."""
    result["same"] = weather_report.same_numbers(result, kept.get(weather, {}).get(chapter))
    book.write(RUNS / weather / f"{chapter}.json", json.dumps(result, indent=1))
    wrong = [*result["failed"], *result["errors"].values()]
    print(f"weather: {weather:12} {chapter} {result['seconds']:4} s", *wrong, sep="\n    ! ")
    return bool(wrong)


def report():
    """Gather the runs in results/weather.json; return the exit status."""
    versions = {path.stem: version for path, version in versions_of(chapters([])).items()}
    kinds = {path.stem: weather_report.kinds_of(cells(path)) for path in chapters([])}
    about = {
        "command": "make weather",
        "weathers": {name: change or "as it is" for name, change in WEATHERS.items()},
    }
    return weather_report.report(RUNS, RECORD, versions, kinds, about)


def main():
    """Read the command line and run one command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="run what is missing")
    running.add_argument("weathers", nargs="*", metavar="WEATHER", help=f"of {', '.join(WEATHERS)}")
    running.add_argument("--chapters", nargs="*", default=[], help="how their names begin: 04 12")
    commands.add_parser("report", help="write results/weather.json and print what is weakest")
    options = parser.parse_args()
    try:
        check_writable(RECORD if options.command == "report" else RUNS / "weather" / "run.json")
    except OSError as error:
        parser.error(str(error))
    if options.command == "report":
        return report()
    unknown = set(options.weathers) - set(WEATHERS)
    if unknown:
        parser.error(f"no weather is called {', '.join(unknown)}; there are {', '.join(WEATHERS)}")
    strange = [name for name in options.chapters if not chapters([name])]
    if strange:
        there = " ".join(path.stem[:2] for path in chapters([]))
        parser.error(f"no chapter begins with {', '.join(strange)}; there are {there}")
    return run_missing(options.weathers or list(WEATHERS), chapters(options.chapters))


if __name__ == "__main__":
    sys.exit(on_any_terminal(main))
