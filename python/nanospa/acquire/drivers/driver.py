"""Base of drivers: the protocol's public calls are here, a driver fills in how its instrument is asked.

Every public call checks its arguments, the connection, the capability and, for the stage, the limits, before the instrument is asked; what
the instrument's library raises becomes a `MicroscopeError`. A driver need not be built on this class: the protocol alone counts.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.drivers import arguments
from nanospa.acquire.microscope import AXES, CAPABILITIES, Frame, Microscope, Region, StagePosition
from nanospa.errors import (
    AcquisitionTimeout,
    BeamError,
    DetectorError,
    InvalidValueError,
    MicroscopeError,
    NanospaError,
    NanospaWarning,
    StageError,
)

#: Capability that an axis of the stage stands for.
_AXIS_CAPABILITY = {"x": "stage", "y": "stage", "z": "stage_z", "alpha": "stage_tilt", "beta": "stage_tilt"}


@dataclass(frozen=True)
class Scan:
    """What one scan gave.

    Attributes
    ----------
    data : mapping of str to numpy.ndarray of real dtype, shape (y, x)
        Image of every detector.
    dwell_time : float
        Dwell time of a pixel as the instrument had it [s].
    metadata : mapping
        Anything worth keeping: plain values, the unit in their names.
    """

    data: Mapping[str, NDArray[Any]]
    dwell_time: float
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Driver(Microscope):
    """Base of a driver. A driver sets `name` and `_capabilities` and fills in the hooks below that its capabilities need.

    Hooks have plain arguments that were checked before, and may raise whatever the instrument's library raises. A hook that is needed and
    not filled in raises NotImplementedError, which the caller gets as a `MicroscopeError` that says so.
    """

    name = "driver"
    _capabilities: frozenset[str] = frozenset()
    _connected = False

    # Hooks: the connection.

    def _open(self) -> None:
        """Open the connection and find out what the instrument can do."""

    def _close(self) -> None:
        """Close the connection."""

    def _stop_scan(self) -> None:
        """Stop a scan that runs."""

    # Hooks: the stage. x and y are those of the protocol: an image's x increases with the column, its y with the row.

    def _read_stage(self) -> StagePosition:
        raise NotImplementedError

    def _stage_limits(self) -> dict[str, tuple[float, float]]:
        raise NotImplementedError

    def _move_stage(self, targets: dict[str, float], *, wait: bool, timeout: float | None) -> None:
        raise NotImplementedError

    def _stage_moves(self) -> bool:
        return False

    def _stop_stage(self) -> None:
        """Stop the stage."""

    # Hooks: the optics.

    def _read_field_of_view(self) -> float:
        raise NotImplementedError

    def _write_field_of_view(self, field_of_view: float) -> None:
        raise NotImplementedError

    def _read_defocus(self) -> float:
        raise NotImplementedError

    def _write_defocus(self, defocus: float) -> None:
        raise NotImplementedError

    def _read_stigmator(self) -> tuple[float, float]:
        raise NotImplementedError

    def _write_stigmator(self, x: float, y: float) -> None:
        raise NotImplementedError

    def _read_beam_shift(self) -> tuple[float, float]:
        raise NotImplementedError

    def _write_beam_shift(self, x: float, y: float) -> None:
        raise NotImplementedError

    def _write_beam_blanked(self, blanked: bool) -> None:
        raise NotImplementedError

    def _read_beam_current(self) -> float:
        raise NotImplementedError

    # Hooks: the detectors.

    def _detectors(self) -> tuple[str, ...]:
        raise NotImplementedError

    def _scan(self, detectors: tuple[str, ...], shape: tuple[int, int], dwell_time: float, region: Region, rotation: float) -> Scan:
        raise NotImplementedError

    def _now(self) -> str:
        """Date and time of the instrument, ISO 8601."""
        return datetime.now(UTC).isoformat(timespec="milliseconds")

    def _as_error(self, what: str, error: Exception, kind: type[MicroscopeError]) -> MicroscopeError:
        """Error of nanospa for what the instrument's library raised."""
        if isinstance(error, TimeoutError):
            kind = AcquisitionTimeout
        if isinstance(error, NotImplementedError) and not error.args:
            return kind(f"{self.name}: {what}: expected a driver that fills in the hook for it, found {type(self).__name__} without")
        return kind(f"{self.name}: {what}: {type(error).__name__}: {error}")

    # The protocol.

    @property
    def capabilities(self) -> frozenset[str]:
        return self._capabilities

    def connect(self) -> None:
        if self._connected:
            return
        try:
            self._open()
        except Exception as error:
            with suppress(Exception):  # what went wrong first is what counts
                self._close()
            if isinstance(error, NanospaError):
                raise
            raise self._as_error("connect", error, MicroscopeError) from error
        unknown = self._capabilities - CAPABILITIES
        assert not unknown, f"{type(self).__name__}._capabilities: unknown {sorted(unknown)}"
        self._connected = True

    def close(self) -> None:
        if not self._connected:
            return
        self._connected = False
        try:
            self._close()
        except NanospaError:
            raise
        except Exception as error:
            raise self._as_error("close", error, MicroscopeError) from error

    def abort(self) -> None:
        if not self._connected:
            return
        steps = {"stop the scan": self._stop_scan, "stop the stage": self._stop_stage}
        if "beam_blank" in self._capabilities:
            steps["blank the beam"] = lambda: self._write_beam_blanked(True)
        for what, step in steps.items():
            try:
                step()
            except Exception as error:  # whatever fails, the steps after it are still tried
                warnings.warn(NanospaWarning(f"{self.name}: abort could not {what}: {error}"), stacklevel=2)

    def clock(self) -> float:
        return time.time()

    def wait(self, seconds: float) -> None:
        seconds = arguments.finite("seconds", seconds, "s")
        if seconds < 0:
            raise InvalidValueError(f"seconds: expected a time of 0 or more [s], found {seconds!r}")
        self._require(None)
        time.sleep(seconds)

    def get_state(self) -> dict[str, Any]:
        state: dict[str, Any] = {"microscope": self.name, "clock": self.clock()}
        if "stage" in self._capabilities:
            state["stage"] = asdict(self.get_stage_position())
        for capability in ("field_of_view", "defocus", "stigmator", "beam_shift", "beam_current"):
            if capability in self._capabilities:
                value = getattr(self, f"get_{capability}")()
                state[capability] = list(value) if isinstance(value, tuple) else value
        return state

    def set_state(self, state: Mapping[str, Any]) -> None:
        self._require("restore")

    def get_stage_position(self) -> StagePosition:
        with self._asking("get_stage_position", "stage", StageError):
            return self._read_stage()

    def set_stage_position(
        self,
        *,
        x: float | None = None,
        y: float | None = None,
        z: float | None = None,
        alpha: float | None = None,
        beta: float | None = None,
        relative: bool = False,
        wait: bool = True,
        timeout: float | None = None,
    ) -> None:
        if timeout is not None:
            timeout = arguments.positive("timeout", timeout, "s")
        with self._asking("set_stage_position", "stage", StageError):
            asked = {"x": x, "y": y, "z": z, "alpha": alpha, "beta": beta}
            targets = arguments.stage_targets(asked, self._read_stage(), self.get_stage_limits(), relative=relative)
            if targets:
                self._move_stage(targets, wait=wait, timeout=timeout)

    def get_stage_limits(self) -> dict[str, tuple[float, float]]:
        with self._asking("get_stage_limits", "stage", StageError):
            limits = self._stage_limits()
            return {axis: limits[axis] for axis in AXES if axis in limits and _AXIS_CAPABILITY[axis] in self._capabilities}

    def is_stage_moving(self) -> bool:
        with self._asking("is_stage_moving", "stage", StageError):
            return self._stage_moves()

    def stop_stage(self) -> None:
        with self._asking("stop_stage", "stage", StageError):
            self._stop_stage()

    def get_field_of_view(self) -> float:
        with self._asking("get_field_of_view", "field_of_view"):
            return self._read_field_of_view()

    def set_field_of_view(self, field_of_view: float) -> None:
        field_of_view = arguments.positive("field_of_view", field_of_view, "m")
        with self._asking("set_field_of_view", "field_of_view"):
            self._write_field_of_view(field_of_view)

    def get_defocus(self) -> float:
        with self._asking("get_defocus", "defocus"):
            return self._read_defocus()

    def set_defocus(self, defocus: float) -> None:
        defocus = arguments.finite("defocus", defocus, "m")
        with self._asking("set_defocus", "defocus"):
            self._write_defocus(defocus)

    def get_stigmator(self) -> tuple[float, float]:
        with self._asking("get_stigmator", "stigmator"):
            return self._read_stigmator()

    def set_stigmator(self, x: float, y: float) -> None:
        x, y = arguments.finite("x", x), arguments.finite("y", y)
        with self._asking("set_stigmator", "stigmator"):
            self._write_stigmator(x, y)

    def get_beam_shift(self) -> tuple[float, float]:
        with self._asking("get_beam_shift", "beam_shift"):
            return self._read_beam_shift()

    def set_beam_shift(self, x: float, y: float) -> None:
        x, y = arguments.finite("x", x, "m"), arguments.finite("y", y, "m")
        with self._asking("set_beam_shift", "beam_shift"):
            self._write_beam_shift(x, y)

    def set_beam_blanked(self, blanked: bool) -> None:
        with self._asking("set_beam_blanked", "beam_blank", BeamError):
            self._write_beam_blanked(bool(blanked))

    def get_beam_current(self) -> float:
        with self._asking("get_beam_current", "beam_current", BeamError):
            return self._read_beam_current()

    def detectors(self) -> tuple[str, ...]:
        with self._asking("detectors", None, DetectorError):
            return self._detectors()

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
        shape, region = arguments.scan_shape(shape), arguments.scan_region(region)
        dwell_time, rotation = arguments.positive("dwell_time", dwell_time, "s"), arguments.finite("rotation", rotation, "rad")
        frames = arguments.frame_count(frames)
        names = arguments.detector_names(detectors, self.detectors())
        if region != Region():
            self._require("scan_region")
        if rotation:
            self._require("scan_rotation")
        with self._asking("acquire", None, DetectorError):
            # Where the scan is going to be is read before it: no dose is spent on an image that cannot be placed.
            field_of_view = self._read_field_of_view()
            stage = self._read_stage() if "stage" in self._capabilities else StagePosition()
            shift = self._read_beam_shift() if "beam_shift" in self._capabilities else (0.0, 0.0)
            defocus = self._read_defocus() if "defocus" in self._capabilities else 0.0
            start = self._now()
            scans = [self._scan(names, shape, dwell_time, region, rotation) for _ in range(frames)]
        metadata = {"field_of_view_m": field_of_view, "scan_rotation_rad": rotation, **scans[0].metadata}
        return {
            name: Frame(
                data=_image(name, shape, scans),
                pixel_size=arguments.pixel_size(field_of_view, region, shape),
                centre=arguments.frame_centre(stage, shift, field_of_view, region, rotation),
                stage_position=stage,
                defocus=defocus,
                dwell_time=scans[0].dwell_time,
                time=start,
                detector=name,
                metadata=dict(metadata),
            )
            for name in names
        }

    def _require(self, capability: str | None) -> None:
        """Raise unless the instrument is connected and can do what is asked."""
        if not self._connected:
            raise MicroscopeError(f"{self.name}: expected an open connection, found none: call connect() first")
        if capability is not None and capability not in self._capabilities:
            raise MicroscopeError(
                f"{self.name}: expected one of the capabilities {sorted(self._capabilities)}, found {capability!r} asked for"
            )

    @contextmanager
    def _asking(self, what: str, capability: str | None, kind: type[MicroscopeError] = MicroscopeError) -> Iterator[None]:
        """While the instrument is asked: what its library raises becomes an error of nanospa."""
        self._require(capability)
        try:
            yield
        except NanospaError:
            raise
        except Exception as error:
            raise self._as_error(what, error, kind) from error


def _image(name: str, shape: tuple[int, int], scans: list[Scan]) -> NDArray[Any]:
    """Own copy of a detector's image, or of its images one after the other."""
    for scan in scans:
        if name not in scan.data:
            raise DetectorError(f"{name}: expected an image of it, found {', '.join(sorted(scan.data)) or 'none'}")
        if np.shape(scan.data[name]) != shape:
            raise DetectorError(f"{name}: expected an image of {shape} pixels, found {np.shape(scan.data[name])}")
    return np.array(scans[0].data[name]) if len(scans) == 1 else np.stack([scan.data[name] for scan in scans])
