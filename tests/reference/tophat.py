"""White top-hat written out: extrema of clipped windows, pixel by pixel."""

import numpy as np


def _extremum(image, before, after, take):
    height, width = image.shape
    out = np.empty_like(image)
    for y in range(height):
        for x in range(width):
            out[y, x] = take(image[max(0, y - before) : y + after + 1, max(0, x - before) : x + after + 1])
    return out


def tophat(image, size_px):
    before, after = size_px // 2, size_px - 1 - size_px // 2
    opened = _extremum(_extremum(image, before, after, np.min), after, before, np.max)
    return image - opened
