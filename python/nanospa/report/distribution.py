"""How a property is distributed over the particles: histogram by cluster, log-normal fit, confidence intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import ShapeError
from nanospa.report.canvas import canvas, plain_axes
from nanospa.report.palette import INK, PLAIN_COLOUR, cluster_colour, cluster_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Fewest and most bins; between them Freedman and Diaconis' rule decides (Z. Wahrscheinlichkeitstheorie 57, 453, 1981).
_BINS = (12, 60)
#: The axis ends where 0.1 % of the values lie beyond, and at the latest ten interquartile ranges from the quartiles: a single
#: agglomerate must not squeeze all others into one bin. How many lie beyond is written into the figure.
_OUTSIDE_PERCENT = 0.1
_OUTSIDE_RANGES = 10
#: With more clusters than this the histogram is stacked without a legend.
_MOST_IN_LEGEND = 8


def distribution(
    values: Any,
    *,
    title: str,
    clusters: Any = None,
    lognormal: Mapping[str, tuple[float, float, float]] | None = None,
    marks: Mapping[str, tuple[float, float, float]] | None = None,
    weights: Any = None,
) -> Figure:
    """Histogram of a property, stacked by cluster, with a log-normal fit and marked values with their confidence intervals.

    Parameters
    ----------
    values : array_like of float, shape (particle,)
        Property; values that are not finite are left out.
    title : str
        Name and unit, the horizontal axis.
    clusters : array_like of int, shape (particle,), optional
        Cluster of each particle, negative = outlier.
    lognormal : mapping of str to (float, float, float), optional
        ``mu`` and ``sigma`` of the log-normal distribution (of the natural logarithm of the value) with the limits of their confidence
        intervals: (value, low, high) [-]. The band is the envelope of the curves at those limits.
    marks : mapping of str to (float, float, float), optional
        Values to mark, such as the median, with the limits of their confidence intervals: (value, low, high) [unit of `values`].
    weights : array_like of float, shape (particle,), optional
        Weight of each particle, such as its volume; each counts once without it.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        `clusters` or `weights` of another length than `values`.

    Examples
    --------
    >>> import nanospa as ns
    >>> figure = ns.report.distribution([9.0, 10.0, 11.0, 12.0], title="diameter [nm]")
    >>> figure.axes[0].get_xlabel(), figure.axes[0].get_ylabel()
    ('diameter [nm]', 'particles')
    """
    data = np.asarray(values, float).ravel()
    groups = _as_long_as(data, clusters, "clusters", int)
    mass = _as_long_as(data, weights, "weights", float)
    keep = np.isfinite(data) if mass is None else np.isfinite(data) & np.isfinite(mass)
    data, groups, mass = data[keep], None if groups is None else groups[keep], None if mass is None else mass[keep]
    figure = canvas()
    axes = figure.add_subplot()
    axes.set(xlabel=title, ylabel="particles" if mass is None else "share of the total weight")
    plain_axes(axes)
    if data.size == 0:
        axes.text(0.5, 0.5, "no values", transform=axes.transAxes, ha="center", va="center")
        return figure
    if mass is not None:
        mass = mass / mass.sum() if mass.sum() > 0 else mass
    edges = bin_edges(data)
    present = [] if groups is None else [int(c) for c in np.unique(groups)]
    if groups is None:
        axes.hist(data, bins=edges.tolist(), weights=mass, color=PLAIN_COLOUR, alpha=0.75, edgecolor="white", linewidth=0.4)
    else:
        # Outliers lie on top of the stack: the clusters below them stand on a common line.
        order = [c for c in present if c >= 0] + [c for c in present if c < 0]
        axes.hist(
            [data[groups == c] for c in order],
            bins=edges.tolist(),
            weights=None if mass is None else [mass[groups == c] for c in order],
            stacked=True,
            # A bar for each bin of each of dozens of clusters would take seconds to draw.
            histtype="barstacked" if len(order) <= _MOST_IN_LEGEND else "stepfilled",
            color=[cluster_colour(c) for c in order],
            label=[cluster_name(c) for c in order],
            edgecolor="white",
            linewidth=0.3,
        )
    if lognormal is not None and (data > 0).any():
        total = (1.0 if mass is not None else float(data.size)) * float(edges[1] - edges[0])
        _draw_lognormal(axes, lognormal, edges, total)
    for i, (name, (value, low, high)) in enumerate((marks or {}).items()):
        axes.axvline(value, color=INK, linewidth=1.0, linestyle=("-", "--", ":", "-.")[i % 4], label=name)
        if np.isfinite([low, high]).all():
            axes.axvspan(low, high, color=INK, alpha=0.10, linewidth=0)
    axes.set_xlim(edges[0], edges[-1])
    axes.locator_params(axis="x", nbins=6)
    axes.ticklabel_format(axis="x", scilimits=(-3, 5), useMathText=True)
    _say_outside(axes, data, mass, edges)
    handles, names = axes.get_legend_handles_labels()
    if handles and len(present) <= _MOST_IN_LEGEND:
        figure.legend(handles, names, loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    return figure


def bin_edges(data: NDArray[np.float64]) -> NDArray[np.float64]:
    """Edges of equal bins over the values, few far ones aside.

    Parameters
    ----------
    data : numpy.ndarray of float64, shape (particle,)
        Finite values, at least one.

    Returns
    -------
    numpy.ndarray of float64, shape (bin + 1,)
        Rising edges [unit of `data`]: at most 0.1 % of the values lie beyond at either end, besides those more than ten interquartile
        ranges from the quartiles.
    """
    first, third = (float(v) for v in np.percentile(data, [25, 75]))
    reach = _OUTSIDE_RANGES * (third - first) if third > first else np.inf
    near = data[(data >= first - reach) & (data <= third + reach)]
    # Not interpolated towards the middle: of fewer than 1,000 particles none is left out.
    low = float(np.percentile(near, _OUTSIDE_PERCENT, method="lower"))
    high = float(np.percentile(near, 100 - _OUTSIDE_PERCENT, method="higher"))
    if not high > low:
        # Equal values still need a bin that float64 can tell from its neighbour.
        half = max(0.5, abs(low) * 1e-6)
        return np.linspace(low - half, low + half, _BINS[0] + 1)
    width = 2 * (third - first) / np.cbrt(data.size)
    n = int(np.clip(np.ceil((high - low) / width), *_BINS)) if width > 0 else _BINS[1]
    return np.linspace(low, high, n + 1)


def _draw_lognormal(axes: Any, fit: Mapping[str, tuple[float, float, float]], edges: NDArray[np.float64], total: float) -> None:
    mu, mu_low, mu_high = fit["mu"]
    sigma, sigma_low, sigma_high = fit["sigma"]
    if not (np.isfinite([mu, sigma]).all() and sigma > 0):
        return
    x = np.linspace(max(edges[0], edges[-1] * 1e-6), edges[-1], 300)
    axes.plot(x, total * _density(x, mu, sigma), color=INK, linewidth=1.6, label="log-normal fit")
    limits = np.array([mu_low, mu_high, sigma_low, sigma_high])
    if np.isfinite(limits).all() and sigma_low > 0:
        curves = np.stack([total * _density(x, m, s) for m in (mu_low, mu_high) for s in (sigma_low, sigma_high)])
        axes.fill_between(x, curves.min(axis=0), curves.max(axis=0), color=INK, alpha=0.18, linewidth=0)


def _say_outside(axes: Any, data: NDArray[np.float64], mass: NDArray[np.float64] | None, edges: NDArray[np.float64]) -> None:
    for beyond, x, side, arrow in ((data < edges[0], 0.01, "left", "← {}"), (data > edges[-1], 0.99, "right", "{} →")):
        n = int(beyond.sum())
        if n:
            share = "" if mass is None else f" ({100 * mass[beyond].sum():.2g} %)"
            axes.text(x, 0.99, arrow.format(f"{n:,} beyond{share}"), transform=axes.transAxes, ha=side, va="top", fontsize=8)


def _density(x: NDArray[np.float64], mu: float, sigma: float) -> NDArray[np.float64]:
    density: NDArray[np.float64] = np.exp(-((np.log(x) - mu) ** 2) / (2 * sigma**2)) / (x * sigma * np.sqrt(2 * np.pi))
    return density


def _as_long_as(data: NDArray[np.float64], given: Any, name: str, dtype: type) -> NDArray[Any] | None:
    if given is None:
        return None
    array: NDArray[Any] = np.asarray(given, dtype).ravel()
    if array.shape != data.shape:
        raise ShapeError(f"{name}: expected one for each of {data.size} values, found {array.size}")
    return array
