"""Are two populations the same?"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError, NonFiniteError, UnknownNameError
from nanospa.schema.particles import BRIGHTNESS, SHAPE, SIZE_NM, SIZE_PX

if TYPE_CHECKING:
    import pandas as pd

#: Limits of a small, medium and large effect in Cliff's delta: Romano et al., Annual Meeting of the Florida Association of
#: Institutional Research 2006.
EFFECTS = ((0.474, "large"), (0.33, "medium"), (0.147, "small"), (0.0, "negligible"))


def compare(
    a: Any,
    b: Any,
    *,
    columns: Iterable[str] | None = None,
    significance: float = 0.05,
    smallest_effect: float = 0.147,
    equivalence: float = 0.33,
) -> pd.DataFrame:
    """Compare two populations column by column: quality control of two batches or runs.

    Each column is tested for a shift (Mann-Whitney) and for any difference (Kolmogorov-Smirnov); the smaller p-value, doubled for the
    two tests, is corrected for the number of columns (Holm). A large sample makes any trifle significant and a small one hides what is
    there, so the verdict also asks for the size of the effect, Cliff's delta: "different" where the corrected p-value is below
    `significance` and the effect (delta or the Kolmogorov-Smirnov distance) reaches `smallest_effect`; "same" where not and the whole
    confidence interval of delta lies within ± `equivalence`; "undecided" where the samples are too small to say.

    Parameters
    ----------
    a, b : xarray.Dataset, pandas.DataFrame or mapping
        Particle tables.
    columns : iterable of str, optional
        Columns to compare; None takes all sizes, shapes and intensities that both have, sizes in nm where both have them.
    significance : float
        Accepted probability of calling at least one column different that is not [-].
    smallest_effect : float
        Smallest effect that counts as different [-].
    equivalence : float
        Largest effect that still counts as the same [-].

    Returns
    -------
    pandas.DataFrame
        One row a column, indexed by its name: ``n_a``, ``n_b``, ``median_a``, ``median_b``, ``ks_distance``, ``ks_p``,
        ``mannwhitney_p``, ``p_corrected``, ``cliffs_delta`` (positive: a is larger) with ``cliffs_delta_low`` and ``_high`` at
        1 - `significance`, ``effect`` and ``verdict``.

    Raises
    ------
    UnknownNameError
        A column that a table does not have.
    InvalidValueError
        A limit outside 0 … 1.
    NonFiniteError
        A column without a finite value in one of the tables.

    References
    ----------
    N. Cliff, Psychological Bulletin 114, 494 (1993). D. Feng, N. Cliff, Journal of Modern Applied Statistical Methods 3, 322 (2004).
    S. Holm, Scandinavian Journal of Statistics 6, 65 (1979).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> rng = np.random.default_rng(0)
    >>> a, b = ({"area_px": rng.normal(mean, 10, 400), "solidity": rng.normal(0.9, 0.01, 400)} for mean in (100, 110))
    >>> ns.measure.compare(a, b)["verdict"].to_dict()
    {'area_px': 'different', 'solidity': 'same'}
    """
    import pandas as pd
    from scipy import stats

    for name, value in (("significance", significance), ("smallest_effect", smallest_effect), ("equivalence", equivalence)):
        if not 0 < value < 1:
            raise InvalidValueError(f"{name}: expected a number between 0 and 1, found {value!r}")
    rows: dict[str, dict[str, Any]] = {}
    for name in _chosen(a, b) if columns is None else columns:
        x, y = _finite(a, "a", name), _finite(b, "b", name)
        distance = stats.ks_2samp(x, y, method="asymp" if max(x.size, y.size) > 1000 else "auto")
        shift = stats.mannwhitneyu(x, y) if np.ptp(np.append(x, y)) > 0 else None
        delta, low, high = cliffs_delta(x, y, confidence=1 - significance)
        rows[name] = {
            "n_a": x.size,
            "n_b": y.size,
            "median_a": float(np.median(x)),
            "median_b": float(np.median(y)),
            "ks_distance": float(distance.statistic),
            "ks_p": float(distance.pvalue),
            "mannwhitney_p": 1.0 if shift is None else float(shift.pvalue),
            "cliffs_delta": delta,
            "cliffs_delta_low": low,
            "cliffs_delta_high": high,
            "effect": next(word for limit, word in EFFECTS if abs(delta) >= limit),
        }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index.name = "column"
    if not rows:
        return table
    both = np.minimum(1.0, 2 * table[["ks_p", "mannwhitney_p"]].min(axis=1).to_numpy())
    table.insert(7, "p_corrected", _holm(both))
    size = np.maximum(table["cliffs_delta"].abs(), table["ks_distance"])
    different = (table["p_corrected"] < significance) & (size >= smallest_effect)
    same = ~different & (table["cliffs_delta_low"] >= -equivalence) & (table["cliffs_delta_high"] <= equivalence)
    table["verdict"] = np.select([different, same], ["different", "same"], "undecided")
    return table


def cliffs_delta(a: Any, b: Any, *, confidence: float = 0.95) -> tuple[float, float, float]:
    """Cliff's delta: how much more often a value of a exceeds one of b than the other way round, with its interval.

    Parameters
    ----------
    a, b : array_like of real dtype, shape (n,) and (m,)
        Two samples.
    confidence : float
        Confidence level of the interval [-].

    Returns
    -------
    delta : float
        From -1 (all of a below all of b) to 1 [-].
    low, high : float
        Asymmetric interval of Feng and Cliff [-]; NaN with fewer than two values in a sample.

    References
    ----------
    D. Feng, N. Cliff, Journal of Modern Applied Statistical Methods 3, 322 (2004).

    Examples
    --------
    >>> import nanospa as ns
    >>> delta, low, high = ns.measure.cliffs_delta([5, 6, 7, 8], [1, 2, 6, 3])
    >>> round(delta, 4)
    0.8125
    """
    from scipy import stats

    x, y = (np.sort(np.asarray(values, dtype=np.float64).ravel()) for values in (a, b))
    n, m = x.size, y.size
    if min(n, m) == 0:
        return math.nan, math.nan, math.nan
    below, above = np.searchsorted(y, x, "left"), m - np.searchsorted(y, x, "right")
    of_x = (below - above) / m
    of_y = (n - np.searchsorted(x, y, "right") - np.searchsorted(x, y, "left")) / n
    delta = float(of_x.mean())
    if min(n, m) < 2:
        return delta, math.nan, math.nan
    decided = float(np.sum(below + above))
    within = decided - n * m * delta**2
    ss_x, ss_y = float(np.sum((of_x - delta) ** 2)), float(np.sum((of_y - delta) ** 2))
    variance = (m**2 * ss_x + n**2 * ss_y - within) / (n * m * (n - 1) * (m - 1))
    # The estimate is unbiased and may fall below its least possible value.
    variance = max(variance, (1 - delta**2) / (n * m - 1))
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    root = z * math.sqrt(variance) * math.sqrt((1 - delta**2) ** 2 + z**2 * variance)
    scale = 1 - delta**2 + z**2 * variance
    if scale == 0:
        return delta, delta, delta
    low, high = (delta - delta**3 - root) / scale, (delta - delta**3 + root) / scale
    if abs(delta) == 1:
        # Complete separation: the limit of a binomial share of 1 from the smaller sample.
        k = min(n, m)
        bound = (k - z**2) / (k + z**2)
        low, high = (bound, 1.0) if delta > 0 else (-1.0, -bound)
    return delta, low, high


def _holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    order = np.argsort(p, kind="stable")
    steps = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    out = np.empty_like(p)
    out[order] = np.minimum(1.0, steps)
    return out


def _chosen(a: Any, b: Any) -> list[str]:
    def has(names: Iterable[Any]) -> list[str]:
        return [column.name for column in names if column.name in a and column.name in b]

    sizes = has(SIZE_NM) or has(SIZE_PX)
    skipped = {"orientation_rad", "euler_number", "saturated_fraction"}
    rest = [name for name in has((*SHAPE, *BRIGHTNESS)) if name not in skipped]
    return [name for name in (*sizes, *rest) if all(np.isfinite(np.asarray(t[name], dtype=np.float64)).any() for t in (a, b))]


def _finite(table: Any, which: str, name: str) -> NDArray[np.float64]:
    if name not in table:
        raise UnknownNameError(f"columns: expected columns of both tables, found {name!r}, which {which} does not have")
    values = np.asarray(table[name], dtype=np.float64).ravel()
    values = values[np.isfinite(values)]
    if values.size == 0:
        raise NonFiniteError(f"{which}: expected finite values in column {name!r}, found none")
    return values
