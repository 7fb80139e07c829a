"""Particles as points of two or three of their properties, in the colours of their clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.errors import ShapeError, UnknownNameError
from nanospa.report.canvas import canvas, plain_axes
from nanospa.report.palette import PLAIN_COLOUR, cluster_colour, cluster_marker, cluster_name
from nanospa.report.quantity import resolve, title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: More points than this hide each other and make the file large: a random subset, the same every time, is drawn instead.
MOST_POINTS = 5000
#: More clusters than this have no legend: it would cover the plot.
_MOST_IN_LEGEND = 10


def scatter(table: Any, columns: tuple[str, ...], *, clusters: Any = None, log: bool = False, seed: int = 0) -> Figure:
    """Scatter plot of two or three columns.

    Parameters
    ----------
    table : xarray.Dataset
        Particle table, dimension `particle`.
    columns : tuple of str
        Two or three columns; a quantity such as ``area`` means the calibrated column where there is one. The third is the axis out of
        the plane.
    clusters : array_like of int, shape (particle,), optional
        Cluster of each particle, negative = outlier; the table's own column ``cluster`` unless given.
    log : bool
        Whether the axes are logarithmic (two columns only; values up to 0 are left out).
    seed : int
        Seed of the subset drawn of more than 5,000 particles.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UnknownNameError
        A column is not in the table.
    ShapeError
        Not two or three columns, or `clusters` of another length than the table.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> table = xr.Dataset({"area_nm2": ("particle", [10.0, 20.0]), "solidity": ("particle", [0.9, 1.0])})
    >>> ns.report.scatter(table, ("area", "solidity")).axes[0].get_xlabel()
    'area [nm²]'
    """
    if len(columns) not in (2, 3):
        raise ShapeError(f"columns: expected 2 or 3 names, found {len(columns)}")
    names = [_column(table, name) for name in columns]
    values = np.stack([np.asarray(table[name].values, float) for name in names])
    groups = np.asarray(table["cluster"].values) if clusters is None and "cluster" in table else clusters
    groups = np.zeros(values.shape[1], int) if groups is None else np.asarray(groups)
    if groups.shape != values.shape[1:]:
        raise ShapeError(f"clusters: expected one for each of {values.shape[1]} particles, found shape {groups.shape}")
    plain = clusters is None and "cluster" not in table
    shown = drawn(np.isfinite(values).all(axis=0) & ((values > 0).all(axis=0) | (not log)), seed=seed)
    figure = canvas(*((5.0, 4.4) if len(names) == 3 else (4.4, 3.6)))
    axes: Any
    axes = figure.add_subplot(projection="3d") if len(names) == 3 else figure.add_subplot()
    present = [int(c) for c in np.unique(groups)]
    for cluster in present:
        rows = shown[groups[shown] == cluster]
        if rows.size:
            axes.scatter(
                *values[:, rows],
                s=7 if cluster < 0 else 14,
                marker="o" if plain else cluster_marker(cluster),
                linewidths=0,
                color=PLAIN_COLOUR if plain else cluster_colour(cluster),
                alpha=0.55 if cluster < 0 else 0.8,
                label=cluster_name(cluster),
                zorder=1 if cluster < 0 else 2,
            )
    for setter, name in zip((axes.set_xlabel, axes.set_ylabel, getattr(axes, "set_zlabel", None)), names, strict=False):
        if setter is not None:
            setter(title(table, name), fontsize=10)
    if len(names) == 2:
        plain_axes(axes)
        if log:
            axes.set(xscale="log", yscale="log")
    else:
        axes.tick_params(labelsize=7)
        # Three-dimensional axes reserve no room for the label that stands outside the box.
        axes.set_box_aspect(None, zoom=0.86)
    if not plain and len(present) <= _MOST_IN_LEGEND and shown.size:
        figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=min(len(present), 4), fontsize=8, frameon=False)
    return figure


def drawn(usable: Any, *, seed: int = 0) -> Any:
    """Rows to draw: all usable ones, or a random subset of 5,000 of them.

    Parameters
    ----------
    usable : numpy.ndarray of bool, shape (particle,)
        Rows that can be drawn.
    seed : int
        Seed of the subset.

    Returns
    -------
    numpy.ndarray of int64, shape (row,)
        Rising row numbers.
    """
    rows = np.flatnonzero(usable)
    if rows.size > MOST_POINTS:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_POINTS, replace=False))
    return rows


def _column(table: Any, name: str) -> str:
    found = resolve(table, name)
    if found is None:
        raise UnknownNameError(f"columns: expected columns of the table ({', '.join(map(str, table))}), found {name!r}")
    return found
