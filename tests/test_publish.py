"""What is published, and how: buttons, the zip of the book, workflows, the citation."""

import json
import re
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import launch  # noqa: E402
from zip_book import zip_book  # noqa: E402

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def groups():
    """Return buttons as the theme makes them."""
    opens = [{"text": "Binder", "tooltip": "Launch"}, {"text": "Colab", "tooltip": "Launch"}]
    downloads = [{"text": ".ipynb", "tooltip": "Download"}]
    return [
        {"label": "launch-buttons", "buttons": opens},
        {"label": "download-buttons", "buttons": downloads},
    ]


def test_a_chapter_can_be_opened_and_downloaded_and_says_what_needs_a_network():
    buttons = [one for group in launch.put_in_words(groups(), True) for one in group["buttons"]]
    assert [one["text"] for one in buttons] == ["Binder", "Open in Colab", "Download notebook"]
    assert ["network" in one["tooltip"] for one in buttons] == [True, True, False]


def test_a_page_that_is_no_chapter_can_only_be_downloaded():
    (left,) = launch.put_in_words(groups(), False)
    assert left["label"] == "download-buttons"


@pytest.mark.parametrize("owner", ["OWNER", "someone"])
def test_while_nobody_has_set_the_address_no_page_leads_to_it(owner):
    address = {"repository_url": f"https://host.invalid/{owner}/vaecourse"}
    app = SimpleNamespace(srcdir=ROOT, config=SimpleNamespace(html_theme_options=address))
    context = {"header_buttons": groups()}
    launch.change_buttons(app, min(launch.chapter_names(ROOT)), None, context, None)
    leads = "launch-buttons" in [group["label"] for group in context["header_buttons"]]
    assert leads is (owner != "OWNER")


def test_every_chapter_has_the_name_that_the_branch_gives_it():
    books = {f"book/{path.stem}" for path in (ROOT / "book").glob("*.ipynb")}
    assert launch.chapter_names(ROOT) == books


def test_a_downloaded_notebook_stands_alone_where_it_can(tmp_path):
    app = SimpleNamespace(builder=SimpleNamespace(format="html"), outdir=tmp_path)
    (tmp_path / "_sources").mkdir()
    codes = {"can": "glue('a', 1, display=False)", "cannot": "x = [glue('a', 1)]"}
    for name, code in codes.items():
        cell = nbformat.v4.new_code_cell(f"from myst_nb import glue\n{code}")
        notebook = nbformat.v4.new_notebook(cells=[cell])
        nbformat.write(notebook, tmp_path / f"_sources/{name}.ipynb")
    launch.change_downloads(app, None)
    can, cannot = (nbformat.read(tmp_path / f"_sources/{name}.ipynb", 4).cells for name in codes)
    assert [cell.source for cell in can][1:] == ["print('a', 1)"]
    assert [cell.source for cell in cannot] == [f"from myst_nb import glue\n{codes['cannot']}"]


def test_the_repository_stands_in_one_place():
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert config["launch_buttons"]["thebe"] is False
    address = config["repository"]["url"]
    assert re.fullmatch(r"https:/{2}github\.com/[\w-]+/[\w.-]+", address)
    for name in ("pyproject.toml", "README.md", "CITATION.cff", "book/intro.md"):
        assert address not in (ROOT / name).read_text(encoding="utf-8")


def test_the_zip_holds_every_page_in_one_folder(tmp_path):
    html = tmp_path / "html"
    (html / "book").mkdir(parents=True)
    (html / "index.html").write_text("<p>home", encoding="utf-8")
    (html / "book/one.html").write_text("<p>one", encoding="utf-8")
    assert zip_book(html, tmp_path / "out/book.zip") == 2
    with zipfile.ZipFile(tmp_path / "out/book.zip") as archive:
        names = archive.namelist()
        assert archive.read("vaecourse-book/book/one.html") == b"<p>one"
    assert sorted(names) == ["vaecourse-book/book/one.html", "vaecourse-book/index.html"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["book.zip"]


def test_there_is_no_zip_of_no_book(tmp_path):
    with pytest.raises(SystemExit, match="make book"):
        zip_book(tmp_path, tmp_path / "book.zip")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_reads_unless_a_job_asks_for_more_and_ends(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for job in workflow["jobs"].values():
        assert 0 < job["timeout-minutes"] <= 120
        needed = job.get("needs", [])
        assert set([needed] if isinstance(needed, str) else needed) <= set(workflow["jobs"])
        for step in job["steps"]:
            assert "uses" not in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
            made = re.search(r'^make TORCH="\$TORCH" ([a-z ]+)', step.get("run", ""))
            assert not made or set(made[1].split()) <= targets


def test_the_light_lock_file_is_what_binder_and_the_container_install():
    lines = (ROOT / ".binder/requirements.txt").read_text(encoding="utf-8").split()
    assert lines[0] == "-r" and (ROOT / ".binder" / lines[1]).resolve().is_file()
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert container["postCreateCommand"] == "make env TORCH=cpu"
