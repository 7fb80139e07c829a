"""Insertion written out: every sample of every image, for every rotation of the group, onto the 4³ points about it."""

import numpy as np

from tests.reference.kaiser_bessel import kernel


def insert(images, rotations, group, shifts=None, scales=None, weights=None):
    """Numerator and density on the whole grid, axes (z, y, x), origin at index n + 2."""
    images = np.asarray(images, dtype=np.float64)
    count, n = images.shape[:2]
    shifts = np.zeros((count, 2)) if shifts is None else np.asarray(shifts)
    scales = np.ones(count) if scales is None else np.asarray(scales)
    weights = np.ones((count, n // 2)) if weights is None else np.asarray(weights)
    k = np.fft.fftfreq(n) * n
    ky, kx = (a.ravel() for a in np.meshgrid(k, k, indexing="ij"))
    inside = kx**2 + ky**2 < n**2 / 4
    ky, kx = ky[inside], kx[inside]
    shell = np.minimum(np.round(np.hypot(kx, ky)).astype(int), n // 2 - 1)
    side = 2 * n + 5
    numerator, density = np.zeros((side,) * 3, complex), np.zeros((side,) * 3)
    for image, R, (dx, dy), s, weight in zip(images, rotations, shifts, scales, weights, strict=True):
        samples = np.fft.fft2(image).ravel()[inside] * np.exp(2j * np.pi * (kx * (dx + n // 2) + ky * (dy + n // 2)) / n)
        for g in group:
            places = 2 * s * (kx[:, None] * (R @ g)[0] + ky[:, None] * (R @ g)[1])
            seen = np.linalg.norm(places, axis=1) < n
            below = np.floor(places).astype(int)
            for offset in np.ndindex(4, 4, 4):
                points = below + np.array(offset) - 1
                w = np.prod(kernel(places - points), axis=1) * weight[shell] * seen
                at = tuple(points[:, ::-1].T + n + 2)
                np.add.at(numerator, at, w * s**3 * samples)
                np.add.at(density, at, w * s**6)
    # The kernel does not quite vanish where it ends: the mean coefficient, on a grid point, reaches two points up and one down.
    return (numerator + numerator[::-1, ::-1, ::-1].conj()) / 2, (density + density[::-1, ::-1, ::-1]) / 2
