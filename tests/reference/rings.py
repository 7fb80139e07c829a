"""Rings of images and of views written out: direct sums over pixels and voxels at every point of a ring."""

import numpy as np

from tests.reference.fourier_volume import transform


def places(radii, n_angles):
    """Points (ring, angle, 2) of whole rings [Fourier px]."""
    theta = 2 * np.pi * np.arange(n_angles) / n_angles
    return np.asarray(radii, float)[:, None, None] * np.stack([np.cos(theta), np.sin(theta)], -1)


def image_samples(image, radii, n_angles, shift=(0.0, 0.0)):
    """Transform of an image (ring, angle) whose content is moved back by `shift`."""
    n = len(image)
    p = np.arange(n) - n // 2
    k = places(radii, n_angles)
    waves = np.exp(-2j * np.pi * k[..., None] * p / n)
    values = np.einsum("yx,...y,...x->...", np.asarray(image, float), waves[..., 1, :], waves[..., 0, :])
    return values * np.exp(2j * np.pi * (k @ np.asarray(shift)) / n)


def view_samples(volume, rotation, radii, n_angles):
    """Transform (ring, angle) of a projection."""
    k = places(radii, n_angles)
    return transform(volume, k @ np.asarray(rotation)[:2])


def inner(f, h, radii, weights):
    """Weighted inner product of two sets of rings, real part."""
    return float(np.sum((np.asarray(radii) * weights)[:, None] * (f * h.conj()).real))


def spectra(samples, norm, radii, weights, centrosymmetric):
    """What `rings` keeps: harmonics of Re f + Im f, each counted as often as it and its conjugate occur."""
    g = samples.real + samples.imag
    n = g.shape[1]
    harmonics = np.fft.rfft(g, axis=1)
    count = np.full(n // 2 + 1, 2.0)
    count[0] = count[-1] = 1
    out = np.sqrt(np.asarray(radii) * weights)[:, None] * harmonics * np.sqrt(count / n) / norm
    return out[:, ::2] if centrosymmetric else out
