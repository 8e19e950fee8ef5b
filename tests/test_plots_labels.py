"""Names of curves: measured on the drawn figure, each is nearest to its own curve."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from plot_examples import EXAMPLES

from vaecourse import plots

NEAR = 16  # points: a line of text and some space
X = np.linspace(-5, 2, 400)
LENGTH = np.arange(1, 21)
COUNTS = 2.0 ** np.arange(5, 17)
STEPS = np.arange(1, 400)


def bell(center, width):
    """Return an unnormalized Gaussian density over X."""
    return np.exp(-0.5 * ((X - center) / width) ** 2) / width


def many_ends(number):
    """Return curves that fall to one floor, each later than the one before."""
    return {f"run {k}": np.maximum(1e-4, np.exp(-STEPS / (10 + 12 * k))) for k in range(number)}


CASES = {
    "all end at zero": lambda: plots.curves(
        X,
        {"on an arm": bell(-1, 0.1), "between two": bell(-3, 0.1), "at the center": bell(0, 0.5)},
        "$z$", "density",
    ),
    "points below a curve": lambda: plots.curves(
        {"PCA": np.arange(1, 65), "MLP, 2": [2], "MLP, 16": [16], "conv, 16": [16]},
        {"PCA": 50 * np.exp(-np.arange(64) / 14), "MLP, 2": [34], "MLP, 16": [11],
         "conv, 16": [6]}, "dimensions", "error",
    ),
    "one ends halfway": lambda: plots.curves(
        {"measured": LENGTH[:10], "formula": LENGTH, "bound": LENGTH},
        {"measured": 3.1 ** LENGTH[:10], "formula": 5.0**LENGTH, "bound": 10 ** (LENGTH / 2)},
        "dimensions", "samples", references={"a million": 1e6}, yscale="log",
    ),
    "ends crowd at a reference": lambda: plots.curves(
        COUNTS, {f"$L$ = {d}": -(d**1.5) / COUNTS ** (1 / (1 + d / 5)) for d in (2, 5, 10, 20)},
        "samples", "error", references={"exact": 0.0}, xscale="log",
    ),
    "ends all over": lambda: plots.curves(
        {"1 position": [3, 4, 5.5], "5 positions": [3.4, 6.9, 10], "VAE": [21], "trained": [14]},
        {"1 position": [170, 160, 147], "5 positions": [185, 167, 139], "VAE": [81],
         "trained": [120]}, "rate", "distortion",
    ),
    "beside each other all the way": lambda: plots.curves(
        {"1 position": [3, 4, 4.8, 5.5], "2 positions": [3, 4, 5, 6], "VAE": [21]},
        {"1 position": [170, 160, 152, 147], "2 positions": [172, 162, 150, 140], "VAE": [81]},
        "rate", "distortion",
    ),
    "ends left": lambda: plots.curves(
        [5, 4, 3, 2, 1], {"up": [1, 2, 3, 4, 5], "down": [5, 4, 3, 2, 0]}, "rate", "distortion"
    ),
    "a common floor": lambda: plots.curves(
        STEPS, many_ends(4), "training step", "rate", yscale="log"
    ),
    "in two panels": lambda: plots.sweep(
        [0, 1, 10, 100],
        {"error": {"validation": [9, 7, 8, 5], "training": [1, 3, 4, 5]},
         "bound": {"all": [1, 1, 1, 1]}}, "multiplier", references={"before": ("bound", 1.4)},
    ),
}  # fmt: skip
FIGURES = CASES | {name: EXAMPLES[name] for name in ("curves", "label_counts", "sweep")}


@pytest.mark.parametrize("name", sorted(set(FIGURES) - {"a common floor"}))
def test_no_name_needs_a_line_where_there_is_room_inside(name):
    assert not any(led for _, led, _, _ in measured(FIGURES[name]()))


def test_names_that_fit_nowhere_are_led_to_their_curves():
    figure = plots.curves([1, 2], {f"run {k}": [k / 100, k / 100] for k in range(20)}, "x", "y")
    ((boxes, led, lines, right),) = measured(figure)
    assert set(boxes) == set(lines)
    assert led and all(boxes[name][0, 0] > right for name in led)


def traces(axes, scale):
    """Return by name the places, close together and in points, that each line passes."""
    found = {}
    for line in axes.lines:
        places = scale * axes.transData.transform(line.get_xydata())
        if line.get_transform() != axes.transData:  # a reference, from edge to edge
            places[:, 0] = scale * np.array([axes.bbox.x0, axes.bbox.x1])
        way = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(places, axis=0).T))])
        along = np.linspace(0, way[-1], int(way[-1]) + 1)
        found[line.get_label()] = np.c_[tuple(np.interp(along, way, places[:, k]) for k in (0, 1))]
    return found


def distance(box, places):
    """Return how far a box is from the nearest of some places."""
    low, high = box
    return np.hypot(*np.maximum(np.maximum(low - places, places - high), 0).T).min()


def measured(figure):
    """Yield for every axes the boxes of its names and the traces of its curves, in points."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    scale = 72 / figure.dpi
    for axes in figure.axes:
        # The words alone, without the line that leads to them.
        boxes = {
            text.get_text(): scale * np.array(Text.get_window_extent(text)) for text in axes.texts
        }
        led = {text.get_text() for text in axes.texts if text.arrow_patch is not None}
        yield boxes, led, traces(axes, scale), scale * axes.bbox.x1


@pytest.mark.parametrize("name", FIGURES)
def test_every_name_is_nearest_to_its_own_curve_and_apart_from_others(name):
    for boxes, led, lines, right in measured(FIGURES[name]()):
        for (one, a), (other, b) in combinations(boxes.items(), 2):
            overlap = np.minimum(a[1], b[1]) - np.maximum(a[0], b[0])
            assert (overlap <= 0.5).any(), f"{one} lies on {other}"
        for label, box in boxes.items():
            own = distance(box, lines[label])
            others = [distance(box, lines[other]) for other in lines if other != label]
            if box[0, 0] > right:
                end = lines[label][-1]
                assert box[0, 0] - end[0] < 4 * NEAR, f"{label}: its curve ends far to the left"
                moved = abs(box[:, 1].mean() - end[1])
                assert label in led or moved < 10, f"{label}: {moved:.0f} points from its end"
                continue
            assert own < min(NEAR, *others), f"{label}: {own:.0f} points away, {others}"
            assert min(others, default=np.inf) > 4, f"{label} lies on another curve"
