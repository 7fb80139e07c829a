"""What a session knows of its way back to a position after an interruption, where the microscope cannot restore its state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nanospa.acquire.budget import Budget
from nanospa.acquire.dose import Area
from nanospa.acquire.drift import Drift
from nanospa.acquire.events import Event
from nanospa.acquire.plan import Plan
from nanospa.acquire.steps import Step


def beside(event: Event, step: Step) -> bool:
    """Whether an event was none of the session: a pause by hand, or what brought the microscope back after an interruption."""
    return bool(event.values.get("recovery")) or (event.kind == "pause" and step.kind != "pause")


def survey_area(survey: Mapping[str, Any], plan: Plan) -> Area:
    """The specimen that a survey shows."""
    side = plan.survey_field_nm
    return Area.about(survey["stage_y_um"] * 1e3, survey["stage_x_um"] * 1e3, side, side)


def focus_values(mode: str, position: int, image: int | None, offset_nm: tuple[float, float], dose_left: float | None) -> dict[str, Any]:
    """Values of a focus step; the dose that its place may still have only where there is a limit."""
    values = {"mode": mode, "position": position, "image": image, "offset_y_nm": offset_nm[0], "offset_x_nm": offset_nm[1]}
    return values if dose_left is None else {**values, "dose_left_per_nm2": dose_left}


@dataclass
class Return:
    """Where the session is, and how far the stage has come back from there.

    Attributes
    ----------
    plan : Plan
        The plan.
    budget : Budget
        Told of the dose that coming back has cost.
    here : mapping or None
        Values of the last move of the session.
    survey : mapping or None
        Values of the survey of this position.
    drift : Drift or None
        Drift since that survey.
    returned_um : (float, float) or None
        What the stage read after coming back (y, x) [µm].
    shift_nm : (float, float)
        Displacement (y, x) of the specimen by the stage's coming back elsewhere [nm].
    next_step : Step or None
        The step of the session that comes next, already decided on.
    stale : Step or None
        A step that was decided on with the drift before the way back.
    can_shift : bool
        Whether the microscope has a beam shift.
    """

    plan: Plan
    budget: Budget
    here: Mapping[str, Any] | None = None
    survey: Mapping[str, Any] | None = None
    drift: Drift | None = None
    returned_um: tuple[float, float] | None = None
    shift_nm: tuple[float, float] = (0.0, 0.0)
    next_step: Step | None = None
    stale: Step | None = None
    can_shift: bool = False

    def see(self, event: Event) -> None:
        """Learn from an event, of the session or of a way back."""
        values, dose = event.values, event.values.get("electrons_per_nm2") or 0.0
        if not values.get("recovery"):
            if event.kind == "move":
                self.here, self.survey, self.drift, self.returned_um, self.shift_nm, self.stale = values, None, None, None, (0.0, 0.0), None
            elif event.kind == "survey":
                self.survey = values
            elif event.kind == "start":
                self.can_shift = "beam_shift" in values.get("capabilities", ())
        elif event.kind == "move":
            self.returned_um, self.shift_nm = (values["stage_y_um"], values["stage_x_um"]), (0.0, 0.0)
        elif event.kind == "drift" or values.get("step") == "drift":
            self.budget.ledger.add(self.area(self.plan.survey_field_nm), dose)
            if values.get("applied"):
                # All of it is the stage's from now on, and the drift starts anew: nobody knows what it was meanwhile.
                self.shift_nm, self.stale = (values["dy_nm"], values["dx_nm"]), self.next_step
                if self.drift is not None:
                    self.drift.restart(values["clock_s"])
        elif event.kind == "focus" or values.get("step") == "focus":
            self.budget.ledger.add(self.area(self.plan.focus_field_nm), dose)

    def area(self, side_nm: float) -> Area:
        """A field about the position; its place is known to the stage's error."""
        assert self.here is not None
        y, x = self.returned_um or (self.here["stage_y_um"], self.here["stage_x_um"])
        side_nm += 2 * self.plan.stage_error_nm
        return Area.about(y * 1e3, x * 1e3, side_nm, side_nm)

    def steps(self) -> Iterator[Step]:
        """What is done after the move back."""
        assert self.here is not None
        plan, position = self.plan, self.here["position"]
        if self.survey is not None and self.can_shift:
            dose = self.budget.dose(plan.survey_dwell_time_s, plan.survey_field_nm, plan.survey_shape) or 0.0
            if not self.budget.over_dose(self.area(plan.survey_field_nm), dose + self.kept()):
                yield Step("drift", {"mode": "return", "survey": self.survey["survey"], "position": position})
        if self.plan.focus_every > 0:
            area = self.area(self.plan.focus_field_nm)
            if self.budget.over_dose(area, self.budget.focus_dose("coarse") + self.kept()):
                yield Step("skip", {"what": "focus", "position": position, "image": None, "reason": "dose"})
            else:
                yield Step("focus", focus_values("coarse", position, None, self.shift_nm, self.budget.dose_left(area)))

    def kept(self) -> float:
        """Dose of the step that comes next, which it was promised before the interruption [1/nm²]."""
        plan, budget, step = self.plan, self.budget, self.next_step
        if step is None or "mode" in step.values:
            mode = step.values["mode"] if step is not None else None
            if mode == "look":
                return budget.dose(plan.look_dwell_time_s, plan.particle_field_nm, plan.look_shape) or 0.0
            return budget.focus_dose(mode) if mode in ("coarse", "fine") else 0.0
        if step.kind == "survey":
            return budget.dose(plan.survey_dwell_time_s, plan.survey_field_nm, plan.survey_shape) or 0.0
        if step.kind == "image":
            return budget.dose(plan.image_dwell_time_s, plan.survey_field_nm * step.values["height"], plan.image_shape) or 0.0
        return 0.0

    def displaced(self, step: Step) -> Step:
        """A step of the session, where the specimen is now."""
        self.next_step = step
        if self.shift_nm == (0.0, 0.0) or not _placed(step.kind, step.values, "focus"):
            return step
        # A retry is another step with the same values.
        keep = step.kind == "focus" or self.stale is None or step.values is not self.stale.values
        names = ("offset",) if step.kind == "focus" else ("shift", "expected")
        moved = {f"{name}_{axis}_nm": by for name in names for axis, by in zip("yx", self.shift_nm, strict=True)}
        return replace(
            step,
            values={**step.values, **{key: by + (step.values[key] if keep else 0.0) for key, by in moved.items()}},
        )

    def undisplaced(self, event: Event) -> Event:
        """An event as if the stage had not come back elsewhere."""
        values = event.values
        if self.shift_nm == (0.0, 0.0) or not _placed(event.kind, values) or values["dy_nm"] is None:
            return event
        y, x = self.shift_nm
        return replace(event, values={**values, "dy_nm": values["dy_nm"] - y, "dx_nm": values["dx_nm"] - x})


def _placed(kind: str, values: Mapping[str, Any], *others: str) -> bool:
    """Whether a step, or its event, is an image or a look at a place of the survey."""
    return kind in ("image", *others) or (kind == "drift" and values["mode"] == "look")
