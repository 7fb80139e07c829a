"""Seeded watershed written out: a sorted list of (height, turn) instead of a queue."""

import bisect

import numpy as np


def watershed(landscape, markers, mask=None, connectivity=4):
    landscape = np.asarray(landscape, np.float64)
    height, width = landscape.shape
    mask = np.ones(landscape.shape, bool) if mask is None else np.asarray(mask) != 0
    labels = np.where(mask, markers, 0).astype(np.int32)
    steps = [(-1, 0), (0, -1), (0, 1), (1, 0)]
    if connectivity == 8:
        steps = [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)]
    front = sorted((landscape[y, x], turn, y, x) for turn, (y, x) in enumerate(np.argwhere(labels > 0)))
    turn = len(front)
    while front:
        _, _, y, x = front.pop(0)
        for dy, dx in steps:
            v, u = y + dy, x + dx
            if 0 <= v < height and 0 <= u < width and mask[v, u] and not labels[v, u]:
                labels[v, u] = labels[y, x]
                turn += 1
                bisect.insort(front, (landscape[v, u], turn, v, u))
    return labels
