"""A simulated microscope: a driver like any other, in front of a virtual specimen, on a virtual clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.dose import ELECTRON_CHARGE_C
from nanospa.acquire.drivers import arguments
from nanospa.acquire.drivers.driver import Driver, Scan
from nanospa.acquire.drivers.faults import Faults
from nanospa.acquire.drivers.keyed import key
from nanospa.acquire.drivers.known_truth import KnownTruth
from nanospa.acquire.drivers.recorder import Recorder
from nanospa.acquire.drivers.scan_pattern import ScanPattern
from nanospa.acquire.drivers.simulated_settings import checked
from nanospa.acquire.drivers.simulated_stage import SimulatedStage
from nanospa.acquire.microscope import Frame, Region, StagePosition
from nanospa.errors import AcquisitionTimeout, BeamError, DetectorError, InvalidValueError, StageError, StageLimitError

#: Largest side of an image [px], as of common scan generators.
MAX_SIDE = 16384


class SimulatedMicroscope(KnownTruth, Driver):
    """A scanning transmission electron microscope with a virtual specimen.

    It has a virtual clock: moves, scans, settings and what an image costs besides advance it, nothing sleeps. The stage reads nearly what
    it was sent to and stands a little elsewhere, has play and limits; the specimen drifts, and creeps after moves; the beam comes late at
    the start of a line, lines jitter; electrons are counted with Poisson and read-out noise; faults happen where they are asked for.

    Frames depend on the seed and on what is asked for (true position, field, defocus, shape, dwell time …), not on what was asked before,
    but for three things that are memory in an instrument as well: the clock that the drift goes by, the side from which the stage came,
    and the noise, which differs between a scan and its repeats in a row.

    Parameters
    ----------
    specimen : str, mapping or VirtualSpecimen
        Name of a preset of `nanospa.simulate.VirtualSpecimen`; a mapping of its settings, with the preset they start from under
        ``preset``; or the specimen itself, or anything with its methods. Its seed is that of the microscope unless it states one.
    **options
        Fields of `SimulatedSettings`, in SI units; their docstring gives the reasons for the defaults.

    Raises
    ------
    SettingsError
        An unknown option, an unknown specimen, or a value outside its range.

    Notes
    -----
    Focus is where the defocus equals the height of the specimen's surface plus the z of the stage. A scan asked for while the stage
    moves begins when it has arrived. The stage does not tilt, and there is no stigmator.

    Examples
    --------
    >>> import nanospa as ns
    >>> microscope = ns.acquire.connect("simulated", specimen="slater2020", seed=1)
    >>> microscope.set_field_of_view(200e-9)
    >>> microscope.set_stage_position(x=1e-6, y=0.5e-6)
    >>> frame = microscope.acquire("HAADF", shape=(128, 128), dwell_time=5e-6)["HAADF"]
    >>> frame.data.shape, round(frame.pixel_size[0] * 1e9, 4)
    ((128, 128), 1.5625)
    >>> labels, particles = microscope.truth(frame)
    >>> labels.shape
    (128, 128)
    """

    name = "simulated"
    _capabilities = frozenset(
        {
            "stage",
            "stage_z",
            "field_of_view",
            "defocus",
            "beam_shift",
            "beam_blank",
            "beam_current",
            "scan_region",
            "scan_rotation",
            "restore",
        }
    )

    def __init__(self, specimen: Any = "slater2020", **options: Any) -> None:
        self._settings = settings = checked(options)
        self._recorder = Recorder(specimen, settings)
        self._fingerprint = key(settings.model_dump_json(exclude={"faults"}), self._recorder.specimen_text())
        self._clock = 0.0
        self._stage = SimulatedStage(settings)
        self._faults = Faults(settings.faults, settings.seed)
        self._field_of_view = min(max(1e-6, settings.field_of_view[0]), settings.field_of_view[1])
        self._defocus = 0.0
        self._beam_shift = (0.0, 0.0)
        self._blanked = False
        # Scans of the same thing in a row: key, and how many came before the last.
        self._last = ("", 0)

    def clock(self) -> float:
        """Virtual time since the start [s]."""
        return self._clock

    def wait(self, seconds: float) -> None:
        """Advance the clock; nothing sleeps."""
        self._require(None)
        self._pass(_within("seconds", seconds, (0.0, 1e9), "s"))

    def get_state(self) -> dict[str, Any]:
        """Everything that a later frame depends on, as plain JSON values; floats keep all their bits through JSON."""
        self._require("restore")
        self._stage.update(self._clock)
        return {
            "microscope": self.name,
            "fingerprint": self._fingerprint,
            "clock": self._clock,
            "stage": self._stage.state(),
            "field_of_view": self._field_of_view,
            "defocus": self._defocus,
            "beam_shift": list(self._beam_shift),
            "blanked": self._blanked,
            "last_scan": list(self._last),
            "commands": self._faults.state(),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set what `get_state` gave: frames go on bit for bit. Faults may differ; specimen, seed and options may not."""
        self._require("restore")
        if state.get("microscope") != self.name or state.get("fingerprint") != self._fingerprint:
            raise InvalidValueError(
                "state: expected that of a simulated microscope with the same specimen, seed and options, found another's "
                f"({state.get('microscope')!r}, fingerprint {state.get('fingerprint')!r} instead of {self._fingerprint!r})"
            )
        try:
            self._clock = float(state["clock"])
            self._stage.restore(state["stage"])
            self._field_of_view = float(state["field_of_view"])
            self._defocus = float(state["defocus"])
            self._beam_shift = (float(state["beam_shift"][0]), float(state["beam_shift"][1]))
            self._blanked = bool(state["blanked"])
            self._last = (str(state["last_scan"][0]), int(state["last_scan"][1]))
            self._faults.restore(state["commands"])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise InvalidValueError(f"state: expected what get_state gave, found a damaged one ({error!r})") from error

    def acquire(
        self,
        detectors: Sequence[str] | str,
        *,
        shape: tuple[int, int],
        dwell_time: float,
        region: Region | None = None,
        rotation: float = 0.0,
        frames: int = 1,
    ) -> dict[str, Frame]:
        """Scan; the clock goes on by the time of the scans and what each costs besides."""
        self._require(None)
        if self._stage.under_way:
            self._clock = max(self._clock, self._stage.arrival)
        return super().acquire(detectors, shape=shape, dwell_time=dwell_time, region=region, rotation=rotation, frames=frames)

    # The stage.

    def _read_stage(self) -> StagePosition:
        self._stage.update(self._clock)
        y, x, z = (float(v) for v in self._stage.read(self._clock))
        return StagePosition(x=x, y=y, z=z)

    def _stage_limits(self) -> dict[str, tuple[float, float]]:
        return dict(self._stage.limits)

    def _move_stage(self, targets: dict[str, float], *, wait: bool, timeout: float | None) -> None:
        fault = self._faults.next("move")
        if fault == "stage_limit":
            raise StageLimitError("stage: a limit switch opened before the move; the stage has not moved")
        self._stage.start(targets, self._clock)
        if fault == "stage_stall":
            self._pass((self._stage.arrival - self._clock) / 2)
            self._stage_stalls()
        if not wait:
            return
        if timeout is not None and self._stage.arrival - self._clock > timeout:
            self._pass(timeout)
            raise AcquisitionTimeout(f"timeout: the stage has not arrived after {timeout:g} s; it still moves")
        self._clock = self._stage.arrival
        self._stage.update(self._clock)

    def _stage_stalls(self) -> None:
        self._stage.stop(self._clock)
        self._pass(self._settings.timeout_time)
        at = self._stage.motor
        raise StageError(f"stage: stalled at x = {at[1] * 1e6:.4f} µm, y = {at[0] * 1e6:.4f} µm on the way to its target")

    def _stage_moves(self) -> bool:
        # Asking takes a little time, so that asking again and again comes to an end.
        if self._stage.under_way:
            self._pass(self._settings.poll_time)
        self._stage.update(self._clock)
        return self._stage.under_way

    def _stop_stage(self) -> None:
        self._stage.stop(self._clock)

    # The optics.

    def _read_field_of_view(self) -> float:
        return self._field_of_view

    def _write_field_of_view(self, field_of_view: float) -> None:
        self._field_of_view = _within("field_of_view", field_of_view, self._settings.field_of_view, "m")
        self._pass(self._settings.setting_time)

    def _read_defocus(self) -> float:
        return self._defocus

    def _write_defocus(self, defocus: float) -> None:
        self._defocus = _within("defocus", defocus, (-self._settings.defocus, self._settings.defocus), "m")
        self._pass(self._settings.setting_time)

    def _read_beam_shift(self) -> tuple[float, float]:
        return self._beam_shift

    def _write_beam_shift(self, x: float, y: float) -> None:
        limits = (-self._settings.beam_shift, self._settings.beam_shift)
        self._beam_shift = _within("x", x, limits, "m"), _within("y", y, limits, "m")
        self._pass(self._settings.setting_time)

    def _write_beam_blanked(self, blanked: bool) -> None:
        self._blanked = blanked
        self._pass(self._settings.setting_time)

    def _read_beam_current(self) -> float:
        return self._settings.beam_current

    # The scan.

    def _detectors(self) -> tuple[str, ...]:
        return ("HAADF",)

    def _now(self) -> str:
        return (datetime.fromisoformat(self._settings.start_time) + timedelta(seconds=self._clock)).isoformat(timespec="milliseconds")

    def _scan(self, detectors: tuple[str, ...], shape: tuple[int, int], dwell_time: float, region: Region, rotation: float) -> Scan:
        if max(shape) > MAX_SIDE:
            raise InvalidValueError(f"shape: expected at most {MAX_SIDE} pixels a side, found {shape}")
        scan = ScanPattern(self._field_of_view, shape, dwell_time, region, rotation, self._settings.flyback_time)
        self._meet_fault(scan)
        start, height = self._clock, float(self._stage.motor[2])
        on_axis = self._stage.on_axis(np.array([start]))[0]
        name = self._repeat(self._key(scan, on_axis, height))
        trace = self._recorder.trace(
            name,
            scan,
            centre=on_axis + np.array(scan.offset) + self._beam_shift[::-1],
            drift=self._stage.on_axis(scan.line_clock(start)) - on_axis,
            defocus=self._defocus - height,
        )
        self._pass(scan.duration + self._settings.image_time)
        electrons = 0.0 if self._blanked else self._settings.beam_current * dwell_time / ELECTRON_CHARGE_C
        metadata = {
            "beam_current_A": self._settings.beam_current,
            "electrons_per_pixel": electrons,
            "clock_s": start,
            "scan_key": name,
        }
        return Scan({d: self._recorder.image(trace, electrons, (name, d)) for d in detectors}, dwell_time, metadata)

    def _meet_fault(self, scan: ScanPattern) -> None:
        match self._faults.next("acquire"):
            case "timeout":
                self._pass(self._settings.timeout_time)
                raise AcquisitionTimeout(f"acquire: no image after {self._settings.timeout_time:g} s")
            case "beam_trip":
                self._pass(self._settings.image_time)
                raise BeamError("acquire: the beam has tripped")
            case "detector":
                self._pass(scan.duration + self._settings.image_time)
                raise DetectorError("acquire: the detector gave no image")

    def _key(self, scan: ScanPattern, on_axis: NDArray[np.float64], height: float) -> str:
        """Key of everything that makes a scan what it is; the clock is in it only by where the specimen has drifted to."""
        region = (scan.region.y, scan.region.x, scan.region.height, scan.region.width)
        geometry = (*on_axis.tolist(), *self._beam_shift, scan.field_of_view, region, scan.rotation, scan.shape)
        return key(self._settings.seed, geometry, self._defocus, height, scan.dwell_time, self._blanked)

    def _repeat(self, name: str) -> str:
        """Name of a scan: its key, and how many of the same came right before it."""
        last, n = self._last
        self._last = (name, n + 1 if name == last else 0)
        return f"{name}-{self._last[1]}"

    def _pass(self, seconds: float) -> None:
        self._clock += seconds


def _within(name: str, value: float, limits: tuple[float, float], unit: str) -> float:
    low, high = limits
    number = arguments.finite(name, value, unit)
    if not low <= number <= high:
        raise InvalidValueError(f"{name}: expected a number of {low:g} … {high:g} [{unit}], found {value!r}")
    return number
