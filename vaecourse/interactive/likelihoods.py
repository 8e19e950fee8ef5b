"""A live figure of count distributions: it needs no model at all."""

import numpy as np
from matplotlib.figure import Figure

from vaecourse.interactive.host import LiveFigure
from vaecourse.plots.style import ACCENT, SERIES, new_figure, styled

__all__ = ["counts"]

MEANS, THETAS = (0.2, 30.0), (0.1, 1000.0)


def counts(*, mean: float = 5.0, theta: float = 1.0) -> LiveFigure:
    r"""Show the negative binomial beside the Poisson distribution of the same mean.

    The bars are the negative binomial of mean :math:`\mu` and variance
    :math:`\mu + \mu^2/\theta`, the dots the Poisson distribution.

    Parameters
    ----------
    mean : float
        Mean :math:`\mu` at the start, between 0.2 and 30.
    theta : float
        Inverse dispersion :math:`\theta` at the start, between 0.1 and 1000.

    Returns
    -------
    LiveFigure
        Its state: ``mean`` and ``theta``.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    for name, value, (low, high) in (("mean", mean, MEANS), ("theta", theta, THETAS)):
        if not low <= value <= high:
            raise ValueError(f"{name} must lie between {low:g} and {high:g}, got {value!r}")
    return LiveFigure(
        "counts",
        {"means": MEANS, "thetas": THETAS},
        {"mean": mean, "theta": theta},
        picture=lambda: _picture(mean, theta),
        description="Bars of a negative binomial over the counts and dots of a Poisson "
        "distribution of the same mean. The bars start high at zero and have a long tail.",
    )


@styled
def _picture(mean: float, theta: float) -> Figure:
    from scipy import stats

    x = np.arange(max(10, int(np.ceil(3.5 * mean))) + 1)
    figure = new_figure(3.2)
    axes = figure.add_subplot()
    bars = stats.nbinom.pmf(x, theta, theta / (theta + mean))
    axes.bar(x, bars, color=ACCENT, alpha=0.55, label="negative binomial")
    axes.plot(x, stats.poisson.pmf(x, mean), "o", color=SERIES[1], label="Poisson")
    axes.set(xlabel="count $x$", ylabel="probability")
    axes.legend(frameon=False)
    return figure
