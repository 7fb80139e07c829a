"""Density-based validity of a clustering (DBCV)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core
from nanospa.errors import ShapeError


def validity(points: Any, labels: Any) -> float:
    """Density-based clustering validation index (DBCV).

    The sparsest place inside each cluster is compared with the densest place between it and the next cluster, on the minimum spanning
    trees of mutual reachability distances; the weighted mean over the clusters counts outliers as nothing gained.

    Parameters
    ----------
    points : array_like of float, shape (particle, feature)
        Scaled features.
    labels : array_like of int, shape (particle,)
        Clusters, −1 = outlier.

    Returns
    -------
    float
        −1 (clusters torn or merged) … 1 (dense clusters far apart) [-]; −1 where there are fewer than two clusters.

    Raises
    ------
    ShapeError
        `points` is not 2D or `labels` is of another length.

    References
    ----------
    Moulavi, Jaskowiak, Campello, Zimek, Sander, Proc. SIAM Int. Conf. Data Mining (2014) 839, definitions 1–8.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> points = np.random.default_rng(0).normal(size=(60, 2)) + np.repeat([[0, 0], [30, 0]], 30, axis=0)
    >>> ns.cluster.validity(points, np.repeat([0, 1], 30)) > 0.8
    True
    """
    x = np.asarray(points, dtype=np.float64)
    label = np.asarray(labels)
    if x.ndim != 2 or label.shape != x.shape[:1]:
        raise ShapeError(f"labels: expected one for each row of points, found shapes {label.shape} and {x.shape}")
    names, members = np.unique(label[label >= 0], return_counts=True)
    # A cluster of one has no density of its own.
    names = names[members > 1]
    if names.size < 2:
        return -1.0
    from scipy.spatial.distance import cdist

    clusters = [x[label == name] for name in names]
    cores = [_core_distances(c) for c in clusters]
    sparseness, internal = zip(*(_inside(c, core) for c, core in zip(clusters, cores, strict=True)), strict=True)
    separation = np.full((names.size, names.size), np.inf)
    for i in range(names.size):
        for j in range(i):
            a, b = internal[i], internal[j]
            reach = np.maximum(cdist(clusters[i][a], clusters[j][b]), np.maximum.outer(cores[i][a], cores[j][b]))
            separation[i, j] = separation[j, i] = reach.min()
    nearest = separation.min(axis=1)
    sparse = np.array(sparseness)
    larger = np.maximum(nearest, sparse)
    # Both are 0 only for clusters of identical points at one place.
    score = np.divide(nearest - sparse, larger, out=np.zeros_like(larger), where=larger > 0)
    weights = np.array([len(c) for c in clusters]) / label.size
    return float((weights * score).sum())


def _core_distances(cluster: NDArray[np.float64]) -> NDArray[np.float64]:
    """All-points core distance of each member: the d-power mean of its inverse distances to the others (definition 1)."""
    from scipy.spatial.distance import cdist

    n, d = cluster.shape
    distances = cdist(cluster, cluster)
    np.fill_diagonal(distances, np.inf)
    # Distances relative to the smallest keep the powers in range; coinciding points have a core distance of 0.
    nearest = distances.min(axis=1)
    safe = np.where(nearest > 0, nearest, 1.0)
    power = ((safe[:, None] / np.where(distances > 0, distances, 1.0)) ** d).sum(axis=1)
    core: NDArray[np.float64] = np.where(nearest > 0, safe * (power / (n - 1)) ** (-1.0 / d), 0.0)
    return core


def _inside(cluster: NDArray[np.float64], core: NDArray[np.float64]) -> tuple[float, NDArray[np.bool_]]:
    """Density sparseness of a cluster (its longest internal edge), and which members are internal nodes of its spanning tree."""
    n = len(cluster)
    edges, lengths = _core.spanning_tree(cluster, core)
    internal = np.bincount(edges.ravel(), minlength=n) > 1
    inner_edges = internal[edges].all(axis=1)
    if not inner_edges.any():
        # A tree of two or a star has no internal edge: all of it counts.
        return float(lengths.max()), internal if internal.any() else np.ones(n, dtype=bool)
    return float(lengths[inner_edges].max()), internal
