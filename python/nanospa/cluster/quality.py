"""Quality figures of a clustering."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.cluster.features import PAPER_FEATURES, feature_matrix
from nanospa.cluster.split_contrast import split_contrast
from nanospa.cluster.validity import validity
from nanospa.errors import ShapeError

if TYPE_CHECKING:
    import xarray as xr


def quality(
    table: Any,
    labels: Any,
    features: Sequence[str] = PAPER_FEATURES,
    truth: Any = None,
    *,
    members: tuple[int, int] = (20, 200),
    log: Sequence[str] = (),
    scaling: str = "std",
    n_components: int | None = None,
    include_border: bool = False,
    seed: int = 0,
) -> xr.Dataset:
    """Members, compactness and (where the truth is known) purity of every cluster, and figures of the whole.

    Parameters
    ----------
    table : xarray.Dataset or pandas.DataFrame
        Particle table, one row a particle.
    labels : array_like of int, shape (particle,)
        Clusters, −1 = outlier or excluded.
    features : sequence of str
        The features that were clustered.
    truth : array_like, shape (particle,), optional
        Name of the population each particle truly belongs to; empty for what is no true particle, an impurity wherever it is.
    members : tuple of int
        Wanted number of members; the smaller is the size a part of a cluster must have in `split_contrast`.
    log, scaling, n_components, include_border, seed
        As in `cluster`; the seed picks the particles that the figures of large tables are computed on.

    Returns
    -------
    xarray.Dataset
        Dimension `cluster`: members, silhouette (mean over the members), split_contrast, and with `truth` population (the most frequent
        one) and purity (its share). Attributes: n_clusters, n_clustered, n_outliers (taking part, in no cluster), n_excluded,
        n_in_range, silhouette (mean over clustered particles), validity (DBCV), and with `truth` purity (over all clustered particles).

    Raises
    ------
    ShapeError
        `labels` or `truth` has another length than the table.
    UnknownNameError, EmptyInputError
        As `feature_matrix`.

    References
    ----------
    Silhouette: Rousseeuw, J. Comput. Appl. Math. 20 (1987) 53. DBCV: Moulavi et al., SIAM Data Mining (2014) 839.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import nanospa as ns
    >>> size = np.random.default_rng(0).normal(np.repeat([10, 20], 50), 0.5)
    >>> table = pd.DataFrame({"area_nm2": size**2, "intensity_max": 3 * size, "solidity": 0.95})
    >>> labels = ns.cluster.cluster(table, method="kmeans", n_clusters=2)
    >>> figures = ns.cluster.quality(table, labels, truth=np.repeat(["small", "large"], 50))
    >>> figures.members.values.tolist(), figures.purity.values.tolist()
    ([50, 50], [1.0, 1.0])
    """
    import xarray as xr

    x, used = feature_matrix(table, features, log=log, scaling=scaling, n_components=n_components, include_border=include_border)
    label = np.asarray(labels)
    if label.shape != used.shape:
        raise ShapeError(f"labels: expected one for each of {used.size} particles, found shape {label.shape}")
    names, sizes = np.unique(label[label >= 0], return_counts=True)
    inner = label[used]
    silhouettes = _silhouettes(x, inner, seed)
    data: dict[str, Any] = {
        "members": ("cluster", sizes.astype(np.int64)),
        "silhouette": ("cluster", np.array([_mean(silhouettes[inner == name]) for name in names])),
        "split_contrast": ("cluster", np.array([split_contrast(x[inner == name], min_members=members[0]) for name in names])),
    }
    attributes: dict[str, Any] = {
        "n_clusters": int(names.size),
        "n_clustered": int(sizes.sum()),
        "n_outliers": int((inner < 0).sum()),
        "n_excluded": int((~used).sum()),
        "n_in_range": int(sizes[(sizes >= members[0]) & (sizes <= members[1])].sum()),
        "silhouette": _mean(silhouettes[inner >= 0]),
        "validity": validity(x, inner),
    }
    if truth is not None:
        true = np.asarray(truth).astype(str)
        if true.shape != used.shape:
            raise ShapeError(f"truth: expected one for each of {used.size} particles, found shape {true.shape}")
        most = [_most_frequent(true[label == name]) for name in names]
        data["population"] = ("cluster", np.array([name for name, _ in most], dtype=object).astype(str))
        data["purity"] = ("cluster", np.array([count for _, count in most]) / sizes)
        attributes["purity"] = sum(count for _, count in most) / sizes.sum() if sizes.size else float("nan")
    return xr.Dataset(data, coords={"cluster": names.astype(np.int32)}, attrs=attributes)


#: Silhouettes need all distances: of larger tables, this many particles are looked at.
SILHOUETTE_PARTICLES = 5000


def _silhouettes(x: NDArray[np.float64], labels: NDArray[Any], seed: int) -> NDArray[np.float64]:
    """Silhouette of every clustered particle; NaN for outliers, particles not looked at, or fewer than two clusters."""
    out = np.full(len(x), np.nan)
    rows = np.flatnonzero(labels >= 0)
    if rows.size > SILHOUETTE_PARTICLES:
        rows = np.sort(np.random.default_rng(seed).permutation(rows)[:SILHOUETTE_PARTICLES])
    if not 2 <= np.unique(labels[rows]).size < rows.size:
        return out
    from sklearn.metrics import silhouette_samples

    out[rows] = silhouette_samples(x[rows], labels[rows])
    return out


def _mean(values: NDArray[np.float64]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")


def _most_frequent(values: NDArray[Any]) -> tuple[str, int]:
    names, counts = np.unique(values[values != ""], return_counts=True)
    if not names.size:
        # Nothing true is in it.
        return "", 0
    return str(names[counts.argmax()]), int(counts.max())
