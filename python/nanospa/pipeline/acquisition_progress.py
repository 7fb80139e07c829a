"""How far an acquisition is, from its events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nanospa.acquire import Event


@dataclass
class AcquisitionProgress:
    """What has happened and what is to come, as far as the surveys so far tell.

    Attributes
    ----------
    n_images, n_surveys, n_positions : int
        Images and surveys taken, and stage positions of the plan.
    n_faults, n_skipped : int
        Errors of the microscope, and positions, tiles and particles left out because of them or of a limit.
    n_expected : int
        Images the session is going to have.
    clock_s, started_s : float
        Time of the instrument now and at the start [s].
    """

    max_images: int | None = None
    #: Images of a survey: at most, None where only its particles tell.
    a_survey: int | None = 1
    n_images: int = 0
    n_surveys: int = 0
    n_positions: int = 0
    n_faults: int = 0
    n_skipped: int = 0
    clock_s: float = 0.0
    started_s: float = 0.0
    _position: int = 0
    _selected: int = 0
    _taken: int = 0

    def see(self, event: Event) -> None:
        """Take an event into account.

        Parameters
        ----------
        event : Event
            The next event of the session.
        """
        values: Mapping[str, Any] = event.values
        self.clock_s = float(values.get("clock_s", self.clock_s))
        if event.kind == "start":
            plan = values.get("plan") or {}
            self.max_images = plan.get("max_images")
            self.a_survey = plan.get("particles_per_survey") if plan.get("target") == "particles" else int(plan.get("tiles") or 1) ** 2
            self.n_positions = int(values.get("n_positions", 0))
            self.started_s = self.clock_s - float(values.get("seconds", 0.0))
        elif event.kind == "survey":
            self.n_surveys += 1
            self._position = int(values.get("position", self._position)) + 1
            wanted = [*(values.get("tiles") or ()), *(values.get("particles") or ())]
            self._selected, self._taken = sum(bool(each.get("selected")) for each in wanted), 0
        elif event.kind == "image":
            self.n_images += 1
            self._taken += 1
        elif event.kind == "fault":
            self.n_faults += 1
        elif event.kind == "skip":
            self.n_skipped += 1
            if values.get("what") == "position":
                self._position, self._selected = int(values.get("position", self._position)) + 1, 0
            elif values.get("what") in ("tile", "particle"):
                self._selected -= 1
        elif event.kind == "end":
            self._position, self._selected = self.n_positions, 0

    @property
    def n_expected(self) -> int:
        """Images the session is going to have: those of the positions to come as many as of those before."""
        # What is skipped because there are enough is among the selected until its event comes.
        chosen = self._selected if self.a_survey is None else min(self._selected, self.a_survey)
        left = max(chosen - self._taken, 0)
        a_position = (self.n_images + left) / self.n_surveys if self.n_surveys else self.a_survey or 1
        expected = self.n_images + left + round(max(self.n_positions - self._position, 0) * a_position)
        return max(expected if self.max_images is None else min(expected, self.max_images), self.n_images)

    @property
    def seconds_left(self) -> float:
        """Time of the instrument that the rest will take [s]; NaN before the first image."""
        if self.n_images == 0:
            return float("nan")
        return (self.clock_s - self.started_s) / self.n_images * (self.n_expected - self.n_images)
