"""What an acquisition does next: a generator of steps that is told what came of each. It never sees a microscope or an image.

The same outcomes give the same steps, so that a session goes on after an interruption from its events alone.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from nanospa.acquire.budget import Budget
from nanospa.acquire.dose import Area
from nanospa.acquire.drift import Drift
from nanospa.acquire.events import Event
from nanospa.acquire.microscope import Region
from nanospa.acquire.plan import Plan
from nanospa.acquire.raster import Position, serpentine
from nanospa.acquire.session_return import Return, beside, focus_values, survey_area
from nanospa.acquire.steps import Step
from nanospa.acquire.tiles import survey_tiles

Steps = Generator[Step, Event, Any]


@dataclass
class Session:
    """State of a session between two steps.

    Attributes
    ----------
    plan : Plan
        What to do.
    zone_axis : bool
        Whether there is a test for zone axes: each particle gets a look first.
    """

    plan: Plan
    zone_axis: bool = False
    n_images: int = 0
    n_surveys: int = 0
    failed_in_a_row: dict[str, int] = field(default_factory=dict)
    surveys: list[dict[str, Any]] = field(default_factory=list)
    imaged: list[tuple[float, float, float]] = field(default_factory=list)
    images_since_fine_focus: int | None = None
    given_up: str | None = None

    def __post_init__(self) -> None:
        self.budget = Budget(self.plan)
        self.back = Return(self.plan, self.budget)

    def steps(self) -> Steps:
        """All steps of the session, from "start" to "end". An event that was none of its own gives the same step again."""
        course = self.course()
        step = next(course)
        while True:
            event = yield self.back.displaced(step)
            self.budget.count(event.kind, event.values)
            self.back.see(event)
            if beside(event, step):
                continue
            try:
                step = course.send(self.back.undisplaced(event))
            except StopIteration:
                return

    def course(self) -> Steps:
        """The steps themselves."""
        plan = self.plan
        positions = serpentine(plan.stage_y_um, plan.stage_x_um, plan.survey_step_um)
        started = yield Step(
            "start",
            {
                "plan": plan.model_dump(mode="json"),
                "plan_hash": plan.digest(),
                "zone_axis": self.zone_axis,
                "n_positions": len(positions),
                "stage_y_um": [p.y_um for p in positions],
                "stage_x_um": [p.x_um for p in positions],
            },
        )
        current_pA = started.values.get("beam_current_pA")
        self.budget.current_A = None if current_pA is None else current_pA * 1e-12
        visited = 0
        for position in positions:
            if self.spent("move"):
                break
            moved = yield from self.attempt(
                Step(
                    "move",
                    {
                        "position": position.index,
                        "row": position.row,
                        "column": position.column,
                        "target_y_um": position.y_um,
                        "target_x_um": position.x_um,
                    },
                )
            )
            if moved is None:
                yield Step("skip", {"what": "position", "position": position.index, "reason": "the stage could not go there"})
                continue
            focus_due = plan.focus_every > 0 and visited % plan.focus_every == 0
            visited += 1
            yield from self.at_position(position, moved, focus_due)
        yield Step("end", {"reason": self.spent("image") or "done", "n_images": self.n_images, "n_surveys": self.n_surveys})

    def at_position(self, position: Position, moved: Event, focus_due: bool) -> Steps:
        """Focus, survey and images of one stage position."""
        plan = self.plan
        centre = (float(moved.values["stage_y_um"]), float(moved.values["stage_x_um"]))
        focused, n_scans = None, len(self.budget.ledger.entries)
        if focus_due:
            focused = yield from self.focus("coarse", position, centre, (0.0, 0.0))
        area = Area.about(centre[0] * 1e3, centre[1] * 1e3, plan.survey_field_nm, plan.survey_field_nm)
        dose = self.budget.dose(plan.survey_dwell_time_s, plan.survey_field_nm, plan.survey_shape)
        if self.budget.over_dose(area, dose):
            yield Step("skip", {"what": "position", "position": position.index, "reason": "dose"})
            return
        if self.spent("survey"):
            return
        offset = self.usual_offset()
        survey = yield from self.attempt(
            Step(
                "survey",
                {
                    "survey": self.n_surveys,
                    "position": position.index,
                    "offset_y_nm": offset[0],
                    "offset_x_nm": offset[1],
                    "neighbours": self.neighbours(centre),
                },
            ),
            area,
            dose,
        )
        if survey is None:
            yield Step("skip", {"what": "position", "position": position.index, "reason": self.given_up or "no survey image"})
            return
        self.n_surveys += 1
        values = survey.values
        self.surveys.append(dict(values))
        # The scans before the survey were where the stage read to be; the survey has shown where that is.
        self.budget.ledger.move(n_scans, *((values[f"stage_{axis}_um"] - values[f"read_{axis}_um"]) * 1e3 for axis in "yx"))
        self.budget.ledger.add(self.field_of(values), values.get("electrons_per_nm2") or 0.0)
        wanted = self.tiles_of(values) if plan.target == "tiles" else (yield from self.particles_of(position, values))
        wanted = yield from self.within_budget(position, wanted)
        if focus_due and wanted and (focused is None or focused.values.get("verdict") == "no_signal"):
            # Nothing to focus on where the stage stopped: the first thing to be imaged has something.
            centre = (values["stage_y_um"], values["stage_x_um"])
            yield from self.focus("coarse", position, centre, (wanted[0]["y_nm"], wanted[0]["x_nm"]))
        self.back.drift = drift = Drift(float(values["clock_s"]))
        if plan.target == "particles":
            # Particles are taken best first; a look may have shown the drift already.
            for each in wanted:
                for measured in each.get("looked", ()):
                    drift.add(*measured)
        for each in wanted:
            if self.spent("image"):
                return
            yield from self.image(position, values, each, drift)

    def tiles_of(self, survey: Mapping[str, Any]) -> list[dict[str, Any]]:
        """What to image of a survey: the tiles that it selected."""
        regions = {tile.index: tile.region for tile in survey_tiles(self.plan.tiles, self.plan.tile_padding)}
        return [{"what": "tile", **tile, "region": regions[tile["tile"]]} for tile in survey["tiles"] if tile["selected"]]

    def within_budget(self, position: Position, wanted: list[dict[str, Any]]) -> Generator[Step, Event, list[dict[str, Any]]]:
        """Of the last survey, as many as there are images left: the tiles with the most particles, the best particles."""
        left = len(wanted) if self.plan.max_images is None else self.plan.max_images - self.n_images
        if len(wanted) <= left:
            return wanted
        chosen = {id(each) for each in sorted(wanted, key=lambda each: -each.get("n_found", 1))[:left]}
        for each in wanted:
            if id(each) not in chosen:
                yield self.skip(position, each, "no images left")
        return [each for each in wanted if id(each) in chosen]

    def particles_of(self, position: Position, survey: Mapping[str, Any]) -> Generator[Step, Event, list[dict[str, Any]]]:
        """What to image of a survey: its particles; after a look at each, where there is a test for zone axes."""
        plan = self.plan
        side = plan.particle_field_nm / plan.survey_field_nm
        found = []
        for particle in survey["particles"]:
            region = Region(
                0.5 + particle["y_nm"] / plan.survey_field_nm - side / 2,
                0.5 + particle["x_nm"] / plan.survey_field_nm - side / 2,
                side,
                side,
            )
            each = {"what": "particle", **particle, "region": region}
            if not particle["selected"]:
                continue
            if self.imaged_already(survey, particle):
                yield self.skip(position, each, "imaged in another survey")
                continue
            found.append(each)
        if not self.zone_axis:
            for each in found[plan.particles_per_survey :] if plan.particles_per_survey else ():
                yield self.skip(position, each, "enough of this survey")
            return found[: plan.particles_per_survey]
        scored = []
        for each in found:
            if self.spent("image"):
                break
            area = self.part_of(survey, each["region"])
            dose = self.budget.dose(plan.look_dwell_time_s, plan.particle_field_nm, plan.look_shape)
            if self.budget.over_dose(area, dose):
                yield self.skip(position, each, "dose")
                continue
            look = yield from self.attempt(Step("drift", {**self.place(position, survey, each, (0.0, 0.0)), "mode": "look"}), area, dose)
            if look is None:
                yield self.skip(position, each, self.given_up or "no look")
                continue
            self.budget.ledger.add(area, look.values.get("electrons_per_nm2") or 0.0)
            score = look.values["zone_axis"]
            low = score is None or score is False or (score is not True and plan.zone_axis_min is not None and score < plan.zone_axis_min)
            if low:
                yield self.skip(position, each, "not on a zone axis")
                continue
            if look.values["dy_nm"] is not None:
                each["looked"] = [(look.values["clock_s"], look.values["dy_nm"], look.values["dx_nm"])]
            scored.append((-float(score), each["particle"], each))
        scored.sort(key=lambda entry: entry[:2])
        for entry in scored[plan.particles_per_survey :] if plan.particles_per_survey else ():
            yield self.skip(position, entry[2], "others lie nearer to a zone axis")
        return [entry[2] for entry in scored[: plan.particles_per_survey]]

    def image(self, position: Position, survey: Mapping[str, Any], each: Mapping[str, Any], drift: Drift) -> Steps:
        """One image: fine focus where it is due, the image, what it says of the drift."""
        plan = self.plan
        side_nm = plan.survey_field_nm * each["region"].height
        centre = (survey["stage_y_um"], survey["stage_x_um"])
        due = plan.fine_focus_every > 0 and (self.images_since_fine_focus is None or self.images_since_fine_focus >= plan.fine_focus_every)
        if due:
            expected = drift.expected(self.budget.clock_s)
            offset = (each["y_nm"] + expected[0], each["x_nm"] + expected[1])
            focused = yield from self.focus("fine", position, centre, offset, image=self.n_images)
            self.images_since_fine_focus = 0 if focused is not None else self.images_since_fine_focus
        # About when half of it will be scanned.
        expected = drift.expected(self.budget.clock_s + self.budget.longest_s.get("image", 0.0) / 2)
        area = self.part_of(survey, each["region"])
        dose = self.budget.dose(plan.image_dwell_time_s, side_nm, plan.image_shape)
        if self.budget.over_dose(area, dose):
            yield self.skip(position, each, "dose")
            return
        if self.spent("image"):
            return
        taken = yield from self.attempt(Step("image", {"image": self.n_images, **self.place(position, survey, each, expected)}), area, dose)
        if taken is None:
            yield self.skip(position, each, self.given_up or "no image")
            return
        self.n_images += 1
        if self.images_since_fine_focus is not None:
            self.images_since_fine_focus += 1
        values = taken.values
        if each["what"] == "particle":
            self.imaged.append((survey["stage_y_um"] * 1e3 + each["y_nm"], survey["stage_x_um"] * 1e3 + each["x_nm"], each["size_nm"]))
        self.budget.ledger.add(area, values.get("electrons_per_nm2") or 0.0)
        confident = values["dy_nm"] is not None
        if confident:
            drift.add(values["clock_s"], values["dy_nm"], values["dx_nm"])
        if plan.recentre:
            yield Step(
                "drift",
                {
                    "mode": "image",
                    "image": values["image"],
                    "survey": survey["survey"],
                    "position": position.index,
                    "dy_nm": values["dy_nm"],
                    "dx_nm": values["dx_nm"],
                    "confidence": values["confidence"],
                    "since_survey_s": values["clock_s"] - drift.start_s,
                    "rate_nm_per_min": drift.rate_nm_per_min(),
                    "applied": confident,
                },
            )

    def focus(
        self, mode: str, position: Position, centre_um: tuple[float, float], offset_nm: tuple[float, float], image: int | None = None
    ) -> Generator[Step, Event, Event | None]:
        """A focus curve, unless the dose or the time forbids it."""
        plan = self.plan
        side, dose = plan.focus_field_nm if mode == "coarse" else plan.fine_focus_field_nm, self.budget.focus_dose(mode)
        area = Area.about(centre_um[0] * 1e3 + offset_nm[0], centre_um[1] * 1e3 + offset_nm[1], side, side)
        if self.budget.over_dose(area, dose):
            yield Step("skip", {"what": "focus", "position": position.index, "image": image, "reason": "dose"})
            return None
        if self.spent("focus"):
            return None
        values = focus_values(mode, position.index, image, offset_nm, self.budget.dose_left(area))
        focused = yield from self.attempt(Step("focus", values), area, dose)
        if focused is not None:
            self.budget.ledger.add(area, focused.values.get("electrons_per_nm2") or 0.0)
            for fault in focused.values["faults"]:
                # Single images of the series that were taken again.
                yield Step("fault", {**fault, "position": position.index})
        return focused

    def attempt(self, step: Step, area: Area | None = None, dose: float | None = None) -> Generator[Step, Event, Event | None]:
        """A step until it succeeds; None where it is given up, by a budget (`given_up`) or for its faults."""
        attempt, wait_s, self.given_up = 0, 0.0, None
        while True:
            event = yield replace(step, attempt=attempt, wait_s=wait_s, failed_in_a_row=self.failed_in_a_row.get(step.kind, 0))
            if event.kind != "fault":
                self.failed_in_a_row[step.kind] = 0
                return event
            if area is not None:
                # What failed may have cost its dose all the same.
                self.budget.ledger.add(area, event.values.get("electrons_per_nm2") or 0.0)
            wait_s = self.plan.beam_wait_s if event.values["error"] == "beam" else 0.0
            if event.values["action"] == "retry":
                attempt += 1
            elif event.values["action"] == "skip":
                if event.values["error"] != "invalid_value" or step.kind not in ("image", "drift"):
                    self.failed_in_a_row[step.kind] = self.failed_in_a_row.get(step.kind, 0) + 1
                return None
            else:
                yield Step("pause", {"reason": event.values["message"]})
                # Somebody has looked at the microscope since.
                attempt, wait_s, self.failed_in_a_row = 0, 0.0, {}
            if area is not None and self.budget.over_dose(area, dose):
                self.given_up = "dose"
            elif self.budget.out_of_time(step.kind, wait_s):
                self.given_up = "time"
            if self.given_up is not None:
                return None

    def spent(self, kind: str) -> str | None:
        """Which budget ends the session before another step of a kind, if any."""
        if self.plan.max_images is not None and self.n_images >= self.plan.max_images:
            return "images"
        return "time" if self.budget.out_of_time(kind) else None

    def field_of(self, survey: Mapping[str, Any]) -> Area:
        """The specimen that a survey shows."""
        return survey_area(survey, self.plan)

    def part_of(self, survey: Mapping[str, Any], region: Region) -> Area:
        """The specimen that a region of a survey shows."""
        field, side = self.field_of(survey), self.plan.survey_field_nm
        y0, x0 = field.y0 + region.y * side, field.x0 + region.x * side
        return Area(y0, x0, y0 + region.height * side, x0 + region.width * side)

    def place(
        self, position: Position, survey: Mapping[str, Any], each: Mapping[str, Any], drift_nm: tuple[float, float]
    ) -> dict[str, Any]:
        """Where an image lies: survey, part of it, the drift that is expected and the beam shift that takes it up."""
        region: Region = each["region"]
        shift_nm = drift_nm if self.plan.recentre else (0.0, 0.0)
        return {
            "survey": survey["survey"],
            "position": position.index,
            each["what"]: each[each["what"]],
            "y0": region.y,
            "x0": region.x,
            "height": region.height,
            "width": region.width,
            "shift_y_nm": shift_nm[0],
            "shift_x_nm": shift_nm[1],
            "expected_y_nm": drift_nm[0],
            "expected_x_nm": drift_nm[1],
            "survey_y_um": survey["stage_y_um"],
            "survey_x_um": survey["stage_x_um"],
        }

    def skip(self, position: Position, each: Mapping[str, Any], reason: str) -> Step:
        """The record of something left out."""
        return Step("skip", {"what": each["what"], "position": position.index, each["what"]: each[each["what"]], "reason": reason})

    def imaged_already(self, survey: Mapping[str, Any], particle: Mapping[str, Any]) -> bool:
        """Whether a particle of the overlap of two surveys has its image from the other."""
        y, x = (survey[f"stage_{a}_um"] * 1e3 + particle[f"{a}_nm"] for a in "yx")
        return any(abs(y - other[0]) <= other[2] / 2 and abs(x - other[1]) <= other[2] / 2 for other in self.imaged)

    def neighbours(self, centre_um: tuple[float, float]) -> list[dict[str, Any]]:
        """Earlier surveys that show some of what one at this place will show."""
        side = self.plan.survey_field_nm / 1e3
        near = []
        for survey in self.surveys:
            apart = (abs(survey["read_y_um"] - centre_um[0]), abs(survey["read_x_um"] - centre_um[1]))
            # Along an edge, not at a corner: a corner shows too little.
            if max(apart) < side and min(apart) < side / 2:
                near.append({key: survey[key] for key in ("survey", "stage_y_um", "stage_x_um")})
        return near

    def usual_offset(self) -> tuple[float, float]:
        """Mean of how far earlier surveys lay from where the stage read to be [nm]."""
        if not self.surveys:
            return (0.0, 0.0)
        y, x = (sum(s[f"stage_{a}_um"] - s[f"read_{a}_um"] for s in self.surveys) / len(self.surveys) * 1e3 for a in "yx")
        return (y, x)
