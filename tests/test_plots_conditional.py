"""Images by class and bounds by class: the data drawn, and the refusals."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from vaecourse import plots

RNG = np.random.default_rng(11)
IMAGES = RNG.random((3, 4, 1, 28, 28))
GIVEN = RNG.random((3, 1, 28, 28))
BOUNDS = np.array([-110.0, -95.0, -130.0, -96.5])
SHARES = np.array([0.05, 0.8, 0.05, 0.1])


def _pictures(axes):
    return [np.asarray(artist.get_array()) for artist in axes.images]


def test_a_grid_draws_every_style_and_class_in_reading_order():
    (axes,) = plots.class_grid(IMAGES).axes
    np.testing.assert_array_equal(_pictures(axes), IMAGES.reshape(12, 28, 28))
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "1", "2", "3"]
    for index, artist in enumerate(axes.images):
        left, right, bottom, top = artist.get_extent()
        assert (int(left), int(top)) == (index % 4, index // 4)
        assert axes.get_xticks()[index % 4] == pytest.approx((left + right) / 2)
        assert bottom > top


def test_the_originals_stand_to_the_left_of_their_row():
    (axes,) = plots.class_grid(IMAGES, GIVEN, names=list("abcd")).axes
    pictures = _pictures(axes)
    for row in range(3):
        np.testing.assert_array_equal(pictures[5 * row], GIVEN[row, 0])
        np.testing.assert_array_equal(pictures[5 * row + 1 : 5 * row + 5], IMAGES[row, :, 0])
    words = [tick.get_text() for tick in axes.get_xticklabels()]
    assert words == ["given", "a", "b", "c", "d"]
    assert axes.images[1].get_extent()[0] > axes.images[0].get_extent()[1]


def test_bars_hang_below_the_best_class_and_the_true_one_is_accented():
    figure = plots.class_bounds(
        {"one": (GIVEN[0], BOUNDS, SHARES), "two": (GIVEN[1, 0], -BOUNDS, SHARES)}, [1, 3]
    )
    picture, below, probability = figure.axes[:3]
    np.testing.assert_array_equal(_pictures(picture)[0], GIVEN[0, 0])
    np.testing.assert_allclose([bar.get_height() for bar in below.patches], BOUNDS - BOUNDS.max())
    np.testing.assert_allclose([bar.get_height() for bar in probability.patches], SHARES)
    for row, label in ((0, 1), (1, 3)):
        for axes in figure.axes[3 * row + 1 : 3 * row + 3]:
            accented = [to_hex(bar.get_facecolor()) == plots.ACCENT for bar in axes.patches]
            assert accented == [c == label for c in range(4)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.class_grid(IMAGES, names="ab"), "names must name 4"),
        (lambda: plots.class_grid(IMAGES, GIVEN[:2]), "one image per row"),
        (lambda: plots.class_grid(IMAGES[0, 0]), "dimension"),
        (lambda: plots.class_bounds({}, []), "at least one image"),
        (lambda: plots.class_bounds({"a": (GIVEN[0], BOUNDS, SHARES)}, [1, 2]), "one class"),
        (lambda: plots.class_bounds({"a": (GIVEN[0], BOUNDS, SHARES[:3])}, [1]), "one probability"),
        (lambda: plots.class_bounds({"a": (GIVEN[0], BOUNDS, BOUNDS)}, [1]), "between 0 and 1"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
