"""Rolling ball written out: at every pixel the lowest of the image plus the ball's depth below its apex."""

import numpy as np


def rolling_ball(image, radius_px, intensity_scale=1.0):
    image = np.asarray(image, dtype=np.float64)
    reach = int(radius_px)
    padded = np.pad(image, reach, constant_values=np.inf)
    out = image.copy()
    height, width = image.shape
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if dy * dy + dx * dx <= radius_px**2:
                depth = intensity_scale * (radius_px - np.sqrt(radius_px**2 - dy * dy - dx * dx))
                shifted = padded[reach + dy : reach + dy + height, reach + dx : reach + dx + width]
                out = np.minimum(out, shifted + depth)
    return out
