"""Particle images written out: cubic convolution by its formula, one pixel after the other."""

import numpy as np

from tests.reference.region_properties import ring_statistics


def keys(distance):
    d = abs(distance)
    if d <= 1:
        return 1.5 * d**3 - 2.5 * d**2 + 1
    return -0.5 * d**3 + 2.5 * d**2 - 4 * d + 2 if d < 2 else 0.0


def particle_images(image, labels, box_px, masked=True, local=True, subpixel=True):
    image = np.asarray(image, dtype=np.float64)
    found = np.unique(labels[labels > 0])
    out = np.zeros((len(found), box_px, box_px))
    height, width = image.shape
    for k, label in enumerate(found):
        mask = labels == label
        level = ring_statistics(image, mask, labels)[0] if local else 0.0
        level = 0.0 if np.isnan(level) else level
        start = np.argwhere(mask).mean(axis=0) - box_px // 2
        if not subpixel:
            start = np.floor(start + 0.5)
        for i in range(box_px):
            for j in range(box_px):
                y, x = start[0] + i, start[1] + j
                near = int(np.floor(y + 0.5)), int(np.floor(x + 0.5))
                if not (0 <= near[0] < height and 0 <= near[1] < width) or (masked and not mask[near]):
                    continue
                rows, columns = (np.floor(v) + np.arange(-1, 3) for v in (y, x))
                wy, wx = ([keys(v - c) for c in cells] for v, cells in ((y, rows), (x, columns)))
                patch = image[np.ix_(np.clip(rows, 0, height - 1).astype(int), np.clip(columns, 0, width - 1).astype(int))]
                out[k, i, j] = wy @ patch @ wx - level
    return out
