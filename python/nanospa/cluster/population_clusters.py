"""The cluster stage as settings say: one call from a particle table to labels, scans and quality."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.cluster.best import best
from nanospa.cluster.cluster import cluster
from nanospa.cluster.quality import quality
from nanospa.cluster.scan import scan
from nanospa.cluster.settings import PRESETS, ClusterSettings
from nanospa.errors import SettingsError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Clustering:
    """Clusters of a population and how they were found.

    Attributes
    ----------
    labels : numpy.ndarray of int32, shape (particle,)
        Clusters, −1 = outlier or excluded.
    method : str
        The method used.
    parameters : dict
        Its options.
    scans : dict of str to xarray.Dataset
        Scans by method; empty where nothing was scanned.
    quality : xarray.Dataset
        Quality figures, see `nanospa.cluster.quality`.
    """

    labels: NDArray[np.int32]
    method: str
    parameters: dict[str, Any]
    scans: dict[str, xr.Dataset]
    quality: xr.Dataset


def cluster_with_report(table: Any, *, settings: ClusterSettings | str | None = None, truth: Any = None) -> Clustering:
    """Group particles as settings say, and report how.

    Parameters
    ----------
    table : xarray.Dataset or pandas.DataFrame
        Particle table, one row a particle.
    settings : ClusterSettings or str, optional
        Settings or the name of a preset; by default "auto".
    truth : array_like, shape (particle,), optional
        Name of the population each particle truly belongs to; used for the quality figures only.

    Returns
    -------
    Clustering
        Labels, method, parameters, scans and quality.

    Raises
    ------
    SettingsError
        Unknown preset.
    UnknownNameError, InvalidValueError, EmptyInputError
        As `nanospa.cluster.cluster`.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import nanospa as ns
    >>> size = np.random.default_rng(0).normal(np.repeat([10, 20], 60), 0.5)
    >>> table = pd.DataFrame({"area_nm2": size**2, "intensity_max": 3 * size, "intensity_std": size, "solidity": 0.95})
    >>> found = ns.cluster.cluster_with_report(table)
    >>> found.quality.attrs["n_clusters"]
    2
    """
    if isinstance(settings, str):
        if settings not in PRESETS:
            raise SettingsError(f"settings: expected one of {', '.join(PRESETS)}, found {settings!r}")
        settings = PRESETS[settings]
    chosen = settings or PRESETS["auto"]
    matrix: dict[str, Any] = {
        "features": chosen.features,
        "log": chosen.logarithms,
        "scaling": chosen.scaling,
        "n_components": chosen.n_components,
        "include_border": chosen.include_border,
        "seed": chosen.seed,
    }
    wanted: dict[str, Any] = {"members": chosen.members, "above": chosen.above}
    if chosen.method == "auto":
        found = best(table, chosen.scan_methods, **wanted, **matrix)
        labels, method, parameters, scans = found.labels, found.method, found.parameters, found.scans
    elif chosen.scan:
        dataset = scan(table, method=chosen.method, **wanted, **matrix)
        labels, method, scans = dataset["cluster"].to_numpy(), chosen.method, {chosen.method: dataset}
        parameters = json.loads(dataset.attrs["best_parameters"])
    else:
        method, parameters, scans = chosen.method, dict(chosen.options), {}
        labels = cluster(table, method=method, **matrix, **chosen.options)
    figures = quality(table, labels, truth=truth, members=chosen.members, **matrix)
    return Clustering(labels, method, parameters, scans, figures)
