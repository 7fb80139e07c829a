"""Matching written out: the correlation of an image with a projection turned to every angle, by its definition."""

import numpy as np

from tests.reference.rings import image_samples, inner, view_samples


def in_plane(angle):
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def correlations(image, volume, rotation, radii, weights, n_angles, shifts, centrosymmetric):
    """Correlation (shift, angle) of an image with one view at all sampled in-plane angles."""
    angles = 2 * np.pi * np.arange(n_angles // (2 if centrosymmetric else 1)) / n_angles
    out = np.empty((len(shifts), len(angles)))
    for j, angle in enumerate(angles):
        view = view_samples(volume, in_plane(angle) @ rotation, radii, n_angles)
        if centrosymmetric:
            view = view.real + 0j
        for i, shift in enumerate(shifts):
            seen = image_samples(image, radii, n_angles, shift)
            norms = inner(seen, seen, radii, weights) * inner(view, view, radii, weights)
            out[i, j] = inner(seen, view, radii, weights) / np.sqrt(norms)
    return out
