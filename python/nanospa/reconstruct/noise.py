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
    # Mixed second differences vanish on planes; two pixels apart, what resampling leaves of correlation between neighbours does not matter.
    inside = images != set_value
    pairs = inside[:, 2:] & inside[:, :-2]
    whole = pairs[:, :, 2:] & pairs[:, :, :-2]
    rows = images[:, 2:] - images[:, :-2]
    mixed = np.where(whole, (rows[:, :, 2:] - rows[:, :, :-2]) / 2, np.nan).reshape(len(images), -1)
    enough = whole.reshape(len(images), -1).sum(axis=1) >= 8
    out = np.zeros(len(images))
    if enough.any():
        out[enough] = MAD_TO_SIGMA * np.nanmedian(np.abs(mixed[enough]), axis=1)
    return out


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
