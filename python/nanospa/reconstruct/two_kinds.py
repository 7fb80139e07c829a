"""Do values cluster about two places, or spread about one?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Intrinsic variances that are tried, over the variance of the values.
_SPREADS = (1e-4, 0.01, 0.03, 0.06, 0.1, 0.15, 0.22, 0.3, 0.4, 0.55, 0.75, 1.0)


@dataclass(frozen=True)
class TwoKinds:
    """Two groups of one width against one group.

    Attributes
    ----------
    evidence : float
        Bayesian information criterion of one group less that of two: above 10 it is very strong for two [-].
    separation : float
        Distance of the groups over their width [-].
    minority : float
        Share of the smaller group [-].
    """

    evidence: float
    separation: float
    minority: float


def two_kinds(values: NDArray[np.float64], variances: NDArray[np.float64]) -> TwoKinds:
    """Compare one Gaussian with two of a common width, each value having its own error.

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (n,)
        Values.
    variances : numpy.ndarray of float64, shape (n,)
        Their squared errors.

    Returns
    -------
    TwoKinds

    References
    ----------
    G. Schwarz, Annals of Statistics 6, 461 (1978); R. E. Kass and A. E. Raftery, J. Am. Stat. Assoc. 90, 773 (1995) for the strength of
    evidence.
    """
    spread = float(np.var(values))
    if values.size < 8 or spread == 0:
        return TwoKinds(-np.inf, 0.0, 0.0)
    one, best = np.inf, (np.inf, 0.0, 0.0)
    for share in _SPREADS:
        v = share * spread + variances
        mean = np.sum(values / v) / np.sum(1 / v)
        one = min(one, float(np.sum((values - mean) ** 2 / v + np.log(v))))
        for part in (0.2, 0.5, 0.8):
            best = min(best, _two(values, v, part))
    return TwoKinds(one - best[0] - 2 * np.log(values.size), best[1], best[2])


def _two(x: NDArray[np.float64], v: NDArray[np.float64], part: float) -> tuple[float, float, float]:
    cut = np.quantile(x, part)
    means = np.array([x[x <= cut].mean(), x[x > cut].mean() if (x > cut).any() else x.max()])
    weights = np.array([part, 1 - part])
    for _ in range(40):
        logs = np.log(weights) - (x[:, None] - means) ** 2 / (2 * v[:, None])
        top = logs.max(axis=1, keepdims=True)
        sums = np.exp(logs - top)
        shares = sums / sums.sum(axis=1, keepdims=True)
        weights = np.clip(shares.mean(axis=0), 1e-3, 1)
        weights /= weights.sum()
        means = (shares * (x / v)[:, None]).sum(axis=0) / np.maximum((shares / v[:, None]).sum(axis=0), 1e-12)
    likelihood = float(np.sum(-2 * (top[:, 0] + np.log(sums.sum(axis=1))) + np.log(v)))
    return likelihood, float(abs(means[1] - means[0]) / np.sqrt(np.median(v))), float(weights.min())
