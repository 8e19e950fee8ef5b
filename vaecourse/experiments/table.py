"""Rows of results as one table: text, Markdown, LaTeX or CSV."""

import csv
import io
from math import isfinite

from vaecourse.data.sources import SOURCES
from vaecourse.experiments.trials import EXPERIMENTS
from vaecourse.results import Summary, summary

__all__ = ["FORMATS", "table"]

FORMATS = ("text", "markdown", "latex", "csv")
HEADER = ["data", "labels", "model", "seeds", "test error %", "validation %", "bits/dim", "CPU s"]


def table(rows: list[dict], format: str = "text") -> str:
    """Return mean test errors with their 95 % intervals, a line for data, labels and model.

    Parameters
    ----------
    rows : list of dict
        Rows of `run_trial`, or of older runs that recorded less.
    format : {"text", "markdown", "latex", "csv"}
        How to write it. CSV has numbers alone, for programs.

    Returns
    -------
    str
        The table, and below it which data they were. Errors are in percent.

    Raises
    ------
    ValueError
        If the format is none of these.
    """
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
    groups = _groups(rows)
    if format == "csv":
        return _csv(groups)
    lines = [_cells(group) for group in groups]
    if not any(line[6] for line in lines):
        lines = [line[:6] + line[7:] for line in lines]
    header = HEADER if lines and len(lines[0]) == len(HEADER) else [*HEADER[:6], HEADER[7]]
    write = {"text": _text, "markdown": _markdown, "latex": _latex}[format]
    return write(header, lines, _notes(rows))


def _groups(rows: list[dict]) -> list[list[dict]]:
    order = {one.name: place for place, one in enumerate(EXPERIMENTS)}
    groups: dict[tuple, list[dict]] = {}
    for row in rows:
        place = order.get(row["experiment"], len(order))
        key = row["dataset"], row["labels"], place, row["experiment"], row.get("budget", 1.0)
        groups.setdefault(key, []).append(row)
    return [groups[key] for key in sorted(groups)]


def _mean(rows: list[dict], key: str) -> float | None:
    values = [row[key] for row in rows if row.get(key) is not None]
    return sum(values) / len(values) if values else None


def _summary(rows: list[dict]) -> Summary:
    first = rows[0]
    labels, dataset = first["labels"], first["dataset"]
    return summary(rows, first["experiment"], labels=labels, dataset=dataset)


def _cells(rows: list[dict]) -> list[str]:
    first, found = rows[0], _summary(rows)
    error = f"{100 * found.mean:.2f}"
    if isfinite(found.half_width):
        error += f" ± {100 * found.half_width:.2f}"
    valid, bits = _mean(rows, "validation_error"), _mean(rows, "test_bits_per_dim")
    title = next((one.title for one in EXPERIMENTS if one.name == first["experiment"]), None)
    budget = first.get("budget", 1.0)
    return [
        first["dataset"],
        str(first["labels"]),
        (title or first["experiment"]) + (f" [{budget:g} of the budget]" if budget != 1 else ""),
        str(found.num_seeds),
        error,
        "" if valid is None else f"{100 * valid:.2f}",
        "" if bits is None else f"{bits:.3f}",
        f"{found.cpu_seconds:.0f}",
    ]


def _notes(rows: list[dict]) -> list[str]:
    notes = {"± is half of the 95 % interval of the mean over seeds (Student's t)."}
    for row in rows:
        counts = row.get("images")
        if counts:
            parts = ", ".join(f"{number:,} {name}" for name, number in counts.items())
            full = SOURCES[row["dataset"]].size if row["dataset"] in SOURCES else 0
            part = " (a part of the published set)" if sum(counts.values()) < full else ""
            notes.add(f"{row['dataset']}: {parts} images{part}, {row['data'][:12]}.")
        if row.get("device", "cpu") != "cpu":
            notes.add(f"Some rows were trained on {row['device']}; CPU s does not count its time.")
        if "test_bits_per_dim" in row:
            notes.add(f"bits/dim: test images; {row['likelihood']}.")
    return sorted(notes)


def _text(header: list[str], lines: list[list[str]], notes: list[str]) -> str:
    widths = [max(map(len, column)) for column in zip(header, *lines, strict=True)]
    both = [header, ["-" * width for width in widths], *lines]
    left = (0, 2)
    text = [
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in both
    ]
    return "\n".join([*text, "", *notes])


def _markdown(header: list[str], lines: list[list[str]], notes: list[str]) -> str:
    rule = ["---" if place in (0, 2) else "---:" for place in range(len(header))]
    text = [f"| {' | '.join(line)} |" for line in (header, rule, *lines)]
    return "\n".join([*text, "", *(f"{note}  " for note in notes)])


def _latex(header: list[str], lines: list[list[str]], notes: list[str]) -> str:
    columns = "".join("l" if place in (0, 2) else "r" for place in range(len(header)))
    body = [" & ".join(map(_escaped, line)) + r" \\" for line in lines]
    return "\n".join(
        [
            *(f"% {note}" for note in notes),
            rf"\begin{{tabular}}{{{columns}}}",
            r"\hline",
            " & ".join(map(_escaped, header)) + r" \\",
            r"\hline",
            *body,
            r"\hline",
            r"\end{tabular}",
        ]
    )


def _escaped(text: str) -> str:
    for sign in "%_&#":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("±", r"$\pm$")


def _csv(groups: list[list[dict]]) -> str:
    names = ["dataset", "labels", "experiment", "budget", "seeds", "test_error"]
    names += ["half_width", "validation_error", "test_bits_per_dim", "cpu_seconds"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for rows in groups:
        first, found = rows[0], _summary(rows)
        half = found.half_width if isfinite(found.half_width) else ""
        shared = [first["dataset"], first["labels"], first["experiment"], first.get("budget", 1.0)]
        means = [_mean(rows, "validation_error"), _mean(rows, "test_bits_per_dim")]
        writer.writerow([*shared, found.num_seeds, found.mean, half, *means, found.cpu_seconds])
    return out.getvalue().rstrip("\n")
