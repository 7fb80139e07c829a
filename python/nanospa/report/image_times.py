"""Where the time and the dose of an acquisition went, image by image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.report.canvas import canvas, plain_axes
from nanospa.report.palette import INK, PLAIN_COLOUR, TIME_COLOURS
from nanospa.report.quantity import texts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Which event's time counts as what; exposure is the part of an image in which pixels are scanned.
_WHAT = {"move": "move", "focus": "focus", "survey": "survey", "fault": "faults"}
#: Marker, its size and colour of the doses.
_MARKS = {"image": ("o", 3.0, PLAIN_COLOUR), "survey": ("s", 4.5, TIME_COLOURS["survey"]), "focus": ("^", 5.5, TIME_COLOURS["focus"])}
#: Doses more than this apart need a logarithmic axis.
_FAR_APART = 20


def image_times(events: Any) -> Figure:
    """Time of each image, stacked by what it was spent on, and the dose of every scan.

    What happened since the image before (moves, focus, survey, faults) counts to the image that follows.

    Parameters
    ----------
    events : xarray.Dataset
        Table of the events, as `nanospa.acquire.event_tables` gives it.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> columns = {"kind": ["focus", "image"], "duration_s": [20.0, 25.0], "clock_s": [20.0, 45.0]}
    >>> figure = ns.report.image_times(xr.Dataset({name: ("event", values) for name, values in columns.items()}))
    >>> figure.axes[0].get_ylabel()
    'time an image [s]'
    """
    from matplotlib.ticker import MaxNLocator

    times, _ = time_spent(events)
    doses = _doses(events)
    figure = canvas(4.4, 3.3 if not doses else 4.6)
    axes = figure.add_subplot(2 if doses else 1, 1, 1)
    axes.set(ylabel="time an image [s]")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    plain_axes(axes)
    n = next((values.size for values in times.values()), 0)
    if n:
        edges = np.arange(n + 1) - 0.5
        below = np.zeros(n)
        for what, values in times.items():
            if values.any():
                # One filled step line a kind: a bar for each of a thousand images would take seconds to draw.
                axes.stairs(below + values, edges, baseline=below, fill=True, color=TIME_COLOURS[what], label=what)
                below = below + values
        mean = float(below.mean())
        axes.axhline(mean, color=INK, linewidth=0.9, linestyle="--", label=f"mean {mean:.0f} s")
        axes.set(xlim=(-0.5, n - 0.5), ylim=(0, 1.05 * float(below.max()) or 1.0))
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=4, fontsize=8, frameon=False)
    else:
        axes.text(0.5, 0.5, "no images", transform=axes.transAxes, ha="center", va="center")
    if doses:
        axes.tick_params(labelbottom=False)
        lower = figure.add_subplot(2, 1, 2, sharex=axes)
        for what, (x, dose) in doses.items():
            marker, size, colour = _MARKS[what]
            lower.plot(x, dose, marker, color=colour, markersize=size, markeredgewidth=0, label=what)
        everything = np.concatenate([dose for _, dose in doses.values()])
        positive = everything[everything > 0]
        if positive.size and positive.max() > _FAR_APART * positive.min():
            lower.set_yscale("log")
        else:
            lower.set_ylim(bottom=0)
        lower.set(ylabel="dose of a scan\n[electrons/nm²]")
        lower.legend(fontsize=8, frameon=False, ncols=3, loc="lower right", bbox_to_anchor=(1, 1.0), borderpad=0, handletextpad=0.2)
        plain_axes(lower)
        lower.yaxis.label.set_fontsize(9)
        lower.set_xlabel("image")
    else:
        axes.set_xlabel("image")
    return figure


def time_spent(events: Any) -> tuple[dict[str, NDArray[np.float64]], dict[str, float]]:
    """Time of each image by what it was spent on, and the time after the last image.

    Parameters
    ----------
    events : xarray.Dataset or None
        Table of the events.

    Returns
    -------
    of_images : dict of str to numpy.ndarray of float64, shape (image,)
        move, focus, survey, exposure, overhead, faults [s]; they sum up to the time between the ends of two images.
    after : dict of str to float
        The same after the last image [s].
    """
    names = tuple(TIME_COLOURS)
    if events is None or not {"kind", "duration_s"} <= set(events):
        return {name: np.empty(0) for name in names}, dict.fromkeys(names, 0.0)
    kinds = texts(events, "kind")
    lasted = np.nan_to_num(np.asarray(events["duration_s"].values, float))
    clock = np.asarray(events["clock_s"].values, float) if "clock_s" in events else np.cumsum(lasted)
    exposed = _exposure(events)
    rows: list[dict[str, float]] = []
    now = dict.fromkeys(names, 0.0)
    before = float("nan")
    for kind, seconds, end, exposure in zip(kinds, lasted, clock, exposed, strict=True):
        if kind == "image":
            scanned = min(seconds, exposure) if np.isfinite(exposure) else seconds
            now["exposure"] += scanned
            now["overhead"] += seconds - scanned
        else:
            now[_WHAT.get(kind, "overhead")] += seconds
        # Time that no event claims.
        if np.isfinite(before) and np.isfinite(end):
            now["overhead"] += max(0.0, end - before - seconds)
        before = end if np.isfinite(end) else before
        if kind == "image":
            rows.append(now)
            now = dict.fromkeys(names, 0.0)
    return {name: np.array([row[name] for row in rows]) for name in names}, now


def _exposure(events: Any) -> NDArray[np.float64]:
    needed = ("height_px", "width_px", "dwell_time_s")
    if not set(needed) <= set(events):
        return np.full(events["kind"].size, np.nan)
    height, width, dwell = (np.asarray(events[name].values, float) for name in needed)
    return np.where((height > 0) & (width > 0), height * width * dwell, np.nan)


def _doses(events: Any) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Dose of images, surveys and focus against the number of the image that they precede."""
    if "electrons_per_nm2" not in events:
        return {}
    kinds = texts(events, "kind")
    dose = np.asarray(events["electrons_per_nm2"].values, float)
    images = kinds == "image"
    number = np.cumsum(images) - images
    found = {}
    for kind in _MARKS:
        rows = (kinds == kind) & np.isfinite(dose)
        if rows.any():
            found[kind] = (number[rows].astype(float), dose[rows])
    return found
