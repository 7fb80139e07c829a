"""The scan of clustering parameters: how many particles each parameter set puts into clusters of a useful size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import UnknownNameError
from nanospa.report.canvas import canvas, plain_axes
from nanospa.report.palette import CLUSTER_COLOURS, INK
from nanospa.report.quantity import words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: What a scan gives for a parameter set; every other variable along its dimension is a parameter.
RESULTS = ("n_clusters", "n_in_range", "n_pooled", "n_counted", "n_mixed", "fraction", "validity", "method")
#: Lines that can be told apart.
_MOST_LINES = len(CLUSTER_COLOURS)


def scan_plot(scan: Any) -> Figure:
    """Share of the particles in usable clusters against the parameter with most values, a line for each set of the others.

    Sets with a mixed cluster have hollow markers, the chosen set a star.

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
    >>> scan = xr.Dataset({"eps": ("parameters", [0.1, 0.2, 0.3]), "fraction": ("parameters", [0.0, 0.5, 0.2])})
    >>> ns.report.scan_plot(scan).axes[0].get_xlabel()
    'eps'
    """
    if "fraction" not in scan:
        raise UnknownNameError(f"scan: expected a variable 'fraction', found {', '.join(map(str, scan)) or 'none'}")
    percent = 100 * np.asarray(scan["fraction"].values, float)
    mixed = np.asarray(scan["n_mixed"].values) > 0 if "n_mixed" in scan else np.zeros(percent.size, bool)
    best = best_row(scan)
    parameters = _parameters(scan)
    name = _axis(parameters, best)
    x = np.arange(percent.size, dtype=float) if name is None else np.asarray(parameters[name], float)
    lines = _lines({other: values for other, values in parameters.items() if other != name}, percent.size)
    figure = canvas(4.4, 3.6)
    axes = figure.add_subplot()
    # Of more sets than colours the chosen one is always among those drawn.
    shown = sorted(lines, key=lambda label: best is None or best not in lines[label])[:_MOST_LINES]
    for colour, label in zip(CLUSTER_COLOURS, [label for label in lines if label in shown], strict=False):
        rows = lines[label][np.isfinite(x[lines[label]]) & np.isfinite(percent[lines[label]])]
        rows = rows[np.argsort(x[rows], kind="stable")]
        if rows.size:
            axes.plot(x[rows], percent[rows], color=colour, linewidth=1.1, label=label or None)
            faces = ["white" if m else colour for m in mixed[rows]]
            axes.scatter(x[rows], percent[rows], s=14, c=faces, edgecolors=colour, linewidths=0.9, zorder=3)
    if best is not None:
        axes.plot(x[best], percent[best], "*", color=INK, markersize=13, markeredgecolor="white", label="chosen", zorder=5)
    axes.set(xlabel="parameter set" if name is None else words(name.removeprefix("option_")), ylabel="particles in usable clusters [%]")
    axes.set_ylim(bottom=0)
    plain_axes(axes)
    if axes.get_legend_handles_labels()[0]:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=8, frameon=False)
    return figure


def best_row(scan: Any) -> int | None:
    """The chosen parameter set: what the scan says, else the one with most particles in usable clusters.

    Parameters
    ----------
    scan : xarray.Dataset
        Result of `nanospa.cluster.scan`.

    Returns
    -------
    int or None
        Position along the scan; None where there is none.
    """
    fraction = np.asarray(scan["fraction"].values, float)
    if "best" in scan.attrs:
        best = int(scan.attrs["best"])
        return best if 0 <= best < fraction.size else None
    return int(np.nanargmax(fraction)) if np.isfinite(fraction).any() else None


def _parameters(scan: Any) -> dict[str, NDArray[Any]]:
    """Variables that differ between sets and are no result."""
    along = scan["fraction"].dims
    found = {
        str(name): variable.values for name, variable in scan.variables.items() if variable.dims == along and name not in (*RESULTS, *along)
    }
    return {name: values for name, values in found.items() if len({str(v) for v in values}) > 1}


def _axis(parameters: dict[str, NDArray[Any]], best: int | None) -> str | None:
    """The number with most values; where sets have different parameters, one that the chosen set has."""
    numbers = {name: np.asarray(values, float) for name, values in parameters.items() if values.dtype.kind in "iuf"}
    usable = [name for name, values in numbers.items() if best is None or np.isfinite(values[best])]
    return max(usable, key=lambda name: np.unique(numbers[name][np.isfinite(numbers[name])]).size, default=None)


def _lines(others: dict[str, NDArray[Any]], n: int) -> dict[str, NDArray[np.intp]]:
    """Rows of each combination of the other parameters; what a set does not have is not named."""
    rows: dict[str, list[int]] = {}
    for i in range(n):
        parts = [(name, values[i]) for name, values in others.items()]
        label = ", ".join(f"{words(name)} {_value(value)}" for name, value in parts if _value(value) != "nan")
        rows.setdefault(label, []).append(i)
    return {label: np.array(found) for label, found in rows.items()}


def _value(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float, np.number)) else str(value)
