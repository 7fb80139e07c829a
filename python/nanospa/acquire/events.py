"""What happens in an acquisition, event by event: enough to show it, to account for it, and to go on after an interruption."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
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

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Event:
        """The event of a record.

        Parameters
        ----------
        record : mapping
            What `as_dict` made, whether it went through JSON or not.

        Returns
        -------
        Event
        """
        return cls(int(record["number"]), str(record["kind"]), dict(record.get("values", {})), dict(record.get("state", {})))

    def as_dict(self) -> dict[str, Any]:
        """The event as plain values for JSON."""
        return {"number": self.number, "kind": self.kind, "values": dict(self.values), "state": dict(self.state)}


def plain(value: Any) -> Any:
    """A value as JSON knows it: numpy scalars and tuples converted, what is not finite as None.

    Parameters
    ----------
    value : object
        Mappings, sequences, arrays, scalars, strings.

    Returns
    -------
    object
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str) or value is None or isinstance(value, bool):
        return value
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value
