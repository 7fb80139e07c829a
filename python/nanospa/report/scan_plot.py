"""The scan of clustering parameters: how many particles each parameter set puts into clusters of a useful size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.errors import UnknownNameError
from nanospa.report.canvas import canvas, plain_axes
from nanospa.report.palette import CLUSTER_COLOURS, INK
from nanospa.report.quantity import title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What a scan gives for a parameter set; every other numeric variable along its dimension is a parameter.
RESULTS = ("n_clusters", "n_in_range", "n_pooled", "n_counted", "n_mixed", "fraction", "validity", "n_outliers", "silhouette", "largest")
#: Values of the second parameter that get a line of their own.
_MOST_LINES = len(CLUSTER_COLOURS)


def scan_plot(scan: Any) -> Figure:
    """Share of the particles in clusters of a useful size against the clustering parameters.

    Parameters
    ----------
    scan : xarray.Dataset
        Result of `nanospa.cluster.scan`: ``fraction`` and the parameters along one dimension.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UnknownNameError
        There is no variable ``fraction``.

    Examples
    --------
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> scan = xr.Dataset({"eps": ("set", [0.1, 0.2, 0.3]), "fraction": ("set", [0.0, 0.5, 0.2])})
    >>> ns.report.scan_plot(scan).axes[0].get_xlabel()
    'eps'
    """
    if "fraction" not in scan:
        raise UnknownNameError(f"scan: expected a variable 'fraction', found {', '.join(map(str, scan)) or 'none'}")
    dimension = scan["fraction"].dims[0]
    fraction = np.asarray(scan["fraction"].values, float)
    parameters = {
        str(name): np.asarray(variable.values, float)
        for name, variable in scan.variables.items()
        if variable.dims == (dimension,) and variable.dtype.kind in "iuf" and name not in (*RESULTS, dimension)
    }
    # The parameter with most values is the axis, the one with fewer gives the lines.
    names = sorted((n for n in parameters if np.unique(parameters[n]).size > 1), key=lambda n: -np.unique(parameters[n]).size)
    x = parameters[names[0]] if names else np.arange(fraction.size, dtype=float)
    figure = canvas(4.4, 3.6)
    axes = figure.add_subplot()
    lines = np.unique(parameters[names[1]]) if len(names) > 1 else np.zeros(1)
    which = parameters[names[1]] if len(names) > 1 else np.zeros(fraction.size)
    step = -(-lines.size // _MOST_LINES)
    for colour, value in zip(CLUSTER_COLOURS, lines[::step], strict=False):
        rows = np.flatnonzero((which == value) & np.isfinite(fraction))
        rows = rows[np.argsort(x[rows], kind="stable")]
        label = f"{title(scan, names[1])} = {value:g}" if len(names) > 1 else None
        axes.plot(x[rows], 100 * fraction[rows], color=colour, linewidth=1.1, marker="o", markersize=3, label=label)
    best = best_row(scan)
    if best is not None:
        axes.plot(x[best], 100 * fraction[best], "*", color=INK, markersize=13, markeredgecolor="white", label="chosen", zorder=5)
    axes.set(xlabel=title(scan, names[0]) if names else "parameter set", ylabel="particles in useful clusters [%]")
    positive = x[np.isfinite(x)]
    if positive.size and positive.min() > 0 and positive.max() / positive.min() > 30:
        axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    plain_axes(axes)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=8, frameon=False)
    return figure


def best_row(scan: Any) -> int | None:
    """The parameter set the scan chose; without a choice, the one with most particles in useful clusters, the more valid of equals.

    Parameters
    ----------
    scan : xarray.Dataset
        Result of `nanospa.cluster.scan`.

    Returns
    -------
    int or None
        Position along the scan; None where no set has a finite share.
    """
    fraction = np.asarray(scan["fraction"].values, float)
    if 0 <= (chosen := int(scan.attrs.get("best", -1))) < fraction.size:
        return chosen
    if not np.isfinite(fraction).any():
        return None
    best = np.flatnonzero(fraction == np.nanmax(fraction))
    if "validity" in scan:
        validity = np.nan_to_num(np.asarray(scan["validity"].values, float)[best], nan=-np.inf)
        return int(best[int(validity.argmax())])
    return int(best[0])
