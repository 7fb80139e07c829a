"""Minimum spanning tree of a small dense distance matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def spanning_tree(distances: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Edges (n − 1, 2) and their lengths, by Prim's algorithm; distances of 0 are edges, which a sparse graph would drop."""
    n = len(distances)
    best = distances[0].copy()
    best[0] = np.inf
    parent = np.zeros(n, dtype=np.intp)
    outside = np.ones(n, dtype=bool)
    outside[0] = False
    edges = np.empty((n - 1, 2), dtype=np.intp)
    lengths = np.empty(n - 1)
    for i in range(n - 1):
        new = int(best.argmin())
        edges[i], lengths[i] = (parent[new], new), best[new]
        outside[new] = False
        best[new] = np.inf
        closer = outside & (distances[new] < best)
        best[closer], parent[closer] = distances[new][closer], new
    return edges, lengths
