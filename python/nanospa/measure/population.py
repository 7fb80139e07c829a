"""Size distribution of a population."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import EmptyInputError, InvalidValueError, NonFiniteError

#: Percentiles of the distribution that are reported.
PERCENTILES = (10, 50, 90)


def population(values: Any, *, weights: str = "number", confidence: float = 0.95) -> dict[str, float]:
    """Size distribution with confidence intervals and a log-normal fit.

    Every interval ``<name>_low`` … ``<name>_high`` follows from the sample alone, without resampling: mean and standard deviation by
    their linearised variance and Student's t, percentiles by number from order statistics (no distribution assumed), percentiles by
    volume by Woodruff's inversion. By volume each particle counts with the cube of its diameter, so single large particles decide and
    intervals are wide; ``n_effective`` says how many equal particles would be as informative.

    Parameters
    ----------
    values : array_like of real dtype, shape (particle,)
        Diameters, all above 0; the results have their unit.
    weights : {"number", "volume"}
        Whether each particle counts once or with the cube of its value.
    confidence : float
        Confidence level of the intervals [-].

    Returns
    -------
    dict of str to float
        ``n``, ``n_effective``; ``mean``, ``std``, ``D10``, ``D50``, ``D90`` and ``median`` (= ``D50``) with intervals; ``span``
        (D90 - D10) / D50; ``lognormal_mu``, ``lognormal_sigma`` (of the logarithm) with intervals, ``lognormal_median``,
        ``lognormal_D10``, ``lognormal_D50``, ``lognormal_D90`` of the fitted distribution with intervals, ``lognormal_gsd`` =
        exp(sigma), ``lognormal_ad`` and ``lognormal_p``: Anderson-Darling statistic and p-value of the logarithms being normal. What
        a sample is too small for is NaN.

    Raises
    ------
    EmptyInputError
        No value.
    NonFiniteError
        NaN or infinity among the values.
    InvalidValueError
        Values that are not positive, an unknown name for `weights`, or a confidence outside 0 … 1.

    Notes
    -----
    In simulations of log-normal samples (sigma 0.2, 200 values) all intervals of 95 % hold the truth in 93 to 97 % of the samples,
    except that of the standard deviation by volume (82 %): the largest particles, which decide it, are often not in the sample. The
    same goes for mean and standard deviation of wider distributions by volume; there the percentiles of the fit are the better figures.

    The log-normal is fitted to the numbers of particles. By volume the same fit is shown as the distribution of the volume, which is
    log-normal with the same sigma and mu + 3 sigma^2 (Hatch and Choate).

    References
    ----------
    T. Hatch, S. P. Choate, Journal of the Franklin Institute 207, 369 (1929). R. S. Woodruff, Journal of the American Statistical
    Association 47, 635 (1952). R. B. D'Agostino, M. A. Stephens, Goodness-of-Fit Techniques, Dekker 1986, table 4.9.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> diameters = np.random.default_rng(0).lognormal(np.log(10), 0.2, 500)
    >>> found = ns.measure.population(diameters)
    >>> found["lognormal_median_low"] < 10 < found["lognormal_median_high"]
    True
    """
    x = _checked(values)
    if weights not in ("number", "volume"):
        raise InvalidValueError(f"weights: expected 'number' or 'volume', found {weights!r}")
    if not 0 < confidence < 1:
        raise InvalidValueError(f"confidence: expected a number between 0 and 1, found {confidence!r}")
    by_volume = weights == "volume"
    # Relative to the largest value: the cube of a small number must not vanish.
    w = (x / x[-1]) ** 3 if by_volume else np.ones_like(x)
    w /= w.sum()
    out: dict[str, float] = {"n": float(x.size), "n_effective": float(1 / np.sum(w**2))}
    out |= _moments(x, w, confidence)
    for percent in PERCENTILES:
        name, q = f"D{percent}", percent / 100
        out[name] = _quantile(x, w, q)
        out[f"{name}_low"], out[f"{name}_high"] = (_woodruff if by_volume else _order_statistics)(x, w, q, confidence)
    for end in ("", "_low", "_high"):
        out[f"median{end}"] = out[f"D50{end}"]
    out["span"] = (out["D90"] - out["D10"]) / out["D50"]
    return out | _lognormal(np.log(x), by_volume, confidence)


def _exp(x: float) -> float:
    """Infinity, where `math.exp` would overflow: the interval of a wide spread known from two values has no end."""
    return math.exp(x) if x < 709.0 else math.inf


def _checked(values: Any) -> NDArray[np.float64]:
    x = np.sort(np.asarray(values, dtype=np.float64).ravel())
    if x.size == 0:
        raise EmptyInputError("values: expected at least one value, found none")
    if not np.isfinite(x).all():
        raise NonFiniteError(f"values: expected finite numbers, found {int((~np.isfinite(x)).sum())} that are not")
    if x[0] <= 0:
        raise InvalidValueError(f"values: expected numbers > 0, found {x[0]}")
    return x


def _moments(x: NDArray[np.float64], w: NDArray[np.float64], confidence: float) -> dict[str, float]:
    """Mean and standard deviation, the variance of each from the influence of every value on it."""
    from scipy import stats

    n = x.size
    mean = float(w @ x)
    if n < 2:
        return dict.fromkeys(("mean_low", "mean_high", "std", "std_low", "std_high"), math.nan) | {"mean": mean}
    # The weighted share of the spread that estimating the mean takes away; n / (n - 1) for equal weights.
    lost = 1 / (1 - float(w @ w)) if w @ w < 1 else math.nan
    variance = float(w @ (x - mean) ** 2) * lost
    std = math.sqrt(variance)
    t = float(stats.t.ppf(0.5 + confidence / 2, max(1.0, 1 / float(w @ w) - 1)))
    scale = n / (n - 1)
    se_mean = math.sqrt(scale * float(np.sum((w * (x - mean)) ** 2)))
    se_variance = math.sqrt(scale * float(np.sum((w * ((x - mean) ** 2 - variance)) ** 2)))
    # On the logarithm the interval of a spread is nearly symmetric and never falls below 0.
    reach = t * se_variance / (2 * variance) if variance > 0 else math.nan
    return {
        "mean": mean,
        "mean_low": mean - t * se_mean,
        "mean_high": mean + t * se_mean,
        "std": std,
        "std_low": std * math.exp(-reach),
        "std_high": std * _exp(reach),
    }


def _quantile(x: NDArray[np.float64], w: NDArray[np.float64], q: float) -> float:
    """Value below which a share q of the weight lies; each value's weight is centred on it (Hazen's rule)."""
    return float(np.interp(q, np.cumsum(w) - w / 2, x))


def _order_statistics(x: NDArray[np.float64], w: NDArray[np.float64], q: float, confidence: float) -> tuple[float, float]:
    """Interval of a quantile whatever the distribution: the number of values below it is binomial."""
    from scipy import stats

    n = x.size
    low = int(stats.binom.ppf((1 - confidence) / 2, n, q)) - 1
    high = int(stats.binom.ppf((1 + confidence) / 2, n, q))
    # A bound beyond the sample is not known; ppf is the first count whose probability reaches the share.
    return (float(x[low]) if low >= 0 else math.nan, float(x[high]) if high < n else math.nan)


def _woodruff(x: NDArray[np.float64], w: NDArray[np.float64], q: float, confidence: float) -> tuple[float, float]:
    """Interval of the share of weight below the quantile, taken back through the distribution."""
    from scipy import stats

    n = x.size
    if n < 2:
        return math.nan, math.nan
    below = (x <= _quantile(x, w, q)).astype(np.float64)
    se = math.sqrt(n / (n - 1) * float(np.sum((w * (below - q)) ** 2)))
    t = float(stats.t.ppf(0.5 + confidence / 2, max(1.0, 1 / float(w @ w) - 1)))
    low, high = q - t * se, q + t * se
    return (_quantile(x, w, low) if low > 0 else math.nan, _quantile(x, w, high) if high < 1 else math.nan)


def _lognormal(logs: NDArray[np.float64], by_volume: bool, confidence: float) -> dict[str, float]:
    from scipy import stats

    n = logs.size
    mu = float(logs.mean())
    sigma = float(logs.std(ddof=1)) if n > 1 else math.nan
    nan = math.nan
    mu_low = mu_high = sigma_low = sigma_high = nan
    if n > 1 and sigma > 0:
        low, high = (1 - confidence) / 2, (1 + confidence) / 2
        sigma_low = sigma * math.sqrt((n - 1) / stats.chi2.ppf(high, n - 1))
        sigma_high = sigma * math.sqrt((n - 1) / stats.chi2.ppf(low, n - 1))
        variance = sigma**2 / n
        if by_volume:
            variance += 9 * 2 * sigma**4 / (n - 1)
        reach = float(stats.t.ppf(high, n - 1)) * math.sqrt(variance)
        mu += 3 * sigma**2 if by_volume else 0.0
        mu_low, mu_high = mu - reach, mu + reach
    percentiles: dict[str, float] = {}
    for percent in PERCENTILES:
        z = float(stats.norm.ppf(percent / 100))
        value = mu + z * sigma
        # Derivative of mu (+ 3 sigma^2) + z sigma by sigma, whose variance is sigma^2 / 2 (n - 1).
        slope = z + (6 * sigma if by_volume else 0.0)
        reach = math.nan
        if n > 1 and sigma > 0:
            t = float(stats.t.ppf((1 + confidence) / 2, n - 1))
            reach = t * sigma * math.sqrt(1 / n + slope**2 / (2 * (n - 1)))
        for end, shift in (("", 0.0), ("_low", -reach), ("_high", reach)):
            percentiles[f"lognormal_D{percent}{end}"] = _exp(value + shift)
    statistic, p = _anderson_darling(logs, sigma)
    return percentiles | {
        "lognormal_mu": mu,
        "lognormal_mu_low": mu_low,
        "lognormal_mu_high": mu_high,
        "lognormal_sigma": sigma,
        "lognormal_sigma_low": sigma_low,
        "lognormal_sigma_high": sigma_high,
        "lognormal_median": _exp(mu),
        "lognormal_median_low": _exp(mu_low),
        "lognormal_median_high": _exp(mu_high),
        "lognormal_gsd": math.exp(sigma),
        "lognormal_ad": statistic,
        "lognormal_p": p,
    }


def _anderson_darling(logs: NDArray[np.float64], sigma: float) -> tuple[float, float]:
    """Statistic and p-value for a normal distribution whose mean and spread came from the same values."""
    from scipy import stats

    n = logs.size
    # Below eight values the approximation of the p-value does not hold.
    if n < 8 or not sigma > 0:
        return math.nan, math.nan
    z = (np.sort(logs) - logs.mean()) / sigma
    i = np.arange(1, n + 1)
    raw = -n - float(np.sum((2 * i - 1) * (stats.norm.logcdf(z) + stats.norm.logsf(z[::-1])))) / n
    a = raw * (1 + 0.75 / n + 2.25 / n**2)
    if a < 0.2:
        p = 1 - math.exp(-13.436 + 101.14 * a - 223.73 * a**2)
    elif a < 0.34:
        p = 1 - math.exp(-8.318 + 42.796 * a - 59.938 * a**2)
    elif a < 0.6:
        p = math.exp(0.9177 - 4.279 * a - 1.38 * a**2)
    else:
        # The published fit holds up to a = 13; beyond, the p-value is below any level in use.
        p = math.exp(1.2937 - 5.709 * min(a, 13.0) + 0.0186 * min(a, 13.0) ** 2)
    return a, p
