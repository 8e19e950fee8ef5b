"""Matrices of units over factors: numbers, emphasis, shared scale, and the refusals."""

import numpy as np
import pytest

from vaecourse import plots

MATRIX = np.array([[0.1, 0.9], [0.5, 0.2], [0.0, 0.3]])
FACTORS = ["slant", "position_x"]


def _texts(axes):
    return [text.get_text() for text in axes.texts]


def test_every_cell_has_its_number_in_its_place():
    axes = plots.factor_matrix({"one": MATRIX}, FACTORS).axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), MATRIX)
    for text in axes.texts:
        column, row = text.get_position()
        assert text.get_text() == f"{MATRIX[row, column]:.2f}"
    assert len(axes.texts) == MATRIX.size
    assert axes.get_title(loc="left") == "one"


def test_the_best_unit_of_each_factor_is_bold():
    axes = plots.factor_matrix({"one": MATRIX}, FACTORS).axes[0]
    bold = [text.get_text() for text in axes.texts if text.get_fontweight() == "bold"]
    assert bold == ["0.90", "0.50"]


def test_panels_share_one_scale_and_may_differ_in_units():
    figure = plots.factor_matrix({"one": MATRIX, "two": 2 * MATRIX[:2]}, FACTORS, digits=1)
    assert {axes.images[0].get_clim() for axes in figure.axes} == {(0.0, 1.8)}
    assert [len(axes.get_yticklabels()) for axes in figure.axes] == [3, 2]
    assert _texts(figure.axes[1])[1] == "1.8"


def test_names_stand_at_rows_and_columns():
    axes = plots.factor_matrix({"one": MATRIX}, FACTORS, units=list("abc")).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["slant", "position x"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]


def test_a_matrix_of_zeros_can_be_drawn():
    plots.factor_matrix({"one": 0 * MATRIX}, FACTORS)._repr_png_()


@pytest.mark.parametrize(
    ("matrices", "options", "message"),
    [
        ({}, {}, "at least one matrix"),
        ({"one": MATRIX[:, :1]}, {}, r"column per factor \(2\), got shape \(3, 1\)"),
        ({"one": MATRIX}, {"units": ["a"]}, "a row per unit"),
        ({"one": -MATRIX}, {}, "must be at least 0, got -0.9"),
    ],
)
def test_what_does_not_fit_is_refused(matrices, options, message):
    with pytest.raises(ValueError, match=message):
        plots.factor_matrix(matrices, FACTORS, **options)
