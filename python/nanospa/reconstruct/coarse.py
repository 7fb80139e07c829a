"""Coarse images for questions about the symmetry of single images, with noise made the same way to compare them with."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.fourier_crop import fourier_crop

#: Radius of the mean particle in coarse images [px], and in standard deviations of the Gaussian that they are smoothed with: details below
#: a tenth of the radius are left to the noise.
RADIUS_PX = 10.0
WIDTHS = 8.0

#: Images of noise; their mean power is the noise's to 0.5 %.
N_NOISE = 256


@dataclass(frozen=True)
class Coarse:
    """Smoothed small images (image, y, x) and noise of standard deviation 1 before it was smoothed, masked and smoothed alike."""

    images: NDArray[np.float64]
    noise: NDArray[np.float64]
    radius_px: float


def coarse(images: NDArray[np.float32], circle: NDArray[np.float32], radius_px: float, ball_radius_px: float) -> Coarse:
    """Images at a fixed number of pixels a particle; what is asked of them then does not depend on the sampling.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (image, y, x)
        Centred images, masked by `circle`.
    circle : numpy.ndarray of float32, shape (y, x)
        Soft mask.
    radius_px, ball_radius_px : float
        Enclosing radius, and radius of the ball with the same radius of gyration [px].

    Returns
    -------
    Coarse
        The noise has standard deviation 1 in a pixel of the coarse images before it was smoothed.
    """
    from scipy import fft

    given = images.shape[-1]
    box = min(given, max(16, 2 * math.ceil(RADIUS_PX / max(ball_radius_px, 1e-6) * given / 2)))
    ratio = box / given
    small = fourier_crop(images, box)
    mask = np.clip(fourier_crop(circle[None], box), 0, 1)
    white = np.random.default_rng(0).normal(size=(N_NOISE, box, box)).astype(np.float32) * mask
    k = fft.fftfreq(box)
    width = ball_radius_px * ratio / WIDTHS
    response = np.exp(-2 * (np.pi * width) ** 2 * (k[:, None] ** 2 + k[: box // 2 + 1] ** 2))
    smooth = [np.asarray(fft.irfft2(fft.rfft2(a.astype(np.float64)) * response, s=(box, box))) for a in (small, white)]
    return Coarse(smooth[0], smooth[1], min(radius_px * ratio, box / 2 - 1))


def share_and_error(
    part: NDArray[np.float64],
    whole: NDArray[np.float64],
    noise_part: NDArray[np.float64],
    noise_whole: NDArray[np.float64],
    variance: NDArray[np.float64],
) -> tuple[float, float]:
    """Share of the images' power in a part of them beyond that of noise, and its standard error, from powers of images and of noise."""
    parts = part - variance * noise_part.mean()
    total = float((whole - variance * noise_whole.mean()).sum())
    if total <= 0:
        return 0.0, math.inf
    chance = float(variance.sum()) ** 2 * float(noise_part.var()) / len(noise_part)
    return float(parts.sum()) / total, math.sqrt(float(parts.var(ddof=1)) * len(parts) + chance) / total
