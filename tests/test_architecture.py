"""Who may know whom, and what no file of the package may hold."""

import ast
import io
import re
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import rooms  # noqa: E402

PACKAGE = ROOT / "vaecourse"
SOURCES = sorted((ROOT / "vaecourse").rglob("*.py"))
SCRIPTS = sorted(
    path for folder in ("tools", "benchmarks", "tests") for path in (ROOT / folder).rglob("*.py")
)

# Whom the files of a room import. Rooms are the modules and folders directly under vaecourse/. The
# package itself, "vaecourse", imports nearly all of them, so only a leaf may ask it.
KNOWS = {
    "checks": "",
    "commands": "checks data evaluation pretrained runtime training",
    "data": "checks runtime",
    "diagrams": "runtime",
    "distributions": "checks runtime",
    "divergences": "checks",
    "doctor": "data runtime vaecourse",
    "embedding": "checks data distributions evaluation models objectives runtime schedules "
    "training",
    "evaluation": "checks data distributions models objectives runtime schedules",
    "exercises": "data distributions divergences models runtime",
    "experiments": "data distributions evaluation models networks objectives results runtime "
    "schedules training vaecourse",
    "interactive": "data distributions evaluation latents models objectives plots runtime",
    "latents": "",
    "models": "checks data distributions networks runtime",
    "networks": "checks",
    "notebooks": "runtime vaecourse",
    "objectives": "checks data divergences models runtime",
    "oracle": "data distributions models networks",
    "plots": "data runtime",
    "pretrained": "data models objectives runtime schedules training",
    "results": "",
    "runtime": "checks",
    "schedules": "checks",
    "training": "checks data evaluation objectives runtime schedules",
}
LEAVES = {
    "commands",
    "doctor",
    "experiments",
    "exercises",
    "interactive",
    "embedding",
    "notebooks",
    "__main__",
}


def test_every_arrow_between_rooms_is_said_and_is_used():
    assert rooms.by_room(PACKAGE) == {name: set(others.split()) for name, others in KNOWS.items()}


def test_no_room_reaches_itself_and_none_a_leaf():
    said = {name: set(others.split()) - {"vaecourse"} for name, others in KNOWS.items()}
    for name in said:
        assert name not in rooms.reached(name, said)
        assert not said[name] & LEAVES


def test_only_a_leaf_asks_the_package_itself():
    assert {
        name for name, others in rooms.by_room(PACKAGE).items() if "vaecourse" in others
    } <= LEAVES


def test_the_rooms_are_the_arrow():
    """Network, head, model, objective, fit: none looks at one that comes after it."""
    said = {name: set(others.split()) for name, others in KNOWS.items()}
    for place, name in enumerate(rooms.ARROW):
        assert not rooms.reached(name, said) & set(rooms.ARROW[place + 1 :])


def test_a_training_walks_the_arrow_and_the_rooms_beside_it():
    walk = set(rooms.walked())
    beside = {"data", "schedules", "divergences", "evaluation", "checks", "runtime"}
    assert set(rooms.ARROW) <= walk <= beside | set(rooms.ARROW)


def test_no_file_but_the_contents_lists_chapters():
    """A reference to one chapter or two is no list."""
    chapters = [path.stem for path in (ROOT / "book").glob("*.ipynb")]
    places = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "Makefile", "_config.yml")]
    for path in [*SOURCES, *SCRIPTS, *places, *(ROOT / "book").rglob("*.md")]:
        text = path.read_text(encoding="utf-8")
        assert sum(name in text for name in chapters) < 3, f"{path} lists chapters; ask _toc.yml"


def test_the_imports_are_read_from_functions_too(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        "def f():\n    from vaecourse.plots import grid\n    import vaecourse.data.labels\n"
        "    import vaecourse as vae\n    from vaecourse import models",
        encoding="utf-8",
    )
    assert rooms.imported_rooms(path) == {"plots", "data", "vaecourse", "models"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_small(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            start = first.end_lineno if documented else node.lineno
            length = node.end_lineno - start
            assert length < 40, f"{node.name} has {length} lines below its docstring"


def faults(tree):
    """Name the things that the package does without, wherever they stand in ``tree``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            yield node.lineno, "assert"
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            yield node.lineno, "bare except"
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
        if {"pickle", "dill", "cloudpickle", "shelve"} & {name.split(".")[0] for name in modules}:
            yield node.lineno, "pickle"
        if not isinstance(node, ast.Call):
            continue
        call = ast.unparse(node.func)
        if call.endswith(".cuda") or call in ("plt.show", "torch.save", "pyplot.show"):
            yield node.lineno, call
        if call in ("torch.manual_seed", "np.random.seed", "numpy.random.seed", "random.seed"):
            yield node.lineno, call


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_package_has_none_of_the_things_it_does_without(path):
    assert list(faults(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    [
        "assert x",
        "try:\n    f()\nexcept:\n    pass",
        "import pickle",
        "from pickle import load",
        "model.cuda()",
        "plt.show()",
        "torch.save(model, path)",
        "torch.manual_seed(0)",
    ],
)
def test_each_fault_would_be_found(code):
    assert len(list(faults(ast.parse(code)))) == 1


def prose_free(text):
    """Return the source with comments and docstrings taken out: only what runs."""
    docstrings = set()
    for node in ast.walk(ast.parse(text)):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            docstrings |= set(range(body[0].lineno, body[0].end_lineno + 1))
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    kept = [t.string for t in tokens if t.type != tokenize.COMMENT and t.start[0] not in docstrings]
    return " ".join(kept)


def texts_in_any_encoding(tree):
    """Name the calls that read or write text in whatever encoding the system is set to."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        call, given = ast.unparse(node.func), {keyword.arg for keyword in node.keywords}
        words = [str(value.value) for value in node.args if isinstance(value, ast.Constant)]
        modes = [word for word in words if re.fullmatch(r"[rwax][bt+]*", word)]
        name = call.rsplit(".", 1)[-1]
        of_path = name == "open" and len(modes) == len(node.args) and given <= {"newline"}
        opens = call in ("open", "os.fdopen") or of_path
        text = name in ("read_text", "write_text") or (opens and "b" not in "".join(modes))
        text |= name in ("run", "Popen", "check_output") and "text" in given
        if text and "encoding" not in given and "utf-8" not in words:
            yield node.lineno, call


@pytest.mark.parametrize("path", SOURCES + SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_text_is_utf_8_on_every_system(path):
    assert list(texts_in_any_encoding(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("path.read_text()", 1),
        ("open(path)", 1),
        ("path.open('w')", 1),
        ("path.open()", 1),
        ("subprocess.run(command, text=True)", 1),
        ("path.write_text(text, encoding='utf-8')", 0),
        ("resource.read_text('utf-8')", 0),
        ("open(path, 'rb')", 0),
        ("path.open('rb')", 0),
        ("tarfile.open(path)", 0),
    ],
)
def test_text_in_any_encoding_would_be_found(code, count):
    assert len(list(texts_in_any_encoding(ast.parse(code)))) == count


# The addresses that code may name: SVG's namespace, a test's own server or a host that cannot
# exist. One file alone knows where data sets are downloaded.
ALLOWED_HOSTS = r"www\.w3\.org/|127\.0\.0\.1|localhost|[\w.-]+\.invalid"
PRIVATE = PACKAGE / "runtime" / "private.py"
HIDDEN = re.compile(r"torch(\.\w+)*\._(?!_)\w+")


def private_names(tree):
    """Yield what a file takes from PyTorch that begins with an underscore."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and HIDDEN.fullmatch(ast.unparse(node)):
            yield ast.unparse(node)
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name for name in names if name.startswith("torch.") and "._" in name)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_private_names_of_torch_stand_in_one_file(path):
    found = list(private_names(ast.parse(path.read_text(encoding="utf-8"))))
    assert path == PRIVATE or found == []


def test_private_names_are_seen():
    text = "import torch\nfrom torch.utils._python_dispatch import M\ntorch._C.f()\ntorch.nn.Linear"
    assert list(private_names(ast.parse(text))) == ["torch.utils._python_dispatch.M", "torch._C"]


def names_of_other_files(tree):
    """Yield the underscored names that a file takes from another of this package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "vaecourse":
            yield from (alias.name for alias in node.names if re.match(r"_(?!_)", alias.name))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_underscored_name_is_for_its_own_file(path):
    assert list(names_of_other_files(ast.parse(path.read_text(encoding="utf-8")))) == []


def test_underscored_names_are_seen():
    text = "def f():\n    from vaecourse.plots.lines import _spread, curves\nfrom math import _x"
    assert list(names_of_other_files(ast.parse(text))) == ["_spread"]


SOURCES_OF_DATA = ROOT / "vaecourse" / "data" / "sources.py"
NO_HOST = re.compile(rf"https?://(?!{ALLOWED_HOSTS})[\w{{]")
MACHINE_PATH = re.compile(r"(?<![\w.<])/(?:tmp|root|work|home|Users|farm)/\w")


@pytest.mark.parametrize("path", SOURCES + SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_names_no_host_and_no_machine_path(path):
    code = prose_free(path.read_text(encoding="utf-8"))
    assert path == SOURCES_OF_DATA or not NO_HOST.findall(code)
    assert not MACHINE_PATH.findall(code)
