"""Names from a reader's own data: every one is in the figure, letter by letter."""

import warnings

import numpy as np
import pytest
from matplotlib.cbook import is_math_text
from matplotlib.text import Text
from plot_examples import AXIS, CODES, CONDITIONALS, EXTENT, GRAY, GRID, TARGET

from vaecourse import plots
from vaecourse.plots.style import MOST_CLASSES, class_color

HARD = [
    "_first",
    "$5 or $6",
    "US$",
    r"$\frac$",
    r"a\$b$",
    "$x$",
    "__",
    "naïve ☃",
    "$_$",
    "x^2_3",
    "7",
]
N = 120


def drawn(figure):
    """Draw a figure and return it; warnings are errors, but of a lacking glyph."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.draw_without_rendering()
    return figure


def letters(text):
    """Return what matplotlib draws of a text that is no formula."""
    assert not (text.get_parse_math() and is_math_text(text.get_text())), text
    return text.get_text().removeprefix("\u200b")


def in_legend(figure):
    (legend,) = figure.legends or [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    return legend.get_texts()


OF_CLASSES = {
    "latent_scatter": lambda y, **names: plots.latent_scatter(CODES[:N, :2], y, **names),
    "scatter_pairs": lambda y, **names: plots.scatter_pairs(CODES[:N], y, **names),
    "latent_histograms": lambda y, **names: plots.latent_histograms(CODES[:N], y, **names),
    "scatter_panels": lambda y, **names: plots.scatter_panels({"a": CODES[:N, :2]}, y, **names),
    "few_labels": lambda y, **names: plots.few_labels({"a": (CODES[:N, :2], y, [1])}, **names),
}
each = pytest.mark.parametrize("draw", OF_CLASSES.values(), ids=OF_CLASSES)


@each
def test_every_name_of_a_class_is_in_the_legend_letter_by_letter(draw):
    figure = drawn(draw(np.arange(N) % len(HARD), names=HARD))
    assert [letters(text) for text in in_legend(figure)[: len(HARD)]] == HARD


@each
def test_labels_may_be_the_names(draw):
    labels = [(*HARD, None, float("nan"))[i % 13] for i in range(N)]
    figure = drawn(draw(labels))
    found = [letters(text) for text in in_legend(figure)[: 1 + len(HARD)]]
    assert found == ["none", *sorted(HARD)]


@each
@pytest.mark.parametrize("count", [11, MOST_CLASSES])
def test_more_than_ten_classes_are_drawn(draw, count):
    figure = drawn(draw(np.arange(N) % count))
    found = [text.get_text() for text in in_legend(figure)]
    assert found[:count] == [str(code) for code in range(count)]
    assert len({class_color(code) for code in range(count)}) == count


@each
@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.arange(N) % (MOST_CLASSES + 1), f"labels name {MOST_CLASSES + 1} classes"),
        (np.full(N, 0.5), "labels holds 0.5, in row 0"),
        (np.full(N, -2), "labels holds -2, in row 0"),
        (["a", 1.5] * (N // 2), "'a' and 1.5"),
        (np.zeros(N - 1), f"got {N - 1} for {N}"),
    ],
)
def test_labels_that_are_none_are_refused_in_a_sentence(draw, labels, words):
    with pytest.raises((TypeError, ValueError), match=words):
        draw(labels)


@each
def test_whole_floats_and_nan_are_labels(draw):
    labels = np.where(np.arange(N) % 3 == 0, np.nan, np.arange(N) % 3)
    found = [text.get_text() for text in in_legend(drawn(draw(labels)))]
    assert found[:3] == ["none", "1", "2"]


def test_names_beside_matrices_and_grids_are_drawn_letter_by_letter():
    names = HARD[:3]
    figure = drawn(plots.confusion(np.eye(3) + 1, names=names))
    assert [letters(text) for text in figure.axes[0].get_xticklabels()] == names
    grid = GRAY[:6].reshape(2, 3, 1, 28, 28)
    figure = drawn(plots.class_grid(grid, names=names))
    assert [letters(text) for text in figure.axes[0].get_xticklabels()] == names
    figure = drawn(plots.factor_matrix({"a": np.ones((2, 3))}, ["a_b", "$5 or $6", 0.5]))
    words = [letters(text) for text in figure.axes[0].get_xticklabels()]
    assert words == ["a b", "$5 or $6", "0.5"]


IN_LEGENDS = {
    "terms": lambda label: plots.terms({"a": {label: 1.0, "rate": 2.0}}),
    "fitted_densities": lambda label: plots.fitted_densities(
        AXIS, CONDITIONALS.mean(0), {"one": {label: CONDITIONALS[0]}}
    ),
    "results": lambda label: plots.results({label: [("ours", 5.0, 0.4, None)]}),
}


@pytest.mark.parametrize("label", ["_own", None])
@pytest.mark.parametrize("kind", IN_LEGENDS)
def test_no_label_is_left_out_of_a_legend(kind, label):
    found = [text.get_text() for text in in_legend(drawn(IN_LEGENDS[kind](label)))]
    assert str(label) in [words.removeprefix("\u200b") for words in found]


DOLLARS = {
    "$x_1$": True,
    r"$q(z\mid x)$ and $p$": True,
    "$5 or $6": False,
    "US$5/US$6": False,
    "$ 5$": False,
    "$$": False,
    r"$\nothing$": False,
    "costs $5": False,
}


def test_dollars_enclose_formulas_and_are_money_else():
    figure = drawn(plots.curves([1, 2], {text: [1, 2] for text in DOLLARS}, "x", "y"))
    found = {text.get_text(): text for text in figure.findobj(Text)}
    for words, formula in DOLLARS.items():
        assert (found[words].get_parse_math() and is_math_text(words)) is formula, words


@pytest.mark.parametrize("key", [0.1, None, ("a", 1)])
def test_what_a_mapping_is_keyed_by_may_be_no_string(key):
    bars = {key: {"rate": 1.0}}
    figures = [
        plots.curves([1, 2], {key: [1, 2]}, "x", "y", references={key: 1.0}),
        plots.terms(bars),
        plots.comparison([(key, 1.0, None)]),
        plots.interpolations({key: GRAY}),
        plots.images({key: GRAY}),
        plots.reconstructions(GRAY, {key: GRAY}),
        plots.density_panels({key: GRID}, EXTENT),
        plots.scatter_panels({key: CODES[:N, :2]}, np.zeros(N)),
        plots.few_labels({key: (CODES[:N, :2], np.zeros(N), [])}),
        plots.factor_matrix({key: np.ones((2, 1))}, [key], units=[key, key]),
        plots.results({key: [(key, 5.0, 0.4, 4.5)]}),
        plots.label_counts({key: {100: 24.6, 600: 11.0}}),
        plots.sweep([key, key], {key: {key: [1, 2]}}, "x"),
        plots.fitted_densities(AXIS, CONDITIONALS.mean(0), {key: {key: CONDITIONALS[0]}}),
        plots.gaussian_paths({key: TARGET}, {key: ([[0, 0]], [np.eye(2)])}, [0]),
        plots.class_bounds({key: (GRAY[0], [-9, -5], [0.1, 0.6])}, [1]),
        plots.scatter_pairs(CODES[:N], np.zeros(N), axis_names=[key] * 4),
        plots.weighted_codes(
            {key: CODES[:9, :2]}, {key: np.ones(9)}, np.log(GRID), EXTENT, ([1, 0], np.eye(2))
        ),
    ]
    for figure in figures[:: 1 if key == 0.1 else len(figures)]:
        drawn(figure)
