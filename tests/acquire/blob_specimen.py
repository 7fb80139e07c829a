"""A specimen whose image is easy to reckon with: Gaussian blobs at known places, evaluated at every pixel on its own."""

import math

import numpy as np
import pandas as pd


class BlobSpecimen:
    def __init__(self, places=((0.0, 0.0),), sigma_nm=5.0, peak=0.5, base=0.1):
        self.places, self.sigma_nm, self.peak, self.base = places, sigma_nm, peak, base
        self.asked = []

    def image(self, *, centre_nm, pixel_size_nm, shape, rotation=0.0, defocus_nm=0.0, probe=None, line_shift_nm=None, column_shift_nm=None):
        y, x = pixel_places(centre_nm, pixel_size_nm, shape, rotation, line_shift_nm, column_shift_nm)
        self.asked.append({"y": y, "x": x, "defocus_nm": defocus_nm, "probe": probe})
        image = np.full(shape, self.base)
        for y0, x0 in self.places:
            image += self.peak * np.exp(-((y - y0) ** 2 + (x - x0) ** 2) / (2 * self.sigma_nm**2))
        return image.astype(np.float32)

    def truth(self, *, centre_nm, pixel_size_nm, shape, rotation=0.0, line_shift_nm=None, column_shift_nm=None):
        y, x = pixel_places(centre_nm, pixel_size_nm, shape, rotation, line_shift_nm, column_shift_nm)
        labels = np.zeros(shape, dtype=np.int32)
        for number, (y0, x0) in enumerate(self.places, start=1):
            labels[np.hypot(y - y0, x - x0) < self.sigma_nm] = number
        return labels, pd.DataFrame({"label": range(1, len(self.places) + 1)})

    def particles(self, y0_nm, x0_nm, y1_nm, x1_nm):
        inside = [(i, y, x) for i, (y, x) in enumerate(self.places) if y0_nm <= y < y1_nm and x0_nm <= x < x1_nm]
        return pd.DataFrame(inside, columns=["id", "y_nm", "x_nm"])


def pixel_places(centre_nm, pixel_size_nm, shape, rotation, line_shift_nm, column_shift_nm):
    down = (np.arange(shape[0]) - (shape[0] - 1) / 2)[:, None] * pixel_size_nm[0]
    along = (np.arange(shape[1]) - (shape[1] - 1) / 2)[None, :] * pixel_size_nm[1] + column_shift_nm[None, :]
    y = centre_nm[0] + down * math.cos(rotation) + along * math.sin(rotation) + line_shift_nm[:, :1]
    x = centre_nm[1] - down * math.sin(rotation) + along * math.cos(rotation) + line_shift_nm[:, 1:]
    return y, x


#: A stage, a scan and a specimen without any flaw.
FLAWLESS = {
    "stage_error": 0.0,
    "stage_read_error": 0.0,
    "backlash": 0.0,
    "drift_rate": 0.0,
    "settling_drift": 0.0,
    "line_jitter": 0.0,
    "flyback_lag": 0.0,
}
#: The stage and the scan may be what they are, the specimen keeps still.
STILL = {"drift_rate": 0.0, "settling_drift": 0.0}


def peak_place(frame):
    """Centroid (y, x) of what stands out of a frame's background, in stage coordinates [m]."""
    data = frame.data.astype(float) - np.median(frame.data)
    data[data < 0.2 * data.max()] = 0.0
    rows, columns = np.indices(data.shape)
    row, column = (data * rows).sum() / data.sum(), (data * columns).sum() / data.sum()
    return (
        frame.centre[0] + (row - (data.shape[0] - 1) / 2) * frame.pixel_size[0],
        frame.centre[1] + (column - (data.shape[1] - 1) / 2) * frame.pixel_size[1],
    )
