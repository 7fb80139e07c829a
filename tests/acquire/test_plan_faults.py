"""Faults of a session: what is tried again, left out, and when somebody is called."""

import pytest
from nanospa.errors import InvalidValueError, MicroscopeError

from tests.acquire.small_session import SMALL, of_kind, run
from tests.acquire.stand_in import StandIn


def test_a_fault_is_tried_again_and_nothing_is_lost():
    calm, _ = run(StandIn(), SMALL)
    microscope = StandIn(faults={"acquire": [(2, "timeout", 2), (5, "detector", 1)], "move": [(3, "stage_stall", 1)]})
    events, _ = run(microscope, SMALL)
    faults = of_kind(events, "fault")
    assert [(f["error"], f["step"], f["attempt"], f["action"]) for f in faults] == [
        ("acquisition_timeout", "image", 0, "retry"),
        ("acquisition_timeout", "image", 1, "retry"),
        ("detector", "image", 0, "retry"),
        ("stage", "move", 0, "retry"),
    ]
    assert [v["tile"] for v in of_kind(events, "image")] == [v["tile"] for v in of_kind(calm, "image")]
    assert ("stop",) in microscope.calls
    # A stalled move is done again from below.
    moves = [call for call in microscope.calls if call[0] == "move"]
    assert moves[2] == moves[4] and moves[3] == moves[5]


def test_what_keeps_failing_is_skipped_and_said_so():
    calm, _ = run(StandIn(), SMALL)
    events, _ = run(StandIn(faults={"acquire": [(2, "detector", 3)]}), SMALL)
    assert [f["action"] for f in of_kind(events, "fault")] == ["retry", "retry", "skip"]
    (skip,) = of_kind(events, "skip")
    assert (skip["what"], skip["tile"], skip["reason"]) == ("tile", 1, "no image")
    taken, all_of_them = ([(v["survey"], v["tile"]) for v in of_kind(e, "image")] for e in (events, calm))
    assert taken == [place for place in all_of_them if place != (0, 1)]


@pytest.mark.parametrize(("faults", "reason"), [({"move": [(0, "stage_limit", 1)]}, "stage"), ({"acquire": [(0, "timeout", 3)]}, "survey")])
def test_a_position_that_fails_is_skipped(faults, reason):
    events, _ = run(StandIn(faults=faults), SMALL)
    (skip,) = of_kind(events, "skip")
    assert (skip["what"], skip["position"]) == ("position", 0) and reason in skip["reason"]
    assert {v["position"] for v in of_kind(events, "image")} == {1, 2, 3}
    if "move" in faults:
        assert [f["action"] for f in of_kind(events, "fault")] == ["skip"]


def test_a_beam_trip_is_waited_for():
    microscope = StandIn(faults={"acquire": [(4, "beam_trip", 1)]})
    events, _ = run(microscope, {**SMALL, "beam_wait_s": 90})
    (fault,) = of_kind(events, "fault")
    assert (fault["error"], fault["action"]) == ("beam", "retry")
    assert microscope.calls.count(("wait", 90)) == 1
    assert microscope.state["blanked"]
    assert events[-1].values["reason"] == "done"


def test_without_a_beam_the_session_pauses_and_goes_on_when_asked():
    faults = {"acquire": [(4, "beam_trip", 3)]}
    calm, _ = run(StandIn(), SMALL)
    events, _ = run(StandIn(faults=faults), SMALL)
    assert [e.kind for e in events[-2:]] == ["fault", "pause"]
    assert of_kind(events, "fault")[-1]["action"] == "pause"
    rest, _ = run(StandIn(faults=faults), SMALL, history=events)
    assert rest[0].kind == "image" and rest[-1].kind == "end"
    images = [v["tile"] for v in of_kind([*events, *rest], "image")]
    assert images == [v["tile"] for v in of_kind(calm, "image")]


def test_many_skips_in_a_row_pause_the_session():
    events, _ = run(StandIn(faults={"acquire": [(2, "detector", 100)]}), {**SMALL, "pause_after": 2, "retries": 0})
    assert [f["action"] for f in of_kind(events, "fault")] == ["skip", "pause"]
    assert events[-1].kind == "pause"


def test_a_detector_that_is_gone_pauses_the_session_though_the_stage_still_moves():
    events, _ = run(StandIn(faults={"acquire": [(0, "detector", 1000)]}), SMALL)
    assert [e.kind for e in events if e.kind != "fault"] == ["start", "move", "skip", "move", "skip", "move", "pause"]


def test_an_error_that_is_none_of_the_microscope_leaves_the_beam_blanked():
    microscope = StandIn()

    def find_particles(image, pixel_size_nm):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(microscope, SMALL, find_particles=find_particles)
    assert microscope.state["blanked"]


def test_an_image_of_a_focus_series_that_fails_is_taken_again_and_not_the_series():
    plan = {**SMALL, "focus_every": 1, "focus_field_nm": 100.0, "focus_shape": (128, 128), "stage_x_um": (0, 0), "stage_y_um": (0, 0)}
    calm, _ = run(StandIn(), plan)
    microscope = StandIn(faults={"acquire": [(1, "timeout", 1), (4, "beam_trip", 2), (9, "detector", 1)]})
    events, _ = run(microscope, plan)
    assert [e.kind for e in events if e.kind != "fault"] == [e.kind for e in calm]
    assert [f["error"] for f in of_kind(events, "fault")] == ["acquisition_timeout", "beam", "beam", "detector"]
    assert microscope.calls.count(("wait", 60.0)) == 2
    (focus,), (expected,) = of_kind(events, "focus"), of_kind(calm, "focus")
    assert focus["samples_nm"] == expected["samples_nm"] and focus["sharpness"] == expected["sharpness"]
    rest, _ = run(StandIn(), plan, history=events[:4])
    assert [e.kind for e in rest] == [e.kind for e in events[4:]]


def test_a_connection_lost_after_a_frame_loses_nothing():
    class Mute(StandIn):
        def get_state(self):
            if len(frames) == 3:
                raise MicroscopeError("connection lost")
            return super().get_state()

        def acquire(self, *arguments, **keywords):
            if len(frames) == 3:
                raise MicroscopeError("connection lost")
            frames.append(None)
            return super().acquire(*arguments, **keywords)

        def clock(self):
            if len(frames) == 3:
                raise MicroscopeError("connection lost")
            return super().clock()

    frames = []
    events, taken = run(Mute(), SMALL)
    assert len(taken) == 3
    assert events[-1].kind == "pause" and events[-1].state == {}
    assert [e.values["error"] for e in events if e.kind == "fault"][:1] == ["microscope"]


class Narrow(StandIn):
    """Its beam shift reaches 100 nm, its scan field 1 µm."""

    def set_beam_shift(self, x, y):
        if max(abs(x), abs(y)) > 100e-9:
            raise InvalidValueError(f"x: expected at most 100 nm, found {x, y}")
        super().set_beam_shift(x, y)

    def set_field_of_view(self, field_of_view):
        if field_of_view > 1e-6:
            raise InvalidValueError(f"field_of_view: expected at most 1 µm, found {field_of_view}")
        super().set_field_of_view(field_of_view)


def test_images_out_of_the_beam_shifts_reach_are_left_out():
    plan = {**SMALL, "target": "particles", "survey_shape": (256, 256), "particle_field_nm": 40.0, "stage_y_um": (0, 0), "pause_after": 1}
    events, _ = run(Narrow(density_per_um2=80), plan)
    faults = of_kind(events, "fault")
    assert len(faults) > 3 and {(f["error"], f["step"], f["action"]) for f in faults} == {("invalid_value", "image", "skip")}
    assert len(of_kind(events, "image")) > 3 and events[-1].values["reason"] == "done"


def test_surveys_that_a_driver_refuses_pause_the_session():
    events, _ = run(Narrow(), {**SMALL, "survey_field_nm": 1200.0, "stage_x_um": (0, 4.0)})
    assert [f["action"] for f in of_kind(events, "fault")] == ["skip", "skip", "pause"]


def test_what_a_callable_gets_wrong_is_no_fault():
    def find_particles(image, pixel_size_nm):
        raise InvalidValueError("sigma_px: expected a positive number, found 0")

    with pytest.raises(InvalidValueError, match="sigma_px"):
        run(StandIn(), SMALL, find_particles=find_particles)
