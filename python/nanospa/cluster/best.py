"""The best clustering over several methods."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.cluster.features import PAPER_FEATURES
from nanospa.cluster.scan import TIE, scan
from nanospa.errors import EmptyInputError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Best:
    """The best clustering and how it was found.

    Attributes
    ----------
    labels : numpy.ndarray of int32, shape (particle,)
        Clusters, −1 = outlier.
    method : str
        The method that won.
    parameters : dict
        Its options.
    scans : dict of str to xarray.Dataset
        The scan of every method.
    """

    labels: NDArray[np.int32]
    method: str
    parameters: dict[str, Any]
    scans: dict[str, xr.Dataset]


def best(
    table: Any,
    methods: Sequence[str] = ("dbscan", "optics", "hdbscan"),
    *,
    features: Sequence[str] = PAPER_FEATURES,
    members: tuple[int, int] = (20, 200),
    above: str = "homogeneous",
    log: Sequence[str] = (),
    scaling: str = "std",
    n_components: int | None = None,
    include_border: bool = False,
    seed: int = 0,
) -> Best:
    """Scan several methods and take the one whose best set puts most particles into usable clusters.

    The order is that of `scan`: no mixed cluster, then the number of particles in usable clusters; methods that differ by less than 1 %
    of the particles are tied, and the density-based validity decides.

    Parameters
    ----------
    table : xarray.Dataset or pandas.DataFrame
        Particle table, one row a particle.
    methods : sequence of str
        Methods to scan.
    features, members, above, log, scaling, n_components, include_border, seed
        As in `scan`.

    Returns
    -------
    Best
        Labels, method, parameters and the scans.

    Raises
    ------
    UnknownNameError, InvalidValueError, EmptyInputError
        As `scan`; or no methods.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> import nanospa as ns
    >>> size = np.random.default_rng(0).normal(np.repeat([10, 20], 60), 0.5)
    >>> table = pd.DataFrame({"area_nm2": size**2, "intensity_max": 3 * size, "solidity": 0.95})
    >>> found = ns.cluster.best(table, ("dbscan", "hdbscan"))
    >>> int(found.labels.max()) + 1, sorted(found.scans)
    (2, ['dbscan', 'hdbscan'])
    """
    if not methods:
        raise EmptyInputError("methods: expected at least one, found none")
    arguments: dict[str, Any] = {
        "features": features,
        "members": members,
        "above": above,
        "log": log,
        "scaling": scaling,
        "n_components": n_components,
        "include_border": include_border,
        "seed": seed,
    }
    scans = {method: scan(table, method=method, **arguments) for method in methods}
    winner = _winner(scans)
    chosen = scans[winner]
    return Best(chosen["cluster"].to_numpy(), winner, json.loads(chosen.attrs["best_parameters"]), scans)


def _winner(scans: dict[str, xr.Dataset]) -> str:
    rows = {}
    for method, dataset in scans.items():
        i = int(dataset.attrs["best"])
        if i >= 0:
            counted, n_mixed, valid = (float(dataset[name][i]) for name in ("n_counted", "n_mixed", "validity"))
            rows[method] = (n_mixed == 0 and counted > 0, counted - n_mixed, valid)
    if not rows:
        return next(iter(scans))
    clean = any(row[0] for row in rows.values())
    pool = {method: row for method, row in rows.items() if row[0] or not clean}
    top = max(row[1] for row in pool.values())
    tied = [m for m, row in pool.items() if row[1] >= top - TIE * scans[m].attrs["n_particles"]]
    return max(tied, key=lambda m: pool[m][2])
