"""Results of experiments: what each model reaches, ours beside what others published."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vaecourse.plots.labels import Curve, label_curves
from vaecourse.plots.style import ACCENT, INK, MUTED, PAPER, SERIES, new_figure, shown, styled

__all__ = ["label_counts", "results"]

ROW = 0.34  # inches
LINE = "#eceef1"
COLORS = (SERIES[1], ACCENT, SERIES[2], SERIES[3])
PUBLISHED = "published"


@styled
def results(
    groups: Mapping[str, Sequence[tuple]], *, xlabel: str = "test error (%)", digits: int = 1
) -> Figure:
    """Draw a dot and an interval for every model, by groups, and published values as open marks.

    Parameters
    ----------
    groups : mapping of str to sequence of (name, value, interval, published)
        From top to bottom. An interval is a half-width, or None where there is one run alone.
        ``published`` is a value from the literature, or None. A ``value`` of None leaves the
        published one by itself.
    xlabel : str
        What is compared, with the unit.
    digits : int
        Decimals of the written values.

    Returns
    -------
    Figure
        One axes from zero on: per row an error bar, a dot, or an open diamond, and the written
        value.

    Raises
    ------
    ValueError
        If there are no rows, more than four groups, a row without any value, or an interval
        without a value or below zero.
    """
    rows = [(group, *row) for group, part in groups.items() for row in part]
    if not rows or len(groups) > len(COLORS):
        raise ValueError(
            f"groups must be 1 to {len(COLORS)} with a row at least, got {len(groups)} with "
            f"{len(rows)} rows"
        )
    figure = new_figure(ROW * len(rows) + 1.15)
    axes = figure.subplots()
    colors = dict(zip(groups, COLORS, strict=False))
    for place, (group, *row) in enumerate(rows):
        _check(*row)
        _draw_row(axes, place, colors[group], digits, *row[1:])
    axes.set_yticks(range(len(rows)), labels=[str(row[1]) for row in rows])
    axes.set(xlabel=xlabel, ylim=(len(rows) - 0.4, -0.6))
    axes.margins(x=0.06)
    axes.set_xlim(left=0)
    axes.tick_params(axis="y", length=0, labelsize=10.5)
    axes.spines.left.set_visible(False)
    figure.legend(
        handles=_keys(colors, any(row[4] is not None for row in rows)),
        loc="outside upper left",
        ncols=len(groups) + 1,
        handletextpad=0.2,
        columnspacing=1.0,
    )
    return figure


def _check(name: str, value: float | None, interval: float | None, published: float | None) -> None:
    """Refuse a row with nothing to draw, or an interval of nothing."""
    given = [number for number in (value, interval, published) if number is not None]
    if not np.isfinite(given).all() or (value is None and published is None):
        raise ValueError(f"{name!r} must have a finite value, ours or published, got {given}")
    if interval is not None and (value is None or interval < 0):
        raise ValueError(f"the interval of {name!r} must be half a width around a value")


def _draw_row(
    axes: Axes,
    place: int,
    color: str,
    digits: int,
    value: float | None,
    interval: float | None,
    published: float | None,
) -> None:
    axes.axhline(place, color=LINE, linewidth=0.8, zorder=0)
    text, ink = "", INK
    if value is not None:
        half = interval or 0.0
        axes.errorbar(value, place, xerr=half, color=color, marker="o", markersize=7, capsize=3)
        text = f"{value:.{digits}f}" + ("" if interval is None else f" ± {half:.{digits}f}")
    if published is not None:
        axes.plot(published, place, **_open_mark())
        if value is None:
            text, ink = f"{published:.{digits}f}", MUTED
    axes.text(1.02, place, text, transform=axes.get_yaxis_transform(), va="center", color=ink)


def _open_mark() -> dict:
    return {
        "marker": "D",
        "markersize": 9,
        "markerfacecolor": "none",  # so that it is a frame around a dot at the same place
        "markeredgecolor": INK,
        "markeredgewidth": 1.3,
        "linestyle": "none",
        "zorder": 4,
    }


def _keys(colors: Mapping[str, str], published: bool) -> list[Line2D]:
    dot = {"marker": "o", "markersize": 7, "linestyle": "none"}
    keys = [Line2D([], [], color=color, label=shown(name), **dot) for name, color in colors.items()]
    return [*keys, Line2D([], [], label=PUBLISHED, **_open_mark())] if published else keys


@styled
def label_counts(
    ours: Mapping[str, Mapping[int, float]],
    published: Mapping[str, Mapping[int, float]] | None = None,
    *,
    ylabel: str = "test error (%)",
) -> Figure:
    """Draw errors against the number of labels, published ones dotted with open marks.

    Parameters
    ----------
    ours : mapping of str to mapping of int to float
        For each model the error by number of labels.
    published : mapping of str to mapping of int to float, optional
        The same from the literature. A name that `ours` has, too, gets the color of that line.
    ylabel : str
        What is drawn, with the unit.

    Returns
    -------
    Figure
        One axes with logarithmic scales: a line per model, ours first, its name beside its end.

    Raises
    ------
    ValueError
        If there is no line or more than colors, a line has no point, or a number is not positive.
    """
    published = published or {}
    if not 0 < len(ours) <= len(SERIES):
        raise ValueError(f"ours must hold 1 to {len(SERIES)} models, got {len(ours)}")
    for name, values in [*ours.items(), *published.items()]:
        if not values or min(*values, *values.values()) <= 0:
            raise ValueError(f"{name!r} must have positive errors by number of labels")
    height = 3.6
    figure = new_figure(height)
    axes = figure.subplots()
    axes.set(xscale="log", yscale="log", xlabel="labels", ylabel=ylabel)
    colors = dict(zip(ours, SERIES, strict=False))
    named = []
    for name, values in ours.items():
        axes.plot(*_ordered(values), color=colors[name], label=str(name), marker="o", markersize=5)
        named.append(_curve(name, values, colors[name]))
    for name, values in published.items():
        color = colors.get(name, MUTED)
        look = {"color": color, "linestyle": (0, (1, 2)), "linewidth": 1.2, "marker": "D"}
        axes.plot(*_ordered(values), markersize=5, markerfacecolor=PAPER, **look)
        if name not in ours:
            axes.lines[-1].set_label(str(name))
            named.append(_curve(name, values, color))
    counts = sorted({count for values in [*ours.values(), *published.values()] for count in values})
    axes.set_xticks(counts, labels=[_short(count) for count in counts])
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50) if _inside(tick, axes.get_ylim())]
    axes.set_yticks(ticks, labels=[str(tick) for tick in ticks])
    axes.minorticks_off()
    label_curves(axes, named, height - 0.7)
    return figure


def _curve(name: str, values: Mapping[int, float], color: str) -> Curve:
    counts, errors = _ordered(values)
    return Curve(str(name), np.array(counts), np.array(errors), color)


def _ordered(values: Mapping[int, float]) -> tuple[list[int], list[float]]:
    counts = sorted(values)
    return counts, [values[count] for count in counts]


def _short(count: int) -> str:
    return f"{count // 1000}k" if count % 1000 == 0 else str(count)


def _inside(tick: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= tick <= limits[1]
