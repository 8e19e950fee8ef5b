"""Diagrams: well-formed, described in words, alone on their ids, and nothing collides."""

import sys
import xml.etree.ElementTree as ET
from itertools import combinations
from pathlib import Path

import pytest
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from vaecourse import diagrams

ROOT = Path(__file__).parent.parent
SVG = "{http://www.w3.org/2000/svg}"
ROWS = {
    "First": [
        (0, "Welcome", True),
        (1, "Autoencoders", True),
        (2, "The ELBO", False),
        (3, "M2", False),
    ],
    "Second": [(4, "Tighter bounds", False)],
}
EXAMPLES = {
    "autoencoder": diagrams.autoencoder_diagram,
    "vae": diagrams.vae_diagram,
    "plate": diagrams.plate_diagram,
    "m2": diagrams.m2_diagram,
    "plain gradient": lambda: diagrams.computation_graph(False),
    "reparameterized": lambda: diagrams.computation_graph(True),
    "consistency": diagrams.consistency_diagram,
    "map": lambda: diagrams.course_map(ROWS),
    "variants": diagrams.variants_map,
}


def course_map_script():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import draw_diagrams
    finally:
        sys.path.remove(str(ROOT / "tools"))
    return draw_diagrams


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


def test_map_names_its_chapters_and_fills_the_written_ones():
    diagram = diagrams.course_map(ROWS)
    root = ET.fromstring(diagram.svg())
    filled = [element.get("fill") != "none" for element in root.iter(f"{SVG}rect")]
    assert filled == [True, True, False, False, False]
    assert "To come: 2, 3, 4." in diagram.description
    for _, title, _ in [*ROWS["First"], *ROWS["Second"]]:
        assert title in diagram.description


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"only": ROWS["First"]}, r"four chapters each.*got \[4\]"),
        ({"a": ROWS["Second"], "b": ROWS["First"]}, r"got \[1, 4\]"),
        ({**ROWS, "Second": [(4, "word " * 12, True)]}, "must fit two lines"),
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


def test_the_map_on_the_welcome_page_is_up_to_date(tmp_path):
    target = tmp_path / "course-map.svg"
    course_map_script().draw().save(target)
    stored = ROOT / "book" / "_static" / "course-map.svg"
    assert stored.read_bytes() == target.read_bytes(), "run python tools/draw_diagrams.py"


def test_the_map_shows_sixteen_chapters():
    titles = [t for group in course_map_script().CHAPTERS.values() for t in group]
    assert [number for number, _ in titles] == list(range(16))
    boxes = text_boxes(ET.fromstring(course_map_script().draw().svg()))
    for one, two in combinations(boxes, 2):
        across = min(one[2], two[2]) - max(one[1], two[1])
        down = min(one[4], two[4]) - max(one[3], two[3])
        assert across <= 0 or down <= 0, f"{one[0]!r} lies on {two[0]!r}"
