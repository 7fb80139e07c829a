"""Scan of a method's parameters for the clustering that is best for reconstruction."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.cluster.features import PAPER_FEATURES, feature_matrix
from nanospa.cluster.methods import known_method, run
from nanospa.cluster.split_contrast import mixed
from nanospa.cluster.validity import validity
from nanospa.errors import InvalidValueError

if TYPE_CHECKING:
    import xarray as xr

#: Radii tried for a density method: from where a tenth of the particles have enough neighbours to where nearly all have.
N_EPS = 16
EPS_QUANTILES = (0.05, 0.98)

#: Sets within this share of the best count as equally good; validity decides between them.
TIE = 0.01

#: The validity of large tables is computed on this many particles, the same for every set.
VALIDITY_PARTICLES = 3000


@dataclass(frozen=True)
class _Score:
    labels: NDArray[np.int32]
    in_range: int
    pooled: int
    counted: int
    mixed: int
    n_clusters: int
    validity: float


def scan(
    table: Any,
    *,
    method: str = "dbscan",
    features: Sequence[str] = PAPER_FEATURES,
    members: tuple[int, int] = (20, 200),
    above: str = "homogeneous",
    grid: Mapping[str, Sequence[Any]] | None = None,
    log: Sequence[str] = (),
    scaling: str = "std",
    n_components: int | None = None,
    include_border: bool = False,
    seed: int = 0,
) -> xr.Dataset:
    """Try many parameters of a method and find the set that puts most particles into usable clusters.

    A cluster is usable with at least ``members[0]`` members, and if it is not mixed (`mixed`: it does not fall into two parts with a
    clear valley between them). Above ``members[1]`` members it is usable too where `above` is "homogeneous": it can be sampled for a
    reconstruction. Sets with a mixed cluster lose to sets without one; sets that differ by less than 1 % of the particles are tied, and
    the density-based validity decides. Clusters with fewer than ``members[0]`` members become outliers in the best labels.

    Parameters
    ----------
    table : xarray.Dataset or pandas.DataFrame
        Particle table, one row a particle.
    method : str
        "kmeans", "dbscan", "optics", "hdbscan" or "gaussian_mixture".
    features : sequence of str
        Columns, with or without their unit; by default the paper's three.
    members : tuple of int
        Smallest and largest number of members wanted; the paper: 20 to 200.
    above : str
        "homogeneous" counts clusters above the range that are not mixed; "reject" does not.
    grid : mapping of str to sequences, optional
        Values of the method's options to try in all combinations; by default a grid made for the method and the data.
    log, scaling, n_components, include_border, seed
        As in `cluster`.

    Returns
    -------
    xarray.Dataset
        Dimension `parameters`: one variable an option (the option n_clusters is option_n_clusters), n_clusters (of at least
        ``members[0]`` members), n_in_range (particles in clusters within `members`), n_pooled (in clusters of at least ``members[0]``),
        n_counted (in usable clusters), n_mixed (in mixed clusters), fraction (n_counted over the particles that take part) and
        validity. Dimension `particle`: `cluster`, the labels of the best set, −1 = outlier. Attributes: method, features, members,
        above, n_particles, best (index), best_parameters (JSON).

    Raises
    ------
    UnknownNameError, InvalidValueError, EmptyInputError
        As `cluster`; or a range that is empty.

    References
    ----------
    Slater et al., Microsc. Microanal. 26 (2020) 1168: 20 to 200 members.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import nanospa as ns
    >>> size = np.random.default_rng(0).normal(np.repeat([10, 20], 60), 0.5)
    >>> table = pd.DataFrame({"area_nm2": size**2, "intensity_max": 3 * size, "solidity": 0.95})
    >>> found = ns.cluster.scan(table, method="dbscan")
    >>> int(found.n_clusters[found.best]), float(found.fraction[found.best]) > 0.9
    (2, True)
    """
    low, high = members
    if not 1 <= low <= high:
        raise InvalidValueError(f"members: expected 1 <= smallest <= largest, found {members!r}")
    if above not in ("homogeneous", "reject"):
        raise InvalidValueError(f"above: expected 'homogeneous' or 'reject', found {above!r}")
    known_method(method)
    x, used = feature_matrix(table, features, log=log, scaling=scaling, n_components=n_components, include_border=include_border)
    sample = np.sort(np.random.default_rng(seed).permutation(len(x))[:VALIDITY_PARTICLES])
    options, scores = [], []
    for chosen, labels in _partitions(method, x, grid, members, seed):
        options.append(chosen)
        scores.append(_score(x, labels, low, high, above, sample))
    best = _best(scores, len(x))
    return _dataset(options, scores, best, used, method=method, features=tuple(features), members=(low, high), above=above)


def _partitions(
    method: str, x: NDArray[np.float64], grid: Mapping[str, Sequence[Any]] | None, members: tuple[int, int], seed: int
) -> Iterator[tuple[dict[str, Any], NDArray[np.int32]]]:
    if grid is not None:
        if not grid or not all(len(values) for values in grid.values()):
            raise InvalidValueError(f"grid: expected values for every option, found {dict(grid)!r}")
        sets = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    elif method == "dbscan":
        sets = [{"eps": eps, "min_samples": n} for n in (5, 10, 20) for eps in _radii(x, n)]
    elif method == "optics":
        yield from _optics(x, members[0])
        return
    elif method == "hdbscan":
        sizes = sorted({members[0], *(n for n in (30, 40, 60, 80, 120) if n > members[0])})
        sets = [
            {"min_cluster_size": size, "min_samples": n, "selection": selection}
            for selection in ("eom", "leaf")
            for n in (5, 10, 20)
            for size in sizes
        ]
    else:
        most = max(2, min(len(x) // max(members[0], 1), 12))
        sets = [{"n_clusters": n} for n in range(2, most + 1)]
    for options in sets:
        yield options, run(method, x, seed, options)


def _radii(x: NDArray[np.float64], min_samples: int) -> list[float]:
    """Radii at which from few to nearly all particles have `min_samples` neighbours."""
    from scipy.spatial import KDTree

    n = min(min_samples, len(x))
    distance = KDTree(x).query(x, k=[n])[0][:, 0]
    positive = distance[distance > 0]
    if positive.size == 0:
        return [1.0]
    low, high = np.quantile(positive, EPS_QUANTILES)
    radii: list[float] = np.geomspace(low, high, N_EPS).tolist()
    return radii


def _optics(x: NDArray[np.float64], min_cluster_size: int) -> Iterator[tuple[dict[str, Any], NDArray[np.int32]]]:
    """Many steepnesses from one ordering for each min_samples: the ordering is what takes the time.

    The other extraction, at one radius, gives DBSCAN's clusters and is left to the scan of that method.
    """
    from sklearn.cluster import OPTICS, cluster_optics_xi

    from nanospa.cluster.methods import by_size

    for n in (5, 10, 20):
        if len(x) < max(n, min_cluster_size, 2):
            continue
        fitted = OPTICS(min_samples=n).fit(x)
        for xi in (0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.16, 0.2, 0.3):
            labels, _ = cluster_optics_xi(
                reachability=fitted.reachability_,
                predecessor=fitted.predecessor_,
                ordering=fitted.ordering_,
                min_samples=n,
                xi=xi,
                min_cluster_size=min_cluster_size,
            )
            yield {"min_samples": n, "xi": xi, "min_cluster_size": min_cluster_size}, by_size(labels)


def _score(x: NDArray[np.float64], labels: NDArray[np.int32], low: int, high: int, above: str, sample: NDArray[np.intp]) -> _Score:
    sizes = np.bincount(labels[labels >= 0])
    kept = np.where(np.isin(labels, np.flatnonzero(sizes >= low)), labels, np.int32(-1))
    in_range = pooled = counted = n_mixed = 0
    for name in np.flatnonzero(sizes >= low):
        size = int(sizes[name])
        pooled += size
        in_range += size if size <= high else 0
        if mixed(x[labels == name], min_members=low):
            n_mixed += size
        elif size <= high or above == "homogeneous":
            counted += size
    return _Score(kept, in_range, pooled, counted, n_mixed, int((sizes >= low).sum()), validity(x[sample], kept[sample]))


def _best(scores: list[_Score], n: int) -> int:
    if not scores:
        return -1
    pure = [i for i, s in enumerate(scores) if s.mixed == 0 and s.counted > 0]
    pool = pure or list(range(len(scores)))
    gain = {i: scores[i].counted - scores[i].mixed for i in pool}
    top = max(gain.values())
    tied = [i for i in pool if gain[i] >= top - TIE * n]
    return max(tied, key=lambda i: (scores[i].validity, gain[i], -i))


def _dataset(options: list[dict[str, Any]], scores: list[_Score], best: int, used: NDArray[np.bool_], **attributes: Any) -> xr.Dataset:
    import xarray as xr

    labels = np.full(used.size, -1, dtype=np.int32)
    if best >= 0:
        labels[used] = scores[best].labels
    n = int(used.sum())
    names = list(options[0]) if options else []
    # The number of clusters asked for is not the number of usable ones found.
    data: dict[str, Any] = {
        "option_n_clusters" if name == "n_clusters" else name: ("parameters", _column([o[name] for o in options])) for name in names
    }
    for field, value in {
        "n_clusters": [s.n_clusters for s in scores],
        "n_in_range": [s.in_range for s in scores],
        "n_pooled": [s.pooled for s in scores],
        "n_counted": [s.counted for s in scores],
        "n_mixed": [s.mixed for s in scores],
    }.items():
        data[field] = ("parameters", np.array(value, dtype=np.int64))
    data["fraction"] = ("parameters", np.array([s.counted / n for s in scores]))
    data["validity"] = ("parameters", np.array([s.validity for s in scores]))
    data["cluster"] = ("particle", labels)
    parameters = json.dumps(options[best] if best >= 0 else {})
    attributes |= {"n_particles": n, "best": best, "best_parameters": parameters}
    return xr.Dataset(data, attrs={k: list(v) if isinstance(v, tuple) else v for k, v in attributes.items()})


def _column(values: list[Any]) -> NDArray[Any]:
    """Numbers with NaN for None, or text."""
    if any(isinstance(v, str) for v in values):
        return np.array(values, dtype=object).astype(str)
    if any(v is None for v in values):
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)
    return np.array(values)
