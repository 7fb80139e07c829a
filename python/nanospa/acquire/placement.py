"""Where an image lies relative to another that shows part of the same specimen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Share of the nominal overlap that must be left at a displacement for it to count: tiny overlaps agree by chance.
LEAST_OVERLAP = 0.4


@dataclass(frozen=True)
class Placed:
    """An image and where it is thought to lie.

    Attributes
    ----------
    data : numpy.ndarray of float32, shape (y, x)
        Image.
    pixel_size_nm : (float, float)
        Pixel size (y, x) [nm].
    centre_nm : (float, float)
        Position (y, x) of its centre [nm].
    """

    data: NDArray[np.float32]
    pixel_size_nm: tuple[float, float]
    centre_nm: tuple[float, float]

    def origin_nm(self) -> NDArray[np.float64]:
        """Position (y, x) of the first pixel's centre [nm]."""
        half = (np.array(self.data.shape) - 1) / 2 * self.pixel_size_nm
        return np.asarray(self.centre_nm) - half


def placed(data: NDArray[Any], pixel_size_nm: tuple[float, float], centre_nm: tuple[float, float]) -> Placed:
    """An image with its place; several scans are summed."""
    data = np.asarray(data, dtype=np.float32)
    return Placed(data.sum(axis=0) if data.ndim == 3 else data, pixel_size_nm, centre_nm)


def displacement(fixed: Placed, moving: Placed, search_nm: float, elsewhere: float = 0.25) -> tuple[float, float, float]:
    """How far an image lies from where it is thought to lie, by the specimen that another image shows too.

    The moving image is brought to the fixed one's pixel size; the normalised correlation of what both show is looked at for every
    displacement of the search range, and its maximum refined by parabolas.

    Parameters
    ----------
    fixed, moving : Placed
        The images; the moving one has the smaller pixels, or the same.
    search_nm : float
        Largest displacement along each axis [nm].
    elsewhere : float
        Distance from the maximum at which another one is another place, in search ranges [-].

    Returns
    -------
    (float, float, float)
        Displacement (dy, dx) [nm]: the moving image's centre is at its nominal place plus this. Confidence: the correlation at the
        maximum, less the highest one elsewhere [-]; 0 and NaN displacements where there is nothing to see.
    """
    nothing = (float("nan"), float("nan"), 0.0)
    pixel = np.asarray(fixed.pixel_size_nm, dtype=np.float64)
    moving = _resampled(moving, fixed)
    margin = np.ceil(search_nm / pixel).astype(int)
    offset_nm = moving.origin_nm() - fixed.origin_nm()
    offset = np.rint(offset_nm / pixel).astype(int)
    a, a0 = _cropped(fixed.data, offset - margin, offset + moving.data.shape + margin)
    b, b0 = _cropped(moving.data, -offset - margin, -offset + np.array(fixed.data.shape) + margin)
    if min(*a.shape, *b.shape) < 8:
        return nothing
    start = offset + b0 - a0  # pixel of `a` under the first pixel of `b`, nominally
    score = _correlation(a, b, start, margin)
    if not np.isfinite(score).any():
        return nothing
    best = np.unravel_index(np.nanargmax(score), score.shape)
    peak = float(score[best])
    away = [(np.arange(n) - i) / max(m, 1) for n, i, m in zip(score.shape, best, margin, strict=True)]
    others = score[(np.asarray(np.hypot.outer(*away)) > elsewhere) & np.isfinite(score)]
    second = max(0.0, float(others.max())) if others.size else 0.0
    if peak <= 0:
        return nothing
    # A maximum at the very edge of the search is none.
    if any(i in (0, n - 1) for i, n in zip(best, score.shape, strict=True)):
        return nothing
    refined = [_vertex(np.take(score, range(i - 1, i + 2), axis)[_line(best, axis)]) for axis, i in enumerate(best)]
    shift = (np.array(best) - margin + refined + offset) * pixel - offset_nm
    return float(shift[0]), float(shift[1]), peak - second


def _line(best: Any, axis: int) -> Any:
    return (slice(None), best[1]) if axis == 0 else (best[0], slice(None))


def _vertex(values: NDArray[np.float64]) -> float:
    before, at, after = (float(v) for v in values)
    bend = before - 2 * at + after
    if not np.isfinite(bend) or bend >= 0:
        return 0.0
    return float(np.clip((before - after) / (2 * bend), -0.5, 0.5))


def _cropped(data: NDArray[np.float32], low: NDArray[np.int64], high: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    low = np.clip(low, 0, data.shape)
    high = np.clip(high, low, data.shape)
    return data[low[0] : high[0], low[1] : high[1]], low


def _resampled(moving: Placed, fixed: Placed) -> Placed:
    """The moving image on pixels of the fixed one's size: averaged over areas, centre kept."""
    from scipy import ndimage

    ratio = np.asarray(fixed.pixel_size_nm) / np.asarray(moving.pixel_size_nm)
    if np.allclose(ratio, 1, rtol=1e-6):
        return Placed(ndimage.gaussian_filter(moving.data, 0.7), fixed.pixel_size_nm, moving.centre_nm)
    shape = np.maximum(np.floor(np.array(moving.data.shape) / ratio), 1).astype(int)
    smooth = moving.data
    if (ratio > 1).any():
        # A box as wide as the coarse pixel: the mean over its area.
        smooth = ndimage.uniform_filter(smooth, np.maximum(np.rint(ratio), 1).astype(int), mode="nearest")
    places = [((np.arange(n) - (n - 1) / 2) * r + (m - 1) / 2) for n, r, m in zip(shape, ratio, moving.data.shape, strict=True)]
    data = ndimage.map_coordinates(smooth, np.meshgrid(*places, indexing="ij"), order=1, mode="nearest")
    return Placed(data.astype(np.float32), fixed.pixel_size_nm, moving.centre_nm)


def _correlation(
    a: NDArray[np.float32], b: NDArray[np.float32], start: NDArray[np.int64], margin: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Normalised correlation of what both share, for displacements of `b` from `start` within the margins; NaN for too little."""
    from scipy import fft

    a64, b64 = a.astype(np.float64) - float(a.mean()), b.astype(np.float64) - float(b.mean())
    shape = [fft.next_fast_len(int(n + m), real=True) for n, m in zip(a.shape, b.shape, strict=True)]
    product = fft.irfft2(fft.rfft2(a64, shape) * np.conj(fft.rfft2(b64, shape)), shape)
    lags = [s + np.arange(-m, m + 1) for s, m in zip(start, margin, strict=True)]
    cross = product[np.ix_(*(lag % n for lag, n in zip(lags, shape, strict=True)))]
    # What both share at a lag is a rectangle in either: its sums come from running sums.
    low = [np.clip(lag, 0, n) for lag, n in zip(lags, a.shape, strict=True)]
    high = [np.clip(lag + m, 0, n) for lag, n, m in zip(lags, a.shape, b.shape, strict=True)]
    count = np.outer(*(np.maximum(h - lo, 0) for lo, h in zip(low, high, strict=True))).astype(np.float64)
    sums = [_box(values, low, high) for values in (a64, a64**2)]
    low = [np.clip(lo - lag, 0, n) for lo, lag, n in zip(low, lags, b.shape, strict=True)]
    high = [np.clip(h - lag, 0, n) for h, lag, n in zip(high, lags, b.shape, strict=True)]
    sums += [_box(values, low, high) for values in (b64, b64**2)]
    least = LEAST_OVERLAP * count[margin[0], margin[1]]
    with np.errstate(divide="ignore", invalid="ignore"):
        covariance = cross - sums[0] * sums[2] / count
        spread = np.sqrt(np.maximum(sums[1] - sums[0] ** 2 / count, 0) * np.maximum(sums[3] - sums[2] ** 2 / count, 0))
        score = covariance / spread
    score[(count < max(least, 64.0)) | ~(spread > 0)] = np.nan
    return np.asarray(score)


def _box(values: NDArray[np.float64], low: list[NDArray[np.int64]], high: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    running = np.zeros(tuple(n + 1 for n in values.shape))
    np.cumsum(np.cumsum(values, axis=0), axis=1, out=running[1:, 1:])
    high = [np.maximum(h, lo) for lo, h in zip(low, high, strict=True)]
    part = {(i, j): running[np.ix_(ys, xs)] for i, ys in enumerate((low[0], high[0])) for j, xs in enumerate((low[1], high[1]))}
    return np.asarray(part[1, 1] - part[0, 1] - part[1, 0] + part[0, 0])
