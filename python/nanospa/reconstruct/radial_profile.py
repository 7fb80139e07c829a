"""Mean intensity of a stack as a function of the distance from the particles' centres, and the radii that follow from it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

#: The particle ends where the mean profile stays below this share of its largest value.
EDGE_SHARE = 0.004

#: Neighbours may keep it above; it must then fall below this share before it rises again.
NEIGHBOUR_SHARE = 0.4

#: … or below this many standard errors of its noise.
EDGE_SIGMA = 3.0

#: Enclosing radius over the radius of the ball with the same radius of gyration: cube 1.34, star 1.5, rod of aspect 3 1.25. Where noise
#: hides the ends of the particles, the mask is not made smaller than this.
CORNER_RATIO = 1.45


def distances(box: int, centres: NDArray[np.float64], scales: NDArray[np.float64] | None = None) -> NDArray[np.float32]:
    """Distance of each pixel (image, y, x) from the particle's centre, in units of its scale."""
    axis = (np.arange(box) - box // 2).astype(np.float32)
    x = axis[None, None, :] - centres[:, 0, None, None].astype(np.float32)
    y = axis[None, :, None] - centres[:, 1, None, None].astype(np.float32)
    radii: NDArray[np.float32] = np.sqrt(x * x + y * y)
    if scales is not None:
        radii /= scales[:, None, None].astype(np.float32)
    return radii


def mean_profile(images: NDArray[np.float32], radii: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean of all images in rings of one pixel about their centres, and the pixels in each ring."""
    box = images.shape[-1]
    ring = np.rint(radii).astype(np.intp).ravel()
    count = np.bincount(ring, minlength=box // 2 + 1).astype(np.float64)
    total = np.bincount(ring, images.ravel().astype(np.float64), minlength=box // 2 + 1)
    profile = np.where(count > 0, total / np.maximum(count, 1), 0.0)
    return profile[: box // 2 + 1], count[: box // 2 + 1]


def gyration_ball_radius(profile: NDArray[np.float64], radius: float) -> float:
    """Radius of the ball whose projection has the second moment of a profile within a radius: R² = 5/2 ⟨r²⟩ [px]."""
    r = np.arange(len(profile), dtype=np.float64)
    weight = np.maximum(profile, 0.0) * np.maximum(r, 1 / 8) * (r <= radius)
    mass = float(weight.sum())
    return math.sqrt(2.5 * float((weight * r * r).sum()) / mass) if mass > 0 else 0.0


def enclosing_radius(profile: NDArray[np.float64], count: NDArray[np.float64], sigma: float) -> float:
    """Radius beyond which the mean profile shows nothing more of the particles [px]."""
    last = len(profile) - 1
    top = float(profile[: max(2, last // 2)].max())
    error = EDGE_SIGMA * sigma / np.sqrt(np.maximum(count, 1))
    below = profile < np.maximum(EDGE_SHARE * top, error)
    # Two rings in a row: one may fall below by chance.
    ends = np.flatnonzero(below[:-1] & below[1:])
    # Where neighbours keep it from falling so far, the particle ends at the lowest ring between them, if that is low enough to tell.
    lowest = int(np.argmin(profile + error / EDGE_SIGMA))
    lowest = lowest if profile[lowest] < NEIGHBOUR_SHARE * top else last
    found = float(min(ends[0], lowest)) if ends.size else float(lowest)
    if sigma > 0 and ends.size and error[ends[0]] > EDGE_SHARE * top:
        found = max(found, CORNER_RATIO * gyration_ball_radius(profile, found))
    return min(found + 1.0, float(last))
