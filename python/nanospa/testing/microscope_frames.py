"""The frames of a microscope under test: what they hold, where they say they are, and that they stay so."""

from __future__ import annotations

import json
import math
from datetime import datetime

import numpy as np

from nanospa.acquire import AXES, Frame, Microscope, Region, StagePosition, image_shift
from nanospa.testing.microscope_case import NONSENSE, Case


def frames_say_where_they_are(case: Case) -> None:
    with case.microscope() as microscope:
        names = microscope.detectors()
        assert isinstance(names, tuple) and all(isinstance(name, str) for name in names), f"detectors: expected names, found {names!r}"
        if not case.has_detectors:
            assert names == (), f"detectors: expected none, found {names}"
            return
        assert names and len(set(names)) == len(names), f"detectors: expected different names, found {names}"
        for name in names:
            frames = case.acquire(microscope, name)
            assert list(frames) == [name], f"acquire({name!r}): expected its frame alone, found {list(frames)}"
            _check_frame(case, microscope, frames[name], name, Region(), 1)
        frames = case.acquire(microscope, list(names))
        assert set(frames) == set(names), f"acquire({list(names)}): found frames of {list(frames)}"
        _check_frame(case, microscope, case.acquire(microscope, frames=2)[names[0]], names[0], Region(), 2)
        _check_frame(case, microscope, case.acquire(microscope, region=Region())[names[0]], names[0], Region(), 1)
        if "beam_shift" in microscope.capabilities:
            x, y = microscope.get_beam_shift()
            microscope.set_beam_shift(x + 30e-9, y - 10e-9)
            _check_frame(case, microscope, case.acquire(microscope)[names[0]], names[0], Region(), 1)
            microscope.set_beam_shift(x, y)


def frames_are_kept_apart(case: Case) -> None:
    """A frame that was handed out does not change with the next scan, and the clock does not go back."""
    if not case.has_detectors:
        return
    with case.microscope() as microscope:
        name = microscope.detectors()[0]
        clock = microscope.clock()
        first = case.acquire(microscope)[name]
        kept = first.data.copy()
        assert microscope.clock() >= clock, "clock: expected it not to go back"
        clock = microscope.clock()
        second = case.acquire(microscope)[name]
        assert not np.shares_memory(first.data, second.data), "expected the frames of two scans to have their own memory"
        assert np.array_equal(first.data, kept), "a frame changed with the next scan"
        assert microscope.clock() >= clock, "clock: expected it not to go back"
        clock = microscope.clock()
        microscope.wait(0.02)
        assert microscope.clock() - clock >= 0.019, f"wait(0.02): the clock went on by {microscope.clock() - clock:g} s"


def other_shapes_come_or_are_refused(case: Case) -> None:
    if not case.has_detectors:
        return
    with case.microscope() as microscope:
        name = microscope.detectors()[0]
        for shape in ((case.shape[0], case.shape[1] // 2), (case.shape[0] // 2, case.shape[1] // 2)):
            try:
                frame = case.acquire(microscope, shape=shape)[name]
            except NONSENSE:
                continue
            assert frame.data.shape == shape, f"shape: {shape} was asked for, found {frame.data.shape}"


def regions_are_where_they_say(case: Case) -> None:
    if not case.has_detectors:
        return
    with case.microscope() as microscope:
        if "scan_region" not in microscope.capabilities:
            return
        name = microscope.detectors()[0]
        for region in (Region(0.25, 0.5, 0.25, 0.5), Region(0.0, 0.0, 0.5, 0.25), Region(0.75, 0.75, 0.25, 0.25)):
            _check_frame(case, microscope, case.acquire(microscope, region=region)[name], name, region, 1)


def images_lie_where_they_say(case: Case) -> None:
    """The images themselves show that stage, beam shift and scan region go where they say, along the right axis and the right way."""
    if not (case.has_detectors and case.contrast):
        return
    with case.microscope() as microscope:
        can = microscope.capabilities
        name = microscope.detectors()[0]
        field = microscope.get_field_of_view()
        first = case.acquire(microscope)[name]
        if "stage" in can:
            start = microscope.get_stage_position()
            _approach(case, microscope, start.x, start.y)
            first = case.acquire(microscope)[name]
            for axis, dy, dx in (("x", 0.0, field / 4), ("y", field / 4, 0.0)):
                _approach(case, microscope, start.x + dx, start.y + dy)
                _fits(first, case.acquire(microscope)[name], field, f"the stage along {axis}")
            _approach(case, microscope, start.x, start.y)
            first = case.acquire(microscope)[name]
        if "beam_shift" in can:
            x, y = microscope.get_beam_shift()
            for axis, dy, dx in (("x", 0.0, 0.2e-6), ("y", 0.2e-6, 0.0)):
                part = min(1.0, field / 4 / 0.2e-6)
                microscope.set_beam_shift(x + part * dx, y + part * dy)
                _fits(first, case.acquire(microscope)[name], field, f"the beam shift along {axis}")
            microscope.set_beam_shift(x, y)
        if "scan_region" in can:
            for region in (Region(0.0, 0.25, 0.5, 0.5), Region(0.25, 0.5, 0.5, 0.5)):
                _fits(first, case.acquire(microscope, region=region)[name], field, str(region))


def _approach(case: Case, microscope: Microscope, x: float, y: float) -> None:
    """Go to a place from below: the play of the stage is no fault of the driver."""
    limits = microscope.get_stage_limits()
    below = {axis: max(value - case.stage_step, limits[axis][0]) for axis, value in (("x", x), ("y", y))}
    microscope.set_stage_position(x=below["x"], y=below["y"])
    microscope.set_stage_position(x=x, y=y)


def _fits(first: Frame, second: Frame, field: float, what: str) -> None:
    """Assert that the second image shows what the first one has at its place, to an eighth of the field."""
    away = (1e9 * (second.centre[0] - first.centre[0]), 1e9 * (second.centre[1] - first.centre[1]))
    sizes = [(1e9 * frame.pixel_size[0], 1e9 * frame.pixel_size[1]) for frame in (first, second)]
    dy, dx, confidence = image_shift(first.data, second.data, reference_pixel_size_nm=sizes[0], pixel_size_nm=sizes[1], offset_nm=away)
    where = f"{what}: expected what lies {away[0]:.0f}, {away[1]:.0f} nm (y, x) from the image before"
    assert math.isfinite(dy + dx), f"{where}, found nothing in common with it (confidence {confidence:.2f})"
    assert max(abs(dy), abs(dx)) * 1e-9 <= field / 8, f"{where}, found it off by {dy:.0f}, {dx:.0f} nm"


def _check_frame(case: Case, microscope: Microscope, frame: Frame, name: str, region: Region, n_frames: int) -> None:
    """Assert that a frame, taken just now, says what it is."""
    can = microscope.capabilities
    assert isinstance(frame, Frame), f"expected a Frame, found {type(frame).__name__}"
    shape = case.shape if n_frames == 1 else (n_frames, *case.shape)
    assert isinstance(frame.data, np.ndarray) and frame.data.shape == shape, f"data: expected {shape}, found {np.shape(frame.data)}"
    assert frame.data.dtype.kind in "uif", f"data: expected real numbers, found {frame.data.dtype}"
    assert np.isfinite(frame.data).all(), "data: expected finite numbers"
    assert frame.detector == name, f"detector: expected {name!r}, found {frame.detector!r}"
    assert datetime.fromisoformat(frame.time), "time: expected ISO 8601"
    assert abs(frame.dwell_time / case.dwell_time - 1) <= 0.5, f"dwell time: {case.dwell_time:g} s asked for, found {frame.dwell_time:g} s"
    json.dumps(dict(frame.metadata), allow_nan=False)
    assert min(frame.pixel_size) > 0, f"pixel size: expected above 0, found {frame.pixel_size}"
    stage = microscope.get_stage_position() if "stage" in can else StagePosition()
    for axis in AXES:
        off = abs(getattr(frame.stage_position, axis) - getattr(stage, axis))
        assert off <= (case.stage_tolerance if axis in "xyz" else 0.001), f"stage position of the frame: {axis} is off by {off:g}"
    if "defocus" in can:
        assert abs(frame.defocus - microscope.get_defocus()) <= 0.5e-9, f"defocus of the frame: found {frame.defocus:g}"
    if "field_of_view" not in can:
        return
    field = microscope.get_field_of_view()
    expected = (field * region.height / case.shape[0], field * region.width / case.shape[1])
    assert np.allclose(frame.pixel_size, expected, rtol=1e-3, atol=0), (
        f"pixel size of {region}: expected {expected}, found {frame.pixel_size}"
    )
    shift = microscope.get_beam_shift() if "beam_shift" in can else (0.0, 0.0)
    centre = (
        frame.stage_position.y + shift[1] + (region.y + region.height / 2 - 0.5) * field,
        frame.stage_position.x + shift[0] + (region.x + region.width / 2 - 0.5) * field,
    )
    assert np.allclose(frame.centre, centre, rtol=0, atol=1e-3 * field), f"centre of {region}: expected {centre}, found {frame.centre}"
