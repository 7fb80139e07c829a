"""Whether a shape has an inversion centre, from its images alone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

#: Share of the images' power that is odd under a 180° rotation above which there is no inversion centre: that of a decahedron is 0.005,
#: that of centrosymmetric shapes below 0.0002 without noise.
ODD_SHARE = 0.0025

#: Standard errors by which the odd power must exceed the noise's.
ODD_SIGMA = 3.0


def odd_share(images: NDArray[np.float32], noise: NDArray[np.float64], radius_px: float) -> tuple[float, float]:
    """Share of the images' power that changes sign when they are turned by 180°, beyond that of noise and of their centring.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (image, y, x)
        Centred images.
    noise : numpy.ndarray of float64, shape (image,)
        Standard deviation of a pixel's noise [intensity].
    radius_px : float
        Radius of the particles [px].

    Returns
    -------
    share, error : float
        Share and its standard error [-].

    Notes
    -----
    The image at −p is that at p turned; a centre that is off by c adds c · ∇I to the odd part, which is fitted and left out.
    """
    box = images.shape[-1]
    # On even boxes the first row and column have no partner.
    core = images[:, 1:, 1:].astype(np.float64)
    odd = (core - core[:, ::-1, ::-1]) / 2
    even = (core + core[:, ::-1, ::-1]) / 2
    axis = np.arange(1, box) - box // 2
    inside = (axis[:, None] ** 2 + axis[None, :] ** 2) <= radius_px**2
    pixels = int(inside.sum())
    gy, gx = np.gradient(even, axis=(1, 2))
    a, b, o = (np.where(inside, g, 0).reshape(len(images), -1) for g in (gx, gy, odd))
    aa, bb, ab, ao, bo = ((p * q).sum(axis=1) for p, q in ((a, a), (b, b), (a, b), (a, o), (b, o)))
    determinant = np.maximum(aa * bb - ab**2, 1e-30)
    fitted = (ao * (bb * ao - ab * bo) + bo * (aa * bo - ab * ao)) / determinant
    # The odd part of white noise has half its power, in half as many independent pixels.
    expected = noise**2 / 2 * (pixels - 2)
    odd_power = (o**2).sum(axis=1) - fitted - expected
    even_power = (np.where(inside, even, 0) ** 2).sum(axis=(1, 2)) - noise**2 / 2 * pixels
    total = float((even_power + odd_power).sum())
    if total <= 0:
        return 0.0, math.inf
    chance = float((noise**4 / 2 * pixels).sum())
    spread = float(np.std(odd_power, ddof=1)) * math.sqrt(len(images)) if len(images) > 1 else 0.0
    return float(odd_power.sum()) / total, max(math.sqrt(chance) / math.sqrt(2), spread) / total


def is_centrosymmetric(share: float, error: float) -> bool:
    """Whether images are their own 180° rotations; true unless their odd share clearly says otherwise."""
    return not (share > ODD_SHARE and share > ODD_SIGMA * error)
