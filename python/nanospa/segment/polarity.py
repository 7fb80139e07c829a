"""Polarity: whether particles are brighter or darker than what surrounds them, and bright-field images as thickness."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nanospa import _core

Polarity = Literal["auto", "bright", "dark"]

#: Bright-field particles that transmit less than this part of the brightest pixel are taken as opaque: the logarithm of single dark
#: pixels would be noise.
LEAST_TRANSMISSION = 0.2


def guess_polarity(image: NDArray[np.float32]) -> Literal["bright", "dark"]:
    """Polarity of particles from the skewness of the image and of its small structures.

    Parameters
    ----------
    image : numpy.ndarray of float32, shape (y, x)
        Image.

    Returns
    -------
    str
        "bright" or "dark"; "bright" where there is nothing to tell.
    """
    if not image.size:
        return "bright"
    # About 512 px are enough and quieten the noise.
    side = max(1, round(min(image.shape) / 512))
    height, width = (n - n % side for n in image.shape)
    small = image[:height, :width].reshape(height // side, side, width // side, side).mean((1, 3))
    sigma = 8 * min(small.shape) / 1024
    fine = _core.gaussian(small, sigma, 1) - _core.gaussian(small, 1.6 * sigma, 1)
    return "dark" if _skewness(small) + _skewness(fine) < 0 else "bright"


def attenuation(transmitted: NDArray[np.float32]) -> NDArray[np.float32]:
    """-ln of a bright-field image, which is proportional to the mass thickness passed; scaled to 0 … 1.

    Parameters
    ----------
    transmitted : numpy.ndarray of float32, shape (y, x)
        Image, scaled to 0 … 1.

    Returns
    -------
    numpy.ndarray of float32, shape (y, x)
    """
    depth = np.float32(np.log(LEAST_TRANSMISSION))
    return np.asarray(np.log(np.maximum(transmitted, np.float32(LEAST_TRANSMISSION))) / depth, np.float32)


def _skewness(image: NDArray[np.float32]) -> float:
    deviation = image.astype(np.float64) - image.mean(dtype=np.float64)
    variance = float((deviation**2).mean())
    return float((deviation**3).mean()) / variance**1.5 if variance > 0 else 0.0
