"""Is there a particle? The quick test that decides which tiles of a survey are worth an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError, NonFiniteError, ShapeError

#: Contrast in standard deviations of the smoothed background below which nothing counts as a particle, however faint the brightest place.
NOISE_SIGMAS = 6.0


def particle_presence(
    image: NDArray[Any],
    pixel_size_nm: float | None = None,
    *,
    fraction: float = 0.6,
    min_area_px: int = 10,
    blocks: int = 4,
) -> NDArray[np.int32]:
    """Bright objects of a survey image: a share of the brightest contrast nearby, and a least area.

    autoSTEM looks at each segment of the survey by itself: pixels above 0.6 of its maximum, objects of at least 10 pixels. So does this
    function, on the contrast above the background; a block where nothing stands out of the noise has no objects. It answers whether
    there are particles, and about where; it does not outline them.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Survey image.
    pixel_size_nm : float, optional
        Pixel size, not used: every test of presence is called with it [nm].
    fraction : float
        Share of a block's highest contrast above which a pixel belongs to an object [-].
    min_area_px : int
        Least area of an object [px].
    blocks : int
        Blocks along each side that have a threshold of their own.

    Returns
    -------
    numpy.ndarray of int32, shape (y, x)
        Labels of the objects, 0 between them.

    Raises
    ------
    InvalidValueError
        `fraction` is not in (0, 1), `min_area_px` or `blocks` is below 1.
    ShapeError
        `image` is not two-dimensional.
    NonFiniteError
        `image` holds NaN or infinity.

    References
    ----------
    T. J. A. Slater, autoSTEM (2019), https://github.com/ePSIC-DLS/autoSTEM (as described in Slater et al. 2020,
    doi:10.1017/S1431927620024642, Image Acquisition).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> image = np.zeros((64, 64))
    >>> image[20:26, 40:46] = 1
    >>> int(ns.acquire.particle_presence(image).max())
    1
    """
    from scipy import ndimage

    if not 0 < fraction < 1:
        raise InvalidValueError(f"fraction: expected a number between 0 and 1, found {fraction!r}")
    if min_area_px < 1 or blocks < 1:
        raise InvalidValueError(f"min_area_px, blocks: expected whole numbers > 0, found {min_area_px!r}, {blocks!r}")
    image = np.asarray(image, dtype=np.float32)
    if image.ndim != 2:
        raise ShapeError(f"image: expected shape (y, x), found {image.shape}")
    if not np.isfinite(image).all():
        raise NonFiniteError("image: expected finite pixels")
    # One pixel of smoothing: single bright pixels of a noisy survey are no particles.
    smooth = ndimage.gaussian_filter(image, 1.0, mode="nearest")
    background = float(np.median(smooth))
    below = smooth[smooth <= background] - background
    # Particles only brighten: the lower half of the values is background alone.
    noise = 1.4826 * float(np.median(-below)) if below.size else 0.0
    contrast = smooth - background
    level = np.empty_like(contrast)
    edges = [np.linspace(0, n, blocks + 1).round().astype(int) for n in image.shape]
    for y0, y1 in zip(edges[0][:-1], edges[0][1:], strict=True):
        for x0, x1 in zip(edges[1][:-1], edges[1][1:], strict=True):
            block = contrast[y0:y1, x0:x1]
            highest = float(block.max()) if block.size else 0.0
            level[y0:y1, x0:x1] = max(fraction * highest, NOISE_SIGMAS * noise, np.finfo(np.float32).tiny)
    labels, n = ndimage.label(contrast >= level, structure=np.ones((3, 3)))
    if n == 0:
        return np.zeros(image.shape, dtype=np.int32)
    area = np.bincount(labels.ravel(), minlength=n + 1)
    keep = area >= min_area_px
    keep[0] = False
    number = np.zeros(n + 1, dtype=np.int32)
    number[keep] = np.arange(1, int(keep.sum()) + 1)
    return np.asarray(number[labels])
