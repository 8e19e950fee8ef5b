"""Who may know whom, and what no file of the package may hold."""

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "vaecourse").rglob("*.py"))
SCRIPTS = sorted(
    path for folder in ("tools", "benchmarks", "tests") for path in (ROOT / folder).rglob("*.py")
)

# A room may import the rooms named here and whatever those may import. Rooms are the modules and
# subpackages directly under vaecourse/.
KNOWS = {
    "checks": "",
    "networks": "checks",
    "distributions": "checks",
    "data": "checks runtime",
    "negative_binomial": "checks private",
    "divergences": "checks",
    "runtime": "",
    "private": "",
    "identity": "",
    "not_finite": "",
    "seed_offset": "",
    "history": "",
    "machine": "",
    "terminal": "",
    "schedules": "checks",
    "models": "networks distributions data",
    "counts": "models negative_binomial",
    "semi_supervised": "models runtime",
    "classification": "semi_supervised",
    "checkpoints": "history",
    "priors": "checks",
    "amortization": "objectives runtime schedules",
    "oracle": "models data",
    "objectives": "semi_supervised divergences",
    "estimators": "models runtime",
    "evaluation": "objectives runtime",
    "latents": "models",
    "disentanglement": "checks",
    "plots": "",
    "results": "",
    "diagrams": "",
    "adam": "runtime",
    "shared_noise": "",
    "distributed": "data runtime shared_noise",
    "loop": "distributed not_finite objectives evaluation checkpoints history runtime schedules",
    "training": "adam identity loop seed_offset",
    "recipes": "training classification",
    "estimator": "recipes estimators latents",
    "experiments": "recipes estimators latents estimator results machine",
    "commands": "recipes",
    "doctor": "data runtime machine",
    "exercises": "recipes estimators latents oracle plots",
    "interactive": "recipes estimators latents oracle plots",
}
LEAVES = {"commands", "doctor", "experiments", "exercises", "interactive", "__main__"}
DOORS = {"__init__", "__main__"}


def room(path):
    """Return the room that a file lies in."""
    return path.relative_to(ROOT / "vaecourse").parts[0].removesuffix(".py")


def known(name):
    """Return every room that the room ``name`` may import, itself included."""
    rooms = {name}
    for other in KNOWS[name].split():
        rooms |= known(other)
    return rooms


def imported_rooms(path):
    """Return the rooms that a file imports, at the top or inside a function."""
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively on line {node.lineno}"
            names = [node.module]
            if node.module == "vaecourse":
                names = [f"vaecourse.{alias.name}" for alias in node.names]
        rooms |= {name.split(".")[1] for name in names if name.startswith("vaecourse.")}
    return rooms


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_room_imports_only_rooms_it_may_know(path):
    name = room(path)
    if name in DOORS:
        return
    assert name in KNOWS, f"say in KNOWS whom the new room {name!r} may know"
    strangers = imported_rooms(path) - known(name)
    assert not strangers, f"{name} may not import {', '.join(sorted(strangers))}"
    assert not imported_rooms(path) & (LEAVES - {name})


def test_the_imports_are_read_from_functions_too(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(
        "def f():\n    from vaecourse.plots import grid\n    import vaecourse.data.labels",
        encoding="utf-8",
    )
    assert imported_rooms(path) == {"plots", "data"}


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
SOURCES_OF_DATA = ROOT / "vaecourse" / "data" / "sources.py"
NO_HOST = re.compile(rf"https?://(?!{ALLOWED_HOSTS})[\w{{]")
MACHINE_PATH = re.compile(r"(?<![\w.<])/(?:tmp|root|work|home|Users|farm)/\w")


@pytest.mark.parametrize("path", SOURCES + SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_code_names_no_host_and_no_machine_path(path):
    code = prose_free(path.read_text(encoding="utf-8"))
    assert path == SOURCES_OF_DATA or not NO_HOST.findall(code)
    assert not MACHINE_PATH.findall(code)
