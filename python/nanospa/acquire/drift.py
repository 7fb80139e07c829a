"""Drift of the specimen since a survey, from what images showed of it."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Latest measurements that a rate is fitted to: drift changes slowly, but it changes.
LATEST = 5


@dataclass
class Drift:
    """Displacement of the specimen against the time of a survey.

    Attributes
    ----------
    start_s : float
        Clock at the survey, where the displacement is 0 [s].
    measured : list
        Clock [s] and displacement (y, x) [nm] of each measurement.
    """

    start_s: float
    measured: list[tuple[float, float, float]] = field(default_factory=list)

    def add(self, clock_s: float, dy_nm: float, dx_nm: float) -> None:
        """Count a measurement; earlier ones may follow later ones."""
        self.measured.append((clock_s, dy_nm, dx_nm))
        self.measured.sort()

    def restart(self, clock_s: float) -> None:
        """Begin anew, with the displacement that is there now as 0."""
        self.start_s = clock_s
        self.measured.clear()

    def last_s(self) -> float:
        """Clock of the latest measurement [s]."""
        return self.measured[-1][0] if self.measured else self.start_s

    def rate(self) -> tuple[float, float]:
        """Rate (y, x), a least-squares line through the latest measurements and the survey [nm/s]."""
        points = [(self.start_s, 0.0, 0.0), *self.measured][-LATEST:]
        mean = [sum(p[i] for p in points) / len(points) for i in range(3)]
        spread = sum((p[0] - mean[0]) ** 2 for p in points)
        if spread <= 0:
            return (0.0, 0.0)
        y, x = (sum((p[0] - mean[0]) * (p[i] - mean[i]) for p in points) / spread for i in (1, 2))
        return (y, x)

    def rate_nm_per_min(self) -> float:
        """Magnitude of the rate [nm/min]."""
        y, x = self.rate()
        return float((y**2 + x**2) ** 0.5 * 60)

    def expected(self, clock_s: float) -> tuple[float, float]:
        """Displacement (y, x) expected at a time: the line through the latest measurements [nm]."""
        points = [(self.start_s, 0.0, 0.0), *self.measured][-LATEST:]
        mean = [sum(p[i] for p in points) / len(points) for i in range(3)]
        rate = self.rate()
        return (mean[1] + rate[0] * (clock_s - mean[0]), mean[2] + rate[1] * (clock_s - mean[0]))
