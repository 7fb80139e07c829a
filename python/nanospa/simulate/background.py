"""The carbon film under the particles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanospa import _core

#: Relative standard deviation of the film's thickness over long distances.
SLOW_VARIATION = 0.12

#: Waves that make the slow variation.
N_WAVES = 12

#: Relative standard deviation of the grain of an amorphous film in projection.
GRAIN = 0.06

#: Correlation length of the grain [nm].
GRAIN_NM = 0.4


def film(shape: tuple[int, int], pixel_size_nm: float, mean_nm: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Thickness [nm] of a carbon film that varies slowly and has the grain of an amorphous material, shape (y, x)."""
    height, width = shape
    slow = np.zeros(shape, dtype=np.float32)
    longest = max(shape)
    for _ in range(N_WAVES):
        period = longest * rng.uniform(0.4, 2.0)
        angle, phase_y, phase_x = rng.uniform(0, 2 * np.pi, 3)
        y = np.cos(np.arange(height) * (2 * np.pi * np.sin(angle) / period) + phase_y)
        x = np.cos(np.arange(width) * (2 * np.pi * np.cos(angle) / period) + phase_x)
        slow += np.multiply.outer(y, x).astype(np.float32)
    # A product of two cosines has a variance of 1/4.
    slow *= SLOW_VARIATION / np.sqrt(N_WAVES / 4)
    sigma_px = GRAIN_NM / pixel_size_nm
    grain = _core.gaussian(rng.standard_normal(shape, dtype=np.float32), sigma_px, 1)
    deviation = float(grain.std())
    grain *= GRAIN / deviation if deviation > 0 else 0.0
    thickness: NDArray[np.float32] = np.maximum(mean_nm * (1 + slow + grain), 0).astype(np.float32)
    return thickness
