"""What a session asks for, one step after another; each step gives exactly one event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Steps that only record a decision; the microscope is not touched.
RECORDS = ("start", "drift", "skip", "fault", "pause", "end")


@dataclass(frozen=True)
class Step:
    """One step of a session.

    Attributes
    ----------
    kind : str
        Kind of the event that it gives when nothing goes wrong; a failed step gives a "fault".
    values : mapping
        What to do, plain JSON values with units in their names.
    attempt : int
        How often this step has failed already.
    wait_s : float
        Wait before it [s].
    failed_in_a_row : int
        Steps of this kind given up since the last one that succeeded.
    """

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)
    attempt: int = 0
    wait_s: float = 0.0
    failed_in_a_row: int = 0


def fault_action(error_kind: str, step_kind: str, attempt: int, retries: int, failed_in_a_row: int, pause_after: int) -> str:
    """What a failed step leads to.

    Parameters
    ----------
    error_kind : str
        `kind` of the error.
    step_kind : str
        `kind` of the step that failed.
    attempt : int
        How often the step had failed before.
    retries : int
        How often a step is done again.
    failed_in_a_row : int
        Steps of this kind given up since the last one that succeeded.
    pause_after : int
        Steps given up in a row after which a session pauses.

    Returns
    -------
    {"retry", "skip", "pause"}
        A position outside the limits stays outside, and so does a value that a driver refuses: it is skipped at once. An image out of
        the beam shift's reach says nothing about the next one, and never leads to a pause. Without a beam nothing else would succeed:
        the session pauses.
    """
    if error_kind == "invalid_value" and step_kind in ("image", "drift"):
        return "skip"
    if error_kind in ("stage_limit", "invalid_value"):
        return "skip" if failed_in_a_row + 1 < pause_after else "pause"
    if attempt < retries:
        return "retry"
    if error_kind == "beam":
        return "pause"
    return "skip" if failed_in_a_row + 1 < pause_after else "pause"
