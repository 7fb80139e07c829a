"""The stage of a microscope under test: it goes where it is sent, and never outside its limits."""

from __future__ import annotations

import math

from nanospa.acquire import AXES, Microscope, StagePosition
from nanospa.errors import StageLimitError
from nanospa.testing.microscope_case import Case, call, readings, refused, unchanged


def stage_goes_where_it_is_sent(case: Case) -> None:
    with case.microscope() as microscope:
        if "stage" not in microscope.capabilities:
            return
        limits = microscope.get_stage_limits()
        steps = {axis: case.stage_step if axis in "xyz" else 0.01 for axis in limits}
        within = {axis: case.stage_tolerance if axis in "xyz" else 0.001 for axis in AXES}
        for axis, step in steps.items():
            start = microscope.get_stage_position()
            if getattr(start, axis) + step > limits[axis][1]:
                step = -step
            microscope.set_stage_position(**{axis: getattr(start, axis) + step})
            _stands(microscope, start, {axis: step}, within, "an absolute target")
            call(microscope.set_stage_position, **{axis: -step}, relative=True)()
            _stands(microscope, start, {}, within, "a relative target")
        start = microscope.get_stage_position()
        microscope.set_stage_position(x=start.x, y=start.y, wait=False)
        microscope.set_stage_position(x=start.x, y=start.y, wait=True, timeout=600.0)
        assert not microscope.is_stage_moving(), "expected a stage at rest after a move that was waited for"
        _stands(microscope, start, {}, within, "a target without waiting, then waited for")
        microscope.set_stage_position()
        _stands(microscope, start, {}, within, "no target")


def _stands(microscope: Microscope, start: StagePosition, by: dict[str, float], within: dict[str, float], what: str) -> None:
    found = microscope.get_stage_position()
    for axis in AXES:
        expected = getattr(start, axis) + by.get(axis, 0.0)
        assert abs(getattr(found, axis) - expected) <= within[axis], (
            f"after {what}: expected {axis} = {expected:g}, found {getattr(found, axis):g}"
        )


def limits_hold(case: Case) -> None:
    """A target outside the limits moves nothing, not even the other axes."""
    with case.microscope() as microscope:
        if "stage" not in microscope.capabilities:
            return
        before = readings(microscope)
        start, limits = microscope.get_stage_position(), microscope.get_stage_limits()
        for axis, (low, high) in limits.items():
            beyond = 0.01 * (high - low)
            other = "y" if axis == "x" else "x"
            inside = getattr(start, other) + math.copysign(case.stage_step, -getattr(start, other))
            for target in (low - beyond, high + beyond):
                asked = {
                    f"{axis} = {target:g}": call(microscope.set_stage_position, **{axis: target}),
                    f"{axis} = {target:g} with {other} inside": call(microscope.set_stage_position, **{axis: target, other: inside}),
                    f"{axis} = {target:g} as a distance": call(
                        microscope.set_stage_position, **{axis: target - getattr(start, axis)}, relative=True
                    ),
                    f"{axis} = {target:g} without waiting": call(microscope.set_stage_position, **{axis: target}, wait=False),
                }
                for what, move in asked.items():
                    refused(move, (StageLimitError,), what)
        unchanged(case, microscope, before, "targets outside the limits")
