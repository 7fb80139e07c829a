"""Steps of a session done on a microscope."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.autofocus import autofocus
from nanospa.acquire.budget import most_focus_scans
from nanospa.acquire.dose import electrons_per_nm2
from nanospa.acquire.events import Event, plain
from nanospa.acquire.fine_autofocus import fine_autofocus
from nanospa.acquire.image_shift import image_shift
from nanospa.acquire.microscope import Frame, Microscope, Region
from nanospa.acquire.neighbours import agreed, flat, least_confidence, pixel_nm_of
from nanospa.acquire.objects import objects_of, particles_found, tiles_found
from nanospa.acquire.plan import Plan
from nanospa.acquire.refusal import Refusal, asked
from nanospa.acquire.steps import RECORDS, Step, fault_action
from nanospa.errors import MicroscopeError

#: Search range of a single particle's displacement against the survey, in fields of view: beyond, it is another particle.
PARTICLE_SEARCH = 0.35

#: Search range where the stage has come back to a survey, in `Plan.stage_error_nm`.
RETURN_SEARCH = 2.0


class Executor:
    """Does steps on a microscope and says what came of them.

    Parameters
    ----------
    microscope : Microscope
        A connected microscope.
    plan : Plan
        Plan.
    find_particles : callable
        Survey image and pixel size → labels or mask.
    zone_axis : callable or None
        Image of a particle and pixel size → score.
    load_survey : callable or None
        Number of a survey taken before an interruption → its image.
    """

    def __init__(
        self,
        microscope: Microscope,
        plan: Plan,
        *,
        find_particles: Callable[[NDArray[Any], float], Any],
        zone_axis: Callable[[NDArray[Any], float], Any] | None = None,
        load_survey: Callable[[int], NDArray[Any]] | None = None,
    ) -> None:
        self.microscope = microscope
        self.plan = plan
        self.find_particles = find_particles
        self.zone_axis = zone_axis
        self.load_survey = load_survey
        self.capabilities = microscope.capabilities
        self.mark_s = self.now_s = microscope.clock()
        self.images: dict[int, NDArray[Any]] = {}
        self.current_A = self._current()
        self.field_nm = 0.0
        # Dose of the scans of a step, also of those that failed.
        self.given = 0.0

    def execute(self, step: Step) -> tuple[str, dict[str, Any], Frame | None]:
        """Do a step: kind of the event, its values, and a frame where there is one. Errors of the microscope make a "fault"."""
        frame: Frame | None = None
        kind, self.given = step.kind, 0.0
        try:
            if step.wait_s > 0:
                self._wait(step.wait_s)
            values, frame = (
                getattr(self, f"_{kind}")(step.values) if kind not in RECORDS or "mode" in step.values else (dict(step.values), None)
            )
            if kind == "start":
                values["beam_current_pA"] = None if self.current_A is None else self.current_A * 1e12
                values["microscope"] = self.microscope.name
                values["capabilities"] = sorted(self.capabilities)
        except (MicroscopeError, Refusal) as error:
            return *self.failed(step, error), None
        except BaseException:
            self._safe()
            raise
        return kind, self._timed(values), frame

    def failed(self, step: Step, error: MicroscopeError | Refusal, action: str | None = None) -> tuple[str, dict[str, Any]]:
        """The fault that an error makes, with the dose that was given for nothing."""
        action = action or fault_action(error.kind, step.kind, step.attempt, self.plan.retries, step.failed_in_a_row, self.plan.pause_after)
        values = {
            "error": error.kind,
            "message": str(error),
            "step": step.kind,
            "attempt": step.attempt,
            "action": action,
            "electrons_per_nm2": None if self.current_A is None else self.given,
            **{key: step.values[key] for key in ("position", "survey", "image", "tile", "particle") if key in step.values},
        }
        self._safe()
        return "fault", self._timed(values)

    def _timed(self, values: dict[str, Any]) -> dict[str, Any]:
        with contextlib.suppress(MicroscopeError):
            self.now_s = self.microscope.clock()
        timed: dict[str, Any] = plain({**values, "clock_s": self.now_s, "seconds": self.now_s - self.mark_s})
        self.mark_s = self.now_s
        return timed

    def state(self) -> dict[str, Any]:
        """State of the microscope; empty where it does not answer: what was acquired is not lost by that."""
        try:
            state: dict[str, Any] = plain(self.microscope.get_state())
        except MicroscopeError:
            return {}
        return state

    def recall(self, event: Event) -> None:
        """Learn what an event of before an interruption left behind."""
        if event.kind == "start":
            current_pA = event.values.get("beam_current_pA")
            self.current_A = None if current_pA is None else current_pA * 1e-12

    # One method a kind of step.

    def _move(self, step: Mapping[str, Any]) -> tuple[dict[str, Any], None]:
        plan = self.plan
        self._shift(0.0, 0.0)
        target = {axis: step[f"target_{axis}_um"] * 1e-6 for axis in "yx"}
        if plan.backlash_um > 0:
            # Always arriving from below, the play of the stage's gears is the same everywhere.
            before = {axis: value - plan.backlash_um * 1e-6 for axis, value in target.items()}
            self._go(before)
        self._go(target)
        self._wait(plan.settle_s)
        position = self.microscope.get_stage_position()
        return {**step, "stage_y_um": position.y * 1e6, "stage_x_um": position.x * 1e6}, None

    def _focus(self, step: Mapping[str, Any]) -> tuple[dict[str, Any], None]:
        plan, fine = self.plan, step["mode"] == "fine"
        side, shape = (plan.fine_focus_field_nm, plan.fine_focus_shape) if fine else (plan.focus_field_nm, plan.focus_shape)
        start = self.microscope.get_defocus()
        n_scans, n_most = 0, most_focus_scans(plan, step["mode"])
        left = step.get("dose_left_per_nm2")
        faults: list[dict[str, Any]] = []

        def image_at(defocus_nm: float) -> NDArray[Any]:
            nonlocal n_scans
            # One image of a long series that fails does not cost the series.
            for attempt in range(plan.retries + 1):
                try:
                    self._defocus(defocus_nm * 1e-9)
                    frame = self._scan(shape, plan.focus_dwell_time_s)
                    break
                except MicroscopeError as error:
                    # The session has kept the dose of the longest series: no more is spent without asking it.
                    if attempt == plan.retries or (left is not None and self.given + (n_most - n_scans) * self._nominal(shape) > left):
                        raise
                    self._safe()
                    faults.append({"error": error.kind, "message": str(error), "step": "focus", "attempt": attempt, "action": "retry"})
                    if error.kind == "beam":
                        self._wait(plan.beam_wait_s)
            n_scans += 1
            return frame.data

        try:
            self._field(side)
            self._shift(step["offset_y_nm"], step["offset_x_nm"])
            if fine:
                result = fine_autofocus(
                    image_at,
                    start_nm=start * 1e9,
                    range_nm=plan.fine_focus_range_nm,
                    step_nm=plan.fine_focus_step_nm,
                    pixel_size_nm=side / min(shape),
                )
            else:
                result = autofocus(
                    image_at,
                    start_nm=start * 1e9,
                    range_nm=plan.focus_range_nm,
                    samples=plan.focus_samples,
                    pixel_size_nm=side / min(shape),
                )
        except BaseException:
            with contextlib.suppress(MicroscopeError):
                self.microscope.set_defocus(start)
            raise
        self._defocus(result.defocus_nm * 1e-9)
        dose = None if self.current_A is None else self.given
        return {**step, **result.as_dict(), "field_nm": side, "n_scans": n_scans, "electrons_per_nm2": dose, "faults": faults}, None

    def _survey(self, step: Mapping[str, Any]) -> tuple[dict[str, Any], Frame]:
        plan = self.plan
        self._field(plan.survey_field_nm)
        self._shift(0.0, 0.0)
        frame = self._scan(plan.survey_shape, plan.survey_dwell_time_s)
        pixel_nm, image = pixel_nm_of(frame), flat(frame)
        nominal = np.array(frame.centre) * 1e9 + (step["offset_y_nm"], step["offset_x_nm"])
        registered = []
        for neighbour in step["neighbours"]:
            other = self._image_of(neighbour["survey"])
            if other is None:
                continue
            offset = nominal - np.array([neighbour["stage_y_um"], neighbour["stage_x_um"]]) * 1e3
            dy, dx, confidence = image_shift(
                other, image, reference_pixel_size_nm=pixel_nm, offset_nm=(offset[0], offset[1]), largest_nm=plan.stage_error_nm
            )
            registered.append({"survey": neighbour["survey"], "dy_nm": dy, "dx_nm": dx, "confidence": confidence})
        displaced, confidence = agreed(registered, least_confidence(plan))
        labels = objects_of(self.find_particles(image, pixel_nm[0]), (image.shape[0], image.shape[1]))
        self.images[step["survey"]] = image
        # A later survey's neighbours are of its own row and the one before.
        columns = 1 + round((plan.stage_x_um[1] - plan.stage_x_um[0]) / plan.survey_step_um)
        self.images = {number: kept for number, kept in self.images.items() if number > step["survey"] - 2 * columns - 1}
        values = {
            "survey": step["survey"],
            "position": step["position"],
            **self._frame_values(frame, nominal - displaced),
            "registered": registered,
            "confidence": confidence,
            "n_found": int(np.unique(labels[labels > 0]).size),
            "tiles": tiles_found(labels, plan) if plan.target == "tiles" else [],
            "particles": particles_found(labels, plan) if plan.target == "particles" else [],
        }
        return values, frame

    def _image(self, step: Mapping[str, Any]) -> tuple[dict[str, Any], Frame]:
        frame = self._scan_part(step, self.plan.image_shape, self.plan.image_dwell_time_s)
        return self._registered(step, frame), frame

    def _drift(self, step: Mapping[str, Any]) -> tuple[dict[str, Any], None]:
        """A look at a particle, a look where the stage has come back to, or the record of what an image showed of the drift."""
        if step["mode"] == "return":
            return self._return(step), None
        if step["mode"] != "look" or self.zone_axis is None:
            return dict(step), None
        frame = self._scan_part(step, self.plan.look_shape, self.plan.look_dwell_time_s)
        values = self._registered(step, frame)
        score = self.zone_axis(frame.data, pixel_nm_of(frame)[0])
        applied = bool(np.isfinite(values["dy_nm"]))
        score = bool(score) if isinstance(score, bool | np.bool_) else float(score)
        return {**values, "mode": "look", "zone_axis": score, "applied": applied}, None

    def _return(self, step: Mapping[str, Any]) -> dict[str, Any]:
        """How far the specimen lies from where its survey showed it, by an image like that survey."""
        plan, survey = self.plan, self._image_of(step["survey"])
        if survey is None:
            return {**step, "dy_nm": None, "dx_nm": None, "confidence": 0.0, "applied": False, "electrons_per_nm2": 0.0}
        self._field(plan.survey_field_nm)
        self._shift(0.0, 0.0)
        frame = self._scan(plan.survey_shape, plan.survey_dwell_time_s)
        # The stage was wrong then, and is wrong now.
        dy, dx, confidence = image_shift(
            survey, flat(frame), reference_pixel_size_nm=pixel_nm_of(frame), largest_nm=RETURN_SEARCH * plan.stage_error_nm
        )
        found = bool(np.isfinite(dy))
        return {**step, "dy_nm": dy, "dx_nm": dx, "confidence": confidence, "applied": found, "electrons_per_nm2": self._dose(frame)}

    # What they share.

    def _scan(self, shape: tuple[int, int], dwell_time_s: float, region: Region | None = None) -> Frame:
        blank = "beam_blank" in self.capabilities
        if blank:
            self.microscope.set_beam_blanked(False)
        try:
            with asked():
                frame = self.microscope.acquire(self.plan.detector, shape=shape, dwell_time=dwell_time_s, region=region)[self.plan.detector]
        except MicroscopeError as error:
            # An image that did not come has cost its dose, unless there was no beam.
            self.given += 0.0 if error.kind == "beam" else self._nominal(shape, dwell_time_s, region)
            raise
        self.given += self._dose(frame) or 0.0
        if blank:
            self.microscope.set_beam_blanked(True)
        return frame

    def _scan_part(self, step: Mapping[str, Any], shape: tuple[int, int], dwell_time_s: float) -> Frame:
        """A part of a survey, by a region of the scan field; else, or for a single particle, by field of view and beam shift."""
        side_nm = self.plan.survey_field_nm
        region = Region(step["y0"], step["x0"], step["height"], step["width"])
        shift = (step["shift_y_nm"], step["shift_x_nm"])
        by_shift = "beam_shift" in self.capabilities and ("particle" in step or "scan_region" not in self.capabilities)
        if not by_shift:
            self._field(side_nm)
            self._shift(*shift)
            return self._scan(shape, dwell_time_s, None if region == Region() else region)
        self._field(side_nm * region.height)
        off = [(start + size / 2 - 0.5) * side_nm for start, size in ((region.y, region.height), (region.x, region.width))]
        self._shift(off[0] + shift[0], off[1] + shift[1])
        return self._scan(shape, dwell_time_s)

    def _registered(self, step: Mapping[str, Any], frame: Frame) -> dict[str, Any]:
        """Values of an image whose place is taken from what the survey shows."""
        plan, pixel_nm = self.plan, pixel_nm_of(frame)
        start, size = np.array([step["y0"], step["x0"]]), np.array([step["height"], step["width"]])
        survey_nm = np.array([step["survey_y_um"], step["survey_x_um"]]) * 1e3
        shift = np.array([step["shift_y_nm"], step["shift_x_nm"]])
        expected = np.array([step["expected_y_nm"], step["expected_x_nm"]])
        # Had the specimen not moved, the image would show this place; it has moved by about what is expected.
        unmoved = survey_nm + (start + size / 2 - 0.5) * plan.survey_field_nm + shift
        survey = self._image_of(step["survey"])
        dy, dx, confidence = float("nan"), float("nan"), 0.0
        if survey is not None:
            offset = unmoved - expected - survey_nm
            # A particle's neighbours look like it: only where it can have gone to is looked.
            search = PARTICLE_SEARCH * plan.particle_field_nm if "particle" in step else plan.stage_error_nm
            dy, dx, confidence = image_shift(
                survey,
                flat(frame),
                reference_pixel_size_nm=(plan.survey_field_nm / survey.shape[0], plan.survey_field_nm / survey.shape[1]),
                pixel_size_nm=pixel_nm,
                offset_nm=(offset[0], offset[1]),
                largest_nm=search,
            )
        moved = expected + np.array([dy, dx])
        centre = unmoved - (moved if np.isfinite(dy) else expected)
        return {
            **step,
            **self._frame_values(frame, centre),
            "dy_nm": moved[0],
            "dx_nm": moved[1],
            "confidence": confidence,
        }

    def _frame_values(self, frame: Frame, centre_nm: NDArray[np.float64]) -> dict[str, Any]:
        pixel_nm = pixel_nm_of(frame)
        return {
            "stage_y_um": centre_nm[0] / 1e3,
            "stage_x_um": centre_nm[1] / 1e3,
            "read_y_um": frame.centre[0] * 1e6,
            "read_x_um": frame.centre[1] * 1e6,
            "pixel_size_y_nm": pixel_nm[0],
            "pixel_size_x_nm": pixel_nm[1],
            "height_px": frame.data.shape[-2],
            "width_px": frame.data.shape[-1],
            "defocus_nm": frame.defocus * 1e9,
            "dwell_time_s": frame.dwell_time,
            "time": frame.time,
            "detector": frame.detector,
            "electrons_per_nm2": self._dose(frame),
        }

    def _image_of(self, survey: int) -> NDArray[Any] | None:
        if survey not in self.images and self.load_survey is not None:
            self.images[survey] = np.asarray(self.load_survey(survey))
        return self.images.get(survey)

    def _dose(self, frame: Frame) -> float | None:
        if self.current_A is None:
            return None
        scans = frame.data.shape[0] if frame.data.ndim == 3 else 1
        return scans * electrons_per_nm2(self.current_A, frame.dwell_time, pixel_nm_of(frame))

    def _nominal(self, shape: tuple[int, int], dwell_time_s: float | None = None, region: Region | None = None) -> float:
        """Dose of a scan, whether it gives an image or not; with the dwell time of a focus by default."""
        part, dwell_time_s = region or Region(), dwell_time_s or self.plan.focus_dwell_time_s
        pixel_nm = (self.field_nm * part.height / shape[0], self.field_nm * part.width / shape[1])
        return 0.0 if self.current_A is None else electrons_per_nm2(self.current_A, dwell_time_s, pixel_nm)

    def _current(self) -> float | None:
        if self.plan.beam_current_pA is not None:
            return self.plan.beam_current_pA * 1e-12
        return self.microscope.get_beam_current() if "beam_current" in self.capabilities else None

    def _shift(self, y_nm: float, x_nm: float) -> None:
        if "beam_shift" in self.capabilities:
            with asked():
                self.microscope.set_beam_shift(x_nm * 1e-9, y_nm * 1e-9)

    def _field(self, side_nm: float) -> None:
        self.field_nm = side_nm
        with asked():
            self.microscope.set_field_of_view(side_nm * 1e-9)

    def _defocus(self, defocus: float) -> None:
        with asked():
            self.microscope.set_defocus(defocus)

    def _go(self, target: Mapping[str, float]) -> None:
        with asked():
            self.microscope.set_stage_position(x=target["x"], y=target["y"], timeout=self.plan.move_timeout_s)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.microscope.wait(seconds)

    def _safe(self) -> None:
        """After an error: nothing moves, and no beam lies on the specimen."""
        with contextlib.suppress(MicroscopeError):
            self.microscope.stop_stage()
        if "beam_blank" in self.capabilities:
            with contextlib.suppress(MicroscopeError):
                self.microscope.set_beam_blanked(True)
