"""The clustering algorithms, each with its options and their defaults."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError, UnknownNameError

Labels = NDArray[np.int32]


class Method(NamedTuple):
    """One algorithm.

    Attributes
    ----------
    run : callable
        From scaled features (row, feature), seed and options to labels, −1 = outlier.
    options : dict
        Its options and their defaults.
    """

    run: Callable[..., Any]
    options: dict[str, Any]


def _kmeans(x: NDArray[np.float64], seed: int, *, n_clusters: int, members: float | None) -> Any:
    from sklearn.cluster import KMeans

    return KMeans(_number(len(x), n_clusters, members), n_init=10, random_state=seed).fit_predict(x)


def _gaussian_mixture(x: NDArray[np.float64], seed: int, *, n_clusters: int, members: float | None, outlier_fraction: float) -> Any:
    from sklearn.mixture import GaussianMixture

    if not 0 <= outlier_fraction < 1:
        raise InvalidValueError(f"outlier_fraction: expected a number of 0 … 1, found {outlier_fraction!r}")
    model = GaussianMixture(_number(len(x), n_clusters, members), n_init=3, random_state=seed).fit(x)
    labels = model.predict(x)
    likelihood = model.score_samples(x)
    labels[likelihood < np.quantile(likelihood, outlier_fraction)] = -1
    return labels


def _dbscan(x: NDArray[np.float64], seed: int, *, eps: float, min_samples: int) -> Any:
    from sklearn.cluster import DBSCAN

    return DBSCAN(eps=eps, min_samples=min_samples).fit_predict(x)


def _optics(
    x: NDArray[np.float64], seed: int, *, min_samples: int, extraction: str, xi: float, eps: float | None, min_cluster_size: int | None
) -> Any:
    from sklearn.cluster import OPTICS

    if extraction not in ("xi", "dbscan"):
        raise InvalidValueError(f"extraction: expected 'xi' or 'dbscan', found {extraction!r}")
    if extraction == "dbscan" and eps is None:
        raise InvalidValueError("eps: expected a number > 0 for the extraction 'dbscan', found None")
    model = OPTICS(min_samples=min_samples, cluster_method=extraction, xi=xi, eps=eps, min_cluster_size=min_cluster_size)
    return model.fit_predict(x)


def _hdbscan(
    x: NDArray[np.float64],
    seed: int,
    *,
    min_cluster_size: int,
    min_samples: int,
    selection: str,
    max_cluster_size: int | None,
    epsilon: float,
) -> Any:
    from sklearn.cluster import HDBSCAN

    model = HDBSCAN(
        min_cluster_size=min_cluster_size,
        min_samples=min_samples,
        cluster_selection_method=selection,
        max_cluster_size=max_cluster_size,
        cluster_selection_epsilon=epsilon,
        copy=True,
    )
    return model.fit_predict(x)


def _number(n: int, n_clusters: int, members: float | None) -> int:
    """Clusters to make: as asked, or so that they have `members` members on average."""
    if members is None:
        return n_clusters
    if not members >= 1:
        raise InvalidValueError(f"members: expected a number >= 1, found {members!r}")
    return max(1, math.floor(n / members + 0.5))


#: Every method by name.
METHODS: dict[str, Method] = {
    "kmeans": Method(_kmeans, {"n_clusters": 3, "members": None}),
    "dbscan": Method(_dbscan, {"eps": 0.2, "min_samples": 10}),
    "optics": Method(_optics, {"min_samples": 10, "extraction": "xi", "xi": 0.05, "eps": None, "min_cluster_size": 20}),
    "hdbscan": Method(_hdbscan, {"min_cluster_size": 20, "min_samples": 10, "selection": "eom", "max_cluster_size": None, "epsilon": 0.0}),
    "gaussian_mixture": Method(_gaussian_mixture, {"n_clusters": 3, "members": None, "outlier_fraction": 0.0}),
}


def known_method(name: str) -> Method:
    """The row of `METHODS`; `UnknownNameError` names the accepted ones."""
    if name not in METHODS:
        raise UnknownNameError(f"method: expected one of {', '.join(METHODS)}, found {name!r}")
    return METHODS[name]


def run(method: str, x: NDArray[np.float64], seed: int, options: dict[str, Any]) -> Labels:
    """Labels of the rows of `x`, the largest cluster 0, the next 1, …, outliers −1."""
    chosen = known_method(method)
    if unknown := set(options) - set(chosen.options):
        raise InvalidValueError(f"{', '.join(sorted(unknown))}: expected options of {method} ({', '.join(chosen.options)})")
    merged = {**chosen.options, **options}
    needed = max(int(merged.get(name) or 1) for name in ("n_clusters", "min_samples", "min_cluster_size"))
    if len(x) < max(needed, 2):
        # Too few for the algorithm: nobody has a cluster.
        return np.full(len(x), -1, dtype=np.int32)
    try:
        labels = chosen.run(x, seed, **merged)
    except InvalidValueError:
        raise
    except ValueError as error:
        # scikit-learn names the parameter, the accepted range and what it got.
        raise InvalidValueError(f"{method}: {error}") from None
    return by_size(np.asarray(labels))


def by_size(labels: NDArray[Any]) -> Labels:
    """The same clusters numbered by falling number of members; equal ones by their first member."""
    names, first, count = np.unique(labels[labels >= 0], return_index=True, return_counts=True)
    order = np.lexsort((first, -count))
    number = np.full(int(labels.max(initial=-1)) + 2, -1, dtype=np.int32)
    number[names[order]] = np.arange(names.size)
    # The last entry stands for −1.
    renumbered: Labels = number[labels]
    return renumbered
