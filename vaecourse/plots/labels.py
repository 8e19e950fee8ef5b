"""Names of curves, each beside its own curve and apart from all others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from vaecourse.plots.style import PAPER

__all__ = ["Curve", "label_curves"]

LINE_SPACING = 1.25
FONT = 10.5  # points
POINTS_PER_INCH = 72
MARGIN = 1.02  # where the names right of the axes begin, in parts of the axes' width
RIGHT = 0.93  # a curve that ends farther right than this part of the axes is named at its end
MOVED = 0.45  # a name at the margin moves by at most so many line spacings, else it goes inside
LED = 0.75  # one that has no place inside and moves farther is led to its curve by a thin line
PAD = 5.0  # points between a curve and its name inside the axes
NEAREST = 1.6 * PAD  # and at least so many to any other curve
TOUCH = PAD / 2  # what is nearer to a name lies on it
CLEAR = 16.0  # points to the next curve, beyond which more are no better
STEP = 3.0  # points between two places on a curve that others keep away from
TRIED = 100  # places on a curve beside which its name is tried
AROUND = np.array([(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if (i, j) != (0, 0)])


@dataclass(frozen=True)
class Curve:
    """A curve, or a single point, in data coordinates and the name that it gets."""

    name: str
    x: np.ndarray
    y: np.ndarray
    color: str


def spread(wanted: Sequence[float], gap: float) -> np.ndarray:
    """Move positions apart until neighbors differ by `gap`, as little as possible in all."""
    order = np.argsort(wanted, kind="stable")
    groups: list[tuple[float, int]] = []  # center and size
    for position in np.asarray(wanted, dtype=float)[order]:
        groups.append((position, 1))
        while len(groups) > 1:
            (low, below), (high, above) = groups[-2:]
            if high - low >= gap * (below + above) / 2:
                break
            center = (low * below + high * above) / (below + above)
            groups[-2:] = [(center, below + above)]
    placed = [c + gap * (k - (n - 1) / 2) for c, n in groups for k in range(n)]
    result = np.empty(len(placed))
    result[order] = placed
    return result


def label_ends(axes: Axes, curves: Sequence[Curve], height: float) -> None:
    """Name curves to the right of the axes, where they end, with a thin line to a name that moved.

    `height` is the height of the axes in inches, near enough.
    """
    gap = _gap(height)
    ends = np.array([_end(axes, curve) for curve in curves])
    for curve, (_, end), place in zip(curves, ends, spread(ends[:, 1], gap), strict=True):
        _name_at_margin(axes, curve, end, place, gap)


def label_curves(axes: Axes, curves: Sequence[Curve], height: float) -> None:
    """Name curves: at the right margin where they end there, else beside a free stretch.

    A name that would have to leave its curve's end, since other curves end there too, goes inside
    as well, if there is a place for it. `height` is the height of the axes in inches, near enough.
    """
    ends = np.array([_end(axes, curve) for curve in curves])
    outside = [k for k in range(len(curves)) if ends[k, 0] >= RIGHT]
    inside: dict[int, _Spot] = {}
    if len(outside) < len(curves) or _crowded(ends, outside, height):
        outside = _thinned(_Room(axes, curves, outside), ends, outside, height)
        room = _Room(axes, curves, outside)  # wider, now that fewer names stand beside it
        inside = {k: room.place(k) for k in range(len(curves)) if k not in outside}
    gap = _gap(height)
    places = dict(zip(outside, spread(ends[outside, 1], gap), strict=True))
    for k, curve in enumerate(curves):
        if k in inside:
            inside[k].write(axes, curve)
        else:
            _name_at_margin(axes, curve, ends[k, 1], places[k], gap)


def _gap(height: float) -> float:
    """Return the distance of two lines of text in parts of the axes' height."""
    return LINE_SPACING * FONT / POINTS_PER_INCH / height


def _end(axes: Axes, curve: Curve) -> np.ndarray:
    """Return where a curve ends, in parts of the axes."""
    to_axes = axes.transData + axes.transAxes.inverted()
    axes.get_xlim(), axes.get_ylim()  # they settle only when they are asked for
    return to_axes.transform((curve.x[-1], curve.y[-1]))


def _crowded(ends: np.ndarray, outside: Sequence[int], height: float) -> list[int]:
    """Return those whose names at the margin would stand too far from their curves."""
    gap = _gap(height)
    moved = np.abs(spread(ends[outside, 1], gap) - ends[outside, 1])
    return [k for k, distance in zip(outside, moved, strict=True) if distance > MOVED * gap]


def _thinned(room: "_Room", ends: np.ndarray, outside: list[int], height: float) -> list[int]:
    """Return which names stay at the margin when those that crowd it go inside, where they can."""
    for k in set(range(len(ends))) - set(outside):
        room.place(k)
    while crowded := _crowded(ends, outside, height):
        spots = {k: spot for k in crowded if (spot := room.best(k)).is_free}
        if not spots:
            break
        moved = max(spots, key=lambda k: spots[k].clearance)
        room.place(moved)
        outside = [k for k in outside if k != moved]
    return outside


def _name_at_margin(axes: Axes, curve: Curve, end: float, place: float, gap: float) -> None:
    line = {"arrowstyle": "-", "color": curve.color, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0}
    axes.annotate(
        curve.name,
        xy=(1.0, end),
        xycoords="axes fraction",
        xytext=(MARGIN, place),
        textcoords="axes fraction",
        arrowprops={**line, "relpos": (0, 0.5)} if abs(place - end) > LED * gap else None,
        color=curve.color,
        va="center",
        annotation_clip=False,
    )


@dataclass(frozen=True)
class _Spot:
    """A place for a name: a point of its curve, the way to the name's center, and its box."""

    anchor: np.ndarray  # in data coordinates
    offset: np.ndarray  # in points
    box: np.ndarray  # left, bottom, right, top in points
    is_free: bool
    clearance: float  # points to the next other curve

    def write(self, axes: Axes, curve: Curve) -> None:
        halo = [withStroke(linewidth=2.5, foreground=PAPER)]
        axes.annotate(
            curve.name, xy=self.anchor, xytext=self.offset, textcoords="offset points",
            color=curve.color, ha="center", va="center", path_effects=halo,
        )  # fmt: skip


class _Room:
    """What the axes hold, in points: where the curves run and which boxes are taken."""

    def __init__(self, axes: Axes, curves: Sequence[Curve], outside: Sequence[int]) -> None:
        self.axes = axes
        figure = axes.get_figure()
        names = [axes.text(MARGIN, 0.5, curve.name, transform=axes.transAxes) for curve in curves]
        for k, name in enumerate(names):
            name.set_in_layout(k in outside)
        figure.draw_without_rendering()
        self.scale = POINTS_PER_INCH / figure.dpi
        extents = [name.get_window_extent() for name in names]
        self.sizes = [self.scale * np.array([box.width, box.height]) for box in extents]
        for name in names:
            name.remove()
        self.inside = self.scale * np.array(axes.bbox.extents)
        self.places = [self._trace(curve) for curve in curves]
        self.taken: list[np.ndarray] = []

    def _trace(self, curve: Curve) -> np.ndarray:
        """Return places along a curve, close together, within the axes."""
        corners = self.scale * self.axes.transData.transform(np.c_[curve.x, curve.y])
        lengths = np.hypot(*np.diff(corners, axis=0).T)
        way = np.concatenate([[0.0], np.cumsum(lengths)])
        along = np.linspace(0, way[-1], int(min(way[-1] / STEP, 2000)) + 1)
        places = np.stack([np.interp(along, way, corners[:, axis]) for axis in (0, 1)], axis=1)
        left, bottom, right, top = self.inside
        x, y = places.T
        within = (x >= left) & (x <= right) & (y >= bottom) & (y <= top)
        if not within.any():
            return places[-1:]
        _, first = np.unique(np.round(places[within] / STEP), axis=0, return_index=True)
        return places[within][np.sort(first)]  # a jagged curve passes many places often

    def place(self, k: int) -> _Spot:
        """Return the best place for the name of curve k and keep it from being taken again."""
        spot = self.best(k)
        self.taken.append(spot.box)
        return spot

    def best(self, k: int) -> _Spot:
        """Return the best place for the name of curve k beside it."""
        own, half = self.places[k], self.sizes[k] / 2
        tried = own[:: -(-len(own) // TRIED)]
        anchors = np.repeat(tried, len(AROUND), axis=0)
        offsets = np.tile(AROUND * (half + PAD), (len(tried), 1))
        centers = anchors + offsets
        boxes = np.concatenate([centers - half, centers + half], axis=1)
        others = [place for j, place in enumerate(self.places) if j != k]
        clearance = np.full(len(boxes), CLEAR)
        for places in others:
            clearance = np.minimum(clearance, _distance(boxes, places))
        outside = (boxes[:, :2] < self.inside[:2]) | (boxes[:, 2:] > self.inside[2:])
        taken = sum((_overlap(boxes, box) for box in self.taken), np.zeros(len(boxes), dtype=bool))
        apart = _distance(boxes, own)
        hidden = (np.minimum(clearance, apart) < TOUCH) | (clearance < apart)
        # Free ones first, then far from other curves, then straight above or beside, far right.
        faults = 100 * outside.any(1) + 10.0 * taken + 3 * hidden + (clearance < NEAREST)
        diagonal = np.tile(np.abs(AROUND).sum(1) > 1, len(tried))
        worth = clearance - CLEAR * faults - 2 * diagonal + 0.01 * anchors[:, 0]
        pick = int(worth.argmax())
        anchor = self.axes.transData.inverted().transform(anchors[pick] / self.scale)
        free = not faults[pick]
        return _Spot(anchor, offsets[pick], boxes[pick], free, float(clearance[pick]))


def _distance(boxes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the distance of every box to the nearest of some places, 0 within it."""
    below = boxes[:, None, :2] - places
    above = places - boxes[:, None, 2:]
    return np.hypot(*np.maximum(np.maximum(below, above), 0).T).min(0)


def _overlap(boxes: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Tell which boxes overlap another or nearly touch it."""
    return (boxes[:, :2] < other[2:] + PAD).all(1) & (boxes[:, 2:] > other[:2] - PAD).all(1)
