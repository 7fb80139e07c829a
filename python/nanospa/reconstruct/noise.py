"""Background level and noise of particle images, from the pixels around the particles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Pixels farther than this many standard deviations from the median are neighbours or tails of the particle, not background.
CLIP_SIGMA = 3.0

#: Standard deviation of a Gaussian over its clipped one.
CLIP_CORRECTION = 1.0135

#: Standard deviation of a Gaussian over its median absolute deviation.
MAD_TO_SIGMA = 1.4826

#: Share of the differences inside a particle that noise alone is taken from, and the part of σ that this share of a Gaussian lies within.
SMALLEST_SHARE = 0.2
SMALLEST_SIGMA = 0.2533

#: Area of a particle over (sum)² / (sum of squares): what it is for polyhedra, and what is believed.
POLYHEDRON_FILL = 1.3
FILL_RANGE = (1.1, 1.6)

#: A smoothed pixel belongs to a particle above this share of the brightest, and above this many standard deviations of its noise …
AREA_SHARE = 0.1
AREA_SIGMA = 2.5

#: … which this share of the empty pixels exceeds.
FALSE_SHARE = 0.006

#: Share of equal pixels around the particles above which they were set, not measured.
MASKED_SHARE = 0.5


def background(images: NDArray[np.float32], outside: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Level and noise of the background, clipped against neighbours, and whether it was measured at all.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (image, y, x)
        Images.
    outside : numpy.ndarray of bool, shape (image, y, x)
        Pixels that hold no particle.

    Returns
    -------
    level : numpy.ndarray of float64, shape (image,)
        Background [intensity].
    sigma : numpy.ndarray of float64, shape (image,)
        Standard deviation of a background pixel [intensity].
    masked : bool
        Whether the surroundings were set to one value, as `measure.particle_images` does; noise then comes from inside the particles.
    """
    values = np.where(outside, images, np.nan).reshape(len(images), -1).astype(np.float32)
    count = np.maximum(outside.reshape(len(images), -1).sum(axis=1), 1)
    median = np.nanmedian(values, axis=1)[:, None]
    deviation = np.abs(values - median)
    spread = MAD_TO_SIGMA * np.nanmedian(deviation, axis=1)[:, None]
    masked = bool(np.median((deviation == 0).sum(axis=1) / count) > MASKED_SHARE)
    if masked:
        return median[:, 0].astype(np.float64), _inner_noise(images, median[:, :, None]), True
    kept = (deviation <= CLIP_SIGMA * spread) | ((spread == 0) & np.isfinite(values))
    number = np.maximum(kept.sum(axis=1), 1)
    level = np.where(kept, values, 0).sum(axis=1, dtype=np.float64) / number
    variance = np.where(kept, (values - level[:, None]) ** 2, 0).sum(axis=1, dtype=np.float64) / number
    return level, CLIP_CORRECTION * np.sqrt(variance), False


def _inner_noise(images: NDArray[np.float32], set_value: NDArray[np.float32]) -> NDArray[np.float64]:
    # Mixed second differences vanish on facets; the smallest of them are noise alone, and how small they are tells how much. Images
    # resampled by interpolation have less noise from pixel to pixel than at larger distances: theirs is underestimated, by up to a half.
    inside = images != set_value
    pairs = inside[:, 1:] & inside[:, :-1]
    whole = pairs[:, :, 1:] & pairs[:, :, :-1]
    rows = images[:, 1:] - images[:, :-1]
    mixed = np.where(whole, (rows[:, :, 1:] - rows[:, :, :-1]) / 2, np.nan).reshape(len(images), -1)
    enough = whole.reshape(len(images), -1).sum(axis=1) >= 8
    out = np.zeros(len(images))
    if enough.any():
        out[enough] = np.nanquantile(np.abs(mixed[enough]), SMALLEST_SHARE, axis=1) / SMALLEST_SIGMA
    return out


def low_passed(images: NDArray[np.float32], width_px: float, noise: float) -> tuple[NDArray[np.float32], float]:
    """Images after a Gaussian, and the standard deviation of what white noise leaves: σ / (2 width √π)."""
    from scipy.ndimage import gaussian_filter

    if width_px == 0:
        return images, noise
    return gaussian_filter(images, (0, width_px, width_px), mode="nearest"), noise / (2 * width_px * np.sqrt(np.pi))


def signal_deviation(images: NDArray[np.float32], inside: NDArray[np.bool_], noise: float) -> float:
    """Standard deviation of the signal over its own pixels, those above 2 % of the brightest.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (image, y, x)
        Images without background.
    inside : numpy.ndarray of bool, shape (image, y, x)
        Where particles can be.
    noise : float
        Standard deviation of a pixel's noise [intensity].

    Returns
    -------
    float
        Standard deviation [intensity].

    Notes
    -----
    Sum and sum of squares need no threshold, and noise adds a known amount; only the area of the particles does. Where noise hides it,
    it is taken from its ratio to (sum)² / (sum of squares), which is 1.21 … 1.40 for polyhedra.
    """
    number = inside.sum(axis=(1, 2))
    total = float(np.where(inside, images, 0).sum(axis=(1, 2), dtype=np.float64).mean())
    square = float((np.where(inside, images, 0).astype(np.float64) ** 2).sum(axis=(1, 2)).mean() - number.mean() * noise**2)
    if square <= 0 or total <= 0:
        return 0.0
    fill = POLYHEDRON_FILL
    unit = images.shape[-1] / 64
    for width, doubt in ((1.0, 0.1), (2.0, 0.25)):
        smooth, left = low_passed(images, width * unit if noise > 0 else 0.0, noise)
        top = np.quantile(np.where(inside, smooth, 0).reshape(len(images), -1), 0.95, axis=1)
        if AREA_SIGMA * left < doubt * float(top.mean()):
            threshold = np.maximum(AREA_SHARE * top, AREA_SIGMA * left)
            area = (inside & (smooth > threshold[:, None, None])).sum(axis=(1, 2)).mean() - FALSE_SHARE * number.mean()
            fill = float(np.clip(area * square / total**2, *FILL_RANGE))
            break
    return float(np.sqrt(square**2 / total**2 / fill * (1 - 1 / fill)))


def shrunk(values: NDArray[np.float64], variance: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """Estimates drawn towards their mean as far as their own error explains their spread.

    Parameters
    ----------
    values : numpy.ndarray of float64, shape (image,)
        One estimate an image.
    variance : float or numpy.ndarray of float64, shape (image,)
        Their squared standard errors [squared unit of the values].

    Returns
    -------
    numpy.ndarray of float64, shape (image,)

    References
    ----------
    James and Stein, Proc. Fourth Berkeley Symposium 1, 361 (1961), in its empirical Bayes form.
    """
    if len(values) < 2:
        return values
    mean = float(np.mean(values))
    observed = float(np.var(values, ddof=1))
    true = max(observed - float(np.mean(variance)), 0.0)
    if observed == 0:
        return values
    return np.asarray(mean + (values - mean) * (true / (true + np.asarray(variance, dtype=np.float64)) if true > 0 else 0.0))
