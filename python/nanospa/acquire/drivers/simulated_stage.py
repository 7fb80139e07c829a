"""Stage of the simulated microscope: limits, speed, play, error and drift."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.drivers.drift import Drift
from nanospa.acquire.drivers.keyed import normal
from nanospa.acquire.drivers.simulated_settings import SimulatedSettings

#: Axes in the order of the arrays below: image order first.
ORDER = ("y", "x", "z")


class SimulatedStage:
    """A stage whose true position is not quite what it reads.

    The motor stands where it was sent. The carriage follows with a play: driven up it is with the motor, driven down it stays behind by
    as much as the play. Screws and rails add an error that is a smooth, repeatable function of the position, so that a place approached
    from below again is the same place. z has neither. What lies on the carriage drifts.
    """

    def __init__(self, settings: SimulatedSettings) -> None:
        self._settings = settings
        self._drift = Drift(settings)
        self.limits = {"x": settings.stage_x, "y": settings.stage_y, "z": settings.stage_z}
        self._motor = np.zeros(3)
        self._carriage = np.zeros(2)
        self._target = np.zeros(3)
        # A move under way lasts from `_begin` to `_arrival`.
        self._begin = self._arrival = 0.0

    @property
    def motor(self) -> NDArray[np.float64]:
        """Where the motor is between moves, (y, x, z) [m]."""
        return self._motor

    @property
    def arrival(self) -> float:
        """Time at which the move under way ends, or the last one ended [s]."""
        return self._arrival

    @property
    def under_way(self) -> bool:
        """Whether a move has begun and has not ended."""
        return bool(np.any(self._target != self._motor))

    def start(self, targets: Mapping[str, float], clock: float) -> None:
        """Begin a move of the given axes to targets inside the limits; one under way ends where it is."""
        self.stop(clock)
        self._target = self._motor.copy()
        for axis, value in targets.items():
            self._target[ORDER.index(axis)] = value
        travel = self._settings.move_time + math.dist(self._target, self._motor) / self._settings.stage_speed
        self._begin, self._arrival = clock, clock + travel

    def update(self, clock: float) -> None:
        """End the move under way if it has arrived."""
        if self.under_way and clock >= self._arrival:
            self._go(self._target)

    def stop(self, clock: float) -> None:
        """End the move under way where it is."""
        self.update(clock)
        if self.under_way:
            at = self._at(clock)
            self._arrival = clock
            self._go(at)

    def read(self, clock: float) -> NDArray[np.float64]:
        """What the stage reads, (y, x, z) [m]."""
        at = self._at(clock)
        return at + self._settings.stage_read_error * normal(3, self._settings.seed, "read", *(float(v) for v in at))

    def on_axis(self, clock: NDArray[np.float64]) -> NDArray[np.float64]:
        """The specimen's points (time, 2) that are truly on the axis, (y, x) [m]; between moves only."""
        return self._carriage + self._error(self._carriage) + self._drift.displacement(clock)

    def state(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return {
            "motor": self._motor.tolist(),
            "carriage": self._carriage.tolist(),
            "target": self._target.tolist(),
            "begin": self._begin,
            "arrival": self._arrival,
            "drift": self._drift.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set what `state` gave."""
        self._motor, self._carriage, self._target = (np.array([float(v) for v in state[n]]) for n in ("motor", "carriage", "target"))
        self._begin, self._arrival = float(state["begin"]), float(state["arrival"])
        self._drift.restore(state["drift"])

    def _at(self, clock: float) -> NDArray[np.float64]:
        if not self.under_way or self._arrival <= self._begin:
            return self._motor
        # The time for command and acceleration is spread over the way.
        gone = min(max((clock - self._begin) / (self._arrival - self._begin), 0.0), 1.0)
        at: NDArray[np.float64] = self._motor + gone * (self._target - self._motor)
        return at

    def _go(self, end: NDArray[np.float64]) -> None:
        way = end[:2] - self._motor[:2]
        self._motor, self._target = end.copy(), end.copy()
        # Play: the carriage is never below the motor, and never further above it than the play.
        self._carriage = np.clip(self._carriage, end[:2], end[:2] + self._settings.backlash)
        self._drift.moved(way, self._arrival)

    def _error(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Smooth random field of the position: keyed values at the nodes of a square grid, blended with equal variance everywhere."""
        if self._settings.stage_error == 0.0:
            return np.zeros(2)
        scaled = at / self._settings.stage_error_length
        node = np.floor(scaled).astype(int)
        f = scaled - node
        f = f * f * (3 - 2 * f)
        total, power = np.zeros(2), 0.0
        for dy in (0, 1):
            for dx in (0, 1):
                weight = (f[0] if dy else 1 - f[0]) * (f[1] if dx else 1 - f[1])
                total += weight * normal(2, self._settings.seed, "stage", int(node[0]) + dy, int(node[1]) + dx)
                power += weight**2
        error: NDArray[np.float64] = self._settings.stage_error * total / math.sqrt(power)
        return error
