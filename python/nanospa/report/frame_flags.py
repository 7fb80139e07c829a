"""Quality of the frames in the order they were taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.report.canvas import canvas, plain_axes
from nanospa.report.palette import CLUSTER_COLOURS, PLAIN_COLOUR
from nanospa.report.quantity import title, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Figures a frame has and the flag that says one is out of its limits.
PANELS = (
    ("focus_score", "blur"),
    ("drift_px", "drift"),
    ("charging_score", "charging"),
    ("saturated_fraction", "saturated"),
    ("n_particles", None),
)


def frame_flags(table: Any) -> Figure:
    """Focus, drift, charging, saturation and particles of each frame; flagged frames marked.

    Parameters
    ----------
    table : xarray.Dataset
        Frame table, dimension `frame`; columns it lacks, or that are NaN throughout, are left out.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> table = xr.Dataset({"focus_score": ("frame", [0.4, 0.1]), "blur": ("frame", [False, True])})
    >>> len(ns.report.frame_flags(table).axes)
    1
    """
    panels = [(name, flag) for name, flag in PANELS if name in table and np.isfinite(np.asarray(table[name].values, float)).any()]
    figure = canvas(4.4, 0.6 + 1.25 * max(1, len(panels)))
    for i, (name, flag) in enumerate(panels):
        axes = figure.add_subplot(len(panels), 1, i + 1)
        values = np.asarray(table[name].values, float)
        axes.plot(np.arange(values.size), values, color=PLAIN_COLOUR, linewidth=0.9, marker="o", markersize=2.5)
        if flag is not None and flag in table:
            bad = np.flatnonzero(np.asarray(table[flag].values, bool) & np.isfinite(values))
            axes.plot(bad, values[bad], "X", color=CLUSTER_COLOURS[-1], markersize=7, linestyle="none", label=words(flag))
            if bad.size:
                axes.legend(fontsize=8, frameon=False, loc="lower right", bbox_to_anchor=(1, 0.93), borderpad=0, handletextpad=0.2)
        axes.set_ylabel(title(table, name).replace(" ", "\n", 1), fontsize=8)
        plain_axes(axes)
        axes.yaxis.label.set_fontsize(8)
        if i + 1 < len(panels):
            axes.tick_params(labelbottom=False)
        else:
            axes.set_xlabel("frame")
    return figure
