"""Regions followed to the foot of their edge, with scipy on whole frames."""

import numpy as np
from scipy import ndimage


def refine(image, labels, level):
    smooth = ndimage.gaussian_filter(np.asarray(image, np.float64), 0.5)
    out = np.zeros_like(labels)
    for own in range(1, labels.max() + 1):
        region = labels == own
        if not region.any():
            continue
        piece = followed(smooth, labels, region, level)
        out[piece & (out == 0)] = own
    return out


def followed(smooth, labels, region, level):
    reach = 0.3 * np.sqrt(region.sum() / np.pi)
    distance = ndimage.distance_transform_edt(~region)
    ring = np.sort(smooth[(labels == 0) & (distance > 0.6 * reach) & (distance < reach + 6)])
    if ring.size < 20:
        return region
    low, middle = ring[int((ring.size - 1) * 0.05)], ring[int((ring.size - 1) * 0.3)]
    deviation = (middle - low) / (1.645 - 0.524)
    background = middle + 0.524 * deviation
    inner = np.sort(smooth[region])
    contrast = inner[int((inner.size - 1) * 0.9)] - background
    if contrast <= 0 or max(level, 3 * deviation / contrast) > 0.5:
        return region
    free = region | ((labels == 0) & (distance <= reach))
    above = free & (smooth > background + max(level, 3 * deviation / contrast) * contrast)
    piece = largest_piece(above, region)
    if piece is None:
        return region
    piece = ndimage.binary_fill_holes(piece) & ((labels == 0) | region)
    highest = ndimage.maximum_filter(np.where(piece, smooth, -np.inf), size=3)
    at_edge = piece & (ndimage.minimum_filter(piece.astype(int), size=3, mode="nearest") == 0)
    sharp = piece & (~at_edge | (smooth - background >= 0.5 * (highest - background)))
    even = largest_piece(majority(sharp, min(3, int(0.1 * np.sqrt(region.sum() / np.pi)))) & ((labels == 0) | region), region)
    return region if even is None else even


def majority(mask, radius):
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    disc = (y**2 + x**2 <= radius**2 + radius).astype(int)
    return 2 * ndimage.convolve(mask.astype(int), disc, mode="constant") > ndimage.convolve(np.ones(mask.shape, int), disc, mode="constant")


def largest_piece(mask, region):
    pieces, _ = ndimage.label(mask)
    own = np.bincount(pieces[region & mask], minlength=1)
    own[0] = 0
    return pieces == own.argmax() if own.any() else None
