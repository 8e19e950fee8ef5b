"""Every figure: it keeps its style, changes no global state, and no text collides."""

import base64
import io
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from bs4 import BeautifulSoup
from matplotlib import _pylab_helpers
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from plot_examples import COLOR, EXAMPLES

from vaecourse import plots
from vaecourse.plots.show import DARK_FILTER


def drawn_texts(figure, monkeypatch):
    """Return (text, box, size) of every text that drawing the figure really draws."""
    texts, draw = [], Text.draw

    def record(self, renderer):
        if self.get_visible() and self.get_text().strip():
            texts.append(self)
        draw(self, renderer)

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    with monkeypatch.context() as patch:
        patch.setattr(Text, "draw", record)
        canvas.draw()
    renderer = canvas.get_renderer()
    return [(t.get_text(), t.get_window_extent(renderer), t.get_fontsize()) for t in texts]


def test_every_function_has_an_example():
    assert set(EXAMPLES) == {name for name in plots.__all__ if name.islower()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_returns_a_figure_and_changes_no_global_state(name):
    before = dict(mpl.rcParams)
    figure = EXAMPLES[name]()
    picture, metadata = figure._repr_png_()
    assert isinstance(figure, Figure)
    assert picture.startswith(b"\x89PNG")
    pixels = int.from_bytes(picture[16:20], "big")
    assert metadata == {"width": pytest.approx(pixels / 2, abs=1)}
    assert figure.get_figwidth() <= 7.5
    assert dict(mpl.rcParams) == before
    assert not _pylab_helpers.Gcf.figs


@pytest.mark.parametrize("name", EXAMPLES)
def test_texts_are_large_inside_and_apart(name, monkeypatch):
    figure = EXAMPLES[name]()
    texts = drawn_texts(figure, monkeypatch)
    for text, place, size in texts:
        assert size >= 9, text
        inside = figure.bbox.padded(0.5)
        assert inside.x0 <= place.x0 <= place.x1 <= inside.x1, text
        assert inside.y0 <= place.y0 <= place.y1 <= inside.y1, text
    for (first, a, _), (second, b, _) in combinations(texts, 2):
        width = min(a.x1, b.x1) - max(a.x0, b.x0)
        height = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert width <= 1 or height <= 1, f"{first!r} lies on {second!r}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_axes_say_what_they_show(name):
    pictures = {"images", "reconstructions", "interpolations"}
    figure = EXAMPLES[name]()
    labels = [text for text in (figure.get_supxlabel(), figure.get_supylabel()) if text]
    for axes in figure.axes:
        labels += [axes.get_xlabel(), axes.get_ylabel(), *(t.get_text() for t in axes.texts)]
    assert any(labels) or name in pictures


def test_style_holds_when_the_settings_of_the_moment_differ():
    plain = EXAMPLES["curves"]()._repr_png_()[0]
    with mpl.rc_context({"xtick.major.size": 20, "axes.facecolor": "red", "font.size": 30}):
        figure = EXAMPLES["curves"]()
        assert figure._repr_png_()[0] == plain


def test_a_notebook_shows_one_sharp_picture_with_and_without_the_inline_backend():
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    draw = "plots.images(np.zeros((3, 8, 8)))"
    sources = ["import numpy as np\nfrom vaecourse import plots", draw, "%matplotlib inline", draw]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=120).execute()
    plain, inline = notebook.cells[1].outputs, notebook.cells[3].outputs
    for outputs in (plain, inline):
        assert [output.output_type for output in outputs] == ["execute_result"]
        assert set(outputs[0].data) == {"image/png", "text/html", "text/plain"}
        assert outputs[0].metadata["image/png"]["width"] < 300
    assert plain[0].data["image/png"] == inline[0].data["image/png"]


def pixels(data):
    """Return the pixels of a picture, (height, width, channels)."""
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize("name", EXAMPLES)
def test_paper_is_the_page_in_the_book_and_white_elsewhere(name, monkeypatch):
    monkeypatch.setenv("VAECOURSE_STATIC", "0")
    assert (pixels(EXAMPLES[name]()._repr_png_()[0])[0, 0] == 255).all()
    monkeypatch.setenv("VAECOURSE_STATIC", "1")
    figure = EXAMPLES[name]()
    corners = pixels(figure._repr_png_()[0])[[0, -1]][:, [0, -1], 3]
    assert (corners == 0).all()
    assert figure._repr_html_() is None and figure._repr_jpeg_() is None


def test_a_figure_beside_a_kernel_follows_dark_pages(monkeypatch):
    monkeypatch.setenv("VAECOURSE_STATIC", "0")
    html = BeautifulSoup(EXAMPLES["curves"]()._repr_html_(), "html.parser")
    assert html.img["alt"] == "Figure: dimensions, error"
    picture = base64.b64decode(html.img["src"].partition(",")[2])
    assert pixels(picture)[0, 0, 3] == 0
    assert "data-jp-theme-light" in html.style.text and DARK_FILTER in html.style.text


@pytest.mark.parametrize("static", ["0", "1"])
def test_photographs_are_jpegs_whose_colors_no_page_turns(static, monkeypatch):
    monkeypatch.setenv("VAECOURSE_STATIC", static)
    figure = plots.images(COLOR)
    assert figure._repr_png_() is None and figure._repr_html_() is None
    picture, metadata = figure._repr_jpeg_()
    assert pixels(picture)[0, 0].min() > 250
    assert metadata["width"] == pytest.approx(pixels(picture).shape[1] / 2, abs=1)


AWKWARD = ["$", "$a_{$", "$\\nope$", "costs $5 or $6_$", "a_b", "two\nlines $_$", "é ü 猫"]


@pytest.mark.parametrize("name", AWKWARD)
@pytest.mark.filterwarnings("ignore:Glyph")
def test_any_name_of_a_reader_can_be_drawn(name, monkeypatch):
    """The names of classes, factors and bars, and titles, come from readers' files."""
    counts = [[2, 1], [1, 2]]
    figures = [
        plots.confusion(counts, names=[name, "b"]),
        plots.terms({name: {"rate": 1.0, "distortion": 2.0}}),
        plots.factor_matrix({name: counts}, factors=[name, "b"]),
    ]
    for figure in figures:
        shown = [text.replace(" ", "_") for text, _, _ in drawn_texts(figure, monkeypatch)]
        assert name.replace(" ", "_") in shown


def test_formulas_are_still_set(monkeypatch):
    figure = plots.activity([0.9, 0.5])
    figure.canvas.draw()
    (label,) = [text for text in figure.findobj(Text) if text.get_text() == "activity $A_u$"]
    assert label.get_parse_math()
