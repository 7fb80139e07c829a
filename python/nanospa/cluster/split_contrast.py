"""How clearly a cluster falls into two: the test for clusters that hide several populations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core
from nanospa.cluster.bimodal_plane import bimodal_plane
from nanospa.errors import ShapeError

#: Neighbours that make a density estimate: 10 leave 30 % of noise.
N_NEIGHBOURS = 10

#: The dense quarter of a part stands for its peak.
PEAK_QUANTILE = 0.25

#: Principal axes looked at: with more, distances between neighbours lose their contrast.
N_AXES = 3

#: Above this contrast a cluster counts as mixed. Unimodal samples (Gaussian and uniform, 60 to 600 points, 2 to 8 features) reach
#: 1.45, single populations of simulated particles 1.46; two populations in one cluster start at 1.97.
MIXED_CONTRAST = 1.6

#: The same on a line, where neighbours are few and the density is noisy: unimodal samples reach 3.5.
MIXED_CONTRAST_1D = 3.5


def split_contrast(points: Any, *, min_members: int = 20) -> float:
    """Sparsest place between two parts of a cluster over the density of the weaker part's peak, in distances.

    The cluster is taken apart along its minimum spanning tree of mutual reachability distances. Of all places where both sides have
    `min_members` members, the greatest ratio of the gap's length to the larger of the two sides' core distances (those of the dense
    quarter) is given: 1 means one peak, 2 a valley in which neighbours are twice as far apart as at the lower of two peaks. Both the
    features (their first three principal components) and the plane in which the cluster looks most like two are looked at.

    Parameters
    ----------
    points : array_like of float, shape (particle, feature)
        Scaled features of the members of one cluster.
    min_members : int
        Members a part must have to count.

    Returns
    -------
    float
        Contrast, at least 1 [-].

    Raises
    ------
    ShapeError
        `points` is not 2D.

    See Also
    --------
    mixed : The decision.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> rng = np.random.default_rng(0)
    >>> one = rng.normal(size=(200, 3))
    >>> two = np.concatenate([one, rng.normal(size=(200, 3)) + [6, 0, 0]])
    >>> ns.cluster.split_contrast(one) < 1.3, ns.cluster.split_contrast(two) > 2
    (True, True)
    """
    x = np.asarray(points, dtype=np.float64)
    if x.ndim != 2:
        raise ShapeError(f"points: expected a 2D array, found {x.ndim}D with shape {x.shape}")
    if len(x) < max(2 * min_members, N_NEIGHBOURS + 1):
        return 1.0
    contrast = _contrast(_leading_axes(x), min_members)
    return max(contrast, _contrast(bimodal_plane(x), min_members)) if x.shape[1] > 1 else contrast


def mixed(points: Any, *, min_members: int = 20) -> bool:
    """Whether a cluster falls into two clearly enough to be called mixed.

    Parameters
    ----------
    points : array_like of float, shape (particle, feature)
        Scaled features of the members of one cluster.
    min_members : int
        Members a part must have to count.

    Returns
    -------
    bool
        `split_contrast` above 1.6 (3.5 for a single feature), which unimodal samples do not reach.

    Raises
    ------
    ShapeError
        `points` is not 2D.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> ns.cluster.mixed(np.random.default_rng(0).normal(size=(300, 2)))
    False
    """
    limit = MIXED_CONTRAST_1D if np.shape(points)[1] == 1 else MIXED_CONTRAST
    return split_contrast(points, min_members=min_members) > limit


def _leading_axes(x: NDArray[np.float64]) -> NDArray[np.float64]:
    if x.shape[1] <= N_AXES:
        return x
    centred = x - x.mean(axis=0)
    components: NDArray[np.float64] = centred @ np.linalg.svd(centred, full_matrices=False)[2][:N_AXES].T
    return components


def _contrast(x: NDArray[np.float64], min_members: int) -> float:
    core = _core.neighbour_distance(x, N_NEIGHBOURS)
    edges, lengths = _core.spanning_tree(x, core)
    return _greatest_ratio(edges, lengths, core, min_members)


def _greatest_ratio(edges: NDArray[np.int64], lengths: NDArray[np.float64], core: NDArray[np.float64], min_members: int) -> float:
    parent = list(range(len(core)))
    members = [[i] for i in range(len(core))]

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    greatest = 1.0
    # Shortest first: when two large parts meet, the edge is the densest way between them.
    for k in np.argsort(lengths, kind="stable").tolist():
        a, b = root(int(edges[k, 0])), root(int(edges[k, 1]))
        if len(members[a]) < len(members[b]):
            a, b = b, a
        if len(members[b]) >= min_members:
            peak = max(float(np.quantile(core[members[i]], PEAK_QUANTILE)) for i in (a, b))
            # Coinciding particles have no distance to compare with.
            if peak > 0:
                greatest = max(greatest, float(lengths[k]) / peak)
        parent[b] = a
        members[a] += members[b]
        members[b] = []
    return greatest
