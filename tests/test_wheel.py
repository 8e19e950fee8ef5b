"""The wheel, installed elsewhere: does what the README promises work without the repository?"""

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
import setuptools
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import vaecourse

SOURCES = ("vaecourse", "book", "tools", "results")
FILES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "_toc.yml")
BUILD = "from setuptools import build_meta; build_meta.build_wheel({!r})"
HIDDEN = ("VAECOURSE_DATA", "VAECOURSE_STATIC", "VAECOURSE_SEED_OFFSET", "PYTHONPATH", "PYTHONHOME")
LARGEST = 2_000_000


def run(command, where, **variables):
    """Run a command away from the repository, without its settings; return what it printed."""
    kept = {name: value for name, value in os.environ.items() if name not in HIDDEN}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=where,
        env=kept | {"VAECOURSE_OFFLINE": "1", "PYTHONUTF8": "1"} | variables,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


ONLY = """
import sys


class OnlyWhatIsRequired:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"no build requires {{name}}", name=name)


sys.meta_path.insert(0, OnlyWhatIsRequired())
"""


def required(names):
    """Return these distributions and those that they require, by their normal names."""
    found, waiting = set(), [Requirement(name) for name in names]
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        if name not in found and (one.marker is None or one.marker.evaluate({"extra": ""})):
            found.add(name)
            waiting += [Requirement(text) for text in metadata.requires(name) or ()]
    return found


def absent(repository):
    """Return the modules that are installed here, and not where a wheel is built by itself."""
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    there = required(project["build-system"]["requires"])
    modules = metadata.packages_distributions().items()
    here = {name for name, owners in modules if not there & set(map(canonicalize_name, owners))}
    carried = Path(setuptools.__file__).parent.glob("_vendor/*")
    return here - {path.stem for path in carried} - {"vaecourse"}


@pytest.fixture(scope="module")
def wheel(repository, tmp_path_factory):
    """Build the wheel once, in a copy of what it is made of, with nothing but what it requires."""
    tree = tmp_path_factory.mktemp("tree")
    ignored = shutil.ignore_patterns(
        "__pycache__", "chapters", "recorded", ".ipynb_checkpoints", "vendor", "drawn"
    )
    for name in SOURCES:
        shutil.copytree(repository / name, tree / name, ignore=ignored)
    for name in FILES:
        shutil.copy(repository / name, tree)
    blocked = tmp_path_factory.mktemp("blocked")
    only = ONLY.format(absent=absent(repository))
    (blocked / "sitecustomize.py").write_text(only, encoding="utf-8")
    out = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-c", BUILD.format(str(out))], tree, PYTHONPATH=str(blocked))
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Install the wheel into a folder of its own."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    run([*pip, "--no-compile", "--target", target, wheel], target)
    return target


def test_its_metadata_and_files(wheel, repository):
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with zipfile.ZipFile(wheel) as files:
        names = files.namelist()
        info = next(name.rsplit("/", 1)[0] for name in names if name.endswith("/METADATA"))
        about = message_from_bytes(files.read(f"{info}/METADATA"))
        entry_points = files.read(f"{info}/entry_points.txt").decode()
    assert about["Version"] == vaecourse.__version__
    assert about["Requires-Python"] == project["requires-python"]
    assert about["License-Expression"] == project["license"]
    assert sorted(about.get_all("Classifier")) == sorted(project["classifiers"])
    assert {"vaecourse/py.typed", f"{info}/licenses/LICENSE"} <= set(names)
    assert "vaecourse = vaecourse.__main__:main" in entry_points
    sources = {path.name for path in (repository / "vaecourse/interactive/source").iterdir()}
    assert sources == {Path(name).name for name in names if "/interactive/source/" in name}
    assert all(name.startswith((f"{info}/", "vaecourse/")) for name in names)
    assert wheel.stat().st_size < LARGEST


SCRIPT = """
import json
import sys
from pathlib import Path

import torch

import vaecourse as vae
from vaecourse.__main__ import main
from vaecourse.data.strokes import strokes
from vaecourse.exercises import check

done = {}
for line in sys.argv[1:]:
    done[line] = main(line.split())
x = torch.from_numpy(strokes(64, seed=0).images)[:, None] / 255
model = vae.mlp_vae((1, 28, 28), 2, hidden=(16,))
history = vae.fit(model, vae.objectives.elbo, vae.Batch.of(x), steps=3, progress=False)
oracle = vae.LinearGaussian(torch.tensor([[1.0], [0.8]]), torch.zeros(2), scale=0.4)
figure = vae.interactive.elbo_gap(oracle, torch.tensor([[1.8, 1.6]], dtype=torch.float64))
found = {
    "file": vae.__file__,
    "codes": done,
    "steps": len(history),
    "figure": figure.html(),
    "checked": check("01-squared-error", lambda x, y: x, counts=False).passed,
    "rows": len(vae.results.read()),
    "folder": str(vae.results.FOLDER),
}
Path("found.json").write_text(json.dumps(found), encoding="utf-8")
"""
COMMANDS = (
    "doctor",
    "exercises list",
    "experiments --dry-run --datasets digits --labels 50",
    "train vae model.safetensors --data digits",
    "evaluate model.safetensors",
    "notebooks student",
    "notebooks full --full",
)


@pytest.fixture(scope="module")
def used(installed, tmp_path_factory):
    """Use the installed package in an empty folder; return the folder, and what was found."""
    folder = tmp_path_factory.mktemp("elsewhere")
    where = {"PYTHONPATH": str(installed), "VAECOURSE_CACHE": str(folder / "cache")}
    run([sys.executable, "-c", SCRIPT, *COMMANDS], folder, **where)
    return folder, json.loads((folder / "found.json").read_text(encoding="utf-8"))


def test_what_the_readme_promises_works(installed, used, repository):
    _, found = used
    assert Path(found["file"]).is_relative_to(installed)
    assert found["codes"] == dict.fromkeys(COMMANDS, 0)
    assert found["steps"] == 3
    assert found["checked"] is False
    assert "<script" in found["figure"] and len(found["figure"]) > 10_000
    assert found["rows"] == len(list((repository / "results/semi_supervised").glob("*.json")))
    assert Path(found["folder"]).is_relative_to(installed)


def test_the_command_is_installed(installed, tmp_path):
    command = next(
        path for path in (installed / "bin").glob("vaecourse*") if path.stem == "vaecourse"
    )
    printed = run([command, "train", "--help"], tmp_path, PYTHONPATH=str(installed))
    assert "vae-conv" in printed


BLOCKED = """
import json
import sys
from IPython.core.inputtransformer2 import TransformerManager
for name in ("myst_nb", "nbformat", "jupyter_cache", "ipywidgets", "anywidget", "torchvision"):
    sys.modules[name] = None
for path in sys.argv[1:]:
    whole = json.load(open(path, encoding="utf-8"))["cells"]
    cells = [cell for cell in whole if cell["cell_type"] == "code"]
    space = {}
    for cell in cells[:2]:
        exec(TransformerManager().transform_cell("".join(cell["source"])), space)
    assert "vae" in space and "check" in space, path
"""


def test_its_chapters_start_where_there_is_the_package_alone(used, installed, repository):
    folder, _ = used
    paths = {kind: sorted((folder / kind).glob("*.ipynb")) for kind in ("student", "full")}
    chapters = sorted(path.name for path in (repository / "book").glob("*.ipynb"))
    assert {kind: [p.name for p in found] for kind, found in paths.items()} == {
        "student": chapters,
        "full": chapters,
    }
    both = [path for found in paths.values() for path in found]
    run([sys.executable, "-c", BLOCKED, *both], folder, PYTHONPATH=str(installed))
    for path in both:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert f"%pip install vaecourse=={vaecourse.__version__}" in notebook.cells[0].source
        code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
        assert "glue" not in code
        assert ("counts=False" in code) == (path.parent.name == "full")
        prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        assert "{solution" not in prose and "```{" not in prose


def test_the_version_and_the_pins_stand_in_one_place(repository):
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    pins = (repository / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert set(project["build-system"]["requires"]) <= set(pins)
    citation = (repository / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {vaecourse.__version__}\n" in citation
