"""Where the pixels of a scan lie on a specimen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError, ShapeError


class Scan:
    """Places of the pixels: pixel (i, j) lies at ``rows[i] + columns[j]``, both (y, x) [nm]."""

    def __init__(
        self,
        centre_nm: tuple[float, float],
        pixel_size_nm: tuple[float, float],
        shape: tuple[int, int],
        rotation: float = 0.0,
        line_shift_nm: Any = None,
        column_shift_nm: Any = None,
    ) -> None:
        height, width = shape
        if not all(map(math.isfinite, (*centre_nm, rotation))):
            raise InvalidValueError(f"centre_nm, rotation: expected finite numbers, found {centre_nm!r}, {rotation!r}")
        self.centre_nm, self.shape, self.rotation = centre_nm, shape, rotation
        self._sizes = pixel_size_nm
        self.line_shift_nm = _shifts("line_shift_nm", line_shift_nm, (height, 2))
        self.column_shift_nm = _shifts("column_shift_nm", column_shift_nm, (width,))
        down = (np.arange(height) - (height - 1) / 2) * pixel_size_nm[0]
        along = (np.arange(width) - (width - 1) / 2) * pixel_size_nm[1] + self.column_shift_nm
        cos, sin = math.cos(rotation), math.sin(rotation)
        self.rows = np.stack([centre_nm[0] + cos * down, centre_nm[1] - sin * down], axis=1) + self.line_shift_nm
        self.columns = np.stack([sin * along, cos * along], axis=1)

    @property
    def pixel_nm(self) -> float:
        """The smaller side of a pixel [nm]."""
        return min(self._sizes)

    @property
    def pixel_sigma_nm(self) -> float:
        """Standard deviation of a place within a pixel, along one axis [nm]."""
        return math.sqrt(self._sizes[0] * self._sizes[1] / 12)

    @property
    def bounds_nm(self) -> tuple[float, float, float, float]:
        """Rectangle y0, x0, y1, x1 that holds all pixels [nm]."""
        low = self.rows.min(axis=0) + self.columns.min(axis=0) - max(self._sizes)
        high = self.rows.max(axis=0) + self.columns.max(axis=0) + max(self._sizes)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def pixels(self, y_nm: NDArray[np.float64], x_nm: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where in the image places lie (y, x) [px]: the inverse of the places of the pixels."""
        height, width = self.shape
        cos, sin = math.cos(self.rotation), math.sin(self.rotation)
        row, column = np.full(np.shape(y_nm), (height - 1) / 2), np.full(np.shape(y_nm), (width - 1) / 2)
        # Displacements are small beside a particle and vary slowly: three rounds settle them.
        for _ in range(3):
            dy = y_nm - self.centre_nm[0] - np.interp(row, np.arange(height), self.line_shift_nm[:, 0])
            dx = x_nm - self.centre_nm[1] - np.interp(row, np.arange(height), self.line_shift_nm[:, 1])
            along = cos * dx + sin * dy - np.interp(column, np.arange(width), self.column_shift_nm)
            row = (cos * dy - sin * dx) / self._sizes[0] + (height - 1) / 2
            column = along / self._sizes[1] + (width - 1) / 2
        return row, column


def _shifts(name: str, shifts: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    if shifts is None:
        return np.zeros(shape)
    array = np.asarray(shifts, dtype=np.float64)
    if array.shape != shape:
        raise ShapeError(f"{name}: expected shape {shape}, found {array.shape}")
    if not np.isfinite(array).all():
        raise InvalidValueError(f"{name}: expected finite displacements")
    return array
