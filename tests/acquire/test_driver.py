"""The base of drivers: geometry of frames, limits to the last digit, errors of the instrument's library."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanospa.acquire import Driver, Region, Scan, StagePosition
from nanospa.acquire.drivers import arguments
from nanospa.acquire.drivers.template import TemplateMicroscope
from nanospa.acquire.drivers.temscript import TemscriptMicroscope
from nanospa.errors import (
    AcquisitionTimeout,
    BeamError,
    DetectorError,
    InvalidValueError,
    MicroscopeError,
    MissingExtraError,
    NanospaWarning,
    StageError,
    StageLimitError,
    UnknownNameError,
)


@pytest.fixture
def microscope():
    microscope = TemplateMicroscope()
    microscope.connect()
    yield microscope
    microscope.close()


def test_frames_of_a_region_are_parts_of_the_whole_field(microscope):
    """The toy's specimen has no noise: a region is the same pixels, and a stage move by a pixel moves the image by one."""
    microscope.set_stage_position(x=3.1e-6, y=-2.2e-6)
    whole = microscope.acquire("HAADF", shape=(80, 40), dwell_time=2e-6)["HAADF"]
    part = microscope.acquire("HAADF", shape=(20, 20), dwell_time=2e-6, region=Region(0.25, 0.5, 0.25, 0.5))["HAADF"]
    np.testing.assert_array_equal(part.data, whole.data[20:40, 20:])
    assert part.pixel_size == pytest.approx(whole.pixel_size)
    assert part.centre == pytest.approx((-2.2e-6 - 0.125e-6, 3.1e-6 + 0.25e-6))
    microscope.set_stage_position(x=whole.pixel_size[1], y=whole.pixel_size[0], relative=True)
    moved = microscope.acquire("HAADF", shape=(80, 40), dwell_time=2e-6)["HAADF"]
    assert np.abs(moved.data[:-1, :-1].astype(int) - whole.data[1:, 1:]).max() <= 1
    assert moved.data.std() > 10, "an even image would agree with anything"


def test_a_rotated_scan_has_its_region_elsewhere():
    stage = StagePosition(x=1e-6, y=2e-6)
    region = Region(0.0, 0.5, 0.5, 0.5)
    straight = arguments.frame_centre(stage, (1e-8, 0.0), 4e-7, region, 0.0)
    assert straight == pytest.approx((1.9e-6, 1.11e-6))
    turned = arguments.frame_centre(stage, (1e-8, 0.0), 4e-7, region, math.pi / 2)
    assert turned == pytest.approx((2.1e-6, 1.11e-6))
    assert arguments.frame_centre(stage, (0.0, 0.0), 4e-7, Region(), 0.3) == pytest.approx((2e-6, 1e-6))


def test_a_target_on_the_limit_is_reached(microscope):
    low, high = microscope.get_stage_limits()["x"]
    microscope.set_stage_position(x=high)
    microscope.set_stage_position(x=high * (1 + 1e-12))
    assert microscope.get_stage_position().x == high
    microscope.set_stage_position(x=low - high, relative=True)
    assert microscope.get_stage_position().x == low
    with pytest.raises(StageLimitError, match=r"x: expected a position from -0\.001 to 0\.001 m, found 0\.0010001"):
        microscope.set_stage_position(x=high * 1.0001)


def test_an_axis_that_is_not_there_is_named(microscope):
    with pytest.raises(MicroscopeError, match="alpha: expected one of the axes x y z"):
        microscope.set_stage_position(alpha=0.1)


@pytest.mark.parametrize("bad", ["far", None, object(), float("nan"), "1e400"])
def test_numbers_are_numbers(microscope, bad):
    with pytest.raises(InvalidValueError, match="defocus: expected a finite number"):
        microscope.set_defocus(bad)


@pytest.mark.parametrize(
    ("arguments_", "error"),
    [
        ({"detectors": ["HAADF", "HAADF"]}, InvalidValueError),
        ({"detectors": ["HAADF", "EDX"]}, UnknownNameError),
        ({"shape": (8.5, 8)}, InvalidValueError),
        ({"shape": "88"}, InvalidValueError),
        ({"frames": 1.0}, InvalidValueError),
        ({"frames": True}, InvalidValueError),
        ({"region": (0, 0, 1, 1)}, InvalidValueError),
        ({"rotation": 0.1}, MicroscopeError),
    ],
)
def test_scans_that_cannot_be_meant(microscope, arguments_, error):
    with pytest.raises(error):
        microscope.acquire(**{"detectors": "HAADF", "shape": (8, 8), "dwell_time": 1e-6, **arguments_})


def test_frames_in_a_row(microscope):
    frames = microscope.acquire(("HAADF", "BF"), shape=(8, 16), dwell_time=1e-6, frames=3)
    assert {name: frame.data.shape for name, frame in frames.items()} == {"HAADF": (3, 8, 16), "BF": (3, 8, 16)}
    assert frames["HAADF"].metadata["spot_number"] == 5


def test_a_blanked_beam_is_a_beam_error(microscope):
    microscope.set_beam_blanked(True)
    with pytest.raises(BeamError, match="template: acquire: no beam"):
        microscope.acquire("HAADF", shape=(8, 8), dwell_time=1e-6)


class Failing(Driver):
    """What a library may do wrong."""

    name = "failing"
    _capabilities = frozenset({"stage", "field_of_view", "beam_blank", "beam_current"})
    error: Exception | None = None
    image = np.zeros((4, 4))

    def _fail(self):
        if self.error is not None:
            raise self.error

    def _open(self):
        self._fail()

    def _read_stage(self):
        return StagePosition()

    def _stage_limits(self):
        return {"x": (-1e-3, 1e-3), "y": (-1e-3, 1e-3), "z": (-1e-3, 1e-3)}

    def _move_stage(self, targets, *, wait, timeout):
        self._fail()

    def _read_field_of_view(self):
        return 1e-6

    def _write_beam_blanked(self, blanked):
        self._fail()

    def _detectors(self):
        return ("HAADF",)

    def _scan(self, detectors, shape, dwell_time, region, rotation):
        self._fail()
        return Scan({"HAADF": self.image}, dwell_time)


@pytest.fixture
def failing():
    microscope = Failing()
    microscope.connect()
    return microscope


def test_errors_of_the_library_get_the_kind_of_the_call(failing):
    failing.error = RuntimeError("0x80004005")
    with pytest.raises(StageError, match="failing: set_stage_position: RuntimeError: 0x80004005") as raised:
        failing.set_stage_position(x=0.0)
    assert raised.value.__cause__ is failing.error
    with pytest.raises(DetectorError, match="0x80004005"):
        failing.acquire("HAADF", shape=(4, 4), dwell_time=1e-6)
    with pytest.raises(BeamError, match="0x80004005"):
        failing.set_beam_blanked(True)
    failing.error = TimeoutError("no answer")
    with pytest.raises(AcquisitionTimeout, match="no answer"):
        failing.acquire("HAADF", shape=(4, 4), dwell_time=1e-6)
    with pytest.raises(MicroscopeError, match="get_beam_current: expected a driver that fills in the hook for it, found Failing without"):
        failing.get_beam_current()


def test_axes_go_with_the_capabilities(failing):
    assert set(failing.get_stage_limits()) == {"x", "y"}


def test_a_wrong_image_is_a_detector_error(failing):
    failing.image = np.zeros((4, 3))
    with pytest.raises(DetectorError, match=r"HAADF: expected an image of \(4, 4\) pixels, found \(4, 3\)"):
        failing.acquire("HAADF", shape=(4, 4), dwell_time=1e-6)


def test_abort_tries_everything_and_says_what_failed(failing):
    failing.error = RuntimeError("valve")
    with pytest.warns(NanospaWarning, match="failing: abort could not blank the beam: valve"):
        failing.abort()


def test_a_connection_that_fails_is_not_open():
    microscope = Failing()
    microscope.error = ConnectionRefusedError("nobody there")
    with pytest.raises(MicroscopeError, match="failing: connect: ConnectionRefusedError: nobody there"):
        microscope.connect()
    microscope.close()
    with pytest.raises(MicroscopeError, match=r"call connect\(\) first"):
        microscope.get_stage_position()
    with pytest.raises(MicroscopeError, match=r"call connect\(\) first"):
        microscope.wait(0.0)


def test_a_missing_temscript_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "temscript", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'nanospa\[temscript\]'"):
        TemscriptMicroscope(null=True).connect()


@given(
    low=st.floats(-1e-3, 1e-3),
    span=st.floats(1e-9, 1e-3),
    start=st.floats(0, 1),
    target=st.floats(-3e-3, 3e-3),
    relative=st.booleans(),
)
def test_what_is_sent_to_the_stage_lies_inside_its_limits(low, span, start, target, relative):
    limits = {"x": (low, low + span), "y": (-1e-3, 1e-3)}
    position = StagePosition(x=low + start * span, y=1e-4)
    wanted = target + (position.x if relative else 0.0)
    try:
        sent = arguments.stage_targets({"x": target, "y": None, "z": None}, position, limits, relative=relative)
    except StageLimitError:
        assert not low <= wanted <= low + span
    else:
        assert low <= sent["x"] <= low + span and abs(sent["x"] - wanted) <= 1e-9 * span * 1.01 + 1e-18
