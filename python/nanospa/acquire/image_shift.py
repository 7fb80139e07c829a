"""How far an image lies from where it should, against another image of the same place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core
from nanospa.errors import InvalidValueError
from nanospa.schema.arrays import as_image, pixel_size_pair

#: Standard deviation of the smoothing before images are compared, in pixels of the coarser one, and of what is subtracted: noise of
#: single pixels goes, and so do slow changes of the film's thickness.
FINE_PX = 1.0
COARSE_PX = 12.0

#: Least share of the smaller image that must overlap the other one at a shift [-].
LEAST_OVERLAP = 0.4

#: Least confidence at which a shift is given [-].
LEAST_CONFIDENCE = 0.15

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
) -> tuple[float, float, float]:
    """Displacement of what an image shows against a reference, where both were to have their centres at the same place.

    The finer image is averaged onto the grid of the coarser one; both are smoothed, and what changes slowly over the field is
    subtracted. The normalised correlation of what overlaps (Padfield 2012) is computed for all shifts at once; its maximum is found to a
    fraction of a pixel. The images need not be of one size.

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
    D. Padfield, IEEE Trans. Image Process. 21, 2706 (2012): masked normalised correlation.

    Examples
    --------
    >>> import nanospa as ns
    >>> from nanospa.acquire import image_shift
    >>> frame = ns.simulate.frame(shape=(256, 256), n_particles=4, seed=3).image
    >>> dy, dx, confidence = image_shift(frame[20:220, 20:220], frame[15:215, 27:227])
    >>> round(dy), round(dx), confidence > 0.15
    (5, -7, True)
    """
    first, second = as_image(reference, "reference"), as_image(image, "image")
    size_first = pixel_size_pair(reference_pixel_size_nm, "reference_pixel_size_nm")
    size_second = size_first if pixel_size_nm is None else pixel_size_pair(pixel_size_nm)
    assert size_first is not None and size_second is not None
    if largest_nm is not None and not largest_nm > 0:
        raise InvalidValueError(f"largest_nm: expected a positive number, found {largest_nm!r}")
    step = max(size_first[0], size_second[0]), max(size_first[1], size_second[1])
    prepared = [_prepare(_on_grid(array, size, step)) for array, size in ((first, size_first), (second, size_second))]
    nothing = float("nan"), float("nan")
    if any(p is None for p in prepared):
        return *nothing, 0.0
    (a, mask_a), (b, mask_b) = (p for p in prepared if p is not None)
    # The expected place of the image's centre on the reference's grid, whole pixels; the rest is taken off at the end.
    correlation = _masked_correlation(a, mask_a, b, mask_b)
    zero = [(na - 1) / 2 - (nb - 1) / 2 + off / s for na, nb, off, s in zip(a.shape, b.shape, offset_nm, step, strict=True)]
    # correlation[i, j] is for the image's corner at (i, j) − (shape of the image − 1) on the reference.
    at_zero = [z + n - 1 for z, n in zip(zero, b.shape, strict=True)]
    if largest_nm is not None:
        for axis in (0, 1):
            far = np.abs(np.arange(correlation.shape[axis]) - at_zero[axis]) * step[axis] > largest_nm
            correlation[(far, slice(None)) if axis == 0 else (slice(None), far)] = -1
    y, x = np.unravel_index(int(correlation.argmax()), correlation.shape)
    height = float(correlation[y, x])
    others = correlation.copy()
    others[max(y - PEAK_PX, 0) : y + PEAK_PX + 1, max(x - PEAK_PX, 0) : x + PEAK_PX + 1] = -1
    confidence = float(np.clip(height - max(float(others.max()), 0.0), 0, 1))
    if confidence < LEAST_CONFIDENCE:
        return *nothing, confidence
    # The image's corner found on the reference lies where its content is: content of the image displaced by +d lies at −d.
    at = _vertex(correlation, int(y), int(x))
    shift = [-(p - z) * s for p, z, s in zip(at, at_zero, step, strict=True)]
    return shift[0], shift[1], confidence


def _on_grid(image: NDArray[Any], size: tuple[float, float], step: tuple[float, float]) -> NDArray[np.float32]:
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


def _prepare(pixels: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Band-passed pixels and their mask; None where the image is constant."""
    if min(pixels.shape) < 8 or float(np.ptp(pixels)) == 0:
        return None
    centred = pixels - np.float32(pixels.mean(dtype=np.float64))
    coarse = min(COARSE_PX, min(pixels.shape) / 4)
    band = _core.gaussian(centred, FINE_PX, 1) - _core.gaussian(centred, coarse, 1)
    return band.astype(np.float64), np.ones(band.shape)


def _masked_correlation(
    a: NDArray[np.float64], mask_a: NDArray[np.float64], b: NDArray[np.float64], mask_b: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Normalised correlation of what overlaps, for every place of b on a; −1 where too little overlaps."""
    from scipy import fft

    full = [na + nb - 1 for na, nb in zip(a.shape, b.shape, strict=True)]
    padded = [fft.next_fast_len(n, real=True) for n in full]

    def spectrum(array: NDArray[np.float64]) -> NDArray[np.complex128]:
        return np.asarray(fft.rfft2(array, padded))

    def product(one: NDArray[np.complex128], other: NDArray[np.complex128]) -> NDArray[np.float64]:
        return np.asarray(fft.irfft2(one * other, padded))[: full[0], : full[1]]

    turned, turned_mask = b[::-1, ::-1], mask_b[::-1, ::-1]
    fa, fma, fa2 = spectrum(a * mask_a), spectrum(mask_a), spectrum(a * a * mask_a)
    fb, fmb, fb2 = spectrum(turned * turned_mask), spectrum(turned_mask), spectrum(turned * turned * turned_mask)
    n = np.maximum(np.rint(product(fma, fmb)), 1)
    sum_a, sum_b = product(fa, fmb), product(fma, fb)
    covariance = product(fa, fb) - sum_a * sum_b / n
    variance_a = np.maximum(product(fa2, fmb) - sum_a**2 / n, 0)
    variance_b = np.maximum(product(fma, fb2) - sum_b**2 / n, 0)
    # An overlap without content has a variance of rounding errors only.
    least = 1e-6 * float(a.var()) * float(b.var()) * n**2
    norm2 = variance_a * variance_b
    enough = (n >= LEAST_OVERLAP * min(mask_a.sum(), mask_b.sum())) & (norm2 > least)
    return np.where(enough, covariance / np.sqrt(np.maximum(norm2, np.finfo(float).tiny)), -1.0)


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
