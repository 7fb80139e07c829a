"""Whether a shape has an inversion centre, from its images alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.coarse import Coarse, share_and_error

#: Share of the images' power that is odd under a 180° rotation above which there is no inversion centre: that of a decahedron is 0.003,
#: that of centrosymmetric shapes below 0.0001 without noise and in simulated frames.
ODD_SHARE = 0.001

#: Standard errors by which the odd power must exceed the noise's.
ODD_SIGMA = 3.0


def odd_share(coarse: Coarse, density: NDArray[np.float64]) -> tuple[float, float]:
    """Share of the images' power that changes sign when they are turned by 180°, beyond that of noise and of their centring.

    Parameters
    ----------
    coarse : Coarse
        Images and noise.
    density : numpy.ndarray of float64, shape (image,)
        Standard deviation of the white noise in a pixel of the coarse images [intensity].

    Returns
    -------
    share, error : float
        Share and its standard error [-].

    Notes
    -----
    The image at −p is that at p turned; a centre that is off by c adds c · ∇I to the odd part, which is fitted and left out.
    """
    odd, even = _halves(coarse.images)
    slopes = np.asarray(np.gradient(even, axis=(1, 2)))
    axis = np.arange(1, coarse.images.shape[-1]) - coarse.images.shape[-1] // 2
    inside = (axis[:, None] ** 2 + axis**2) <= coarse.radius_px**2
    along_y, along_x = (s[:, inside] for s in slopes)
    noise_odd, noise_even = _halves(coarse.noise)
    index = np.arange(len(noise_odd)) % len(odd)
    part = _without_slopes(odd[:, inside], along_x, along_y)
    noise_part = _without_slopes(noise_odd[:, inside], along_x[index], along_y[index])
    whole, noise_whole = ((o[:, inside] ** 2 + e[:, inside] ** 2).sum(axis=1) for o, e in ((odd, even), (noise_odd, noise_even)))
    return share_and_error(part, whole, noise_part, noise_whole, density**2)


def is_centrosymmetric(share: float, error: float) -> bool:
    """Whether images are their own 180° rotations; true unless their odd share clearly says otherwise."""
    return not (share > ODD_SHARE and share > ODD_SIGMA * error)


def _halves(images: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Odd and even part under a 180° rotation; on even boxes the first row and column have no partner."""
    core = images[:, 1:, 1:]
    turned = core[:, ::-1, ::-1]
    return (core - turned) / 2, (core + turned) / 2


def _without_slopes(odd: NDArray[np.float64], along_x: NDArray[np.float64], along_y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Power of each odd part beside its best mixture of two slopes."""
    pairs = ((along_x, along_x), (along_y, along_y), (along_x, along_y), (along_x, odd), (along_y, odd))
    xx, yy, xy, xo, yo = (np.einsum("ij,ij->i", a, b) for a, b in pairs)
    determinant = np.maximum(xx * yy - xy**2, 1e-30)
    return np.asarray(np.einsum("ij,ij->i", odd, odd) - (xo * (yy * xo - xy * yo) + yo * (xx * yo - xy * xo)) / determinant)
