"""A session on a small microscope in memory: order of things, replay, interruptions, faults, budgets."""

import json
from itertools import pairwise

import nanospa as ns
import numpy as np
import pytest
from nanospa.acquire.events import Event
from nanospa.acquire.session import Session
from nanospa.errors import InvalidValueError, MicroscopeError, SettingsError, StageLimitError, UnknownNameError

from tests.acquire.small_session import SMALL, of_kind, plainly, run
from tests.acquire.stand_in import StandIn

#: The place that has no particles in `hollow`: y0, x0, y1, x1 [nm].
HOLLOW = (-250, 250, 250, 600)


def test_a_session_is_what_was_planned():
    microscope = StandIn(empty=HOLLOW)
    events, frames = run(microscope, SMALL)
    assert events[0].kind == "start" and events[-1].kind == "end" and events[-1].values["reason"] == "done"
    assert [event.number for event in events] == list(range(len(events)))
    moves = of_kind(events, "move")
    assert [(m["row"], m["column"]) for m in moves] == [(0, 0), (0, 1), (1, 1), (1, 0)]
    assert events[0].values["n_positions"] == 4
    assert events[0].values["stage_x_um"] == pytest.approx([0, 0.34, 0.34, 0])
    surveys = of_kind(events, "survey")
    selected = [(s["survey"], t["tile"]) for s in surveys for t in s["tiles"] if t["selected"]]
    assert [(i["survey"], i["tile"]) for i in of_kind(events, "image")] == selected
    assert 4 < len(selected) < 16
    assert any(t["reason"] == "empty" for s in surveys for t in s["tiles"])
    assert [event.kind for _, event in frames] == [e.kind for e in events if e.kind in ("survey", "image")]
    for frame, event in frames:
        assert event.values["pixel_size_y_nm"] == pytest.approx(frame.pixel_size[0] * 1e9)
        assert (event.values["height_px"], event.values["width_px"]) == frame.data.shape
    image = of_kind(events, "image")[0]
    assert image["pixel_size_x_nm"] == pytest.approx(400 / 2 * 1.2 / 64)
    assert image["electrons_per_nm2"] == pytest.approx(13e-12 * 20e-6 / 1.602176634e-19 / image["pixel_size_x_nm"] ** 2)
    assert all("clock_s" in e.values and e.values["seconds"] >= 0 for e in events)
    assert sum(e.values["seconds"] for e in events) == pytest.approx(microscope.clock())


def test_values_are_plain_json():
    events, _ = run(StandIn(), {**SMALL, "stage_y_um": (0, 0)})
    text = json.dumps([event.as_dict() for event in events], allow_nan=False)
    assert [Event.from_dict(record) for record in json.loads(text)] == events


def test_the_frame_is_handed_over_before_anything_else_happens():
    microscope = StandIn()
    seen = []

    def on_frame(frame, event):
        assert microscope.calls[-1][0] == "acquire"
        seen.append(len(microscope.calls))

    for event in ns.acquire.acquire(microscope, {**SMALL, "stage_y_um": (0, 0)}, on_frame=on_frame):
        if event.kind in ("survey", "image"):
            # Given out after its frame, with nothing asked of the microscope in between.
            assert seen[-1] == len(microscope.calls)
    assert len(seen) == len([call for call in microscope.calls if call[0] == "acquire"])


def test_every_position_is_approached_from_below_and_inside_the_limits():
    microscope = StandIn()
    run(microscope, {**SMALL, "backlash_um": 0.7})
    moves = [call[1:] for call in microscope.calls if call[0] == "move"]
    assert len(moves) == 8
    for before, at in zip(moves[::2], moves[1::2], strict=True):
        assert at[0] - before[0] == pytest.approx(0.7e-6) and at[1] - before[1] == pytest.approx(0.7e-6)


def test_an_area_outside_the_limits_is_refused_before_anything_moves():
    for limits in ((-100.0, 0.3), (-0.2, 100.0)):
        microscope = StandIn(limits_um=limits)
        with pytest.raises(StageLimitError, match=r"stage_[xy]_um"):
            ns.acquire.acquire(microscope, SMALL)
        assert microscope.calls == []
    events, _ = run(StandIn(limits_um=(-0.5, 0.34)), SMALL)
    assert len(of_kind(events, "survey")) == 4 and not of_kind(events, "fault")


@pytest.mark.parametrize(
    ("microscope", "plan", "error", "match"),
    [
        (StandIn(), {"detector": "BF"}, UnknownNameError, "HAADF"),
        (StandIn(without=["stage"]), {}, MicroscopeError, "stage"),
        (StandIn(without=["defocus"]), {"focus_every": 1}, MicroscopeError, "defocus"),
        (StandIn(without=["scan_region", "beam_shift"]), {}, MicroscopeError, "scan_region"),
        (StandIn(without=["beam_current"]), {"max_dose_electrons_per_nm2": 100}, SettingsError, "beam_current_pA"),
    ],
)
def test_what_cannot_be_done_is_refused(microscope, plan, error, match):
    with pytest.raises(error, match=match):
        ns.acquire.acquire(microscope, {**SMALL, **plan})
    assert microscope.calls == []


def test_the_session_is_pure():
    """The same outcomes give the same steps, also after JSON."""
    plan = ns.acquire.Plan(**SMALL)
    events, _ = run(StandIn(stage_error_nm=15, drift_nm_per_s=(0.02, 0.01)), plan)
    listed = []
    for history in (events, [Event.from_dict(record) for record in plainly(events)]):
        steps = Session(plan).steps()
        step = next(steps)
        listed.append([step])
        for event in history[:-1]:
            step = steps.send(event)
            listed[-1].append(step)
        assert [s.kind for s in listed[-1]] == [e.kind for e in history]
    assert json.dumps([dict(s.values) for s in listed[0]]) == json.dumps([dict(s.values) for s in listed[1]])


FAULTY = {"acquire": [(3, "timeout", 1), (6, "beam_trip", 2), (10, "detector", 5)], "move": [(4, "stage_stall", 1)]}


@pytest.mark.parametrize("faults", [{}, FAULTY], ids=["calm", "faulty"])
def test_interrupted_after_any_event_it_goes_on_as_if_nothing_had_been(faults):
    def microscope():
        return StandIn(stage_error_nm=15, drift_nm_per_s=(0.02, 0.01), faults=faults)

    whole, frames = run(microscope(), SMALL)
    assert len(whole) > 20
    surveys = {event.values["survey"]: frame.data for frame, event in frames if event.kind == "survey"}
    for n in range(1, len(whole) + 1):
        history = json.loads(json.dumps([event.as_dict() for event in whole[:n]]))
        rest, rest_frames = run(microscope(), SMALL, history=history, load_survey=surveys.__getitem__)
        assert plainly(rest) == plainly(whole[n:]), n
        expected = frames[len(frames) - len(rest_frames) :]
        assert all(np.array_equal(a.data, b.data) and a.time == b.time for (a, _), (b, _) in zip(rest_frames, expected, strict=True))


def test_interrupted_on_a_microscope_that_cannot_restore():
    def microscope():
        return StandIn(stage_error_nm=15, without=["restore"])

    whole, frames = run(microscope(), SMALL)
    surveys = {event.values["survey"]: frame.data for frame, event in frames if event.kind == "survey"}
    n = next(event.number for event in whole if event.kind == "image" and event.values["position"] == 2) + 1
    fresh = microscope()
    rest, _ = run(fresh, SMALL, history=whole[:n], load_survey=surveys.__getitem__)
    assert rest[0].kind == "move" and rest[0].values["recovery"] and rest[0].values["position"] == 2
    assert ("set_state",) not in fresh.calls
    images = [(v["survey"], v["tile"]) for v in of_kind([*whole[:n], *rest], "image")]
    assert images == [(v["survey"], v["tile"]) for v in of_kind(whole, "image")]
    # The stage came back somewhere else: what the images show of the survey says where.
    after = next(v for v in of_kind(rest, "image"))
    assert after["confidence"] > 0.25 and np.hypot(after["dy_nm"], after["dx_nm"]) > 3
    # A second interruption replays both.
    again, _ = run(microscope(), SMALL, history=[*whole[:n], *rest[:3]], load_survey=surveys.__getitem__)
    assert [e.kind for e in again[2:]] == [e.kind for e in rest[3:]]


def test_a_history_of_another_plan_is_refused():
    events, _ = run(StandIn(), {**SMALL, "max_images": 2})
    with pytest.raises(InvalidValueError, match="max_images"):
        run(StandIn(), {**SMALL, "max_images": 3}, history=events)
    with pytest.raises(InvalidValueError, match="history"):
        run(StandIn(), {**SMALL, "max_images": 2}, history=events[1:])


def test_a_history_that_has_ended_gives_nothing_and_a_pause_by_hand_is_left_out():
    events, _ = run(StandIn(), {**SMALL, "max_images": 2})
    assert run(StandIn(), {**SMALL, "max_images": 2}, history=events)[0] == []
    by_hand = Event(5, "pause", {"reason": "interrupted"}, events[4].state)
    rest, _ = run(StandIn(), {**SMALL, "max_images": 2}, history=[*events[:5], by_hand])
    assert [e.kind for e in rest] == [e.kind for e in events[5:]]
    assert rest[0].number == 6


def test_budget_of_images():
    events, _ = run(StandIn(), {**SMALL, "max_images": 5})
    assert len(of_kind(events, "image")) == 5
    assert events[-1].values == events[-1].values | {"reason": "images", "n_images": 5}


def test_budget_of_time():
    microscope = StandIn()
    events, _ = run(microscope, {**SMALL, "max_time_s": 40})
    assert events[-1].values["reason"] == "time"
    assert 25 < microscope.clock() <= 40


def test_budget_of_dose_holds_everywhere():
    plan = {**SMALL, "tile_padding": 0.2}
    free, frames = run(StandIn(), plan)

    def highest(frames):
        edges = []
        for _, e in frames:
            v = e.values
            half = v["pixel_size_y_nm"] * v["height_px"] / 2
            y, x = v["stage_y_um"] * 1e3, v["stage_x_um"] * 1e3
            edges.append((y - half, x - half, y + half, x + half, v["electrons_per_nm2"]))
        y, x = np.mgrid[-200:560:3, -200:560:3]
        return sum(d * ((y > a) & (y < c) & (x > b) & (x < e)) for a, b, c, e, d in edges).max()

    limit = 400.0
    assert highest(frames) > limit
    events, frames = run(StandIn(), {**plan, "max_dose_electrons_per_nm2": limit})
    assert 0.9 * 166 < highest(frames) <= limit
    assert {s["reason"] for s in of_kind(events, "skip")} == {"dose"}
    assert 0 < len(of_kind(events, "image")) < len(of_kind(free, "image"))


def test_without_scan_regions_the_same_is_imaged_by_field_and_beam_shift():
    with_regions, frames = run(StandIn(stage_error_nm=15), SMALL)
    without, other = run(StandIn(stage_error_nm=15, without=["scan_region"]), SMALL)
    assert [e.kind for e in without] == [e.kind for e in with_regions]
    for (a, _), (b, _) in zip(frames, other, strict=True):
        assert a.centre == pytest.approx(b.centre, abs=1e-10)
        assert a.pixel_size == pytest.approx(b.pixel_size)
        assert a.metadata["true_y_nm"] == pytest.approx(b.metadata["true_y_nm"], abs=0.1)


def true_offsets(frames):
    """How far each frame's recorded place lies from the true one [nm]."""
    recorded = np.array([(e.values["stage_y_um"], e.values["stage_x_um"]) for _, e in frames]) * 1e3
    return recorded - [(f.metadata["true_y_nm"], f.metadata["true_x_nm"]) for f, _ in frames]


@pytest.mark.parametrize("recentre", [True, False])
def test_places_are_right_in_spite_of_stage_error_and_drift(recentre):
    microscope = StandIn(stage_error_nm=20, drift_nm_per_s=(0.05, -0.03))
    events, frames = run(microscope, {**SMALL, "survey_overlap": 0.25, "recentre": recentre})
    offsets = true_offsets(frames)
    # All lie in the frame of the first survey, whatever the stage did.
    assert np.abs(offsets - offsets[0]).max() < 1.5
    assert max(np.hypot(v["stage_y_um"] - v["read_y_um"], v["stage_x_um"] - v["read_x_um"]) for v in of_kind(events, "survey")) > 0.01
    images = of_kind(events, "image")
    shift = max(np.hypot(v["shift_y_nm"], v["shift_x_nm"]) for v in images)
    assert shift > 0.1 if recentre else shift == 0
    assert bool(of_kind(events, "drift")) == recentre


def test_neighbours_that_show_nothing_leave_the_place_that_was_read():
    events, _ = run(StandIn(density_per_um2=0.0, stage_error_nm=20), SMALL)
    for survey in of_kind(events, "survey"):
        assert (survey["stage_y_um"], survey["confidence"]) == (survey["read_y_um"], 0.0)
    assert of_kind(events, "image") == []


def test_coarse_focus_at_every_nth_position_and_again_where_there_is_something():
    plan = {**SMALL, "focus_every": 2, "focus_field_nm": 60.0, "focus_shape": (128, 128), "stage_x_um": (0, 0.7), "stage_y_um": (0, 0)}
    microscope = StandIn(empty=(-100, -100, 100, 100))
    events, _ = run(microscope, plan)
    focused = of_kind(events, "focus")
    assert [f["position"] for f in focused[:3]] == [0, 0, 2]
    assert focused[0]["verdict"] == "no_signal" and focused[0]["defocus_nm"] == 0.0
    # The second time at an object of the first tile, after the survey.
    assert focused[1]["offset_y_nm"] != 0 and focused[1]["verdict"] == "fitted"
    assert focused[1]["defocus_nm"] == pytest.approx(12, abs=8)
    images = [e for e in events if e.kind == "image"]
    assert all(a.values["defocus_nm"] == pytest.approx(focused[1]["defocus_nm"]) for a in images if a.values["position"] < 2)
    assert focused[0]["electrons_per_nm2"] > 0 and focused[0]["n_scans"] >= 10


def test_fine_focus_at_every_mth_image():
    plan = {**SMALL, "fine_focus_every": 3, "fine_focus_field_nm": 3.0, "fine_focus_shape": (32, 32), "stage_y_um": (0, 0)}
    events, _ = run(StandIn(), plan)
    kinds = [e.kind for e in events if e.kind in ("focus", "image")]
    assert kinds == ["focus", "image", "image", "image"] * 2 + ["focus", "image", "image"]
    assert all(f["mode"] == "fine" and f["image"] == i for f, i in zip(of_kind(events, "focus"), (0, 3, 6), strict=True))


def test_other_tests_of_presence_are_used_as_they_are():
    def everywhere(image, pixel_size_nm):
        assert pixel_size_nm == pytest.approx(400 / 128)
        return np.ones(image.shape, dtype=bool)

    events, _ = run(StandIn(density_per_um2=0.0), {**SMALL, "stage_y_um": (0, 0), "stage_x_um": (0, 0)}, find_particles=everywhere)
    assert len(of_kind(events, "image")) == 4


def test_images_of_neighbouring_tiles_overlap():
    _, frames = run(StandIn(), {**SMALL, "stage_y_um": (0, 0), "stage_x_um": (0, 0)})
    images = [e.values for _, e in frames if e.kind == "image"]
    assert len(images) == 4
    for a, b in pairwise(images):
        apart = np.hypot(a["stage_y_um"] - b["stage_y_um"], a["stage_x_um"] - b["stage_x_um"]) * 1e3
        assert apart == pytest.approx(400 - 240, abs=3)


def test_a_narrow_strip_is_not_trusted():
    events, _ = run(StandIn(stage_error_nm=20), {**SMALL, "survey_overlap": 0.02})
    surveys = of_kind(events, "survey")
    assert all(s["confidence"] == 0 and s["stage_y_um"] == s["read_y_um"] for s in surveys)
