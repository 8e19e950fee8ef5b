"""Points with few labels: the data drawn, the colors, the rings, and the refusals."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from vaecourse import plots

RNG = np.random.default_rng(5)
POINTS = RNG.normal(size=(60, 2))
CLASSES = np.arange(60) % 3
GIVEN = np.array([4, 17, 33])


def draw(**changes):
    """Draw one panel, with some of its parts replaced."""
    parts = {"points": POINTS, "classes": CLASSES, "given": GIVEN} | changes
    return plots.few_labels({"guess": tuple(parts.values())})


def test_every_point_is_drawn_once_in_the_color_of_its_class():
    dots = draw().axes[0].collections[0]
    drawn = np.asarray(dots.get_offsets())
    np.testing.assert_allclose(np.sort(drawn, axis=0), np.sort(POINTS, axis=0))
    for place, color in zip(drawn, dots.get_facecolors(), strict=True):
        point = np.abs(POINTS - place).sum(1).argmin()
        assert to_rgba(color, 1.0) == to_rgba(plots.DIGITS[CLASSES[point]])


def test_the_given_labels_are_ringed_on_top():
    dots, rings = draw().axes[0].collections
    np.testing.assert_array_equal(rings.get_offsets(), POINTS[GIVEN])
    wanted = [to_rgba(plots.DIGITS[label]) for label in CLASSES[GIVEN]]
    np.testing.assert_allclose(rings.get_facecolors(), wanted)
    assert rings.get_zorder() > dots.get_zorder()
    assert rings.get_sizes().min() > dots.get_sizes().max()


def test_points_without_a_class_are_gray_and_the_legend_says_so():
    classes = np.where(np.isin(np.arange(60), GIVEN), CLASSES, -1)
    figure = draw(classes=classes)
    colors = figure.axes[0].collections[0].get_facecolors()
    grays = [color for color in colors if np.ptp(color[:3]) < 0.1]
    assert len(grays) == 60 - len(GIVEN)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    present = sorted(set(CLASSES[GIVEN].tolist()))
    assert words == ["none", *map(str, present), "given"]


def test_no_label_need_be_given():
    assert not len(draw(given=[]).axes[0].collections[1].get_offsets())


def test_panels_keep_their_order_their_scales_and_their_rows():
    parts = (POINTS, CLASSES, GIVEN)
    figure = plots.few_labels({"a": parts, "b": parts, "c": parts}, columns=2, names=list("xyz"))
    shown = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in shown] == ["a", "b", "c"]
    assert len({axes.get_xlim() for axes in shown}) == 1
    assert [text.get_text() for text in figure.legends[0].get_texts()][:3] == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"points": RNG.normal(size=(60, 3))}, r"points of 'guess' must be \(N, 2\)"),
        ({"classes": CLASSES[:5]}, "one class per point"),
        ({"given": [60]}, "positions .* from 0 to 59"),
        ({"given": [-1]}, "positions .* from 0 to 59"),
    ],
)
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        draw(**changes)


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        plots.few_labels({})
    with pytest.raises(ValueError, match="at least one"):
        plots.few_labels({"a": (POINTS, CLASSES, GIVEN)}, columns=0)
