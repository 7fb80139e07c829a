"""Holes of a carbon film without end."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

#: Spread of the holes' diameters, relative to their mean, and the largest spread accepted.
SPREAD, LARGEST = 0.25, 2.0

#: Half width of a hole's edge [nm].
EDGE_NM = 6.0

#: Cells from the origin to the end of the world, in every direction.
ORIGIN = 2**19


class Holes:
    """Discs at random places, overlapping or not, that together cover a share of the plane."""

    def __init__(self, seed: int, stream: int, diameter_nm: float, share: float) -> None:
        self._key = (seed, stream)
        self._diameter = diameter_nm
        self.largest_nm = diameter_nm * (1 + LARGEST * SPREAD) / 2
        self._cell = 2 * self.largest_nm
        mean_area = math.pi / 4 * diameter_nm**2 * (1 + SPREAD**2)
        # Discs dropped at random leave exp(−number × area) of the plane free.
        self._per_cell = -math.log1p(-share) / mean_area * self._cell**2
        self._cells: dict[tuple[int, int], NDArray[np.float64]] = {}

    def near(self, y0: float, x0: float, y1: float, x1: float) -> NDArray[np.float64]:
        """Holes (y, x, radius) [nm] that reach into a rectangle, in an order that does not depend on it; shape (hole, 3)."""
        if self._per_cell == 0:
            return np.zeros((0, 3))
        reach = self.largest_nm + EDGE_NM
        rows = range(math.floor((y0 - reach) / self._cell), math.floor((y1 + reach) / self._cell) + 1)
        columns = range(math.floor((x0 - reach) / self._cell), math.floor((x1 + reach) / self._cell) + 1)
        holes = np.concatenate([self._of(row, column) for row in rows for column in columns])
        r = holes[:, 2] + EDGE_NM
        inside = (holes[:, 0] > y0 - r) & (holes[:, 0] < y1 + r) & (holes[:, 1] > x0 - r) & (holes[:, 1] < x1 + r)
        return holes[inside]

    def over(self, y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether places lie over a hole, shape (place,)."""
        if y.size == 0:
            return np.zeros(0, dtype=bool)
        holes = self.near(y.min(), x.min(), y.max(), x.max())
        distance = np.hypot(y[:, None] - holes[:, 0], x[:, None] - holes[:, 1])
        return np.asarray((distance < holes[:, 2]).any(axis=1))

    def _of(self, row: int, column: int) -> NDArray[np.float64]:
        found = self._cells.get((row, column))
        if found is None:
            seed, stream = self._key
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream, row + ORIGIN, column + ORIGIN)))
            n = rng.poisson(self._per_cell)
            y, x = ((index + rng.random(n)) * self._cell for index in (row, column))
            spread = np.clip(rng.standard_normal(n), -LARGEST, LARGEST)
            found = self._cells[row, column] = np.stack([y, x, self._diameter / 2 * (1 + SPREAD * spread)], axis=1)
        return found
