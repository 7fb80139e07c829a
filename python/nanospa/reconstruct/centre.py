"""Centres of particles in their images."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.radial_profile import distances

#: Steps of the windowed centroid; it moves by less than 0.01 px after them unless the particle is cut.
CENTROID_STEPS = 5

#: Median of the square of a Gaussian variable over its variance.
MEDIAN_SQUARE = 0.455

#: A centroid this many standard deviations from the match with the profile has been drawn away by something else.
OUTLIER_SIGMA = 4.0


def centroids(images: NDArray[np.float32], centres: NDArray[np.float64], radii: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """Centroids of the intensity within soft circles that follow them.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (image, y, x)
        Images without background.
    centres : numpy.ndarray of float64, shape (image, 2)
        Where to begin: (dx, dy) from the centre index [px].
    radii : numpy.ndarray of float64, shape (image,)
        Radii of the circles [px].
    reach : float
        Largest distance from `centres` along either axis [px].

    Returns
    -------
    numpy.ndarray of float64, shape (image, 2)
        Where the centroids are: (dx, dy) from the centre index [px].
    """
    box = images.shape[-1]
    axis = (np.arange(box) - box // 2).astype(np.float32)
    current = centres.copy()
    for _ in range(CENTROID_STEPS):
        window = np.clip(radii[:, None, None].astype(np.float32) + 1 - distances(box, current), 0, 1) * images
        mass = window.sum(axis=(1, 2), dtype=np.float64)
        safe = np.where(mass > 0, mass, 1.0)
        found = np.stack([window.sum(axis=1, dtype=np.float64) @ axis, window.sum(axis=2, dtype=np.float64) @ axis], axis=1)
        step = np.where(mass[:, None] > 0, found / safe[:, None] - current, 0.0)
        # Neighbours in the window must not draw it away altogether.
        current = np.clip(current + step, centres - reach, centres + reach)
    return current


def match_profile(images: NDArray[np.float32], profile: NDArray[np.float64], radius: float, reach: float) -> NDArray[np.float64]:
    """Where a round mean particle fits each image best: the largest cross-correlation, to a fraction of a pixel.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (image, y, x)
        Images without background.
    profile : numpy.ndarray of float64, shape (ring,)
        Mean intensity at 0, 1, 2 … pixels from the centre [intensity].
    radius : float
        Radius beyond which the profile is left out [px].
    reach : float
        Largest distance from the centre index to search [px].

    Returns
    -------
    numpy.ndarray of float64, shape (image, 2)
        (dx, dy) from the centre index [px].
    """
    from scipy import fft

    box = images.shape[-1]
    r = distances(box, np.zeros((1, 2)))[0]
    template = np.interp(r, np.arange(len(profile)), profile) * np.clip(radius + 1 - r, 0, 1)
    spectrum = np.conj(fft.rfft2(fft.ifftshift(template.astype(np.float32))))
    scores = fft.irfft2(fft.rfft2(images) * spectrum, s=(box, box))
    return np.asarray(_peaks(np.where(r <= reach, scores, -np.inf)) - box // 2)


def twofold_centres(
    images: NDArray[np.float32], centres: NDArray[np.float64], radius: float, reach: float, low_pass_px: float
) -> NDArray[np.float64]:
    """About which point each image is most like itself turned by 180°.

    The projection of a shape with an inversion centre is its own 180° rotation about the projected centre; others nearly are.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (image, y, x)
        Images without background.
    centres : numpy.ndarray of float64, shape (image, 2)
        Where to look: (dx, dy) from the centre index [px].
    radius : float
        Radius of the particles [px].
    reach : float
        Largest distance from `centres` along either axis [px].
    low_pass_px : float
        Standard deviation of a Gaussian against noise [px].

    Returns
    -------
    numpy.ndarray of float64, shape (image, 2)
        (dx, dy) from the centre index [px].
    """
    from scipy import fft

    box = images.shape[-1]
    window = np.clip(radius + 1 - distances(box, centres), 0, 1) * images
    spectrum = fft.rfft2(window)
    ky, kx = fft.fftfreq(box).astype(np.float32), fft.rfftfreq(box).astype(np.float32)
    # The Gaussian acts on both factors of the convolution of the image with itself.
    spectrum = spectrum**2 * np.exp(-((2 * np.pi * low_pass_px) ** 2) * (ky[:, None] ** 2 + kx**2))
    # A centre at c gives a peak at 2 c; the box's centre index becomes 0.
    scores = fft.fftshift(fft.irfft2(spectrum, s=(box, box)), axes=(1, 2))
    axis = (np.arange(box) - box // 2).astype(np.float32)
    wrapped = 2 * (box // 2) % box
    x, y = (np.abs((axis - wrapped - 2 * c[:, None] + box / 2) % box - box / 2) <= 2 * reach for c in centres.T)
    peaks = _peaks(np.where(y[:, :, None] & x[:, None, :], scores, -np.inf)) - box // 2 - wrapped
    near = (peaks - 2 * centres + box / 2) % box - box / 2
    return np.asarray(centres + near / 2)


def _peaks(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Index (x, y) of the largest value of each map, to a fraction of a pixel."""
    box = scores.shape[-1]
    y, x = np.unravel_index(scores.reshape(len(scores), -1).argmax(axis=1), (box, box))
    rows = np.arange(len(scores))
    at = scores[rows, y, x]
    dx = _vertex(scores[rows, y, (x - 1) % box], at, scores[rows, y, (x + 1) % box])
    dy = _vertex(scores[rows, (y - 1) % box, x], at, scores[rows, (y + 1) % box, x])
    return np.stack([x + dx, y + dy], axis=1)


def _vertex(left: NDArray[np.floating], middle: NDArray[np.floating], right: NDArray[np.floating]) -> NDArray[np.float64]:
    """Where the parabola through three equidistant values is largest, from the middle one."""
    usable = np.isfinite(left) & np.isfinite(right)
    a, b = (np.where(usable, side, middle).astype(np.float64) for side in (left, right))
    curvature = a - 2 * middle + b
    return np.asarray(np.where(curvature < 0, np.clip(0.5 * (a - b) / np.where(curvature < 0, curvature, 1.0), -0.5, 0.5), 0.0))


def combined(centroid: NDArray[np.float64], others: list[NDArray[np.float64]], errors_px: list[float]) -> NDArray[np.float64]:
    """The best mixture of centroids with other estimates of the centres.

    The centroid is right for every shape, but noise from all of the window enters it. The others are precise in noise and draw some shapes
    off. That bias is what they differ by from the centroid beyond the noise of both; each gets the weight of its whole error.

    Parameters
    ----------
    centroid : numpy.ndarray of float64, shape (image, 2)
        Centroids [px].
    others : list of numpy.ndarray of float64, shape (image, 2)
        Other estimates [px].
    errors_px : list of float
        Standard errors from noise, of the centroid and of each other one, along one axis [px].

    Returns
    -------
    numpy.ndarray of float64, shape (image, 2)
    """
    if not errors_px[0]:
        return centroid
    squares = []
    for other, error in zip(others, errors_px[1:], strict=True):
        # From the median, so that a few images with neighbours do not count: the median of x² is 0.455 σ².
        apart = float(np.median((centroid - other) ** 2)) / MEDIAN_SQUARE
        squares.append(error**2 + max(0.0, apart - errors_px[0] ** 2 - error**2))
    weights = 1 / np.array([errors_px[0] ** 2, *squares])
    precise = np.tensordot(weights[1:], np.stack(others), 1) / weights[1:].sum()
    limit = OUTLIER_SIGMA * math.sqrt(2 * (errors_px[0] ** 2 + 1 / weights[1:].sum())) + 0.5
    outlier = np.hypot(*(centroid - precise).T) > limit
    mixed = (weights[0] * centroid + weights[1:].sum() * precise) / weights.sum()
    return np.asarray(np.where(outlier[:, None], precise, mixed))
