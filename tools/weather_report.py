"""Gather the runs of the weathers into one record, and say which assertions are weakest."""

import ast
import io
import json
import re
import statistics
import tokenize

from weathers import WEATHERS

import book

KINDS = ("identity", "Monte Carlo", "outcome")
COMMENT = re.compile(rf"# ({'|'.join(KINDS)})(: .*)?$")


def kinds(source):
    """Yield for every assertion of a cell its source as Python prints it, and its kind or None.

    The kind is a comment on one of its lines: ``# identity``, ``# Monte Carlo`` or ``# outcome``.
    """
    source = re.sub(r"^[%!]", "# ", source, flags=re.MULTILINE)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {t.start[0]: t.string for t in tokens if t.type == tokenize.COMMENT}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert):
            lines = range(node.lineno, node.end_lineno + 1)
            found = [COMMENT.match(comments[line]) for line in lines if line in comments]
            named = [match[1] for match in found if match]
            yield ast.unparse(node.test), named[0] if len(named) == 1 else None


def kinds_of(cells):
    """Return the kind of every assertion of a chapter."""
    return {text: kind for cell in cells for text, kind in kinds(cell.source)}


def kept_runs(record, folder):
    """Return the runs of the record and of `folder`, newer ones, ``{weather: {chapter: run}}``."""
    kept = {}
    if record.exists():
        recorded = json.loads(record.read_text(encoding="utf-8"))
        kept = recorded["runs"]
        for row in recorded["margins"]:
            for weather, margin in row["margins"].items():
                parts = kept[weather][row["chapter"]].setdefault("margins", {})
                parts.setdefault(row["assert"], {})[row["part"]] = margin
    for path in sorted(folder.glob("*/*.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        kept.setdefault(path.parent.name, {})[path.stem] = run
    return kept


def same_numbers(run, older):
    """List the versions whose numbers are those of `run`: that of `older`, where nothing differs.

    A chapter's margins in one weather show whether a change of the chapter or of the package
    changed any number that is asserted.
    """
    parts = ("failed", "errors", "margins")
    if older is None or any(rounded(older.get(name, {})) != rounded(run[name]) for name in parts):
        return []
    versions = [older["version"], *older.get("same", [])]
    return [version for version in versions if version != run["version"]]


def counts(chapter, weather, kept, version):
    """Tell whether a kept run counts for today's sources, or for sources of the same numbers."""
    run = kept.get(weather, {}).get(chapter)
    plain = kept.get("plain", {}).get(chapter)
    if run is None or run["version"] == version:
        return run is not None
    return bool(plain) and plain["version"] == version and run["version"] in plain["same"]


def passed(run):
    """Tell whether a chapter ran to its end and every assertion held."""
    return not run["errors"] and not run["failed"]


def margins(runs):
    """Return the margins of the parts of each claim: ``{(chapter, text, part): {weather: …}}``."""
    found = {}
    for weather, chapters in runs.items():
        for chapter, run in chapters.items():
            for text, parts in run.get("margins", {}).items():
                for part, margin in parts.items():
                    found.setdefault((chapter, text, part), {})[weather] = margin
    return found


def row(key, by_weather, kind):
    """Describe the margins of one part of an assertion; no units where nothing varies."""
    chapter, text, part = key
    values = list(by_weather.values())
    mean, spread = statistics.fmean(values), statistics.pstdev(values)
    numbers = {"least": min(values), "mean": mean, "spread": spread}
    numbers["units"] = mean / spread if spread else None
    return {"chapter": chapter, "assert": text, "part": part, "kind": kind, **numbers} | {
        "margins": by_weather
    }


def summary(runs, kind_of):
    """Return the record: how every run ended, and the margins of every claim, weakest first."""
    rows = [
        row(key, by_weather, kind_of[key[0]].get(key[1]))
        for key, by_weather in margins(runs).items()
    ]
    rows.sort(key=lambda entry: (entry["units"] is None, entry["units"]))
    ends = {
        weather: {
            chapter: {name: value for name, value in run.items() if name != "margins"}
            for chapter, run in sorted(chapters.items())
        }
        for weather, chapters in runs.items()
    }
    return {"runs": ends, "margins": rows}


def rounded(value):
    """Round every number of a record to four digits: more would change with each run."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def as_text(record):
    """Write a record as JSON, a line for every run and every claim."""
    line = json.dumps
    runs = (
        f"  {line(weather)}: {{\n"
        + ",\n".join(f"   {line(name)}: {line(run)}" for name, run in chapters.items())
        + "\n  }"
        for weather, chapters in record["runs"].items()
    )
    rows = (f"  {line(row, ensure_ascii=False)}" for row in record["margins"])
    return (
        f'{{\n "about": {line(record["about"])},\n "runs": {{\n'
        + ",\n".join(runs)
        + '\n },\n "margins": [\n'
        + ",\n".join(rows)
        + "\n ]\n}\n"
    )


def report(folder, path, versions, kind_of, about):
    """Write the record to `path` and print what a reader asks first; return the exit status."""
    runs = {
        weather: {name: run for name, run in chapters.items() if name in versions}
        for weather, chapters in kept_runs(path, folder).items()
    }
    record = {"about": about, **summary(runs, kind_of)}
    book.write(path, as_text(rounded(record)))
    every = [(w, name, run) for w, chapters in runs.items() for name, run in chapters.items()]
    good = sum(passed(run) for *_, run in every)
    print(f"weather: {good} of {len(every)} runs passed, in {len(runs)} weathers")
    missing = len(WEATHERS) * len(versions) - len(every)
    if missing:
        print(f"weather: {missing} more are to be made: make weather")
    stale = sum(not counts(name, w, runs, versions[name]) for w, name, _ in every)
    if stale:
        print(
            f"weather: {stale} of them were made from other sources; make weather runs them again"
        )
    for weather, name, run in every:
        for wrong in [*run["failed"], *run["errors"].values()]:
            print(f"weather: {name} fails in {weather}: {wrong}")
    # The margin of an identity is a distance from its arithmetic's limit, and need not be wide.
    claims = [row for row in record["margins"] if row["units"] and row["kind"] != "identity"]
    print("weather: the ten weakest claims: mean margin in units of its spread, least margin")
    for entry in claims[:10]:
        words = f"{entry['units']:6.1f} {entry['least']:10.3g}  {entry['kind']}"
        print(f"  {words}  {entry['chapter'][:2]}: {entry['assert']}")
    return int(good < len(every) or bool(stale) or bool(missing))
