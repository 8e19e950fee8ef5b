"""Small multiples of densities."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from vaecourse.plots.densities import as_extent, density_image
from vaecourse.plots.style import as_array, new_figure, styled

__all__ = ["density_panels"]


@styled
def density_panels(
    densities: Mapping[str, object],
    extent: tuple[float, float, float, float],
    *,
    xlabel: str = "$x_1$",
    ylabel: str = "$x_2$",
) -> Figure:
    """Draw several densities of two variables side by side, each on its own color scale.

    Parameters
    ----------
    densities : mapping of str to array of shape (H, W)
        Values for each panel's title, laid out as in `density_2d`; at least 0.
    extent : (left, right, bottom, top)
        Edges of the grid, the same for all.
    xlabel, ylabel : str
        What the axes show.

    Returns
    -------
    Figure
        One axes per density, at most four in a row. White is 0, the darkest color the panel's
        own maximum.

    Raises
    ------
    ValueError
        If there is no density, a shape does not fit, a density is negative, or `extent` is not
        in order.
    """
    if not densities:
        raise ValueError("densities must hold at least one density, got none")
    panels = {title: as_array(values, repr(title), 2) for title, values in densities.items()}
    for title, values in panels.items():
        if values.min() < 0:
            raise ValueError(f"{title!r} must be at least 0 everywhere, got {values.min():g}")
    extent = as_extent(extent)
    columns = min(len(panels), 4)
    rows = -(-len(panels) // columns)
    figure = new_figure(2.15 * rows + 0.2, 1.8 * columns + 0.5)
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for axes, (title, values) in zip(grid.flat, panels.items(), strict=False):
        density_image(axes, values, extent, vmin=0, vmax=values.max())
        axes.set(title=str(title), xlabel=xlabel)
        axes.locator_params(nbins=4)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel(ylabel)
    return figure
