"""Thresholds written out, one obvious loop each, on the pixels or on a histogram (counts, centres)."""

import math

import numpy as np


def li(image, tolerance):
    values = np.asarray(image, dtype=np.float64).ravel()
    heights = values - values.min()
    t, previous = heights.mean(), math.inf
    while abs(t - previous) > tolerance:
        previous = t
        above, below = heights[heights > t].mean(), heights[heights <= t].mean()
        if below == 0:
            break
        t = (below - above) / (math.log(below) - math.log(above))
    return t + values.min()


def histogram(image, n_bins=256):
    if image.dtype.kind == "u":
        centres = np.arange(int(image.min()), int(image.max()) + 1)
        return np.array([(image == c).sum() for c in centres]), centres
    counts, edges = np.histogram(image, n_bins)
    return counts, (edges[:-1] + edges[1:]) / 2


def otsu_variance(image, t):
    """Variance within the two classes, which Otsu's threshold makes smallest."""
    below, above = image[image <= t], image[image > t]
    return (below.size * below.var() + above.size * above.var()) / image.size
