"""How well each image agrees with the reprojection of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.report.canvas import canvas, plain_axes
from nanospa.report.palette import INK, OUTLIER_COLOUR, PLAIN_COLOUR

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def image_correlations(reconstruction: Any) -> Figure:
    """Histogram of the images' correlations with the reprojections, those left out of the volume in grey.

    Parameters
    ----------
    reconstruction : xarray.Dataset
        Variables `correlation` and, if known, `kept` (image,).

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> figure = ns.report.image_correlations(xr.Dataset({"correlation": ("image", [0.98, 0.97, 0.9])}))
    >>> figure.axes[0].get_ylabel()
    'images'
    """
    from matplotlib.ticker import MaxNLocator

    figure = canvas()
    axes = figure.subplots()
    values = np.asarray(reconstruction["correlation"].values, float)
    kept = np.asarray(reconstruction["kept"].values, bool) if "kept" in reconstruction else np.ones(values.size, bool)
    known = np.isfinite(values)
    if not known.any():
        axes.text(0.5, 0.5, "no correlations", ha="center", va="center", transform=axes.transAxes)
        return figure
    room = max(float(np.ptp(values[known])) * 0.04, 1e-4)
    edges = np.linspace(values[known].min() - room, values[known].max() + room, 25)
    inside = np.histogram(values[known & kept], edges)[0]
    outside = np.histogram(values[known & ~kept], edges)[0]
    bars: dict[str, Any] = {"align": "edge", "edgecolor": "white", "linewidth": 0.6}
    axes.bar(edges[:-1], inside, np.diff(edges), color=PLAIN_COLOUR, label=f"in the volume: {inside.sum()}", **bars)
    if outside.any():
        axes.bar(edges[:-1], outside, np.diff(edges), bottom=inside, color=OUTLIER_COLOUR, label=f"left out: {outside.sum()}", **bars)
    mean = float(values[known].mean())
    axes.axvline(mean, color=INK, linewidth=1.2, linestyle=(0, (4, 3)), label=f"mean {mean:.3f}")
    axes.set(xlabel="correlation with the reprojection [-]", ylabel="images", xlim=(edges[0], edges[-1]))
    axes.set_ylim(0, 1.05 * float((inside + outside).max()))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(frameon=False, fontsize=9, loc="outside upper center", ncols=3, columnspacing=1.2, handlelength=1.4)
    plain_axes(axes)
    return figure
