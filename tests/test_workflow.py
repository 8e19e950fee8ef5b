"""The workflow that tries other systems: does it cover what the package promises?"""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
WORKFLOW = ROOT / ".github" / "workflows" / "tests.yml"


@pytest.fixture(scope="module")
def workflow():
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def machines(workflow):
    return workflow["jobs"]["unit"]["strategy"]["matrix"]["include"]


def test_every_python_of_the_makefile_is_tried(machines, project):
    named = re.findall(r"python(3\.\d+)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert {one["python"] for one in machines} == set(named)
    oldest = min(named, key=lambda text: int(text.split(".")[1]))
    assert project["requires-python"] == f">={oldest}"


def test_every_system_has_the_oldest_and_the_newest_pytorch(machines, project):
    (wanted,) = (d for d in project["dependencies"] if re.match(r"torch\b", d))
    newest = wanted.removeprefix("torch")
    oldest = f"=={newest.removeprefix('>=')}.*"
    systems = {"ubuntu-latest", "macos-latest", "windows-latest"}
    tried = {(one["system"], one["torch"]) for one in machines}
    assert tried == {(system, torch) for system in systems for torch in (oldest, newest)}


def test_it_may_read_and_ends(workflow):
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 120
        for step in job["steps"]:
            assert "uses" not in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])


def test_what_make_runs_is_there(workflow):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    commands = [step.get("run", "") for step in workflow["jobs"]["book"]["steps"]]
    named = {word for line in commands for word in re.findall(r'make TORCH="\$TORCH" (\w+)', line)}
    assert {"book", "pages", "nbval"} <= named <= targets
