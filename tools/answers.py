"""Judge the answers of tests/answers and count what the checks make of them.

    python tools/answers.py [-v] [CHAPTER …]

With -v every answer that is not as wanted is printed with what the check said, and every diagnosis.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from student_answers import Written, written  # noqa: E402

from vaecourse.exercises import diagnosing  # noqa: E402
from vaecourse.exercises.judging import judge  # noqa: E402
from vaecourse.exercises.sandbox import settings_restored  # noqa: E402

KINDS = ("accepted", "REFUSED", "named", "vague", "PASSED")
VAGUE = ("shape", "finiteness", "value", "gradient", "time")


def kind(answer: Written, result) -> str:
    """Say what a check made of an answer; the kinds in capitals are faults of the check."""
    if answer.is_right:
        return "accepted" if result.passed else "REFUSED"
    if result.passed:
        return "PASSED"
    return "named" if result.mistake or result.stage not in VAGUE else "vague"


def judged(answer: Written):
    """Judge one answer in this process."""
    with settings_restored():
        return judge(answer.exercise, answer.function())


def line(counts: Counter) -> str:
    """Write the counts of one exercise, or of all."""
    wrong = counts["named"] + counts["vague"]
    share = f"{counts['named'] / wrong:5.0%}" if wrong else "     "
    return " ".join(f"{counts[kind]:>8}" for kind in KINDS) + f"   {share}"


def main() -> int:
    """Count, and fail where a right answer is refused or a wrong one passes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-v", action="store_true", dest="verbose", help="print every message")
    parser.add_argument("chapters", nargs="*", type=int, metavar="CHAPTER")
    given = parser.parse_args()
    torch.set_num_threads(1)
    diagnosing.SECONDS = 60.0  # a count must not depend on how busy the machine is
    answers = [a for chapter in given.chapters or [None] for a in written(chapter)]
    counts: dict[str, Counter] = {}
    print(" " * 24 + " ".join(f"{kind:>8}" for kind in KINDS) + "   named")
    for number, answer in enumerate(answers):
        name, begin = answer.exercise.name, time.monotonic()
        result = judged(answer)
        found = kind(answer, result)
        counts.setdefault(name, Counter())[found] += 1
        if given.verbose and found != "accepted":
            seconds = time.monotonic() - begin
            print(f"{found:>8} {seconds:.2f} s · {answer.mistake or answer.body[:70]}")
            print(f"           {result.mistake or result.stage}: {result.message}")
        if number + 1 == len(answers) or answers[number + 1].exercise.name != name:
            print(f"{name:24}{line(counts[name])}", flush=True)
    total = sum(counts.values(), Counter())
    print(f"{'all':24}{line(total)}")
    return int(total["REFUSED"] + total["PASSED"] > 0)


if __name__ == "__main__":
    sys.exit(main())
