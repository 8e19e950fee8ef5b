"""Every test that `tools/replay.py` names is there, and what fails is counted."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import replay  # noqa: E402


def test_every_test_that_is_named_is_there():
    names = {"all": []}
    for kind in replay.KINDS.values():
        for file in kind:
            text = (ROOT / f"tests/test_{file}.py").read_text(encoding="utf-8")
            found = re.findall(r"^def (test_\w+)", text, re.MULTILINE)
            names["all"] += [f"tests/test_{file}.py::{name}" for name in found]
    assert replay.lacking(replay.KINDS, names) == []
    assert replay.lacking({"a": {"file": "missing"}}, names) == ["tests/test_file.py::test_missing"]


def test_what_fails_is_tried_and_not_right():
    watch = replay.Watch({"one": {"a": "b"}})
    watch.names = {"one": ["x", "y", "z"]}
    for name, when, outcome in [
        ("x", "setup", "passed"), ("x", "call", "passed"), ("y", "call", "failed"),
        ("z", "call", "skipped"), ("other", "call", "passed"),
    ]:  # fmt: skip
        passed, skipped = outcome == "passed", outcome == "skipped"
        report = SimpleNamespace(
            nodeid=name, when=when, outcome=outcome, passed=passed, skipped=skipped
        )
        watch.pytest_runtest_logreport(report)
    assert (watch.tried, watch.right) == ({"one": 2}, {"one": 1})
