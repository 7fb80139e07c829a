"""Local thresholds written out: one window at a time."""

import numpy as np


def window_statistics(image, size):
    """Mean and standard deviation of the mirrored windows (edge pixel not repeated)."""
    half = size // 2
    padded = np.pad(np.asarray(image, dtype=np.float64), half, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size))
    return windows.mean(axis=(2, 3)), windows.std(axis=(2, 3))


def niblack(image, size, k):
    mean, std = window_statistics(image, size)
    return mean - k * std


def sauvola(image, size, k, dynamic_range):
    mean, std = window_statistics(image, size)
    return mean * (1 + k * (std / dynamic_range - 1))


def otsu(levels):
    """Lowest level up to which the two classes differ most; None for a single level."""
    candidates = np.unique(levels)[:-1]
    if candidates.size == 0:
        return None
    variances = []
    for t in candidates:
        below, above = levels[levels <= t].astype(float), levels[levels > t].astype(float)
        variances.append(below.size * above.size * (below.mean() - above.mean()) ** 2)
    return candidates[int(np.argmax(np.array(variances) > max(variances) * (1 - 1e-12)))]


def otsu_local(levels, size):
    """Above Otsu's threshold of the clipped window and of the whole image (uint8)."""
    half = size // 2
    mask = np.zeros(levels.shape, bool)
    whole = otsu(levels)
    for y, x in np.ndindex(levels.shape):
        window = levels[max(0, y - half) : y + half + 1, max(0, x - half) : x + half + 1]
        local = otsu(window)
        mask[y, x] = local is not None and levels[y, x] > max(local, whole)
    return mask
