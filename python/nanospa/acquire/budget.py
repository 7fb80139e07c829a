"""What a session has left: images, time, and dose at every place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nanospa.acquire.dose import Area, DoseLedger, electrons_per_nm2
from nanospa.acquire.plan import Plan

#: Time that a scan costs besides its pixels, until one has shown it [s].
OVERHEAD_S = 1.0


def most_focus_scans(plan: Plan, mode: str) -> int:
    """Images of the longest series that a focus may take."""
    if mode == "coarse":
        # At worst the start among the samples, a second series, and two images at the centre found.
        return 2 * plan.focus_samples + 3
    return 2 * max(int(plan.fine_focus_range_nm / 2 / plan.fine_focus_step_nm + 1e-9), 1) + 1


@dataclass
class Budget:
    """Time and dose so far, and whether a step would exceed what the plan allows.

    Attributes
    ----------
    plan : Plan
        The plan.
    elapsed_s : float
        Time of the instrument since the start, pauses aside [s].
    clock_s : float
        Clock at the last event [s].
    current_A : float or None
        Probe current [A].
    ledger : DoseLedger
        Doses by place.
    longest_s : dict of str to float
        Longest step of every kind so far [s].
    """

    plan: Plan
    elapsed_s: float = 0.0
    clock_s: float = 0.0
    current_A: float | None = None
    ledger: DoseLedger = field(default_factory=DoseLedger)
    longest_s: dict[str, float] = field(default_factory=dict)

    def count(self, kind: str, values: Mapping[str, Any]) -> None:
        """Count the time of an event: none is lost, whatever it was."""
        seconds = float(values.get("seconds") or 0.0)
        self.elapsed_s += seconds
        self.clock_s = values.get("clock_s", self.clock_s)
        if kind == "drift" and values.get("mode") == "image":
            # Nothing but a record: what passed since the image was its keeping.
            kind = "record"
        if not values.get("recovery"):
            self.longest_s[kind] = max(self.longest_s.get(kind, 0.0), seconds)

    def out_of_time(self, kind: str, wait_s: float = 0.0) -> bool:
        """Whether another step of a kind, and the keeping of what it gives, would take longer than there is time."""
        limit, kind = self.plan.max_time_s, "image" if kind == "drift" else kind
        ahead = wait_s + self.longest_s.get(kind, self.foreseen_s(kind)) + self.longest_s.get("record", 0.0)
        return limit is not None and self.elapsed_s + ahead > limit

    def foreseen_s(self, kind: str) -> float:
        """Time that a step takes before one of its kind has been done: its scans, and what each costs besides."""
        plan = self.plan
        scans = {
            "survey": (plan.survey_shape, plan.survey_dwell_time_s, 1),
            "image": (plan.image_shape, plan.image_dwell_time_s, 1),
            "focus": (plan.focus_shape, plan.focus_dwell_time_s, plan.focus_samples + 2),
        }
        if kind == "move":
            return plan.settle_s
        shape, dwell_time_s, n = scans[kind]
        return n * (shape[0] * shape[1] * dwell_time_s + OVERHEAD_S)

    def dose(self, dwell_time_s: float, side_nm: float, shape: tuple[int, int]) -> float | None:
        """Electrons a square nanometre of one scan of a square field."""
        if self.current_A is None:
            return None
        return electrons_per_nm2(self.current_A, dwell_time_s, (side_nm / shape[0], side_nm / shape[1]))

    def focus_dose(self, mode: str) -> float:
        """Electrons a square nanometre of the longest series that a focus may take."""
        plan = self.plan
        side, shape = (plan.focus_field_nm, plan.focus_shape) if mode == "coarse" else (plan.fine_focus_field_nm, plan.fine_focus_shape)
        return most_focus_scans(plan, mode) * (self.dose(plan.focus_dwell_time_s, side, shape) or 0.0)

    def over_dose(self, area: Area, dose: float | None) -> bool:
        """Whether another scan would give some place more than it may have."""
        left = self.dose_left(area)
        return left is not None and (dose or 0.0) > left

    def dose_left(self, area: Area) -> float | None:
        """What every place of an area may still have, where there is a limit."""
        limit = self.plan.max_dose_electrons_per_nm2
        return None if limit is None else limit - self.ledger.highest(area)
