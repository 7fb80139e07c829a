"""Scores of the starts by the basin they ended in, and of the basins after closure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.report.canvas import canvas, plain_axes
from nanospa.report.palette import INK, OUTLIER_COLOUR, PLAIN_COLOUR

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Colours of the basins by rank: the model's, its rivals', all others.
_COLOURS = (PLAIN_COLOUR, "#E69F00", "#CC79A7", "#009E73", OUTLIER_COLOUR)
_BINS = 24


def start_scores(reconstruction: Any) -> Figure:
    """Histogram of the mean correlations at which the starts ended, stacked by basin; triangles mark the basins after closure.

    Parameters
    ----------
    reconstruction : xarray.Dataset
        Variables `start_scores`, `start_basin` (start,), and if known `basin_scores` (basin,), best first.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> ended = {"start_scores": ("start", [0.97, 0.95, 0.97]), "start_basin": ("start", [0, 1, 0])}
    >>> ns.report.start_scores(xr.Dataset(ended)).axes[0].get_ylabel()
    'starts'
    """
    from matplotlib.ticker import MaxNLocator

    figure = canvas()
    axes = figure.subplots()
    scores = np.asarray(reconstruction["start_scores"].values, float)
    basin = np.asarray(reconstruction["start_basin"].values, int)
    best = np.asarray(reconstruction["basin_scores"].values, float) if "basin_scores" in reconstruction else np.empty(0)
    rank = np.where(basin < 0, len(_COLOURS) - 1, np.minimum(basin, len(_COLOURS) - 1))
    seen = np.concatenate([scores, best])
    seen = seen[np.isfinite(seen)]
    if not seen.size:
        axes.text(0.5, 0.5, "no starts", ha="center", va="center", transform=axes.transAxes)
        return figure
    room = max(float(np.ptp(seen)) * 0.04, 1e-4)
    edges = np.linspace(seen.min() - room, seen.max() + room, _BINS + 1)
    counts = np.zeros(_BINS)
    names = ["the model's basin", *(f"basin {i}" for i in range(1, len(_COLOURS) - 1)), "others"]
    for i, (colour, name) in enumerate(zip(_COLOURS, names, strict=True)):
        of_basin = scores[(rank == i) & np.isfinite(scores)]
        if not of_basin.size:
            continue
        more = np.histogram(of_basin, edges)[0]
        axes.bar(
            edges[:-1],
            more,
            np.diff(edges),
            bottom=counts,
            align="edge",
            color=colour,
            edgecolor="white",
            linewidth=0.6,
            label=f"{name}: {of_basin.size}",
        )
        counts = counts + more
    top = max(float(counts.max()), 1.0)
    for i, score in enumerate(best[: 2 * len(_COLOURS)]):
        # Markers share one line under the axis' top; those of different basins may be close to each other.
        axes.plot(
            [score],
            [top * 1.1],
            "v",
            color=_COLOURS[min(i, len(_COLOURS) - 1)],
            markersize=8,
            markeredgecolor="white",
            markeredgewidth=0.6,
            zorder=5 - i * 0.1,
        )
    if best.size:
        axes.plot([], [], "v", color=INK, markersize=6, label="after closure")
    axes.set(xlabel="mean correlation [-]", ylabel="starts", ylim=(0, top * 1.2), xlim=(edges[0], edges[-1]))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(frameon=False, fontsize=9, loc="outside upper center", ncols=2)
    plain_axes(axes)
    return figure
