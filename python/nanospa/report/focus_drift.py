"""Focus and drift in the course of an acquisition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.report.canvas import canvas, plain_axes
from nanospa.report.palette import INK, PLAIN_COLOUR, VERDICT_COLOURS, VERDICT_MARKERS
from nanospa.report.quantity import texts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: From here on the time axis is in hours [s].
_HOURS_FROM_S = 3 * 3600
#: Colour of displacements along x beside those along y.
_OTHER_COLOUR = "#D55E00"


def focus_drift(events: Any) -> Figure:
    """Defocus after every focus, displacement since the survey and its rate, against the time of the instrument.

    Parameters
    ----------
    events : xarray.Dataset
        Table of the events, as `nanospa.acquire.event_tables` gives it; what it lacks is left out.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> columns = {"kind": ["focus"], "clock_s": [60.0], "defocus_nm": [-12.0], "verdict": ["fitted"]}
    >>> figure = ns.report.focus_drift(xr.Dataset({name: ("event", values) for name, values in columns.items()}))
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['defocus [nm]']
    """
    kinds = texts(events, "kind")
    clock = np.asarray(events["clock_s"].values, float)
    end = float(np.nanmax(clock)) if np.isfinite(clock).any() else 0.0
    start = float(np.nanmin(clock)) if np.isfinite(clock).any() else 0.0
    scale, unit = (3600.0, "h") if end - start > _HOURS_FROM_S else (60.0, "min")
    time = (clock - start) / scale
    there = (
        (_focus, _any(events, "defocus_nm", kinds == "focus")),
        (_drift, _drifts(events)),
        (_rate, _any(events, "drift_rate_nm_per_min", kinds == "drift")),
    )
    panels = [draw for draw, has in there if has]
    figure = canvas(4.4, 0.6 + 1.6 * max(1, len(panels)))
    for i, draw in enumerate(panels):
        axes = figure.add_subplot(len(panels), 1, i + 1)
        draw(axes, events, kinds, time)
        axes.axhline(0, color=INK, linewidth=0.5, zorder=0)
        axes.set_xlim(0, max((end - start) / scale, 1e-9) * 1.02)
        plain_axes(axes)
        axes.yaxis.label.set_fontsize(9)
        axes.legend(fontsize=8, frameon=False, ncols=4, loc="lower right", bbox_to_anchor=(1, 1.0), borderpad=0, handletextpad=0.2)
        if i + 1 < len(panels):
            axes.tick_params(labelbottom=False)
        else:
            axes.set_xlabel(f"time of the instrument [{unit}]")
    return figure


def _focus(axes: Any, events: Any, kinds: NDArray[Any], time: NDArray[np.float64]) -> None:
    defocus = np.asarray(events["defocus_nm"].values, float)
    rows = np.flatnonzero((kinds == "focus") & np.isfinite(defocus))
    axes.plot(time[rows], defocus[rows], color=INK, linewidth=0.7, zorder=1)
    verdicts = texts(events, "verdict")[rows] if "verdict" in events else np.full(rows.size, "")
    for verdict in [v for v in VERDICT_COLOURS if v in verdicts] + sorted(set(verdicts) - set(VERDICT_COLOURS)):
        of = rows[verdicts == verdict]
        look = {"color": VERDICT_COLOURS.get(verdict, INK), "marker": VERDICT_MARKERS.get(verdict, "o")}
        axes.plot(time[of], defocus[of], linestyle="none", markersize=4.5, label=verdict.replace("_", " ") or "focus", **look)
    axes.set_ylabel("defocus [nm]")


def _drift(axes: Any, events: Any, kinds: NDArray[Any], time: NDArray[np.float64]) -> None:
    for name, colour, marker, label in (("drift_y_nm", PLAIN_COLOUR, "o", "y"), ("drift_x_nm", _OTHER_COLOUR, "s", "x")):
        values = np.asarray(events[name].values, float)
        rows = (kinds == "drift") & np.isfinite(values)
        axes.plot(time[rows], values[rows], marker, color=colour, markersize=2.5, label=label)
    axes.set_ylabel("displacement since\nthe survey [nm]")


def _rate(axes: Any, events: Any, kinds: NDArray[Any], time: NDArray[np.float64]) -> None:
    values = np.asarray(events["drift_rate_nm_per_min"].values, float)
    rows = (kinds == "drift") & np.isfinite(values)
    axes.plot(time[rows], values[rows], "o", color=PLAIN_COLOUR, markersize=2.5)
    axes.axhline(
        float(np.median(values[rows])), color=INK, linewidth=0.9, linestyle="--", label=f"median {np.median(values[rows]):.2g} nm/min"
    )
    axes.set_ylabel("drift rate [nm/min]")


def _drifts(events: Any) -> bool:
    kinds = texts(events, "kind")
    return all(_any(events, name, kinds == "drift") for name in ("drift_y_nm", "drift_x_nm"))


def _any(events: Any, name: str, rows: NDArray[np.bool_]) -> bool:
    return name in events and bool(np.isfinite(np.asarray(events[name].values, float)[rows]).any())
