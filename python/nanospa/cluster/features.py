"""The feature matrix: which columns of a particle table clusters are made of, on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import EmptyInputError, InvalidValueError, UnknownNameError

#: The paper's three properties of its best clustering.
PAPER_FEATURES: tuple[str, ...] = ("area", "intensity_max", "solidity")

#: The paper's "all size/shape/intensity" properties (section Results: the outputs of its program).
ALL_FEATURES: tuple[str, ...] = (
    "area",
    "circularity",
    "solidity",
    "major_axis",
    "minor_axis",
    "eccentricity",
    "intensity_max",
    "intensity_total",
)

#: What the automatic clustering looks at, and the logarithms it takes: size and brightness vary by factors, and the variation of the
#: intensity inside a particle tells bodies apart whose outline and maximum are alike. Chosen on simulated series 0 to 2.
AUTO_FEATURES: tuple[str, ...] = ("area", "intensity_max", "intensity_std", "solidity")
AUTO_LOG: tuple[str, ...] = ("area", "intensity_max", "intensity_std")

#: A feature without its unit means the calibrated column where there is one.
_UNITS = ("", "_nm2", "_nm", "_px", "_rad")

#: Particles cut by the border or counted in another frame are not themselves.
_EXCLUDED = ("touches_border", "duplicate")


def column(table: Any, feature: str) -> str:
    """Name of the column a feature means: itself, or with the first of the units nm², nm, px, rad there is.

    Parameters
    ----------
    table : xarray.Dataset or pandas.DataFrame
        Particle table.
    feature : str
        Feature, e.g. "area" for area_nm2 (area_px where the pixel size is unknown).

    Returns
    -------
    str
        Name of the column.

    Raises
    ------
    UnknownNameError
        No such column.

    Examples
    --------
    >>> import pandas as pd
    >>> import nanospa as ns
    >>> ns.cluster.column(pd.DataFrame({"area_px": [4], "area_nm2": [0.16]}), "area")
    'area_nm2'
    """
    names = list(table)
    for unit in _UNITS:
        if feature + unit in names:
            return feature + unit
    raise UnknownNameError(f"features: expected columns of the table ({', '.join(map(str, names))}), found {feature!r}")


def feature_matrix(
    table: Any,
    features: Sequence[str],
    *,
    log: Sequence[str] = (),
    scaling: str = "std",
    n_components: int | None = None,
    include_border: bool = False,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Features of the particles that can be clustered, each with variance one.

    Parameters
    ----------
    table : xarray.Dataset or pandas.DataFrame
        Particle table.
    features : sequence of str
        Columns, with or without their unit.
    log : sequence of str
        Those of `features` whose logarithm is used.
    scaling : str
        "std": mean 0 and population standard deviation 1, as the paper; "robust": median 0 and interquartile range 1.349 (that of a
        normal distribution with standard deviation 1), insensitive to outliers; "none".
    n_components : int, optional
        Principal components to keep, after scaling; none keeps the features.
    include_border : bool
        Whether particles that touch the border or are duplicates take part.

    Returns
    -------
    tuple
        float64 array of shape (row, feature), and bool array of shape (particle,): which particles the rows are. Particles with a
        feature that is not finite (or the logarithm of a number that is not positive) take no part.

    Raises
    ------
    UnknownNameError
        A feature is not a column.
    InvalidValueError
        Unknown scaling, `log` not in `features`, or more components than features.
    EmptyInputError
        No features, or no particle takes part.

    Examples
    --------
    >>> import pandas as pd
    >>> import nanospa as ns
    >>> table = pd.DataFrame({"area_px": [1.0, 10.0, 100.0], "solidity": [0.9, 0.8, float("nan")]})
    >>> matrix, used = ns.cluster.feature_matrix(table, ("area", "solidity"), log=("area",))
    >>> matrix.round(3).tolist(), used.tolist()
    ([[-1.0, 1.0], [1.0, -1.0]], [True, True, False])
    """
    features = (features,) if isinstance(features, str) else tuple(features)
    if not features:
        raise EmptyInputError("features: expected at least one, found none")
    if unknown := set(log) - set(features):
        raise InvalidValueError(f"log: expected names of features {features}, found {', '.join(sorted(unknown))}")
    columns = [np.asarray(table[column(table, feature)], dtype=np.float64) for feature in features]
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.stack([np.log(c) if f in log else c for f, c in zip(features, columns, strict=True)], axis=1)
    used = np.isfinite(values).all(axis=1)
    if not include_border:
        for name in _EXCLUDED:
            if name in list(table):
                used &= ~np.asarray(table[name], dtype=bool)
    if not used.any():
        raise EmptyInputError(f"table: expected particles with finite features, found none among {used.size}")
    scaled = _scale(values[used], scaling)
    if n_components is not None:
        if not 1 <= n_components <= len(features):
            raise InvalidValueError(f"n_components: expected 1 … {len(features)} (the features), found {n_components!r}")
        scaled = _principal_components(scaled, n_components)
    return scaled, used


def _scale(values: NDArray[np.float64], scaling: str) -> NDArray[np.float64]:
    if scaling == "none":
        return values
    if scaling == "std":
        centre, spread = values.mean(axis=0), values.std(axis=0)
    elif scaling == "robust":
        low, centre, high = np.percentile(values, [25, 50, 75], axis=0)
        spread = (high - low) / 1.349
    else:
        raise InvalidValueError(f"scaling: expected 'std', 'robust' or 'none', found {scaling!r}")
    # A constant feature says nothing: 0 for everybody. Rounding leaves a spread of some ulp in a constant column.
    constant = spread <= 1e-12 * np.maximum(np.abs(centre), 1e-300)
    scaled: NDArray[np.float64] = np.where(constant, 0.0, (values - centre) / np.where(constant, 1.0, spread))
    return scaled


def _principal_components(values: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    centred = values - values.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    # The sign of an axis is arbitrary: its largest entry is made positive.
    signs = np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])
    components: NDArray[np.float64] = centred @ (axes[:n] * signs[:n, None]).T
    return components
