"""What happens in an acquisition, event by event: enough to show it, to account for it, and to go on after an interruption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Kinds of events.
#:
#: start, move, focus, survey, image, drift, skip, fault, pause, end
KINDS = ("start", "move", "focus", "survey", "image", "drift", "skip", "fault", "pause", "end")


@dataclass(frozen=True)
class Event:
    """One event of an acquisition.

    Attributes
    ----------
    number : int
        0, 1, … in the order of the session.
    kind : str
        One of `KINDS`.
    values : mapping
        What was done and what came of it: plain JSON values, units in their names. All have ``clock_s`` (time of the instrument at the
        end of the event) and ``seconds`` (what it took).
    state : mapping
        State of the microscope after the event, as `Microscope.get_state` gives it.
    """

    number: int
    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
