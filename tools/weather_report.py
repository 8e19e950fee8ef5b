"""Gather the runs of the weathers into one record, and say which assertions are weakest."""

import ast
import io
import json
import re
import statistics
import tokenize

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


def read_runs(folder, versions):
    """Return the kept runs, weather by weather, and count those of other sources than today's."""
    runs, stale = {}, 0
    for path in sorted(folder.glob("*/*.json")):
        run = json.loads(path.read_text(encoding="utf-8"))
        if path.stem in versions:
            runs.setdefault(path.parent.name, {})[path.stem] = run
            stale += run["version"] != versions[path.stem]
    return runs, stale


def passed(run):
    """Tell whether a chapter ran to its end and every assertion held."""
    return not run["errors"] and all(entry["held"] for entry in run["asserts"].values())


def margins(runs):
    """Return the margins of every part of every assertion, ``{(chapter, text, part): [...]}``."""
    found = {}
    for chapters in runs.values():
        for chapter, run in chapters.items():
            for text, entry in run["asserts"].items():
                for part, margin in entry["margins"].items():
                    found.setdefault((chapter, text, part), []).append(margin)
    return found


def row(chapter, text, part, values, kind):
    """Describe the margins of one part of an assertion."""
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return {
        "chapter": chapter,
        "assert": text,
        "part": int(part),
        "kind": kind,
        "least": min(values),
        "mean": statistics.fmean(values),
        "spread": spread,
        "units": statistics.fmean(values) / spread if spread else None,
    }


def summary(runs, kind_of):
    """Return the record: who passed, and the margins of what can vary, weakest first."""
    rows = [
        row(chapter, text, part, values, kind_of[chapter].get(text))
        for (chapter, text, part), values in margins(runs).items()
    ]
    varying = [entry for entry in rows if entry["units"] is not None]
    varying.sort(key=lambda entry: entry["units"])
    passes = {
        weather: {chapter: passed(run) for chapter, run in sorted(chapters.items())}
        for weather, chapters in runs.items()
    }
    return {"passed": passes, "margins": varying}


def rounded(value):
    """Round every number of a record to four digits: more would change with each run."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def report(folder, path, versions, kind_of, about):
    """Write the record to `path` and print what a reader asks first; return the exit status."""
    runs, stale = read_runs(folder, versions)
    record = {"about": about, **summary(runs, kind_of)}
    book.write(path, json.dumps(rounded(record), indent=1) + "\n")
    outcomes = [ok for chapters in record["passed"].values() for ok in chapters.values()]
    print(f"weather: {sum(outcomes)} of {len(outcomes)} runs passed, in {len(runs)} weathers")
    if stale:
        print(
            f"weather: {stale} of them were made from other sources; make weather runs them again"
        )
    for weather, chapters in record["passed"].items():
        for chapter in (name for name, ok in chapters.items() if not ok):
            print(f"weather: {chapter} fails in {weather}")
    print("weather: the ten weakest: mean margin in units of its spread, least margin")
    for entry in record["margins"][:10]:
        words = f"{entry['units']:6.1f} {entry['least']:10.3g}  {entry['kind']}"
        print(f"  {words}  {entry['chapter'][:2]}: {entry['assert']}")
    return int(not all(outcomes) or bool(stale))
