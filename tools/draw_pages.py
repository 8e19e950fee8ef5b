"""Write the tables of two appendices from files that are kept.

Run `python tools/draw_pages.py`; it writes book/_static/drawn/*.txt, as the build does. No number
in them is typed.
"""

import json
from collections import Counter

import contents
import weather_report

from vaecourse.exercises.catalogue import exercises

DRAWN = contents.ROOT / "book/_static/drawn"
KINDS = {"identity": "mathematics", "Monte Carlo": "a sample", "outcome": "a training"}


def asserts():
    """Count the assertions of all notebooks by the comment that says what each rests on."""
    counts = Counter()
    for path in contents.pages():
        if path.suffix != ".ipynb":
            continue
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            source = "".join(cell["source"])
            if cell["cell_type"] == "code" and "assert " in source:
                found = (kind for _, kind in weather_report.kinds(source))
                counts.update(kind or "without a kind" for kind in found)
    return counts


def table(head, rows):
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(str(one) for one in line)} |\n" for line in lines)


def checked():
    """Return what was checked, in a table each."""
    weather = json.loads((contents.ROOT / "results/weather.json").read_text(encoding="utf-8"))
    runs = [run for chapters in weather["runs"].values() for run in chapters.values()]
    possible = len(weather["runs"]) * len(contents.chapters())
    passed = sum(map(weather_report.passed, runs))
    oracle = json.loads((contents.ROOT / "results/oracle.json").read_text(encoding="utf-8"))
    tasks = exercises().values()
    rows = [[kind, KINDS.get(kind, ""), count] for kind, count in sorted(asserts().items())]
    facts = [
        ["weathers (seeds, instructions, threads, PyTorch, data)", len(weather["runs"])],
        ["runs of a chapter in a weather that are recorded", f"{len(runs)} of {possible}"],
        ["of these without a failed assertion", passed],
        ["margins that vary and are recorded", len(weather["margins"])],
        ["values measured beside the exact oracle", sum("_error" in name for name in oracle)],
        ["exercises", len(tasks)],
        [
            "wrong answers, each told by its own name",
            sum(len(task.catalogue) for task in tasks),
        ],
        ["other right answers, each accepted", sum(len(task.alternatives) for task in tasks)],
    ]
    return table(["Assertions", "rest on", "Count"], rows) + "\n" + table(["What", "Count"], facts)


def mistakes():
    """Return for every chapter its exercises, their minutes, and what goes wrong in each."""
    text = ""
    titles = {number: contents.title(path) for number, path in contents.chapters()}
    for number, title in titles.items():
        own = [e for e in exercises().values() if e.chapter == number]
        minutes = sum(exercise.minutes for exercise in own)
        text += f"\n### {number} {title}: {minutes} minutes\n\n"
        rows = [[f"`{e.name}`", "★" * e.difficulty, e.minutes, told(e)] for e in own]
        text += table(["Exercise", "", "Minutes", "What students get wrong"], rows)
    return text


def told(exercise):
    """Return the names of the known mistakes of an exercise in words."""
    return ", ".join(mistake.name.replace("-", " ") for mistake in exercise.catalogue)


def main():
    """Write both files."""
    DRAWN.mkdir(parents=True, exist_ok=True)
    for name, text in (("checked.txt", checked()), ("mistakes.txt", mistakes())):
        (DRAWN / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
