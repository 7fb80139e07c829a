"""Sizes of particles of one shape from their images, whatever their orientation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.noise import shrunk

#: A particle's scale is kept within these: beyond, its image is not one of this cluster and must not become larger than its box.
SCALE_RANGE = (0.5, 2.0)


def intensity_scales(intensities: NDArray[np.float64], errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Size of each particle over the mean size, from its integrated intensity.

    The integrated HAADF intensity does not depend on the orientation and is proportional to the volume, so its cube root is to the
    size. Differences that the noise explains are left out.

    Parameters
    ----------
    intensities : numpy.ndarray of float64, shape (image,)
        Integrated intensities without background.
    errors : numpy.ndarray of float64, shape (image,)
        Their standard errors, same unit.

    Returns
    -------
    numpy.ndarray of float64, shape (image,)
        Scales, mean 1.
    """
    typical = float(np.median(intensities))
    relative = np.maximum(intensities / typical, SCALE_RANGE[0] ** 3)
    roots = np.cbrt(relative)
    scales = shrunk(roots, (errors / typical / (3 * roots**2)) ** 2)
    return np.asarray(np.clip(scales / scales.mean(), *SCALE_RANGE))
