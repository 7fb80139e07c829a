"""The correlation that poses are refined by, written out."""

import numpy as np

from tests.reference.fourier_volume import transform


def correlation(volume, image, rotation, shift, radius_max, weights=None, scale=1.0):
    """`weights` by radius 0, 1, … box / 2 − 1; a sample takes that of the nearest."""
    n = len(image)
    reach = int(radius_max)
    k = np.array([(x, y) for x in range(-reach, reach + 1) for y in range(-reach, reach + 1)], float)
    radius = np.hypot(*k.T)
    k = k[(radius > 0) & (radius <= radius_max)]
    w = np.ones(len(k)) if weights is None else np.asarray(weights)[np.minimum(np.round(np.hypot(*k.T)).astype(int), n // 2 - 1)]
    p = np.arange(n) - n // 2
    waves = np.exp(-2j * np.pi * k[..., None] * p / n)
    seen = np.einsum("yx,ky,kx->k", np.asarray(image, float), waves[:, 1], waves[:, 0]) * np.exp(2j * np.pi * (k @ np.asarray(shift)) / n)
    slice_ = transform(volume, scale * k @ np.asarray(rotation)[:2])
    power = np.sum(w * abs(seen) ** 2) * np.sum(w * abs(slice_) ** 2)
    return float(np.sum(w * (slice_.conj() * seen).real) / np.sqrt(power))
