"""Diagrams: well-formed, described in words, alone on their ids, and nothing collides."""

import json
import sys
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path

import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from vaecourse import diagrams
from vaecourse.diagrams import variants

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import contents  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
ROWS = {
    "First": [(0, "Welcome"), (1, "Autoencoders"), (2, "The ELBO"), (3, "M2")],
    "Second": [(4, "Tighter bounds")],
}
UNEVEN = {
    "A path of six": [(n, f"Chapter {n}") for n in range(6)],
    "Branches": [(n, "A title that takes three lines of a box") for n in range(6, 15)],
}
EXAMPLES = {
    "autoencoder": diagrams.autoencoder_diagram,
    "vae": diagrams.vae_diagram,
    "plate": diagrams.plate_diagram,
    "m2": diagrams.m2_diagram,
    "plain gradient": lambda: diagrams.computation_graph(False),
    "reparameterized": lambda: diagrams.computation_graph(True),
    "consistency": diagrams.consistency_diagram,
    "map": lambda: diagrams.course_map(contents.rows()),
    "map of rows that are not full": lambda: diagrams.course_map(UNEVEN),
    "variants": diagrams.variants_map,
}


def runs(element, size, family):
    """Yield (text, size, family) of a text element's parts, in order."""
    size = float(element.get("font-size", size))
    family = element.get("font-family", family)
    if element.text:
        yield element.text, size, family
    for child in element:
        yield from runs(child, size, family)
        if child.tail:
            yield child.tail, size, family


def text_boxes(root):
    """Return (words, left, right, bottom, top) of every text, set in wide common fonts."""
    boxes = []
    for element in root.iter(f"{SVG}text"):
        width, words, size = 0.0, "", float(element.get("font-size"))
        for part, part_size, family in runs(element, size, "sans-serif"):
            font = "STIXGeneral" if "Times" in family else "DejaVu Sans"
            weight = element.get("font-weight")
            properties = FontProperties(family=[font, "DejaVu Sans"], weight=weight)
            solid = part.replace(" ", "n")  # outlines end at the last visible stroke
            width += TextPath((0, 0), solid, size=part_size, prop=properties).get_extents().x1
            words += part
        x, y = float(element.get("x")), float(element.get("y"))
        left = x - {"start": 0, "middle": width / 2, "end": width}[element.get("text-anchor")]
        boxes.append((words, left, left + width, y - 0.75 * size, y + 0.2 * size))
    return boxes


@pytest.fixture(params=EXAMPLES)
def diagram(request):
    return EXAMPLES[request.param]()


def test_is_described_for_those_who_do_not_see_it(diagram):
    root = ET.fromstring(diagram.svg())
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby").split() == [title.get("id"), description.get("id")]
    assert title.text == diagram.title
    assert len(description.text) > 60
    assert [child.tag for child in root][:2] == [f"{SVG}title", f"{SVG}desc"]


def test_ids_are_unique_even_when_shown_twice(diagram):
    ids = [
        element.get("id")
        for html in (diagram._repr_html_(), diagram._repr_html_(), EXAMPLES["vae"]()._repr_html_())
        for element in ET.fromstring(html).iter()
        if element.get("id")
    ]
    assert len(ids) == 6
    assert len(set(ids)) == len(ids)


def test_takes_its_ink_from_the_page_and_asks_no_host(diagram):
    svg = diagram.svg()
    assert "currentColor" in svg
    assert not {"black", "#000", "#000000"} & {e.get("fill") for e in ET.fromstring(svg).iter()}
    assert svg.count("http") == 1  # the name of the SVG namespace
    assert "<style" not in svg
    assert "<script" not in svg


def test_texts_lie_inside_and_apart(diagram):
    boxes = text_boxes(ET.fromstring(diagram.svg()))
    for words, left, right, top, bottom in boxes:
        assert left >= 0, words
        assert right <= diagram.width, words
        assert top >= 0, words
        assert bottom <= diagram.height, words
    for one, two in combinations(boxes, 2):
        across = min(one[2], two[2]) - max(one[1], two[1])
        down = min(one[4], two[4]) - max(one[3], two[3])
        assert across <= 0 or down <= 0, f"{one[0]!r} lies on {two[0]!r}"


def test_texts_do_not_cross_the_edges_of_boxes(diagram):
    root = ET.fromstring(diagram.svg())
    rectangles = [
        tuple(float(element.get(key)) for key in ("x", "y", "width", "height"))
        for element in root.iter(f"{SVG}rect")
    ]
    for words, left, right, top, bottom in text_boxes(root):
        for x, y, width, height in rectangles:
            outside = right <= x or left >= x + width or bottom <= y or top >= y + height
            inside = left >= x and right <= x + width and top >= y and bottom <= y + height
            assert outside or inside, words


def test_shapes_lie_inside_the_drawing(diagram):
    root = ET.fromstring(diagram.svg())
    for element in root.iter(f"{SVG}polygon"):
        for point in element.get("points").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= diagram.width
            assert 0 <= y <= diagram.height


def test_the_two_gradients_differ_where_they_should():
    plain, trick = diagrams.computation_graph(False), diagrams.computation_graph(True)
    words = ["".join(ET.fromstring(d.svg()).itertext()) for d in (plain, trick)]
    assert "no gradient passes a draw" in words[0]
    assert "ϵ" not in words[0].replace(plain.description, "")
    assert "the gradient flows back to ϕ" in words[1]


def test_computation_graph_wants_a_bool():
    with pytest.raises(TypeError, match="True or False, got 'yes'"):
        diagrams.computation_graph("yes")


@pytest.mark.parametrize(
    "rows", [ROWS, UNEVEN, {"Path": ROWS["First"][:1], "End": ROWS["First"][1:]}]
)
def test_map_has_a_box_and_an_arrow_for_every_chapter(rows):
    diagram = diagrams.course_map(rows)
    root = ET.fromstring(diagram.svg())
    chapters = [chapter for group in rows.values() for chapter in group]
    boxes = list(root.iter(f"{SVG}rect"))
    assert len(boxes) == len(chapters)
    assert len(list(root.iter(f"{SVG}polygon"))) == len(chapters) - 1  # all but the first
    for number, title in chapters:
        assert f"{number} {title}" in diagram.description


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"only": ROWS["First"]}, r"two or more.*got \[4\]"),
        ({"a": [], "b": ROWS["First"]}, r"got \[0, 4\]"),
        ({**ROWS, "Second": [(4, "word " * 15)]}, "must fit three lines"),
    ],
)
def test_map_refuses_what_it_cannot_lay_out(rows, message):
    with pytest.raises(ValueError, match=message):
        diagrams.course_map(rows)


def test_save_writes_the_whole_file_or_none(tmp_path, diagram):
    target = tmp_path / "drawing.svg"
    diagram.save(target)
    first = target.read_bytes()
    diagram.save(target)
    assert target.read_bytes() == first  # no counter in a file
    assert [path.name for path in tmp_path.iterdir()] == ["drawing.svg"]
    assert "var(" not in first.decode()
    ET.fromstring(first)


def test_the_map_of_the_book_has_the_pages_of_its_contents():
    chapters = [chapter for group in contents.rows().values() for chapter in group]
    assert chapters[0] == (0, "Welcome")
    assert [number for number, _ in chapters] == list(range(len(chapters)))
    titles = {
        json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"][0].strip("# \n")
        for path in (ROOT / "book").glob("*.ipynb")
    }
    assert {title for _, title in chapters[1:]} == titles


def test_a_row_of_the_map_must_begin_with_a_page(tmp_path):
    toc = "root: book/intro\nmeta:\n  map:\n    book/intro: One\n    book/02-gone: Two\n"
    (tmp_path / "_toc.yml").write_text(toc, encoding="utf-8")
    with pytest.raises(ValueError, match="heads a row of the map with book/02-gone, which is no"):
        contents.rows(tmp_path)


def test_the_variants_stand_in_the_chapters_of_the_contents(monkeypatch, tmp_path):
    numbers = {path.stem[3:]: path.stem[:2] for _, path in contents.chapters()}
    listed = [variant for *_, column in variants.COLUMNS for variant in column]
    words = diagrams.variants_map().description
    for chapter, name, _ in listed:
        assert f"{name} (chapter {int(numbers[chapter])})" in words
    toc = "parts:\n  - chapters:\n      - file: book/03-m2\n"
    (tmp_path / "_toc.yml").write_text(toc, encoding="utf-8")
    monkeypatch.setattr(variants, "CONTENTS", tmp_path / "_toc.yml")
    assert "M2 (chapter 3)" in diagrams.variants_map().description
    monkeypatch.setattr(variants, "CONTENTS", tmp_path / "gone")
    assert "chapter" not in diagrams.variants_map().description
