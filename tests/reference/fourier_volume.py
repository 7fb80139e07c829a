"""The Fourier transform of a volume at any place: the sum over its voxels."""

import numpy as np


def transform(volume, places):
    """`places` (…, 3) as (x, y, z) in Fourier pixels of the box; the origin of the volume is at index n // 2."""
    n = len(volume)
    p = np.arange(n) - n // 2
    waves = np.exp(-2j * np.pi * np.asarray(places, dtype=np.float64)[..., None] * p / n)
    x, y, z = np.moveaxis(waves, -2, 0)
    return np.einsum("abc,...a,...b,...c->...", volume, z, y, x, optimize=True)
