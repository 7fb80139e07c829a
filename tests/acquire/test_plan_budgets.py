"""Budgets of a session hold: through faults, interruptions and the time that keeping a frame takes."""

import nanospa as ns
import pytest
from nanospa.errors import MicroscopeError

from tests.acquire.small_session import SMALL, of_kind, run
from tests.acquire.stand_in import StandIn

FOCUSED = {
    **SMALL,
    "stage_x_um": (0, 0),
    "stage_y_um": (0, 0),
    "tiles": 1,
    "focus_every": 1,
    "focus_shape": (128, 128),
    "focus_field_nm": 100.0,
}
#: Dose of one focus image of `FOCUSED` [1/nm²].
FOCUS_IMAGE = 13e-12 * 5e-6 / 1.602176634e-19 / (100 / 128) ** 2


def up_to(events, kind):
    """Events as they were when somebody stopped the session after the first of a kind."""
    return events[: next(i for i, e in enumerate(events) if e.kind == kind) + 1]


def test_focus_after_interruptions_keeps_the_dose_limit():
    plan = {**FOCUSED, "max_dose_electrons_per_nm2": 30000.0, "stage_error_nm": 1.0}
    events = up_to(run(StandIn(without=["restore"]), plan)[0], "survey")
    for _ in range(5):
        rest, _ = run(StandIn(without=["restore"]), plan, history=events)
        events = [*events, *[e for e in rest if e.values.get("recovery")]]
    assert any(e.kind == "focus" and e.values.get("recovery") for e in events)
    given = sum(e.values.get("electrons_per_nm2") or 0.0 for e in events)
    assert 15000 < given <= 30000
    skip = of_kind(events, "skip")[-1]
    assert (skip["what"], skip["reason"], skip["recovery"]) == ("focus", "dose", True)


def test_scans_of_a_focus_that_fails_are_counted():
    plan = {**FOCUSED, "retries": 0, "pause_after": 50}
    events, _ = run(StandIn(faults={"acquire": [(9, "detector", 1)]}), plan)
    (fault,) = of_kind(events, "fault")
    # Nine came, and the tenth has cost its dose.
    assert fault["electrons_per_nm2"] == pytest.approx(10 * FOCUS_IMAGE)
    limit = 33 * FOCUS_IMAGE
    again = {**plan, "retries": 1, "max_dose_electrons_per_nm2": limit}
    for times in (1, 2, 12):
        events, _ = run(StandIn(faults={"acquire": [(3, "detector", times), (15, "detector", times)]}), again)
        assert 0 < sum(e.values.get("electrons_per_nm2") or 0.0 for e in events) <= limit


def test_an_image_that_failed_is_not_taken_again_beyond_the_dose_limit():
    image = 13e-12 * 20e-6 / 1.602176634e-19 / (400 / 64) ** 2
    plan = {**FOCUSED, "focus_every": 0, "max_dose_electrons_per_nm2": 2.8 * image}
    events, _ = run(StandIn(faults={"acquire": [(1, "detector", 1)]}), plan)
    assert of_kind(events, "fault")[0]["electrons_per_nm2"] == pytest.approx(image)
    assert of_kind(events, "image") == [] and of_kind(events, "skip")[0]["reason"] == "dose"
    # Without a beam there was none.
    events, _ = run(StandIn(faults={"acquire": [(1, "beam_trip", 1)]}), plan)
    assert of_kind(events, "fault")[0]["electrons_per_nm2"] == 0 and len(of_kind(events, "image")) == 1


@pytest.mark.parametrize("recentre", [True, False])
def test_the_time_that_keeping_a_frame_takes_is_counted(recentre):
    microscope = StandIn()

    def keep(frame, event):
        microscope.state["clock"] += 5.0

    plan = {**SMALL, "tiles": 3, "max_time_s": 60.0, "recentre": recentre}
    events = list(ns.acquire.acquire(microscope, plan, on_frame=keep))
    assert events[-1].values["reason"] == "time"
    assert 40 < microscope.clock() <= 60 + (0 if recentre else 5)


@pytest.mark.parametrize("limit", [12.0, 18.0, 30.0])
def test_a_focus_that_would_take_too_long_is_not_begun(limit):
    microscope = StandIn()
    events, _ = run(microscope, {**FOCUSED, "max_time_s": limit, "settle_s": 0.0})
    assert microscope.clock() <= limit
    assert bool(of_kind(events, "focus")) == (limit > 20)


def test_time_after_an_interruption_is_counted():
    plan = {**FOCUSED, "max_time_s": 40.0, "tiles": 3}
    events = up_to(run(StandIn(without=["restore"]), plan)[0], "survey")
    microscope = StandIn(without=["restore"])
    rest, _ = run(microscope, plan, history=events)
    assert of_kind(rest, "focus")[0]["recovery"]
    # What was decided on before the interruption is done, and nothing more.
    assert rest[-1].values["reason"] == "time" and len(of_kind(rest, "image")) == 1


def test_a_microscope_without_defocus_goes_on():
    class Fixed(StandIn):
        def set_defocus(self, defocus):
            raise MicroscopeError("defocus: cannot be set")

    def microscope():
        return Fixed(without=["restore", "defocus"])

    events = up_to(run(microscope(), SMALL)[0], "image")
    rest, _ = run(microscope(), SMALL, history=events)
    assert [e.kind for e in rest[:1]] == ["move"] and rest[-1].values["reason"] == "done"


@pytest.mark.parametrize("without", [(), ("restore",)])
def test_a_microscope_that_cannot_be_brought_back_pauses_the_session(without):
    class Stuck(StandIn):
        def set_state(self, state):
            raise MicroscopeError("connection lost")

        def set_defocus(self, defocus):
            raise MicroscopeError("connection lost")

    events = up_to(run(StandIn(without=without), SMALL)[0], "image")
    rest, _ = run(Stuck(without=without), SMALL, history=events)
    assert [e.kind for e in rest[-2:]] == ["fault", "pause"]
    assert rest[-2].values["message"] == "connection lost" and rest[-2].values["action"] == "pause"
    # Once it answers, the session goes on.
    later, _ = run(StandIn(without=without), SMALL, history=[*events, *rest])
    assert later[-1].values["reason"] == "done"
