"""Electrons that each place of the specimen has had."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

#: Charge of an electron [C], exact (SI 2019).
ELECTRON_CHARGE_C = 1.602176634e-19


def electrons_per_nm2(current_A: float, dwell_time_s: float, pixel_size_nm: tuple[float, float]) -> float:
    """Electrons a square nanometre of one scan.

    Parameters
    ----------
    current_A : float
        Probe current [A].
    dwell_time_s : float
        Dwell time of a pixel [s].
    pixel_size_nm : (float, float)
        Pixel size (y, x) [nm].

    Returns
    -------
    float
        Dose [1/nm²].
    """
    return current_A * dwell_time_s / ELECTRON_CHARGE_C / (pixel_size_nm[0] * pixel_size_nm[1])


@dataclass(frozen=True)
class Area:
    """A rectangle on the specimen; lengths [nm].

    Attributes
    ----------
    y0, x0, y1, x1 : float
        Edges [nm].
    """

    y0: float
    x0: float
    y1: float
    x1: float

    @classmethod
    def about(cls, y_nm: float, x_nm: float, height_nm: float, width_nm: float) -> Area:
        """The rectangle of a centre and a size."""
        return cls(y_nm - height_nm / 2, x_nm - width_nm / 2, y_nm + height_nm / 2, x_nm + width_nm / 2)

    def meets(self, other: Area) -> bool:
        """Whether two rectangles share more than an edge."""
        return self.y0 < other.y1 and other.y0 < self.y1 and self.x0 < other.x1 and other.x0 < self.x1


@dataclass
class DoseLedger:
    """Doses by area, and the highest sum anywhere in an area."""

    entries: list[tuple[Area, float]] = field(default_factory=list)

    def add(self, area: Area, dose: float) -> None:
        """Count a scan."""
        self.entries.append((area, dose))

    def move(self, first: int, dy_nm: float, dx_nm: float) -> None:
        """Put right where the scans from number `first` on were."""
        for i, (area, dose) in enumerate(self.entries[first:], start=first):
            self.entries[i] = (Area(area.y0 + dy_nm, area.x0 + dx_nm, area.y1 + dy_nm, area.x1 + dx_nm), dose)

    def highest(self, area: Area) -> float:
        """Highest dose that any place of an area has had."""
        near = [(a, dose) for a, dose in self.entries if a.meets(area)]
        if not near:
            return 0.0
        # The sum only changes at edges: it is enough to look once between each two neighbouring ones.
        ys = np.unique(np.clip([area.y0, area.y1, *(a.y0 for a, _ in near), *(a.y1 for a, _ in near)], area.y0, area.y1))
        xs = np.unique(np.clip([area.x0, area.x1, *(a.x0 for a, _ in near), *(a.x1 for a, _ in near)], area.x0, area.x1))
        y, x = (ys[:-1] + ys[1:]) / 2, (xs[:-1] + xs[1:]) / 2
        total = np.zeros((y.size, x.size))
        for a, dose in near:
            total += dose * np.outer((y > a.y0) & (y < a.y1), (x > a.x0) & (x < a.x1))
        return float(total.max())
