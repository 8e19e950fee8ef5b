"""Lines: curves against something, training histories, and spectra."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from vaecourse.plots.labels import Curve, label_curves, label_ends
from vaecourse.plots.style import ACCENT, INK, MUTED, SERIES, as_array, new_figure, styled

__all__ = ["curves", "history", "spectrum"]

Scale = Literal["linear", "log"]
MARKED = 12  # a line of at most so many points shows them
DASHES = ("solid", (0, (5, 1.6)))  # in turn, so that two lines that coincide both show


def _as_line(x: ArrayLike, y: ArrayLike, label: str) -> tuple[np.ndarray, np.ndarray]:
    """Return one line's coordinates, both of shape (N,)."""
    x, y = as_array(x, f"x of {label!r}", 1), as_array(y, f"y of {label!r}", 1)
    if len(x) != len(y):
        raise ValueError(f"{label!r} must have {len(x)} values, one per x, got {len(y)}")
    return x, y


@styled
def curves(
    x: ArrayLike | Mapping[str, ArrayLike],
    lines: Mapping[str, object],
    xlabel: str,
    ylabel: str,
    *,
    bands: Mapping[str, tuple] | None = None,
    references: Mapping[str, float] | None = None,
    xscale: Scale = "linear",
    yscale: Scale = "linear",
) -> Figure:
    """Draw labeled lines.

    Parameters
    ----------
    x : array of shape (N,), or mapping of str to array
        Horizontal coordinates of all lines, or of each line by its label.
    lines : mapping of str to array of shape (N,)
        Vertical coordinates. The label stands beside its line: at its end or where it is free.
    xlabel, ylabel : str
        What the axes show, with the unit.
    bands : mapping of str to (low, high), optional
        Interval around the line of that label, two arrays ``(N,)``.
    references : mapping of str to float, optional
        Labeled horizontal lines, such as an exact value.
    xscale, yscale : {"linear", "log"}
        Scales of the axes.

    Returns
    -------
    Figure
        One axes: one line artist per line, in order, then one per reference.

    Raises
    ------
    ValueError
        If there are no lines, lengths differ, or a band or an x has no line.
    """
    if not lines:
        raise ValueError("lines must hold at least one line, got none")
    bands, references = bands or {}, references or {}
    unknown = [*(set(bands) - set(lines)), *(set(lines) - set(x) if isinstance(x, Mapping) else ())]
    if unknown:
        raise ValueError(f"every band and every line needs its label in lines and x: {unknown}")
    height = 3.3
    figure = new_figure(height)
    axes = figure.subplots()
    axes.set(xscale=xscale, yscale=yscale, xlabel=xlabel, ylabel=ylabel)
    named = []
    for index, (label, y) in enumerate(lines.items()):
        across, up = _as_line(x[label] if isinstance(x, Mapping) else x, y, label)
        color = SERIES[index % len(SERIES)]
        if label in bands:
            low, high = (_as_line(across, edge, label)[1] for edge in bands[label])
            axes.fill_between(across, low, high, color=color, alpha=0.15)
        marker = "o" if len(across) <= MARKED else None
        dash = DASHES[index % len(DASHES)]
        axes.plot(
            across, up, color=color, label=str(label), linestyle=dash, marker=marker, markersize=4
        )
        named.append(Curve(str(label), across, up, color))
    if xscale == "linear" and all((line.get_xdata() % 1 == 0).all() for line in axes.lines):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # no half epochs
    for label, value in references.items():
        axes.axhline(
            value, color=MUTED, linewidth=1, linestyle=(0, (1, 2)), label=str(label), zorder=1
        )
        named.append(Curve(str(label), np.array(axes.get_xlim()), np.full(2, value), MUTED))
    if xscale == "log" and not isinstance(x, Mapping) and len(across) <= MARKED:
        axes.set_xticks(across, labels=[f"{value:g}" for value in across])
        axes.minorticks_off()
    label_curves(axes, named, height - 0.7)
    return figure


def _running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Return means over `window` neighbors, shape ``(len(values) - window + 1,)``."""
    total = np.cumsum(np.concatenate([[0.0], values]))
    return (total[window:] - total[:-window]) / window


@styled
def history(record: Any, names: Sequence[str] | None = None) -> Figure:
    """Draw how each term changed in training, one panel per term.

    Parameters
    ----------
    record : History, or mapping of str to array of shape (steps,)
        Terms of an objective at every step, in nats.
    names : sequence of str, optional
        Terms to draw, in order; all without it.

    Returns
    -------
    Figure
        Per panel: the value at every step, faint; its running mean over a fiftieth of the steps;
        and, where a `History` has validation values, one dot at the end of every epoch.

    Raises
    ------
    ValueError
        If nothing was recorded or a name was not.
    """
    recorded = getattr(record, "terms", record)
    names = list(recorded) if names is None else list(names)
    missing = [name for name in names if name not in recorded]
    if missing or not names:
        known = ", ".join(recorded) or "none"
        raise ValueError(f"names must be recorded terms ({known}), got {missing or 'none'}")
    columns = min(len(names), 3)
    rows = -(-len(names) // columns)
    figure = new_figure(2.3 * rows + 0.2, (3.8, 5.2, 6.6)[columns - 1])
    panels = figure.subplots(rows, columns, squeeze=False, sharex=True).ravel()
    for axes, name in zip(panels, names, strict=False):
        _draw_term(axes, as_array(recorded[name], name, 1))
        values = getattr(record, "validation", {}).get(name, ())
        ends = record.steps_per_epoch * np.arange(1, len(values) + 1) if len(values) else ()
        axes.plot(
            ends, values, "o", color=INK, markersize=3.5, linestyle="none", label="validation"
        )
        axes.set_title(f"{name} (nats)")
    for axes in panels[len(names) :]:
        axes.set_visible(False)
    figure.supxlabel("training step", fontsize=10.5)
    if len(getattr(record, "validation", {})):
        panels[0].legend(handles=panels[0].lines[-1:], loc="best", handletextpad=0.1)
    return figure


def _draw_term(axes: Axes, values: np.ndarray) -> None:
    """Draw one term: every step, faint, and the running mean; leave out the plunge at the start."""
    steps = np.arange(1, len(values) + 1)
    window = max(len(values) // 50, 1)
    axes.plot(steps, values, color=ACCENT, linewidth=0.6, alpha=0.3, label="step")
    axes.plot(steps[window - 1 :], _running_mean(values, window), color=ACCENT, label="mean")
    settled = values[len(values) // 10 :]
    margin = 0.05 * np.ptp(settled) or 1.0
    axes.set_ylim(settled.min() - margin, settled.max() + margin)
    axes.locator_params(axis="x", nbins=3)
    axes.locator_params(axis="y", nbins=5)


@styled
def spectrum(
    eigenvalues: ArrayLike, *, thresholds: Sequence[float] = (0.5, 0.8, 0.9, 0.95, 0.99)
) -> Figure:
    """Draw a PCA spectrum: variance by component, and how many components explain how much.

    Parameters
    ----------
    eigenvalues : array of shape (D,)
        Variances along the principal directions, in any order, at least 0.
    thresholds : sequence of float
        Explained parts of the variance to mark, between 0 and 1.

    Returns
    -------
    Figure
        Two axes: the eigenvalues by falling size, and their cumulative sum in percent.

    Raises
    ------
    ValueError
        If an eigenvalue is negative, all are 0, or a threshold is not between 0 and 1.
    """
    values = np.sort(as_array(eigenvalues, "eigenvalues", 1))[::-1]
    if values[-1] < 0 or values[0] == 0:
        raise ValueError(
            f"eigenvalues must be at least 0 and not all 0, got {values[-1]:g} as least"
        )
    if not all(0 < part < 1 for part in thresholds):
        raise ValueError(f"thresholds must lie between 0 and 1, got {tuple(thresholds)}")
    explained = np.cumsum(values) / values.sum()
    component = np.arange(1, len(values) + 1)
    height = 3.0
    figure = new_figure(height, 6.6)
    scree, cumulative = figure.subplots(1, 2)
    scree.loglog(component, values, color=ACCENT)
    scree.set(xlabel="component", ylabel="variance", ylim=(values[0] * 1e-6, values[0] * 3))
    cumulative.semilogx(component, 100 * explained, color=ACCENT)
    cumulative.set(xlabel="components kept", ylabel="variance explained (%)", ylim=(0, 103))
    ends = []
    for part in thresholds:
        needed = int(np.searchsorted(explained, part) + 1)
        level = 100 * explained[needed - 1]
        span = [needed, len(values)]
        cumulative.plot(span, [level, level], color=MUTED, linewidth=0.8, linestyle=":", zorder=1)
        cumulative.plot(needed, level, "o", color=ACCENT, markersize=4.5)
        ends.append(Curve(f"{100 * part:g} %: {needed}", np.array(span), np.full(2, level), INK))
    for axes in (scree, cumulative):
        axes.set_xlim(1, max(len(values), 2))
    label_ends(cumulative, ends, height - 0.7)
    return figure
