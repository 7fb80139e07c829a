"""Clusters: how many members, how pure, how they lie to each other, what they look like."""

from __future__ import annotations

from typing import Any

import numpy as np

from nanospa.report.palette import cluster_colour, cluster_name
from nanospa.report.quantity import text, title, words
from nanospa.report.run_view import RunView

#: Clusters in the table; more than this are cut off, largest first.
MOST_ROWS = 60
#: Properties whose mean is in the table.
_MEANS = ("equivalent_diameter", "area", "circularity", "solidity", "intensity_max")


def clusters(view: RunView) -> dict[str, Any] | None:
    """Table of the clusters.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    dict or None
        ``head``, ``rows`` (colour, name, cells), ``caption``; None before clustering.
    """
    groups = view.clusters
    if groups is None or groups.size == 0:
        return None
    found, counts = np.unique(groups, return_counts=True)
    order = sorted(range(found.size), key=lambda i: (found[i] < 0, -counts[i]))
    columns = [name for quantity in _MEANS if (name := view.column(quantity)) is not None]
    means = {name: _means(view.particles[name].values, groups, found) for name in columns}
    quality = _quality(view, found)
    head = ["members", "share [%]", *(words(name) for name in quality), *(f"mean {title(view.particles, name)}" for name in columns)]
    rows = [
        {
            "colour": cluster_colour(int(found[i])),
            "name": cluster_name(int(found[i])),
            "cells": [
                text(int(counts[i])),
                f"{100 * counts[i] / groups.size:.1f}",
                *(text(values[i]) for values in quality.values()),
                *(text(means[name][i]) for name in columns),
            ],
        }
        for i in order[:MOST_ROWS]
    ]
    n_clusters = int((found >= 0).sum())
    inside = int(counts[found >= 0].sum())
    caption = f"{n_clusters} clusters with {inside:,} of {groups.size:,} particles ({100 * inside / groups.size:.1f} %)"
    # Not found to be unlike others, but left out: no judgement of the clustering.
    flags = [view.particles[name].values.astype(bool) for name in ("touches_border", "duplicate") if name in view.particles]
    if flags and (left_out := int((np.any(flags, axis=0) & (groups < 0)).sum())):
        caption += f"; {left_out:,} of the others touch the border or are counted in an overlapping frame"
    if len(order) > MOST_ROWS:
        caption += f"; the {MOST_ROWS} largest are listed"
    return {"head": head, "rows": rows, "caption": caption}


def _means(values: Any, groups: Any, found: Any) -> list[float]:
    data = np.asarray(values, float)
    finite = np.isfinite(data)
    place = np.searchsorted(found, groups[finite])
    n = np.bincount(place, minlength=found.size)
    with np.errstate(invalid="ignore", divide="ignore"):
        return [float(v) for v in np.bincount(place, weights=data[finite], minlength=found.size) / n]


def _quality(view: RunView, found: Any) -> dict[str, list[Any]]:
    """Figures per cluster that the store has, such as purity, in the order of `found`."""
    quality = view.quality
    if quality is None or "cluster" not in quality.sizes or "cluster" not in quality.variables:
        return {}
    place = {int(c): i for i, c in enumerate(quality["cluster"].values)}
    return {
        str(name): [variable.values[place[int(c)]] if int(c) in place else None for c in found]
        for name, variable in quality.data_vars.items()
        if variable.dims == ("cluster",) and name not in ("members", "cluster")
    }
