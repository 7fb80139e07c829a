"""How far an image lies from where it should, against another image of the same place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core
from nanospa.errors import InvalidValueError
from nanospa.schema.arrays import as_image, pixel_size_pair

#: Standard deviation of the smoothing before images are compared, and of what is subtracted, in pixels of the coarser one: noise of
#: single pixels goes, and so do slow changes of the film's thickness.
FINE_PX = 1.0
COARSE_PX = 3.0

#: Least share of the nominal overlap that must be left at a shift [-]: small overlaps agree by chance.
LEAST_OVERLAP = 0.4

#: Fewest pixels of an overlap, and fewest along each side of an image.
FEWEST_PIXELS = 256
FEWEST_SIDE = 8

#: Least confidence at which a shift is given [-]. Of 96 simulated tiles (20 µs) against their survey (5 µs, 1.3 nm a pixel) the right ones
#: had 0.34 or more, but for two; wrong ones, all with less than 0.5 % of the tile covered by particles, and tiles against another survey at
#: most 0.18.
LEAST_CONFIDENCE = 0.2

#: Half width of what counts as one maximum of the correlation [px].
PEAK_PX = 6


def image_shift(
    reference: NDArray[Any],
    image: NDArray[Any],
    *,
    reference_pixel_size_nm: float | tuple[float, float] = 1.0,
    pixel_size_nm: float | tuple[float, float] | None = None,
    offset_nm: tuple[float, float] = (0.0, 0.0),
    largest_nm: float | None = None,
    least_overlap: float = LEAST_OVERLAP,
) -> tuple[float, float, float]:
    """Displacement of what an image shows against a reference, where both were to have their centres at the same place.

    The finer image is averaged onto the grid of the coarser one; both are smoothed, and what changes slowly over the field is
    subtracted. The normalised correlation of what overlaps is computed for all shifts at once; its maximum is found to a fraction of a
    pixel. The images need not be of one size.

    Parameters
    ----------
    reference : numpy.ndarray of real dtype, shape (y, x)
        Image of the place, such as part of a survey.
    image : numpy.ndarray of real dtype, shape (y, x)
        Image to be placed.
    reference_pixel_size_nm, pixel_size_nm : float or (float, float)
        Pixel sizes (y, x) [nm]; that of the image is by default that of the reference. With 1, the shift is in pixels.
    offset_nm : (float, float)
        Where the centre of the image should lie from that of the reference (y, x) [nm].
    largest_nm : float, optional
        Largest displacement along y or x that is looked for [nm]; by default as far as enough overlaps.
    least_overlap : float
        Least share of the nominal overlap that is left at a displacement that counts [-].

    Returns
    -------
    dy, dx : float
        Displacement of the content of `image` from where it should be [nm]; NaN where nothing is clearly the same in both. The image's
        true centre lies at minus this displacement from where it should.
    confidence : float
        How much higher the correlation is at this displacement than at any other [-]: 0 … 1.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        An array that is no image.
    InvalidValueError, PixelSizeError
        A pixel size or a largest displacement that is not positive.

    References
    ----------
    J. P. Lewis, Vision Interface 1995, p. 120: normalised correlation from one product of transforms and running sums.

    Examples
    --------
    >>> import nanospa as ns
    >>> from nanospa.acquire import image_shift
    >>> frame = ns.simulate.frame(shape=(256, 256), n_particles=4, seed=3).image
    >>> dy, dx, confidence = image_shift(frame[20:220, 20:220], frame[15:215, 27:227])
    >>> round(dy), round(dx), confidence > 0.3
    (5, -7, True)
    """
    first, second = as_image(reference, "reference"), as_image(image, "image")
    size_first = pixel_size_pair(reference_pixel_size_nm, "reference_pixel_size_nm")
    size_second = size_first if pixel_size_nm is None else pixel_size_pair(pixel_size_nm)
    assert size_first is not None and size_second is not None
    if largest_nm is not None and not largest_nm > 0:
        raise InvalidValueError(f"largest_nm: expected a positive number, found {largest_nm!r}")
    if not 0 <= least_overlap <= 1:
        raise InvalidValueError(f"least_overlap: expected a number from 0 to 1, found {least_overlap!r}")
    step = np.maximum(size_first, size_second)
    a, b = _on_grid(first, size_first, step), _on_grid(second, size_second, step)
    # Nominal place of b's first pixel on a.
    start = (np.array(a.shape) - b.shape) / 2 + np.asarray(offset_nm, dtype=np.float64) / step
    nothing = float("nan"), float("nan"), 0.0
    if largest_nm is not None:
        # Only what can come to overlap is compared.
        margin = largest_nm / step + 1
        a, a0 = _cropped(a, start - margin, start + b.shape + margin)
        b, b0 = _cropped(b, a0 - start - margin, a0 - start + a.shape + margin)
        start = start + b0 - a0
    if min(*a.shape, *b.shape) < FEWEST_SIDE:
        return nothing
    # lags[axis]: places of b's first pixel on a that are looked at.
    lags = [np.arange(1 - n, m) for m, n in zip(a.shape, b.shape, strict=True)]
    if largest_nm is not None:
        lags = [lag[np.abs(lag - s) * h <= largest_nm] for lag, s, h in zip(lags, start, step, strict=True)]
    if not all(lag.size for lag in lags):
        return nothing
    nominal = np.prod([max(min(m, s + n) - max(0.0, s), 0.0) for m, n, s in zip(a.shape, b.shape, start, strict=True)])
    score = _correlation(_band(a), _band(b), lags, max(FEWEST_PIXELS, least_overlap * float(nominal)))
    y, x = (int(i) for i in np.unravel_index(int(score.argmax()), score.shape))
    height = float(score[y, x])
    others = score.copy()
    others[max(y - PEAK_PX, 0) : y + PEAK_PX + 1, max(x - PEAK_PX, 0) : x + PEAK_PX + 1] = -1
    confidence = float(np.clip(height - max(float(others.max()), 0.0), 0, 1))
    # A maximum at the very end of what is looked at is none.
    if confidence < LEAST_CONFIDENCE or y in (0, score.shape[0] - 1) or x in (0, score.shape[1] - 1):
        return *nothing[:2], confidence
    # What lies at p on a was to lie at p − start on b and lies at p − place: displaced by start − place.
    place = [lag[0] + at for lag, at in zip(lags, _vertex(score, y, x), strict=True)]
    dy, dx = ((s - at) * h for s, at, h in zip(start, place, step, strict=True))
    return float(dy), float(dx), confidence


def _on_grid(image: NDArray[Any], size: tuple[float, float], step: NDArray[np.float64]) -> NDArray[np.float32]:
    """Mean of the image over pixels of size `step`, its centre kept: as many whole ones as it holds."""
    pixels = image.astype(np.float32)
    for axis in (0, 1):
        ratio = step[axis] / size[axis]
        if ratio > 1 + 1e-9:
            pixels = np.moveaxis(_averaged(np.moveaxis(pixels, axis, 0), ratio), 0, axis)
    return np.ascontiguousarray(pixels)


def _averaged(pixels: NDArray[np.float32], ratio: float) -> NDArray[np.float32]:
    """Means along the first axis over `ratio` pixels, by differences of the running sum."""
    n = pixels.shape[0]
    m = max(int(n / ratio + 1e-6), 1)
    edges = np.clip(n / 2 + (np.arange(m + 1) - m / 2) * ratio, 0, n)
    running = np.concatenate([np.zeros((1, *pixels.shape[1:])), np.cumsum(pixels, axis=0, dtype=np.float64)])
    low = np.minimum(edges.astype(int), n - 1)
    rest = (edges - low)[:, None]
    at = running[low] * (1 - rest) + running[low + 1] * rest
    means: NDArray[np.float32] = (np.diff(at, axis=0) / np.diff(edges)[:, None]).astype(np.float32)
    return means


def _cropped(
    pixels: NDArray[np.float32], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What of the pixels lies between two corners, and its first pixel."""
    first = np.clip(np.floor(low), 0, pixels.shape).astype(np.int64)
    end = np.clip(np.ceil(high), first, pixels.shape).astype(np.int64)
    return np.ascontiguousarray(pixels[first[0] : end[0], first[1] : end[1]]), first


def _band(pixels: NDArray[np.float32]) -> NDArray[np.float64]:
    """Pixels without what is finer than particles' edges and what changes slowly."""
    centred = pixels - np.float32(pixels.mean(dtype=np.float64))
    return np.asarray(_core.gaussian(centred, FINE_PX, 1) - _core.gaussian(centred, COARSE_PX, 1), dtype=np.float64)


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64], lags: list[NDArray[np.int64]], least: float) -> NDArray[np.float64]:
    """Normalised correlation of what overlaps where b's first pixel lies at `lags` (y, x) on a; −1 where less than `least` pixels do."""
    from scipy import fft

    padded = [fft.next_fast_len(m + n - 1, real=True) for m, n in zip(a.shape, b.shape, strict=True)]
    product = fft.irfft2(fft.rfft2(a, padded) * np.conj(fft.rfft2(b, padded)), padded)
    cross = product[np.ix_(*(lag % n for lag, n in zip(lags, padded, strict=True)))]
    # What both share is a rectangle of either: its sums come from running sums.
    low = [np.clip(lag, 0, m) for lag, m in zip(lags, a.shape, strict=True)]
    high = [np.clip(lag + n, 0, m) for lag, m, n in zip(lags, a.shape, b.shape, strict=True)]
    count = np.multiply.outer(*(h - lo for h, lo in zip(high, low, strict=True)))
    sum_a, sum_a2 = (_rectangles(values, low, high) for values in (a, a * a))
    low, high = ([side - lag for side, lag in zip(sides, lags, strict=True)] for sides in (low, high))
    sum_b, sum_b2 = (_rectangles(values, low, high) for values in (b, b * b))
    n = np.maximum(count, 1)
    variance_a, variance_b = sum_a2 - sum_a**2 / n, sum_b2 - sum_b**2 / n
    # Where there is nothing but rounding errors, there is nothing to compare.
    enough = (count >= least) & (variance_a > 1e-6 * n * float(a.var())) & (variance_b > 1e-6 * n * float(b.var()))
    spread = np.sqrt(np.where(enough, variance_a * variance_b, 1.0))
    return np.where(enough, (cross - sum_a * sum_b / n) / spread, -1.0)


def _rectangles(values: NDArray[np.float64], low: list[NDArray[np.int64]], high: list[NDArray[np.int64]]) -> NDArray[np.float64]:
    """Sums over the rectangles from every pair of lows (y, x) to the pair of highs, shape (y, x)."""
    running = np.zeros([n + 1 for n in values.shape])
    running[1:, 1:] = values.cumsum(axis=0).cumsum(axis=1)
    (y0, x0), (y1, x1) = low, high
    total: NDArray[np.float64] = running[np.ix_(y1, x1)] - running[np.ix_(y0, x1)] - running[np.ix_(y1, x0)] + running[np.ix_(y0, x0)]
    return total


def _vertex(surface: NDArray[np.float64], y: int, x: int) -> tuple[float, float]:
    """Maximum near (y, x) of the paraboloid through the 3 × 3 places about it."""
    height, width = surface.shape
    if not (0 < y < height - 1 and 0 < x < width - 1):
        return float(y), float(x)
    near = surface[y - 1 : y + 2, x - 1 : x + 2]
    if near.min() <= -1:
        return float(y), float(x)
    gy, gx = float(near[2, 1] - near[0, 1]) / 2, float(near[1, 2] - near[1, 0]) / 2
    hyy = float(near[2, 1] - 2 * near[1, 1] + near[0, 1])
    hxx = float(near[1, 2] - 2 * near[1, 1] + near[1, 0])
    hxy = float(near[2, 2] - near[2, 0] - near[0, 2] + near[0, 0]) / 4
    determinant = hyy * hxx - hxy**2
    if not (determinant > 0 and hyy < 0):
        return float(y), float(x)
    dy, dx = -(hxx * gy - hxy * gx) / determinant, -(hyy * gx - hxy * gy) / determinant
    return (y + dy, x + dx) if max(abs(dy), abs(dx)) <= 1 else (float(y), float(x))
