"""The temscript driver on temscript's own NullMicroscope, and on its server over a real connection.

NullMicroscope has a stage, optics and a camera, but no STEM: `StemNull` adds that.
"""

import threading
from contextlib import contextmanager

import numpy as np
import pytest
from nanospa.acquire.drivers.temscript import TemscriptMicroscope
from nanospa.errors import (
    AcquisitionTimeout,
    BeamError,
    DetectorError,
    InvalidValueError,
    MicroscopeError,
    StageError,
    StageLimitError,
    UnknownNameError,
)
from nanospa.testing import check_microscope

from tests.extras.optional import optional
from tests.extras.stem_null import CALIBRATED, StemNull

pytestmark = pytest.mark.extras
temscript = optional("temscript")
server = optional("temscript.server")


def connected(**options):
    microscope = TemscriptMicroscope(**options)
    microscope.connect()
    return microscope


@contextmanager
def serving(factory, port=0):
    """temscript's server of an instrument, on a port of this computer."""
    running = server.MicroscopeServer(("127.0.0.1", port), microscope_factory=factory)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield running
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


@pytest.mark.parametrize("options", [{}, CALIBRATED], ids=["bare", "calibrated"])
def test_null_microscope_keeps_the_contract(options):
    check_microscope(lambda: connected(null=True, **options), has_detectors=False)


def test_null_microscope_over_a_server_keeps_the_contract():
    with serving(lambda: temscript.NullMicroscope(wait_exposure=False)) as running:
        options = {"host": "127.0.0.1", "port": running.server_port, **CALIBRATED}
        check_microscope(lambda: connected(**options), has_detectors=False)


def test_stem_keeps_the_contract():
    check_microscope(lambda: connected(instrument=StemNull(), **CALIBRATED), shape=(256, 256))


def test_stem_over_a_server_keeps_the_contract():
    with serving(StemNull) as running:
        options = {"host": "127.0.0.1", "port": running.server_port, **CALIBRATED}
        check_microscope(lambda: connected(**options), shape=(256, 256))


def test_what_is_claimed_follows_from_what_was_calibrated():
    assert connected(null=True).capabilities == {"stage", "stage_z", "stage_tilt", "stigmator", "beam_blank"}
    assert connected(instrument=StemNull(), **CALIBRATED).capabilities == {
        *("stage", "stage_z", "stage_tilt", "stigmator", "beam_blank"),
        *("field_of_view", "defocus", "beam_shift", "beam_current", "scan_rotation"),
    }


def test_numbers_reach_the_instrument_in_its_units():
    null = temscript.NullMicroscope()
    microscope = connected(instrument=null, **{**CALIBRATED, "focus_unit": 2e-6})
    microscope.set_stage_position(x=10e-6, y=-5e-6, z=2e-6, alpha=0.1)
    assert null.get_stage_position() == pytest.approx({"x": 5e-6, "y": 10e-6, "z": 2e-6, "a": 0.1, "b": 0.0})
    microscope.set_stage_position(y=5e-6, relative=True)
    assert null.get_stage_position() == pytest.approx({"x": 8e-6, "y": 6e-6, "z": 2e-6, "a": 0.1, "b": 0.0})
    microscope.set_field_of_view(200e-9)
    assert null.get_stem_magnification() == pytest.approx(500_000)
    microscope.set_defocus(-40e-9)
    assert null.get_defocus() == pytest.approx(-0.02)
    microscope.set_beam_shift(3e-9, 1e-9)
    assert null.get_beam_shift() == pytest.approx((1e-9, -3e-9))
    microscope.set_stigmator(0.1, -0.2)
    assert null.get_condenser_stigmator() == (0.1, -0.2)
    assert microscope.get_beam_current() == null.get_screen_current()
    microscope.abort()
    assert null.get_beam_blanked()


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 4, np.pi / 2, 2.5])
def test_limits_stay_inside_those_of_a_turned_stage(angle):
    null = temscript.NullMicroscope()
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    microscope = connected(instrument=null, stage_matrix=turn.tolist())
    limits = microscope.get_stage_limits()
    for x in limits["x"]:
        for y in limits["y"]:
            microscope.set_stage_position(x=x, y=y)
            found = null.get_stage_position()
            assert turn @ (x, y) == pytest.approx((found["x"], found["y"]), abs=1e-12), "NullMicroscope clips what is outside"
    assert max(limits["x"][1], limits["y"][1]) >= null.STAGE_XY_RANGE / np.sqrt(2) * 0.999


def test_a_second_tilt_needs_its_holder():
    class DoubleTilt(temscript.NullMicroscope):
        def get_stage_holder(self):
            return "DOUBLE_TILT"

    assert "beta" not in connected(null=True).get_stage_limits()
    assert "beta" in connected(instrument=DoubleTilt()).get_stage_limits()


def test_scans_use_the_whole_field_and_the_calibrated_rotation():
    instrument = StemNull()
    microscope = connected(instrument=instrument, **CALIBRATED)
    microscope.set_field_of_view(200e-9)
    frame = microscope.acquire("BF", shape=(512, 512), dwell_time=2e-6, rotation=0.3)["BF"]
    assert frame.data.shape == (512, 512) and frame.metadata["binning"] == 4
    assert frame.pixel_size[0] == pytest.approx(microscope.get_field_of_view() / 512)
    assert instrument.seen == [("BF", 2e-6, pytest.approx(0.5))]
    assert instrument.get_stem_rotation() == 0.2
    microscope.acquire(["HAADF", "BF"], shape=(1024, 1024), dwell_time=1e-6)
    assert instrument.seen[1:] == [("HAADF", "BF", 1e-6, 0.2)]
    for shape in ((512, 256), (500, 500), (4096, 4096)):
        with pytest.raises(InvalidValueError, match="shape: expected a square of 2048"):
            microscope.acquire("HAADF", shape=shape, dwell_time=1e-6)
    with pytest.raises(DetectorError, match="binning 16"):
        microscope.acquire("HAADF", shape=(128, 128), dwell_time=1e-6)


def test_named_detectors_are_not_asked_for():
    class Mute(StemNull):
        def get_stem_detectors(self):
            raise AssertionError("asked")

        def acquire(self, *detectors):
            return {}

    microscope = connected(instrument=Mute(), detectors=["HAADF"], field_times_magnification=0.1)
    assert microscope.detectors() == ("HAADF",)
    with pytest.raises(DetectorError, match="HAADF: expected an image of it, found none"):
        microscope.acquire("HAADF", shape=(512, 512), dwell_time=1e-6)


def test_no_image_without_the_size_of_the_field():
    microscope = connected(instrument=StemNull())
    with pytest.raises(MicroscopeError, match="field_times_magnification: expected the calibration"):
        microscope.acquire("HAADF", shape=(512, 512), dwell_time=1e-6)
    with pytest.raises(UnknownNameError, match=r"expected names out of \(none\)"):
        connected(null=True).acquire("HAADF", shape=(512, 512), dwell_time=1e-6)


def test_an_instrument_in_tem_mode_is_refused_or_switched():
    instrument = StemNull()
    instrument.set_instrument_mode("TEM")
    with pytest.raises(MicroscopeError, match="expected an instrument in STEM mode"):
        connected(instrument=instrument)
    assert instrument.get_instrument_mode() == "TEM"
    connected(instrument=instrument, switch_to_stem=True)
    assert instrument.get_instrument_mode() == "STEM"


def test_no_dose_and_no_image_without_beam():
    instrument = StemNull()
    microscope = connected(instrument=instrument, **CALIBRATED)
    microscope.set_beam_blanked(True)
    with pytest.raises(BeamError, match="blanked"):
        microscope.acquire("HAADF", shape=(512, 512), dwell_time=1e-6)
    microscope.set_beam_blanked(False)
    instrument.set_column_valves_open(False)
    with pytest.raises(BeamError, match="column valves"):
        microscope.acquire("HAADF", shape=(512, 512), dwell_time=1e-6)
    instrument.set_column_valves_open(True)
    instrument._voltage = 0.0
    with pytest.raises(BeamError, match="high tension"):
        microscope.acquire("HAADF", shape=(512, 512), dwell_time=1e-6)
    assert instrument.seen == []


class Troubled(temscript.NullMicroscope):
    """NullMicroscope whose stage has a status, misses its target or answers with a code of the scripting adapter."""

    status = "READY"
    miss = 0.0
    error = None

    def get_stage_status(self):
        return self.status

    def _set_stage_position(self, pos=None, method="GO", speed=None):
        if self.error is not None:
            raise self.error
        super()._set_stage_position({axis: value + self.miss for axis, value in pos.items()}, method, speed)


def adapter_error(code):
    error = OSError(f"[WinError {code}] Windows Error")
    error.winerror = code
    return error


def test_stage_troubles_have_their_kinds():
    instrument = Troubled()
    microscope = connected(instrument=instrument)
    instrument.miss = 3e-6
    with pytest.raises(StageError, match=r"x: expected the stage at 1e-05 m, found it 3e-06 m away"):
        microscope.set_stage_position(x=10e-6)
    instrument.miss = 0.0
    instrument.error = adapter_error(temscript.TEMScriptingError.E_OUT_OF_RANGE.value)
    with pytest.raises(StageLimitError, match="the instrument answered E_OUT_OF_RANGE"):
        microscope.set_stage_position(x=0.0)
    instrument.error = adapter_error(temscript.TEMScriptingError.E_ACCESSDENIED.value)
    with pytest.raises(StageError, match="the instrument answered E_ACCESSDENIED"):
        microscope.set_stage_position(x=0.0)
    instrument.error = None
    instrument.status = "DISABLED"
    with pytest.raises(StageError, match="found it disabled"):
        microscope.set_stage_position(x=0.0)
    instrument.status = "GOING"
    assert microscope.is_stage_moving()
    with pytest.raises(AcquisitionTimeout, match="found it GOING"):
        microscope.set_stage_position(x=0.0, timeout=0.01)


def test_codes_come_through_a_server_too():
    class OutOfRange(Troubled):
        error = adapter_error(temscript.TEMScriptingError.E_VALUE_CLIP.value)

    with serving(OutOfRange) as running:
        microscope = connected(host="127.0.0.1", port=running.server_port)
        with pytest.raises(StageLimitError, match="E_VALUE_CLIP"):
            microscope.set_stage_position(x=0.0)
        assert microscope.get_stage_position().x == 0.0, "the connection is still good"
        microscope.close()


def test_a_lost_server_is_found_again():
    instrument = StemNull()
    with serving(lambda: instrument) as running:
        port = running.server_port
        microscope = connected(host="127.0.0.1", port=port, **CALIBRATED)
        microscope.set_stage_position(x=7e-6)
    with pytest.raises(StageError, match="ConnectionRefusedError"):
        microscope.get_stage_position()
    with serving(lambda: instrument, port):
        assert microscope.get_stage_position().x == pytest.approx(7e-6)
        assert microscope.acquire("HAADF", shape=(256, 256), dwell_time=1e-6)["HAADF"].data[1, 0] == 256
        microscope.close()
    with pytest.raises(MicroscopeError, match="temscript: connect: ConnectionRefusedError"):
        connected(host="127.0.0.1", port=port)


def test_a_server_that_does_not_answer_times_out():
    answer = threading.Event()

    class Stuck(StemNull):
        def acquire(self, *detectors):
            answer.wait(30)
            return super().acquire(*detectors)

    with serving(Stuck) as running:
        microscope = connected(host="127.0.0.1", port=running.server_port, timeout=1.0, **CALIBRATED)
        with pytest.raises(AcquisitionTimeout):
            microscope.acquire("HAADF", shape=(256, 256), dwell_time=1e-6)
        answer.set()
        with pytest.raises(InvalidValueError, match="expected a scan shorter than"):
            microscope.acquire("HAADF", shape=(2048, 2048), dwell_time=1e-6)
        microscope.abort()
        microscope.set_beam_blanked(False)
        assert microscope.acquire("HAADF", shape=(256, 256), dwell_time=1e-6)["HAADF"].data.shape == (256, 256)
        microscope.close()


@pytest.mark.parametrize(
    "options",
    [
        {"null": True, "host": "localhost"},
        {"field_times_magnification": 0.0},
        {"focus_unit": 0.0},
        {"focus_unit": float("nan")},
        {"stage_matrix": ((1.0, 2.0), (2.0, 4.0))},
        {"stage_matrix": (1.0, 0.0)},
        {"stage_matrix": (("a", 0), (0, 1))},
        {"beam_shift_matrix": np.full((2, 2), np.nan)},
        {"beam_current": -1.0},
        {"beam_current": "probe"},
        {"timeout": 0.0},
        {"full_scan_px": -1},
    ],
)
def test_options_that_cannot_be_meant(options):
    with pytest.raises(InvalidValueError):
        TemscriptMicroscope(**options)
