"""Erosion written out: repeated erosion by a cross, nothing eroding from outside the image."""

import numpy as np


def erode(mask, radius_px):
    out = np.asarray(mask) != 0
    for _ in range(radius_px):
        padded = np.pad(out, 1, constant_values=True)
        out = padded[1:-1, 1:-1] & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return out
