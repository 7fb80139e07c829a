"""Centres of particles in their images."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.radial_profile import distances

#: Steps of the windowed centroid; it moves by less than 0.01 px after them unless the particle is cut.
CENTROID_STEPS = 5

#: A centroid this many standard deviations from the match with the profile has been drawn away by something else.
OUTLIER_SIGMA = 4.0


def centroids(images: NDArray[np.float32], centres: NDArray[np.float64], radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centroids of the intensity within soft circles that follow them.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (image, y, x)
        Images without background.
    centres : numpy.ndarray of float64, shape (image, 2)
        Where to begin: (dx, dy) from the centre index [px].
    radii : numpy.ndarray of float64, shape (image,)
        Radii of the circles [px].

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
        current += np.clip(step, -box / 8, box / 8)
        np.clip(current, -box / 3, box / 3, out=current)
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
    scores = np.where(r <= reach, scores, -np.inf)
    best = scores.reshape(len(images), -1).argmax(axis=1)
    y, x = np.unravel_index(best, (box, box))
    rows = np.arange(len(images))
    at = scores[rows, y, x]
    dx = _vertex(scores[rows, y, (x - 1) % box], at, scores[rows, y, (x + 1) % box])
    dy = _vertex(scores[rows, (y - 1) % box, x], at, scores[rows, (y + 1) % box, x])
    return np.stack([x - box // 2 + dx, y - box // 2 + dy], axis=1)


def _vertex(left: NDArray[np.float32], middle: NDArray[np.float32], right: NDArray[np.float32]) -> NDArray[np.float64]:
    """Where the parabola through three equidistant values is largest, from the middle one."""
    usable = np.isfinite(left) & np.isfinite(right)
    a, b = (np.where(usable, side, middle).astype(np.float64) for side in (left, right))
    curvature = a - 2 * middle + b
    return np.asarray(np.where(curvature < 0, np.clip(0.5 * (a - b) / np.where(curvature < 0, curvature, 1.0), -0.5, 0.5), 0.0))


def combined(
    centroid: NDArray[np.float64], matched: NDArray[np.float64], centroid_error_px: float, matched_error_px: float
) -> NDArray[np.float64]:
    """The better mixture of centroids and matches with the mean profile.

    The centroid is right for every shape but noise from all of the window enters it. The match is precise in noise, but shapes without an
    inversion centre draw it off. That bias is what the two differ by beyond their noise, and sets the weights.

    Parameters
    ----------
    centroid, matched : numpy.ndarray of float64, shape (image, 2)
        The two estimates [px].
    centroid_error_px, matched_error_px : float
        Their standard errors from noise [px].

    Returns
    -------
    numpy.ndarray of float64, shape (image, 2)
    """
    apart = centroid - matched
    noise = centroid_error_px**2 + matched_error_px**2
    # From the median, so that a few images with neighbours do not count: the median of x² is 0.455 σ².
    bias = max(0.0, float(np.median(apart**2)) / 0.455 - noise)
    weight = (matched_error_px**2 + bias) / (noise + bias) if noise + bias > 0 else 1.0
    limit = OUTLIER_SIGMA * np.sqrt(noise + bias) + 0.5
    outlier = np.hypot(apart[:, 0], apart[:, 1]) > limit
    return np.where(outlier[:, None], matched, weight * centroid + (1 - weight) * matched)
