"""The contract of drivers: the template keeps it, and a driver that breaks one of its rules is found out."""

import nanospa as ns
import numpy as np
import pytest
from nanospa.acquire import Region, StagePosition
from nanospa.acquire.drivers.template import TemplateMicroscope
from nanospa.errors import InvalidValueError, MicroscopeError
from nanospa.testing import check_microscope


def connected(driver):
    microscope = driver()
    microscope.connect()
    return microscope


def test_template_keeps_the_contract():
    names = check_microscope(lambda: connected(TemplateMicroscope), contrast=True)
    assert len(names) == len(set(names)) >= 15


# In a field of 100 nm the stage's error of 25 nm is too much to tell from the images where it went.
@pytest.mark.parametrize(("specimen", "field", "contrast"), [("slater2020", 1e-6, True), ("atomic", 100e-9, False)])
def test_simulated_keeps_the_contract(specimen, field, contrast):
    grid = ns.simulate.VirtualSpecimen(specimen, seed=3)  # one for all checks: it keeps the places it has been asked for

    def connect():
        microscope = ns.acquire.connect("simulated", specimen=grid, seed=3)
        microscope.set_field_of_view(field)
        return microscope

    check_microscope(connect, shape=(128, 128), dwell_time=5e-6, contrast=contrast)


class Degrees(TemplateMicroscope):
    def _open(self):
        super()._open()
        self._capabilities |= {"stage_tilt"}

    def _stage_limits(self):
        return {**super()._stage_limits(), "alpha": (-30.0, 30.0)}


class Micrometres(TemplateMicroscope):
    def _stage_limits(self):
        return {axis: (low * 1e6, high * 1e6) for axis, (low, high) in super()._stage_limits().items()}


class ClaimsTooMuch(TemplateMicroscope):
    def _open(self):
        super()._open()
        self._capabilities |= {"stigmator"}


class ClaimsTooLittle(TemplateMicroscope):
    @property
    def capabilities(self):
        return super().capabilities - {"defocus"}


class UnknownCapability(TemplateMicroscope):
    @property
    def capabilities(self):
        return super().capabilities | {"camera"}


class NoLimits(TemplateMicroscope):
    def set_stage_position(self, *, x=None, y=None, z=None, alpha=None, beta=None, relative=False, wait=True, timeout=None):
        for axis, value in {"x": x, "y": y, "z": z}.items():
            if value is not None:
                self._move_stage({axis: value + (getattr(self._read_stage(), axis) if relative else 0)}, wait=wait, timeout=timeout)


class MovesBeforeItChecks(TemplateMicroscope):
    def set_stage_position(self, **axes):
        for axis, value in axes.items():
            if axis in ("x", "y", "z") and not abs(value) > 1e-4:
                super().set_stage_position(**{axis: value}, relative=axes.get("relative", False))
        super().set_stage_position(**axes)


class Clips(TemplateMicroscope):
    def set_stage_position(self, *, x=None, **others):
        super().set_stage_position(x=None if x is None else min(max(x, -1e-3), 1e-3), **others)


class Mirrored(TemplateMicroscope):
    def _read_stage(self):
        position = super()._read_stage()
        return StagePosition(x=position.x, y=-position.y, z=position.z)


class IgnoresRelative(TemplateMicroscope):
    def set_stage_position(self, *, relative=False, **others):
        super().set_stage_position(**others)


class LosesRelative(TemplateMicroscope):
    def set_stage_position(self, *, x=None, y=None, z=None, alpha=None, beta=None, wait=True, timeout=None):
        super().set_stage_position(x=x, y=y, z=z, wait=wait, timeout=timeout)


class TakesNaN(TemplateMicroscope):
    def set_defocus(self, defocus):
        self._instrument.defocus_nm = defocus * 1e9


class ForeignError(TemplateMicroscope):
    def set_beam_blanked(self, blanked):
        raise RuntimeError("vendor error 0x8004")


class ForeignErrorAfterClose(TemplateMicroscope):
    def get_defocus(self):
        if not self._connected:
            raise RuntimeError("vendor error 0x8004")
        return super().get_defocus()


class Transposed(TemplateMicroscope):
    def acquire(self, detectors, **settings):
        frames = super().acquire(detectors, **settings)
        return {name: _with(frame, pixel_size=(2 * frame.pixel_size[0], frame.pixel_size[1])) for name, frame in frames.items()}


class SwappedCentre(TemplateMicroscope):
    def acquire(self, detectors, **settings):
        frames = super().acquire(detectors, **settings)
        return {name: _with(frame, centre=frame.centre[::-1]) for name, frame in frames.items()}


class UpsideDown(TemplateMicroscope):
    """Forgets that the instrument's y counts the other way: the stage reads where it was sent, and the images show something else."""

    def _read_stage(self):
        position = super()._read_stage()
        return StagePosition(x=position.x, y=-position.y, z=position.z)

    def _move_stage(self, targets, **settings):
        super()._move_stage({axis: -value if axis == "y" else value for axis, value in targets.items()}, **settings)


class SwappedAxes(TemplateMicroscope):
    def _read_stage(self):
        position = super()._read_stage()
        return StagePosition(x=position.y, y=position.x, z=position.z)

    def _move_stage(self, targets, **settings):
        super()._move_stage({{"x": "y", "y": "x"}.get(axis, axis): value for axis, value in targets.items()}, **settings)


class SwappedRegion(TemplateMicroscope):
    def _scan(self, detectors, shape, dwell_time, region, rotation):
        return super()._scan(detectors, shape, dwell_time, Region(region.x, region.y, region.width, region.height), rotation)


class OneBuffer(TemplateMicroscope):
    _buffer = np.zeros((64, 64), np.uint16)

    def acquire(self, detectors, **settings):
        frames = super().acquire(detectors, **settings)
        for name, frame in frames.items():
            if frame.data.shape == self._buffer.shape:
                self._buffer[:] = frame.data
                frames[name] = _with(frame, data=self._buffer)
        return frames


class WrongShape(TemplateMicroscope):
    def acquire(self, detectors, *, shape, **settings):
        return super().acquire(detectors, shape=(64, 64), **settings)


class TuplesInState(TemplateMicroscope):
    def get_state(self):
        return {**super().get_state(), "spot": (1, 2)}


class NaNInState(TemplateMicroscope):
    def get_state(self):
        return {**super().get_state(), "current": float("nan")}


class StateThatMoves(TemplateMicroscope):
    def get_state(self):
        self.set_stage_position(x=50e-6, relative=True)
        return super().get_state()


class ForgetsState(TemplateMicroscope):
    """Claims to restore, and restores the stage alone."""

    def _open(self):
        super()._open()
        self._capabilities |= {"restore"}

    def clock(self):
        return 0.0

    def wait(self, seconds):
        if not seconds >= 0:
            raise InvalidValueError("seconds: expected 0 or more")

    def set_state(self, state):
        if "stage" not in state:
            raise InvalidValueError("state: expected stage")
        self.set_stage_position(**{axis: state["stage"][axis] for axis in "xyz"})


class AbortRaises(TemplateMicroscope):
    def abort(self):
        raise MicroscopeError("nothing to stop")


class ConnectResets(TemplateMicroscope):
    def connect(self):
        super().connect()
        self._instrument.defocus_nm = 5.0
        self._instrument.magnification *= 2


class NeverOpensAgain(TemplateMicroscope):
    _done = False

    def _open(self):
        if self._done:
            raise RuntimeError("port in use")
        super()._open()

    def _close(self):
        super()._close()
        self._done = True


class ClockStands(TemplateMicroscope):
    def clock(self):
        return 0.0


def _with(frame, **changes):
    from dataclasses import replace

    return replace(frame, **changes)


BROKEN = {
    Degrees: "units_are_si",
    Micrometres: "units_are_si",
    ClaimsTooMuch: "capabilities_are_honest",
    ClaimsTooLittle: "capabilities_are_honest",
    UnknownCapability: "capabilities_are_known",
    NoLimits: "limits_hold",
    MovesBeforeItChecks: "limits_hold",
    Clips: "limits_hold",
    Mirrored: "stage_goes_where_it_is_sent",
    IgnoresRelative: "stage_goes_where_it_is_sent",
    LosesRelative: "the_protocol_is_complete",
    TakesNaN: "nonsense_is_refused",
    ForeignError: "capabilities_are_honest",
    ForeignErrorAfterClose: "connects_and_closes_again",
    Transposed: "frames_say_where_they_are",
    SwappedCentre: "regions_are_where_they_say",
    UpsideDown: "images_lie_where_they_say",
    SwappedAxes: "images_lie_where_they_say",
    SwappedRegion: "images_lie_where_they_say",
    OneBuffer: "frames_are_kept_apart",
    WrongShape: "other_shapes_come_or_are_refused",
    TuplesInState: "state_is_json",
    NaNInState: "state_is_json",
    StateThatMoves: "state_is_json",
    ForgetsState: "states_come_back",
    AbortRaises: "abort_works_from_any_state",
    ConnectResets: "connects_and_closes_again",
    NeverOpensAgain: "connects_and_closes_again",
    ClockStands: "frames_are_kept_apart",
}


@pytest.mark.parametrize(("driver", "check"), BROKEN.items(), ids=lambda item: getattr(item, "__name__", ""))
def test_a_broken_driver_is_found_out(driver, check):
    with pytest.raises(AssertionError, match=rf"(?m)^{check}: "):
        check_microscope(lambda: connected(driver), contrast=True)


def test_without_detectors_images_must_be_refused():
    with pytest.raises(AssertionError, match="detectors: expected none"):
        check_microscope(lambda: connected(TemplateMicroscope), has_detectors=False)
