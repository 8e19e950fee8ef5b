"""Bars and dots: terms of a bound, active units, and values beside published ones."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from vaecourse.plots.style import (
    ACCENT,
    INK,
    MUTED,
    PAPER,
    SERIES,
    as_array,
    new_figure,
    shown,
    styled,
)

__all__ = ["activity", "comparison", "terms"]

ROW = 0.36  # inches
NARROW = 0.09  # a segment narrower than this part of the longest bar gets no number


@styled
def terms(table: Mapping[str, Mapping[str, float]], *, xlabel: str = "nats per image") -> Figure:
    """Draw stacked bars, such as distortion and rate, whose sum is the negative ELBO.

    Parameters
    ----------
    table : mapping of str to mapping of str to float
        For each bar's label, the value of each term, at least 0; all bars have the same terms.
    xlabel : str
        What the bars measure.

    Returns
    -------
    Figure
        One axes with one bar container per term.

    Raises
    ------
    ValueError
        If there are no bars, the terms differ from bar to bar, or a value is negative.
    """
    if not table:
        raise ValueError("table must hold at least one bar, got none")
    names = list(next(iter(table.values())))
    if any(list(row) != names for row in table.values()):
        raise ValueError(f"every bar must have the terms {names}, in this order")
    values = as_array([[float(row[name]) for name in names] for row in table.values()], "table", 2)
    if values.min() < 0:
        raise ValueError(f"values must be at least 0 to be stacked, got {values.min():g}")
    figure = new_figure(ROW * len(table) + 1.0)
    axes = figure.subplots()
    places, starts = np.arange(len(table)), np.cumsum(values, axis=1) - values
    longest = values.sum(axis=1).max()
    for index, name in enumerate(names):
        bars = axes.barh(
            places,
            values[:, index],
            left=starts[:, index],
            height=0.66,
            color=SERIES[index % len(SERIES)],
            label=shown(name),
        )
        inside = [f"{v:.1f}" if v > NARROW * longest else "" for v in values[:, index]]
        axes.bar_label(bars, inside, label_type="center", color=PAPER, fontsize=9.5)
    tight = values <= NARROW * longest
    notes = [_note(names, row, hidden) for row, hidden in zip(values, tight, strict=True)]
    totals = [f"{total:.1f}{note}" for total, note in zip(values.sum(axis=1), notes, strict=True)]
    axes.bar_label(bars, totals, padding=5, fontsize=9.5)
    axes.set_yticks(places, labels=[str(label) for label in table])
    axes.set(xlabel=xlabel, xlim=(0, (1.38 if tight.any() else 1.13) * longest))
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0, labelsize=10.5)
    axes.spines.left.set_visible(False)
    figure.legend(loc="outside upper left", ncols=len(names), handlelength=1, handleheight=1)
    return figure


def _note(names: Sequence[str], row: np.ndarray, hidden: np.ndarray) -> str:
    """Return the values that found no room inside their segments."""
    pairs = zip(names, row, hidden, strict=True)
    return "".join(f"  ({name} {value:.1f})" for name, value, small in pairs if small)


@styled
def activity(activity_per_unit: ArrayLike, threshold: float = 0.01) -> Figure:
    """Draw how much each latent unit is used, the most active first.

    Parameters
    ----------
    activity_per_unit : array of shape (L,)
        Variance over the data of each unit's posterior mean (Burda et al. 2016, section 5.2).
    threshold : float
        A unit above it counts as active.

    Returns
    -------
    Figure
        One axes with one bar per unit on a log scale.

    Raises
    ------
    ValueError
        If an activity is negative or `threshold` is not positive.
    """
    values = as_array(activity_per_unit, "activity_per_unit", 1)
    if values.min() < 0 or threshold <= 0:
        raise ValueError(
            f"activities must be at least 0 and the threshold positive, got {values.min():g} and "
            f"{threshold!r}"
        )
    values = np.sort(values)[::-1]
    active = int((values > threshold).sum())
    figure = new_figure(2.8)
    axes = figure.subplots()
    rank = np.arange(1, len(values) + 1)
    colors = [ACCENT if value > threshold else "#b6bcc4" for value in values]
    axes.bar(rank, values, width=0.78, color=colors, log=True)
    floor = min(threshold, values[values > 0].min(initial=threshold)) / 3
    axes.set(ylim=(floor, max(values[0], threshold) * 2.5), xlim=(0.3, len(values) + 0.7))
    axes.axhline(threshold, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    label = f"threshold {threshold:g}"
    axes.text(
        1.01, threshold, label, transform=axes.get_yaxis_transform(), va="center", fontsize=9.5
    )
    axes.set(xlabel="latent unit, most active first", ylabel="activity $A_u$")
    axes.set_title(f"{active} of {len(values)} units active")
    axes.xaxis.get_major_locator().set_params(integer=True)
    return figure


def _interval(
    name: str, value: float, interval: float | Sequence[float] | None
) -> tuple[float, float]:
    """Return the distances from `value` down and up to the ends of its interval."""
    if interval is None:
        return 0.0, 0.0
    if np.ndim(interval) == 0:
        interval = (value - float(interval), value + float(interval))
    low, high = (float(end) for end in interval)
    if not low <= value <= high:
        raise ValueError(f"the interval of {name!r} must hold {value:g}, got ({low:g}, {high:g})")
    return value - low, high - value


@styled
def comparison(
    rows: Sequence[tuple], *, xlabel: str = "nats", highlight: Sequence[str] = (), digits: int = 1
) -> Figure:
    """Draw values with their intervals, one per line, such as ours beside published ones.

    Parameters
    ----------
    rows : sequence of (name, value, interval)
        From top to bottom. An interval is a half-width, a pair (low, high), or None.
    xlabel : str
        What is compared, with the unit.
    highlight : sequence of str
        Names drawn in the accent color: our own rows.
    digits : int
        Decimals of the written values.

    Returns
    -------
    Figure
        One axes with one dot per row.

    Raises
    ------
    ValueError
        If there are no rows, an interval does not hold its value, or `highlight` names no row.
    """
    rows = [(str(name), float(value), interval) for name, value, interval in rows]
    if not rows:
        raise ValueError("rows must hold at least one value, got none")
    unknown = sorted(set(highlight) - {name for name, _, _ in rows})
    if unknown:
        raise ValueError(f"highlight must name rows of the table, got {unknown}")
    figure = new_figure(ROW * len(rows) + 0.8)
    axes = figure.subplots()
    for place, (name, value, interval) in enumerate(rows):
        below, above = _interval(name, value, interval)
        own = name in highlight
        color = ACCENT if own else MUTED
        axes.axhline(place, color="#eceef1", linewidth=0.8, zorder=0)
        dot = {"marker": "o", "markersize": 6.5, "markerfacecolor": color if own else PAPER}
        axes.errorbar(
            value, place, xerr=[[below], [above]], color=color, markeredgewidth=1.4, **dot
        )
        text = f"{value:.{digits}f}"
        if interval is not None and np.ndim(interval) == 0:
            text += f" ± {float(interval):.{digits}f}"
        axes.text(1.02, place, text, transform=axes.get_yaxis_transform(), va="center", color=INK)
    axes.set_yticks(range(len(rows)), labels=[name for name, _, _ in rows])
    axes.set(xlabel=xlabel, ylim=(len(rows) - 0.4, -0.6))
    axes.margins(x=0.08)
    axes.tick_params(axis="y", length=0, labelsize=10.5)
    axes.spines.left.set_visible(False)
    return figure
