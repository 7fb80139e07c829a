"""Geometry and timing of a scan, with its distortions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.microscope import Region


@dataclass(frozen=True)
class ScanPattern:
    """A scan of a region of the field, in SI units.

    Attributes
    ----------
    field_of_view : float
        Side of the full field [m].
    shape : (int, int)
        Pixels (y, x).
    dwell_time : float
        Dwell time of a pixel [s].
    region : Region
        Part of the field.
    rotation : float
        Rotation of the scan: the image's x axis is turned by it from the specimen's x towards its y [rad].
    flyback_time : float
        Wait at the start of a line [s].
    """

    field_of_view: float
    shape: tuple[int, int]
    dwell_time: float
    region: Region
    rotation: float
    flyback_time: float

    @property
    def pixel_size(self) -> tuple[float, float]:
        """Pixel size (y, x) [m]."""
        return self.field_of_view * self.region.height / self.shape[0], self.field_of_view * self.region.width / self.shape[1]

    @property
    def offset(self) -> tuple[float, float]:
        """Centre (y, x) of the region from the centre of the field, on the specimen [m]."""
        y = self.field_of_view * (self.region.y + self.region.height / 2 - 0.5)
        x = self.field_of_view * (self.region.x + self.region.width / 2 - 0.5)
        cos, sin = math.cos(self.rotation), math.sin(self.rotation)
        return x * sin + y * cos, x * cos - y * sin

    @property
    def line_time(self) -> float:
        """Time of a line [s]."""
        return self.shape[1] * self.dwell_time + self.flyback_time

    @property
    def duration(self) -> float:
        """Time of the scan [s]."""
        return self.shape[0] * self.line_time

    def line_clock(self, start: float) -> NDArray[np.float64]:
        """Times (row,) at the middle of the lines of a scan that starts at `start` [s]."""
        middle = self.flyback_time + self.shape[1] * self.dwell_time / 2
        return np.asarray(start + np.arange(self.shape[0]) * self.line_time + middle, dtype=np.float64)

    def flyback_shift(self, lag: float, lag_time: float) -> NDArray[np.float64]:
        """Displacement (column,) along the line: the beam comes back from the right and has not quite arrived [m]."""
        times = (np.arange(self.shape[1]) + 0.5) * self.dwell_time
        return np.asarray(lag * self.field_of_view * self.region.width * np.exp(-times / lag_time), dtype=np.float64)
