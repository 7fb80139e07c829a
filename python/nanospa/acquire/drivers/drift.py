"""Drift of the specimen: a function of the virtual clock, and creep after a move."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.drivers.keyed import normal, uniform
from nanospa.acquire.drivers.simulated_settings import SimulatedSettings


class Drift:
    """How far the specimen's point on the axis has moved from where the stage put it, (y, x) [m]."""

    def __init__(self, settings: SimulatedSettings) -> None:
        self._settings = settings
        angle = 2 * math.pi * uniform(settings.seed, "drift")
        self._velocity = settings.drift_rate * np.array([math.sin(angle), math.cos(angle)])
        self._wander = settings.drift_wander * settings.drift_rate * settings.drift_wander_time
        # Creep that was left at a time.
        self._creep = np.zeros(2)
        self._since = 0.0

    def moved(self, way: NDArray[np.float64], clock: float) -> None:
        """The stage has arrived at `clock` after a move by `way` (y, x): it still creeps the way it came, with some play sideways."""
        settings = self._settings
        length = float(np.hypot(*way))
        if length == 0.0 or settings.settling_drift == 0.0:
            return
        along = way / length
        across = np.array([-along[1], along[0]])
        size = settings.settling_drift * min(1.0, length / settings.settling_distance)
        # Keyed by the time of arrival: creep is as much a function of the clock as the drift.
        u, v = uniform(settings.seed, "creep", clock), uniform(settings.seed, "sideways", clock)
        left = -size * ((0.7 + 0.6 * u) * along + 0.6 * (v - 0.5) * across)
        self._creep = self._creep * math.exp(-(clock - self._since) / settings.settling_time) + left
        self._since = clock

    def displacement(self, clock: NDArray[np.float64]) -> NDArray[np.float64]:
        """Displacement (time, 2) at times of the clock [m]."""
        steady = clock[:, None] * self._velocity
        creep = np.exp(-(clock - self._since) / self._settings.settling_time)[:, None] * self._creep
        return steady + self._stray(clock) + creep

    def state(self) -> dict[str, Any]:
        """Creep, as plain values."""
        return {"creep": self._creep.tolist(), "since": self._since}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set what `state` gave."""
        self._creep = np.array([float(v) for v in state["creep"]])
        self._since = float(state["since"])

    def _stray(self, clock: NDArray[np.float64]) -> NDArray[np.float64]:
        """Smooth wandering about the steady drift: keyed values at knots of time, blended without a kink."""
        if self._wander == 0.0:
            return np.zeros((clock.size, 2))
        at = clock / self._settings.drift_wander_time
        first = np.floor(at).astype(int)
        knots = {int(k): normal(2, self._settings.seed, "wander", int(k)) for k in np.unique(np.append(first, first + 1))}
        low, high = (np.array([knots[int(k)] for k in first + step]).reshape(-1, 2) for step in (0, 1))
        f = (at - first)[:, None]
        # Knot 0 counts as no displacement, so that the session starts where the stage reads.
        stray: NDArray[np.float64] = self._wander * (low + (high - low) * f * f * (3 - 2 * f) - normal(2, self._settings.seed, "wander", 0))
        return stray
