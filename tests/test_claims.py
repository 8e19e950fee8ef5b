"""What chapters claim: each assertion says its kind, and no description holds a measured number."""

import ast
import re
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import weather_report  # noqa: E402

CHAPTERS = sorted((ROOT / "book").rglob("*.ipynb"))
UNIT = r"(?: ?%| percent| nats?\b)"
COUNT = r"(?:\d+(?:\.\d+)?|[a-z]+ty|[a-z]+teen|two|three|four|five|six|seven|eight|nine|ten|twelve)"
MEASURED = re.compile(rf"\b(?!(?:95|100)(?: ?%| percent)){COUNT}{UNIT}")

every_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def cells(path):
    """Return the cells of a chapter."""
    return nbformat.v4.reads(path.read_text(encoding="utf-8")).cells


def unkind(source):
    """List the assertions of a cell that do not say their kind."""
    return [text for text, kind in weather_report.kinds(source) if kind is None]


def measured(alt):
    """List the numbers of an alt text that look measured: a quantity with its unit."""
    return MEASURED.findall(alt)


@every_chapter
def test_every_assertion_says_its_kind(path):
    found = [text for c in cells(path) if c.cell_type == "code" for text in unkind(c.source)]
    assert found == [], "end the line with # identity, # Monte Carlo or # outcome"


@every_chapter
def test_no_alt_text_holds_a_measured_number(path):
    for cell in cells(path):
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert measured(alt) == [], alt


@every_chapter
def test_a_chapter_knows_the_package_before_it_sets_a_seed(path):
    """The package shifts the seeds of `VAECOURSE_SEED_OFFSET` when it is imported."""
    code = "\n".join(c.source for c in cells(path) if c.cell_type == "code")
    tree = ast.parse(re.sub(r"^[%!].*$", "", code, flags=re.MULTILINE))
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    package = [n.lineno for n in imports if "vaecourse" in ast.unparse(n)]
    seeds = [n.lineno for n in ast.walk(tree) if "seed" in getattr(n, "attr", "")]
    assert min(package) < min([*seeds, len(code)])
    early = [n for n in imports if n.lineno < min(package) and isinstance(n, ast.ImportFrom)]
    assert not {a.name for n in early for a in n.names} & {
        "default_rng",
        "manual_seed",
        "Generator",
    }


@pytest.mark.parametrize(
    "source",
    [
        "assert x",
        "assert x  # identical",
        "# identity\nassert x",
        "assert (  # outcome\n    x\n)  # identity",
        "f(x)  # outcome\nassert x",
    ],
)
def test_an_assertion_without_a_kind_is_found(source):
    assert unkind(source) == ["x"]


@pytest.mark.parametrize("kind", ["identity", "Monte Carlo", "outcome"])
def test_an_assertion_with_a_kind_passes(kind):
    assert unkind(f"assert (\n    x\n)  # {kind}: for a reason") == []
    assert dict(weather_report.kinds(f"%time\nassert x  # {kind}")) == {"x": kind}


@pytest.mark.parametrize(
    "alt", ["It falls to 0.3 nats.", "about ninety percent", "below 4 %", "two nats"]
)
def test_a_measured_number_is_found(alt):
    assert measured(alt)


@pytest.mark.parametrize(
    "alt", ["A band of 95 % intervals.", "Over beta from 0.25 to 16.", "ten digits"]
)
def test_a_design_constant_passes(alt):
    assert not measured(alt)
