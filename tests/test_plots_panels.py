"""Small multiples: every density keeps its values, its place and its own color scale."""

import numpy as np
import pytest

from vaecourse.plots import density_panels

EXTENT = (-1.0, 2.0, 0.0, 1.0)


def test_each_panel_holds_its_density_on_its_own_scale():
    low, high = np.linspace(0, 1, 12).reshape(3, 4), np.linspace(0, 50, 12).reshape(3, 4)
    figure = density_panels({"low": low, "high": high}, EXTENT)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["low", "high"]
    for axes, values in zip(figure.axes, (low, high), strict=True):
        (image,) = axes.get_images()
        np.testing.assert_array_equal(image.get_array(), values)
        assert image.get_clim() == (0, values.max())
        assert tuple(image.get_extent()) == EXTENT
        assert image.origin == "lower"


def test_five_panels_break_into_rows_and_hide_the_rest():
    figure = density_panels({str(i): np.ones((2, 2)) for i in range(5)}, EXTENT)
    assert sum(axes.get_visible() for axes in figure.axes) == 5
    tops = {round(axes.get_subplotspec().rowspan.start) for axes in figure.axes}
    assert tops == {0, 1}


@pytest.mark.parametrize(
    ("densities", "extent", "words"),
    [
        ({}, EXTENT, "at least one density"),
        ({"log": np.full((2, 2), -1.0)}, EXTENT, "'log' must be at least 0"),
        ({"flat": np.ones(4)}, EXTENT, "'flat' must have 2 dimension"),
        ({"flat": np.ones((2, 2))}, (1.0, 0.0, 0.0, 1.0), "extent must be"),
    ],
)
def test_errors_name_what_is_wrong(densities, extent, words):
    with pytest.raises(ValueError, match=words):
        density_panels(densities, extent)
