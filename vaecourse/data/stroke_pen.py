"""The pen: splines through the skeletons, the deviations of a hand, and ink on a grid of pixels."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from vaecourse.data.stroke_skeletons import SKELETONS

SIZE = 28  # pixels, height and width
BOX = 20.0  # the longer side of a digit at scale 1, in pixels
CENTER = 14.0  # MNIST's center of mass, as a pixel index
NUM_POINTS = 128  # samples of a path: about half a pixel apart at most, so ink has no beads
NUM_CONTROLS = 18  # room for the longest path; unused places carry weight 0


class Noise(NamedTuple):
    """How a hand at wobble 1 deviates from the designed forms.

    Attributes
    ----------
    controls : numpy.ndarray, shape (N, NUM_CONTROLS, 2)
        Shifts of the control points, in hundredths of the height.
    stretch : numpy.ndarray, shape (N, 1)
        Logarithm of the change of width.
    bend : numpy.ndarray, shape (N, 6)
        Coefficients of the polynomial that bends the plane.
    pressure : numpy.ndarray, shape (N, NUM_POINTS)
        Relative change of the pen's width along the path, 0 on average.
    """

    controls: np.ndarray
    stretch: np.ndarray
    bend: np.ndarray
    pressure: np.ndarray


def draw_noise(rng: np.random.Generator, num: int) -> Noise:
    """Draw the deviations of ``num`` digits."""
    shifts = rng.standard_normal((num, NUM_CONTROLS + 2, 2))
    # Neighboring points move alike, as a hand does: weights 1, 2, 1, scaled back to variance 1.
    shifts = (shifts[:, :-2] + 2 * shifts[:, 1:-1] + shifts[:, 2:]) / np.sqrt(6)
    bend = rng.standard_normal((num, 6)) * [0.12, 0.084, 0.06, 0.12, 0.084, 0.12]
    turns, phase = rng.uniform(0.3, 1.5, (num, 1)), rng.uniform(0, 2 * np.pi, (num, 1))
    pressure = np.sin(turns * np.linspace(0, 2 * np.pi, NUM_POINTS) + phase)
    return Noise(
        controls=3.3 * shifts,
        stretch=0.12 * rng.standard_normal((num, 1)),
        bend=bend,
        pressure=0.125 * (pressure - pressure.mean(axis=1, keepdims=True)),
    )


def draw(factors: dict[str, np.ndarray], noise: Noise) -> np.ndarray:
    """Draw digits.

    Parameters
    ----------
    factors : dict of str to numpy.ndarray, shape (N,)
        The factors that `vaecourse.data.strokes.strokes` describes.
    noise : Noise
        Deviations of N digits; their size is the factor wobble.

    Returns
    -------
    numpy.ndarray, shape (N, 28, 28), uint8
        White ink (255) on black (0).
    """
    x, y = _path(factors, noise)
    size = np.maximum(np.ptp(x, axis=1), np.ptp(y, axis=1))
    pixels = (BOX * factors["scale"] - factors["thickness"]) / size
    x, y = (_centered(values) * pixels[:, None] + (SIZE - 1) / 2 for values in (x, y))
    width = factors["thickness"][:, None] * (1 + factors["wobble"][:, None] * noise.pressure)
    # A coarse drawing tells where the ink has its center of mass: overlapping strokes count once.
    coarse = _ink(x[:, ::2], y[:, ::2], width[:, ::2], step=2)
    places = np.arange(0.5, SIZE, 2)
    mass = coarse.sum(axis=(0, 1))
    x += (factors["position_x"] + CENTER - coarse.sum(axis=0).T @ places / mass)[:, None]
    y += (factors["position_y"] + CENTER - coarse.sum(axis=1).T @ places / mass)[:, None]
    return np.moveaxis(np.rint(255 * _ink(x, y, width, step=1)).astype(np.uint8), -1, 0)


def _centered(values: np.ndarray) -> np.ndarray:
    """Shift each row so that the middle of its range is 0."""
    return values - (values.min(axis=1, keepdims=True) + values.max(axis=1, keepdims=True)) / 2


def _path(factors: dict[str, np.ndarray], noise: Noise) -> tuple[np.ndarray, np.ndarray]:
    """Points x, y (n, NUM_POINTS) of the deformed, slanted and rotated path."""
    weights, controls = _skeletons()
    kind = factors["label"].astype(int), factors["style"].astype(int)
    wobble = factors["wobble"][:, None]
    points = weights[kind] @ (controls[kind] + wobble[..., None] * noise.controls)
    least, most = points.min(axis=1), points.max(axis=1)
    points = (2 * points - (least + most)[:, None]) / (most - least)[:, None, 1:]
    x, y = points[..., 0] * np.exp(wobble * noise.stretch), points[..., 1]
    a, b, c, d, e, f = (wobble * noise.bend).T[..., None]
    x, y = x + a * x * y + b * y**2 + c * y**3, y + d * x * y + e * y**2 + f * x**2
    x = x - factors["slant"][:, None] * y  # y points down
    angle = np.deg2rad(factors["rotation"])[:, None]
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def _ink(x: np.ndarray, y: np.ndarray, width: np.ndarray, step: int) -> np.ndarray:
    """Coverage (28 / step, 28 / step, n) in [0, 1] of square cells of ``step`` pixels.

    The pen is a round tip at each point of the path. With d the distance to a point and r the
    radius there, the least d**2 - r**2 (the power of the cell with respect to that circle) picks
    the nearest part of the ink; how far the cell lies inside tells how much of it is covered. The
    images are the last axis, so that every operation runs along memory.
    """
    x, y, width = (np.ascontiguousarray(array.T, dtype=np.float32) for array in (x, y, width))
    radius = width.mean(axis=0) / 2
    cells = np.arange((step - 1) / 2, SIZE, step, dtype=np.float32)[:, None]
    power = np.full((len(cells), len(cells), len(radius)), np.inf, np.float32)
    buffer = np.empty_like(power)
    for px, py, pw in zip(x, y, width, strict=True):
        across = (cells - px) ** 2 - ((pw / 2) ** 2 - radius**2)
        np.add(((cells - py) ** 2)[:, None], across, out=buffer)
        np.minimum(power, buffer, out=power)
    distance = np.sqrt(np.maximum(power, 0, out=power), out=power)
    return np.clip((radius - distance) / step + 0.5, 0, 1)


def _parse(path: str) -> tuple[np.ndarray, list[list[list[int]]]]:
    """Read one path.

    Returns
    -------
    points : (K, 2) float array
    pieces : list of list of list of int
        For each pen stroke, its smooth pieces, each a run of indices into ``points``. Two pieces
        that meet at a corner share an index, so they stay joined when the points are moved.
    """
    points: list[list[float]] = []
    pieces: list[list[list[int]]] = []
    for stroke in path.split("/"):
        runs: list[list[int]] = [[]]
        words = stroke.split()
        for position, word in enumerate(words):
            index = len(points)
            points.append([float(value) for value in word.rstrip("!").split(",")])
            runs[-1].append(index)
            if word.endswith("!") and position < len(words) - 1:
                runs.append([index])
        pieces.append(runs)
    return np.array(points), pieces


def _spline_weights(points: np.ndarray, per_segment: int = 16) -> np.ndarray:
    """Weights (M, K) of a Hermite spline: ``weights @ points`` runs through the points.

    The knots stand at the distances between the points; the tangents are the derivatives of the
    parabola through three neighbors. For fixed knots the curve is linear in the points.
    """
    count = len(points)
    knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    steps = np.diff(knots)
    slopes = np.diff(np.eye(count), axis=0) / steps[:, None]
    tangents = np.empty((count, count))
    share = (steps[:-1] / (steps[:-1] + steps[1:]))[:, None]
    tangents[1:-1] = (1 - share) * slopes[:-1] + share * slopes[1:]
    tangents[0] = 2 * slopes[0] - tangents[1] if count > 2 else slopes[0]
    tangents[-1] = 2 * slopes[-1] - tangents[-2] if count > 2 else slopes[-1]
    u = np.linspace(0, 1, per_segment + 1)[:-1, None]
    rows = [
        (1 + 2 * u) * (1 - u) ** 2 * np.eye(count)[k]
        + u * (1 - u) ** 2 * steps[k] * tangents[k]
        + u**2 * (3 - 2 * u) * np.eye(count)[k + 1]
        + u**2 * (u - 1) * steps[k] * tangents[k + 1]
        for k in range(count - 1)
    ]
    return np.concatenate([*rows, np.eye(count)[-1:]])


def _path_weights(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Weights (NUM_POINTS, NUM_CONTROLS) and control points (NUM_CONTROLS, 2) of one path.

    ``weights @ controls`` are points spread evenly along the path, strokes one after another.
    """
    points, pieces = _parse(path)
    dense, lengths = [], []
    for runs in pieces:
        splines = []
        for run in runs:
            spread = np.zeros((len(run), len(points)))
            spread[np.arange(len(run)), run] = 1
            splines.append(_spline_weights(points[run]) @ spread)
        dense.append(np.concatenate(splines))
        gaps = np.linalg.norm(np.diff(dense[-1] @ points, axis=0), axis=1)
        lengths.append(np.concatenate([[0.0], np.cumsum(gaps)]))
    ends = np.round(
        np.cumsum([length[-1] for length in lengths]) / sum(x[-1] for x in lengths) * NUM_POINTS
    ).astype(int)
    rows = []
    for weights, length, number in zip(dense, lengths, np.diff(ends, prepend=0), strict=True):
        places = np.linspace(0, length[-1], number)
        rows.append(np.stack([np.interp(places, length, column) for column in weights.T], axis=1))
    padding = NUM_CONTROLS - len(points)
    return (
        np.pad(np.concatenate(rows), ((0, 0), (0, padding))),
        np.pad(points, ((0, padding), (0, 0))),
    )


@cache
def _skeletons() -> tuple[np.ndarray, np.ndarray]:
    """Weights (10, styles, NUM_POINTS, NUM_CONTROLS) and controls (10, styles, NUM_CONTROLS, 2)."""
    pairs = [[_path_weights(path) for path in styles] for styles in SKELETONS]
    weights = np.array([[pair[0] for pair in row] for row in pairs])
    controls = np.array([[pair[1] for pair in row] for row in pairs])
    weights.flags.writeable = controls.flags.writeable = False
    return weights, controls
