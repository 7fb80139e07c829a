"""Distributions of sizes, shapes and intensities with fits and confidence intervals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nanospa.report.distribution import distribution
from nanospa.report.quantity import title
from nanospa.report.run_view import RunView

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Properties shown, in this order, where the table has them.
QUANTITIES = (
    "equivalent_diameter",
    "area",
    "feret_max",
    "aspect_ratio",
    "circularity",
    "solidity",
    "intensity_max",
    "intensity_total",
    "snr",
)


def distributions(view: RunView) -> Iterator[tuple[str, str, Figure]]:
    """One figure a property.

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
    for quantity in QUANTITIES:
        column = view.column(quantity)
        if column is not None:
            values = view.particles[column].values
            yield f"distribution_{column}", "", distribution(values, title=title(view.particles, column), clusters=view.clusters)
