"""Clusters of particles with similar properties."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.cluster.features import PAPER_FEATURES, feature_matrix
from nanospa.cluster.methods import run


def cluster(
    table: Any,
    *,
    method: str = "hdbscan",
    features: Sequence[str] = PAPER_FEATURES,
    log: Sequence[str] = (),
    scaling: str = "std",
    n_components: int | None = None,
    include_border: bool = False,
    seed: int = 0,
    **options: Any,
) -> NDArray[np.int32]:
    """Group particles by their properties.

    Parameters
    ----------
    table : xarray.Dataset or pandas.DataFrame
        Particle table, one row a particle.
    method : str
        "kmeans", "dbscan", "optics", "hdbscan" or "gaussian_mixture".
    features : sequence of str
        Columns, with or without their unit ("area" is area_nm2 where the pixel size is known); by default the paper's three.
    log : sequence of str
        Those of `features` whose logarithm is used.
    scaling : str
        "std" (as the paper), "robust" or "none", see `feature_matrix`.
    n_components : int, optional
        Principal components to keep; none keeps the features.
    include_border : bool
        Whether particles that touch the border or are duplicates take part.
    seed : int
        Seed of the methods that start at random.
    **options
        kmeans: n_clusters (3) or members (average number of members, from which n_clusters follows). dbscan: eps (0.2), min_samples
        (10). optics: min_samples (10), extraction ("xi" or "dbscan"), xi (0.05), eps, min_cluster_size (20). hdbscan: min_cluster_size
        (20), min_samples (10), selection ("eom" or "leaf"), max_cluster_size, epsilon (0). gaussian_mixture: n_clusters (3) or
        members, outlier_fraction (0). Distances are in standard deviations of the features.

    Returns
    -------
    numpy.ndarray of int32, shape (particle,)
        Clusters 0, 1, … by falling number of members; −1 for outliers and for particles that take no part.

    Raises
    ------
    UnknownNameError
        Unknown method or column.
    InvalidValueError
        Unknown option, or a value outside its range.
    EmptyInputError
        No particle takes part.

    References
    ----------
    Slater et al., Microsc. Microanal. 26 (2020) 1168. Algorithms: scikit-learn (Pedregosa et al., J. Mach. Learn. Res. 12 (2011) 2825).

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import nanospa as ns
    >>> size = np.random.default_rng(0).normal(np.repeat([10, 20], 50), 0.5)
    >>> table = pd.DataFrame({"area_nm2": size**2, "intensity_max": 3 * size, "solidity": 0.95})
    >>> np.bincount(ns.cluster.cluster(table, method="kmeans", n_clusters=2)).tolist()
    [50, 50]
    """
    x, used = feature_matrix(table, features, log=log, scaling=scaling, n_components=n_components, include_border=include_border)
    labels = np.full(used.size, -1, dtype=np.int32)
    labels[used] = run(method, x, seed, options)
    return labels
