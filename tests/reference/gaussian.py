"""Gaussian filter written out: a weighted sum over shifted, reflected copies."""

import numpy as np


def gaussian(image, sigma_px):
    radius = int(4 * sigma_px + 0.5)
    offsets = np.arange(-radius, radius + 1)
    weights = np.exp(-0.5 * (offsets / sigma_px) ** 2) if sigma_px > 0 else np.ones(1)
    weights /= weights.sum()
    out = np.asarray(image, dtype=np.float64)
    for axis in (0, 1):
        pad = [(radius, radius) if a == axis else (0, 0) for a in (0, 1)]
        padded = np.pad(out, pad, mode="symmetric")
        n = out.shape[axis]
        out = sum(w * padded.take(np.arange(k, k + n), axis=axis) for k, w in enumerate(weights))
    return out
