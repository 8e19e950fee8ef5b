"""Results by model: dots, intervals, published values, colors by group, and the refusals."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from vaecourse import plots

GROUPS = {
    "labeled images": [("pixels", 25.4, 2.0, None), ("network", 24.6, 1.8, 25.81)],
    "all images": [("M2", 12.0, None, 11.97), ("elsewhere", None, None, 3.33)],
}


@pytest.fixture
def axes():
    return plots.results(GROUPS, digits=1).axes[0]


def open_marks(axes):
    """Return the published values that were drawn, and their lines."""
    found = [line for line in axes.lines if line.get_marker() == "D"]
    return [(line.get_xdata()[0], line.get_ydata()[0]) for line in found]


def test_every_value_stands_in_its_row(axes):
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    assert [(d.get_xdata()[0], d.get_ydata()[0]) for d in dots] == [(25.4, 0), (24.6, 1), (12.0, 2)]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [
        row[0] for part in GROUPS.values() for row in part
    ]
    assert axes.get_ylim()[0] > axes.get_ylim()[1], "the first row is not on top"


def test_published_values_are_open_and_beside_ours(axes):
    assert open_marks(axes) == [(25.81, 1), (11.97, 2), (3.33, 3)]
    marks = [line for line in axes.lines if line.get_marker() == "D"]
    assert all(to_rgba(mark.get_markerfacecolor())[3] == 0 for mark in marks)


def test_intervals_reach_as_far_as_they_should(axes):
    bars = [bar.get_segments()[0] for bar in axes.collections]
    ends = [(bar[:, 0].min(), bar[:, 0].max()) for bar in bars]
    np.testing.assert_allclose(ends, [(23.4, 27.4), (22.8, 26.4), (12.0, 12.0)])


def test_written_values_say_when_there_is_no_interval(axes):
    assert [t.get_text() for t in axes.texts] == ["25.4 ± 2.0", "24.6 ± 1.8", "12.0", "3.3"]


def test_a_group_has_one_color_and_the_legend_names_it():
    figure = plots.results(GROUPS)
    axes, legend = figure.axes[0], figure.legends[0]
    dots = [line.get_color() for line in axes.lines if line.get_marker() == "o"]
    assert dots[0] == dots[1] != dots[2]
    words = [text.get_text() for text in legend.get_texts()]
    assert words == ["labeled images", "all images", "published"]
    assert [handle.get_color() for handle in legend.legend_handles[:2]] == [dots[0], dots[2]]


def test_errors_begin_at_zero_and_none_is_cut_off(axes):
    low, high = axes.get_xlim()
    assert low == 0
    assert high > 27.4


def test_no_published_value_no_mark():
    figure = plots.results({"ours": [("pixels", 25.4, None, None)]})
    assert not open_marks(figure.axes[0])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["ours"]


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({}, "got 0 with 0 rows"),
        ({"a": []}, "got 1 with 0 rows"),
        ({str(k): [("one", 1.0, None, None)] for k in range(5)}, "1 to 4"),
        ({"a": [("one", None, None, None)]}, "'one' must have a finite value"),
        ({"a": [("one", float("nan"), None, None)]}, "'one' must have a finite value"),
        ({"a": [("one", 1.0, float("inf"), None)]}, "'one' must have a finite value"),
        ({"a": [("one", 1.0, -0.1, None)]}, "interval of 'one'"),
        ({"a": [("one", None, 0.1, 2.0)]}, "interval of 'one'"),
    ],
)
def test_what_does_not_fit_is_named(groups, message):
    with pytest.raises(ValueError, match=message):
        plots.results(groups)


OURS = {"network": {1000: 9.0, 100: 24.6}, "M1": {100: 21.0}}
OTHERS = {"network": {100: 25.8, 3000: 6.0}, "M1+M2": {100: 3.3, 3000: 2.2}}


def test_lines_run_by_number_of_labels():
    axes = plots.label_counts(OURS, OTHERS).axes[0]
    drawn = [line.get_xydata().tolist() for line in axes.lines]
    assert drawn[0] == [[100, 24.6], [1000, 9.0]]
    assert drawn[1] == [[100, 21.0]]
    assert drawn[2:] == [[[100, 25.8], [3000, 6.0]], [[100, 3.3], [3000, 2.2]]]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")


def test_published_lines_are_open_dotted_and_colored_like_ours():
    ours, _, theirs, other = plots.label_counts(OURS, OTHERS).axes[0].lines
    assert ours.get_color() == theirs.get_color() != other.get_color()
    assert ours.get_linestyle() == "-" and theirs.get_linestyle() != "-"
    assert to_rgba(theirs.get_markerfacecolor()) == (1, 1, 1, 1)


def test_each_name_stands_once_beside_its_end():
    axes = plots.label_counts(OURS, OTHERS).axes[0]
    assert [text.get_text() for text in axes.texts] == ["network", "M1", "M1+M2"]
    ticks = [tick.get_text() for tick in axes.get_xticklabels()]
    assert ticks == ["100", "1k", "3k"]


TOO_MANY = {f"model {k}": {100: 1.0} for k in range(7)}


@pytest.mark.parametrize("ours", [{}, TOO_MANY, {"a": {}}, {"a": {100: 0.0}}, {"a": {0: 1.0}}])
def test_no_line_without_positive_errors(ours):
    with pytest.raises(ValueError, match=r"1 to 6 models|'a' must have positive errors"):
        plots.label_counts(ours)
