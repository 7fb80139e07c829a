"""Distributions of sizes, shapes and intensities with fits and confidence intervals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.report.distribution import distribution
from nanospa.report.quantity import p_value, text, title, unit
from nanospa.report.run_view import RunView

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Lengths and areas: positive and without an upper limit, so that a log-normal distribution is a sensible guess.
SIZES = ("equivalent_diameter", "area", "feret_max")
#: Other properties shown, in this order, where the table has them.
OTHERS = ("aspect_ratio", "circularity", "solidity", "intensity_max", "intensity_total", "snr")
#: Confidence level of all intervals, in percent.
CONFIDENCE_PERCENT = 95


def distributions(view: RunView) -> Iterator[tuple[str, str, Figure]]:
    """One figure a property, of the diameter also one by volume.

    Particles that touch the border or are counted in another frame are left out: their sizes are those of parts, or counted twice.

    Parameters
    ----------
    view : RunView
        Store.

    Yields
    ------
    name : str
        Name of the figure.
    caption : str
        What it shows.
    figure : matplotlib.figure.Figure
        Figure.
    """
    if view.n_particles == 0:
        return
    whole = whole_particles(view)
    for quantity in (*SIZES, *OTHERS):
        column = view.column(quantity)
        if column is None:
            continue
        yield _made(view, column, whole, "number", fitted=quantity in SIZES)
        if quantity == "equivalent_diameter":
            yield _made(view, column, whole, "volume", fitted=True)


def whole_particles(view: RunView) -> NDArray[np.bool_]:
    """Particles that are seen whole and counted once.

    Parameters
    ----------
    view : RunView
        Store with a particle table.

    Returns
    -------
    numpy.ndarray of bool, shape (particle,)
    """
    whole = np.ones(view.n_particles, bool)
    for name in ("touches_border", "duplicate"):
        if name in view.particles:
            whole &= ~np.asarray(view.particles[name].values, bool)
    return whole


def _made(view: RunView, column: str, whole: NDArray[np.bool_], weights: str, *, fitted: bool) -> tuple[str, str, Figure]:
    table = view.particles
    values = np.asarray(table[column].values, float)
    keep = whole & np.isfinite(values)
    values = values[keep]
    clusters = None if view.clusters is None else view.clusters[keep]
    statistics = _statistics(values, weights) if fitted else {}
    figure = distribution(
        values,
        title=title(table, column),
        clusters=clusters,
        weights=values**3 if weights == "volume" else None,
        lognormal={name: _interval(statistics, f"lognormal_{name}") for name in ("mu", "sigma")} if statistics else None,
        marks={name: _interval(statistics, name) for name in ("D10", "D50", "D90")} if statistics else None,
    )
    name = f"distribution_{column}" + ("_by_volume" if weights == "volume" else "")
    return name, _caption(statistics, unit(table, column), weights), figure


def _statistics(values: NDArray[np.float64], weights: str) -> dict[str, float]:
    from nanospa.measure import population

    positive = values[values > 0]
    return population(positive, weights=weights, confidence=CONFIDENCE_PERCENT / 100) if positive.size else {}


def _interval(statistics: dict[str, float], name: str) -> tuple[float, float, float]:
    return statistics[name], statistics[f"{name}_low"], statistics[f"{name}_high"]


def _caption(statistics: dict[str, Any], of: str, weights: str) -> str:
    if not statistics:
        return ""

    def said(name: str) -> str:
        value, low, high = (text(v) for v in _interval(statistics, name))
        return f"{value} {of} ({low} to {high})"

    poor = ", it does not fit" if statistics["lognormal_p"] < 0.05 else ""
    return (
        f"By {weights}: median {said('D50')}, mean {said('mean')}, D10 {said('D10')}, D90 {said('D90')}; "
        f"in brackets {CONFIDENCE_PERCENT} % confidence intervals. "
        f"Log-normal: median {said('lognormal_median')}, geometric standard deviation {text(statistics['lognormal_gsd'])}; "
        f"Anderson-Darling {p_value(statistics['lognormal_p'])}{poor}."
    )
