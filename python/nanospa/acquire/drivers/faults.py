"""Faults of the simulated microscope: which command fails, and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from nanospa.acquire.drivers.keyed import uniform
from nanospa.acquire.drivers.simulated_settings import Fault, FaultKind

Command = Literal["move", "acquire"]

#: Which commands a kind of fault concerns.
CONCERNS: dict[FaultKind, Command] = {
    "stage_stall": "move",
    "stage_limit": "move",
    "timeout": "acquire",
    "beam_trip": "acquire",
    "detector": "acquire",
}


class Faults:
    """Decides by the number of a command alone whether it fails: the same commands fail whenever they are given again from a state."""

    def __init__(self, faults: tuple[Fault, ...], seed: int) -> None:
        self._faults = faults
        self._seed = seed
        self._counts: dict[Command, int] = {"move": 0, "acquire": 0}

    def next(self, command: Command) -> FaultKind | None:
        """Count a command; the fault it meets, the first of the list where there are several."""
        self._counts[command] += 1
        number = self._counts[command]
        for index, fault in enumerate(self._faults):
            if CONCERNS[fault.kind] == command and any(self._begins(index, fault, n) for n in range(number - fault.times + 1, number + 1)):
                return fault.kind
        return None

    def state(self) -> dict[str, int]:
        """Commands so far."""
        return {str(name): n for name, n in self._counts.items()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set what `state` gave."""
        self._counts = {"move": int(state["move"]), "acquire": int(state["acquire"])}

    def _begins(self, index: int, fault: Fault, number: int) -> bool:
        if number < 1:
            return False
        if isinstance(fault.at, int):
            return number == fault.at
        return uniform(self._seed, "fault", index, number) < fault.at
