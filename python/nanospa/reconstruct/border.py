"""Masks with soft edges, and particles that the border of their image cuts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.noise import low_passed

#: How far a mask from a segmentation is widened before it is softened, in pixels of a box of 64.
WIDENED_PX = 2.0

#: Width of its soft edge, in pixels of a box of 64.
SOFT_PX = 3.0

#: Standard deviation of the Gaussian against noise, in pixels of a box of 64.
LOW_PASS_PX = 1.5

#: A particle reaches the border where it is brighter there than this share of its brightest.
BORDER_SHARE = 0.15


def soft_masks(regions: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Masks widened, with a cosine edge; float32, same shape (image, y, x)."""
    from scipy.ndimage import distance_transform_edt

    unit = max(regions.shape[-1] / 64, 0.5)
    out = np.empty(regions.shape, dtype=np.float32)
    for mask, region in zip(out, regions, strict=True):
        away = distance_transform_edt(~region) - WIDENED_PX * unit
        mask[:] = 0.5 + 0.5 * np.cos(np.pi * np.clip(away / (SOFT_PX * unit), 0, 1))
    return out


def cut_by_border(images: NDArray[np.float32], noise: float) -> NDArray[np.bool_]:
    """Whether the particle at the centre of each image reaches its border.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (image, y, x)
        Images without background.
    noise : float
        Standard deviation of a pixel's noise [intensity].

    Returns
    -------
    numpy.ndarray of bool, shape (image,)
    """
    from scipy.ndimage import label

    width = LOW_PASS_PX * max(images.shape[-1] / 64, 0.5) if noise > 0 else 0.0
    smooth, left = low_passed(images, width, noise)
    box = images.shape[-1]
    middle = slice(box // 4, box - box // 4)
    top = np.quantile(smooth[:, middle, middle].reshape(len(images), -1), 0.98, axis=1)
    threshold = np.maximum(BORDER_SHARE * top, 4 * left)
    out = np.zeros(len(images), dtype=bool)
    for i in range(len(images)):
        bright = smooth[i] > threshold[i]
        edge = np.concatenate([bright[0], bright[-1], bright[:, 0], bright[:, -1]])
        if not edge.any():
            continue
        regions, _ = label(bright)
        centre = regions[middle, middle]
        main = int(np.bincount(centre[centre > 0]).argmax()) if centre.any() else 0
        border = np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]])
        out[i] = main > 0 and bool((border == main).any())
    return out
