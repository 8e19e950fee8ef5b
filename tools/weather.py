"""Run the chapters under changed conditions and tell how every assertion fares.

    python tools/weather.py run [WEATHER ...] [--chapters 04 12]    what is missing or has changed
    python tools/weather.py report                                  write results/weather.json

A run does not stop at an assertion that fails; it writes the margin of each. What a chapter and
the package do is hashed, comments and docstrings left out: a run is made again where that changed.
"""

import argparse
import ast
import hashlib
import json
import os
import platform
import re
import sys
import tempfile
import time
from pathlib import Path

import weather_report
from weathers import WEATHERS

import book

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "_build/weather"
RECORD = ROOT / "results/weather.json"
OTHER_TORCH = Path(os.environ.get("WEATHER_PYTHON", ROOT / ".venv-cpu/bin/python"))
LEAVES = {
    "__main__.py",
    "commands.py",
    "doctor.py",
    "machine.py",
    "terminal.py",
}  # no chapter can reach them


def chapters(names):
    """List the chapters in the order of the book, those that `names` begin, or all."""
    paths = sorted((ROOT / "book").glob("*.ipynb"))
    return [p for p in paths if not names or any(p.name.startswith(name) for name in names)]


def code(source):
    """Return what Python runs of `source`: no comments, no docstrings, no layout."""
    tree = ast.parse(re.sub(r"^[%!].*$", "", source, flags=re.MULTILINE))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def hashed(texts):
    """Return a short hash of `texts`."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def package_hash():
    """Hash what the package does."""
    paths = sorted((ROOT / "vaecourse").rglob("*.py"))
    kept = [p for p in paths if p.relative_to(ROOT / "vaecourse").parts[0] not in LEAVES]
    return hashed(code(path.read_text(encoding="utf-8")) for path in kept)


def cells(path):
    """Return the code cells of a chapter."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def version(path, package):
    """Return what a run must have been made with to count."""
    return {"chapter": hashed(code(cell.source) for cell in cells(path)), "package": package}


def kernel(python, log):
    """Return the class of a kernel that `python` runs and that writes assertions to `log`."""
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager

    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = KernelSpec(argv=[*argv, "--ext", "weather_asserts"], env={"WEATHER_LOG": str(log)})

    class Specs(KernelSpecManager):
        def get_kernel_spec(self, kernel_name):
            return spec

    class Kernel(AsyncKernelManager):
        def _kernel_spec_manager_default(self):
            return Specs(parent=self)

    return Kernel


def run(job):
    """Run one chapter in one weather; return what its cells and assertions did."""
    import nbformat
    from nbclient import NotebookClient

    _, path, environment, python, _ = job
    whole = {**os.environ, **environment}
    whole = {name: value for name, value in whole.items() if value is not None}
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "asserts"
        log.touch()
        begin = time.monotonic()
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            kernel_manager_class=kernel(python, log),
            timeout=book.CELL_TIMEOUT,
            allow_errors=True,
            resources={"metadata": {"path": str(path.parent)}},
        )
        client.execute(env=whole)
        seconds = time.monotonic() - begin
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return {"seconds": round(seconds), "errors": errors(notebook), **merged(lines)}


def errors(notebook):
    """Name the cells that raised though they must not, and what they said."""
    found = {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and "raises-exception" not in cell.metadata.get("tags", []):
            for output in cell.outputs:
                if output.output_type == "error":
                    found[cell.id] = f"{output.ename}: {output.evalue}"
    return found


def merged(lines):
    """Return the assertions that failed, and the least margin of each part of every assertion."""
    failed, margins = set(), {}
    for line in lines:
        parts = margins.setdefault(line["assert"], {})
        failed |= set() if line["held"] else {line["assert"]}
        for part, margin in line["margins"].items():
            parts[part] = min(margin, parts.get(part, margin))
    return {"failed": sorted(failed), "margins": margins}


def jobs_of(weather, paths, package, kept):
    """List what is to be run in `weather`, with the environment and the interpreter it needs."""
    environment = {"VAECOURSE_CACHE": str(RUNS / weather / "cache"), **WEATHERS[weather]}
    python = OTHER_TORCH if weather == "other-torch" else Path(sys.executable)
    if not python.exists():
        print(
            f"weather: {weather} needs {python}: make env TORCH=cpu, or name one in WEATHER_PYTHON"
        )
        return []
    return [
        (weather, path, environment, python, version(path, package))
        for path in paths
        if not weather_report.counts(path.stem, weather, kept, version(path, package))
    ]


def run_missing(names, paths):
    """Run every chapter in every weather where no run of these sources is kept."""
    os.environ.setdefault("VAECOURSE_DATA", "")
    book.set_environment()
    os.environ.pop("VAECOURSE_OFFLINE", None)
    tools = str(ROOT / "tools")
    os.environ["PYTHONPATH"] = os.pathsep.join([tools, os.environ["PYTHONPATH"]])
    package, failed = package_hash(), 0
    # The plain weather comes first: where its numbers are the old ones, all other runs still count.
    for group in (["plain"], names):
        kept = weather_report.kept_runs(RECORD, RUNS)
        jobs = [
            job for name in names if name in group for job in jobs_of(name, paths, package, kept)
        ]
        for (weather, path, *_, made_of), result in book.in_parallel(run, jobs):
            result |= {"version": made_of, "processor": processor()}
            failed += keep(weather, path.stem, result, kept)
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
    package, paths = package_hash(), chapters([])
    versions = {path.stem: version(path, package) for path in paths}
    kinds = {path.stem: weather_report.kinds_of(cells(path)) for path in paths}
    about = {
        "command": "make weather",
        "package": package,
        "weathers": {name: change or "as it is" for name, change in WEATHERS.items()},
    }
    return weather_report.report(RUNS, RECORD, versions, kinds, about)


def processor():
    """Return the name of this machine's processor."""
    for line in book.read(Path("/proc/cpuinfo")).splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return platform.processor() or platform.machine()


def main():
    """Read the command line and run one command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="run what is missing")
    running.add_argument("weathers", nargs="*", metavar="WEATHER", help=f"of {', '.join(WEATHERS)}")
    running.add_argument("--chapters", nargs="*", default=[], help="how their names begin: 04 12")
    commands.add_parser("report", help="write results/weather.json and print what is weakest")
    options = parser.parse_args()
    if options.command == "report":
        return report()
    unknown = set(options.weathers) - set(WEATHERS)
    if unknown:
        parser.error(f"no weather is called {', '.join(unknown)}; there are {', '.join(WEATHERS)}")
    return run_missing(options.weathers or list(WEATHERS), chapters(options.chapters))


if __name__ == "__main__":
    sys.exit(main())
