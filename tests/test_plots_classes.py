"""Sweeps, confusion matrices and panels of codes: the data drawn, and the refusals."""

import numpy as np
import pytest

from vaecourse import plots

RNG = np.random.default_rng(5)
COUNTS = np.array([[9, 1, 0], [2, 6, 2], [0, 0, 4]])
LABELS = np.arange(60) % 3
CODES = {"before": RNG.normal(size=(60, 2)), "after": 50 * RNG.normal(size=(60, 2))}
SETTINGS = [0, 1, 1000]
PANELS = {
    "error": {"validation": [9.0, 7.0, 8.0], "training": [5.0, 1.0, 0.0]},
    "bound": {"-ELBO": [99.0, 100.0, 120.0]},
}


def test_a_sweep_draws_every_line_in_its_panel_at_even_places():
    error, bound = plots.sweep(SETTINGS, PANELS, "multiplier").axes
    for axes, name in ((error, "error"), (bound, "bound")):
        assert axes.get_ylabel() == name
        drawn = {line.get_label(): line.get_xydata() for line in axes.lines}
        assert set(drawn) == set(PANELS[name])
        for label, points in drawn.items():
            np.testing.assert_array_equal(points, np.c_[range(3), PANELS[name][label]])
    assert [tick.get_text() for tick in bound.get_xticklabels()] == ["0", "1", "1000"]


def test_a_sweep_draws_intervals_around_their_line_and_references_in_their_panel():
    half = np.array([1.0, 2.0, 0.5])
    options = {"intervals": {"validation": half}, "references": {"raw": ("error", 24.0)}}
    error, bound = plots.sweep(SETTINGS, PANELS, "multiplier", **options).axes
    assert not bound.collections
    edges = error.collections[0].get_paths()[0].vertices
    for place, middle in enumerate(PANELS["error"]["validation"]):
        heights = edges[edges[:, 0] == place, 1]
        assert {heights.min(), heights.max()} == {middle - half[place], middle + half[place]}
    assert [line.get_ydata()[0] for line in error.lines if line.get_label() == "raw"] == [24.0]
    assert len(bound.lines) == 1


@pytest.mark.parametrize(
    ("panels", "options"),
    [
        ({}, {}),
        ({"error": {}}, {}),
        ({"error": {"validation": [1.0, 2.0]}}, {}),
        (PANELS, {"intervals": {"test": [1, 1, 1]}}),
        (PANELS, {"intervals": {"validation": [1, 1]}}),
        (PANELS, {"references": {"raw": ("accuracy", 1.0)}}),
    ],
)
def test_a_sweep_refuses_what_does_not_fit(panels, options):
    with pytest.raises(ValueError, match=r"every panel needs|one per setting"):
        plots.sweep(SETTINGS, panels, "multiplier", **options)


def test_a_confusion_matrix_writes_counts_and_shades_shares_of_a_row():
    axes = plots.confusion(COUNTS).axes[0]
    shares = axes.images[0].get_array()
    np.testing.assert_allclose(shares, COUNTS / COUNTS.sum(1, keepdims=True))
    written = {text.get_position()[::-1]: int(text.get_text()) for text in axes.texts}
    assert written == {(i, j): COUNTS[i, j] for i, j in np.argwhere(COUNTS)}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("prediction", "label")


def test_a_confusion_matrix_names_its_classes():
    names = ["cat", "dog", "owl"]
    axes = plots.confusion(COUNTS, names=names).axes[0]
    for ticks in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [tick.get_text() for tick in ticks] == names


@pytest.mark.parametrize(
    "counts", [COUNTS[:2], -COUNTS, np.array([[1, 0], [0, 0]])], ids=["shape", "sign", "empty row"]
)
def test_a_confusion_matrix_refuses_what_is_none(counts):
    with pytest.raises(ValueError, match="counts must be square"):
        plots.confusion(counts)


def test_a_confusion_matrix_refuses_too_few_names():
    with pytest.raises(ValueError, match="names must name 3 classes"):
        plots.confusion(COUNTS, names=["cat", "dog"])


def test_every_panel_holds_all_codes():
    for axes, (title, points) in zip(
        plots.scatter_panels(CODES, LABELS).axes, CODES.items(), strict=True
    ):
        assert axes.get_title("left") == title
        drawn = np.asarray(axes.collections[0].get_offsets())
        np.testing.assert_array_equal(drawn[drawn[:, 0].argsort()], points[points[:, 0].argsort()])


def test_panels_refuse_what_is_not_two_dimensional():
    with pytest.raises(ValueError, match=r"must be \(N, 2\)"):
        plots.scatter_panels({"one": RNG.normal(size=(60, 3))}, LABELS)
    with pytest.raises(ValueError, match="at least one panel"):
        plots.scatter_panels({}, LABELS)
