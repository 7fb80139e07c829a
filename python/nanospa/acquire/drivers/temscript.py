"""Driver for TFS/FEI microscopes through temscript, on the microscope's computer or over its server.

What temscript 2.1 has, and what this driver makes of it:

- Stage in m and rad. `set_stage_position` returns when the stage has arrived; nothing stops a stage or a scan before its end.
- Scans are squares of a full field: image size FULL with a binning. The sizes HALF and QUARTER scan the middle of the field alone, there is
  no scan of any other region, so "scan_region" is not claimed.
- The scan field is set by a magnification in steps; the field that goes with it is the operator's calibration.
- Defocus is the objective lens' focus, in units that differ between instruments (on Titan m): a calibration again. The probe defocus can
  be read, not set.
- The probe current cannot be read; the screen's current can.

References
----------
T. Niermann, temscript, https://github.com/niermann/temscript; what HALF and QUARTER scan: its issue 5.
"""

from __future__ import annotations

import http.client
import math
import re
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.drivers import arguments
from nanospa.acquire.drivers.driver import Driver, Scan
from nanospa.acquire.microscope import Region, StagePosition
from nanospa.errors import (
    AcquisitionTimeout,
    BeamError,
    DetectorError,
    InvalidValueError,
    MicroscopeError,
    MissingExtraError,
    StageError,
    StageLimitError,
)

#: temscript's names of the stage's axes.
_AXES = {"x": "x", "y": "y", "z": "z", "alpha": "a", "beta": "b"}

#: Holders that tilt about a second axis.
_SECOND_TILT = ("DOUBLE_TILT", "DUAL_AXIS")

#: What tells that the connection to a server is lost; the next call opens another one.
_LOST = (ConnectionError, TimeoutError, http.client.HTTPException)

#: How often a stage that moves is asked whether it has arrived [s].
_POLL = 0.05

Matrix = Sequence[Sequence[float]]


class TemscriptMicroscope(Driver):
    """A TFS/FEI microscope in STEM mode.

    Parameters
    ----------
    host : str, optional
        Computer on which temscript's server runs; without it, the instrument of this computer.
    port : int
        Port of the server.
    null : bool
        Take temscript's `NullMicroscope`, which needs no instrument and has no STEM: for tests.
    instrument : object, optional
        A microscope of temscript to use as it is.
    timeout : float
        Longest time to wait for an answer of the server, and for the stage [s].
    switch_to_stem : bool
        Whether an instrument in TEM mode is switched to STEM; otherwise it is refused.
    field_times_magnification : float, optional
        Side of the full scan field times the STEM magnification [m]; measure it on a grating. Without it there is no field of view, and no
        image.
    full_scan_px : int
        Pixels along a side of the full scan at binning 1.
    focus_unit : float, optional
        Change of defocus for a change of 1 of the instrument's focus [m]; 1 on Titan. Without it there is no defocus.
    stage_matrix : sequence of sequence of float
        Takes nanospa's (x, y) to the stage's (x, y) [-]. nanospa's x runs with the columns of an image, its y with the rows, and setting
        the stage to (x, y) brings the specimen's point (x, y) to the optical axis.
    beam_shift_matrix : sequence of sequence of float, optional
        Takes nanospa's (x, y) to the instrument's beam shift [-]. Without it there is no beam shift.
    scan_rotation : float
        The instrument's scan rotation at which the matrices were measured, here called 0 [rad].
    detectors : sequence of str, optional
        Names of the STEM detectors as the instrument knows them; without it the instrument is asked.
    beam_current : float or "screen", optional
        Probe current as measured [A], or "screen": the current on the screen.
    stage_tolerance : float
        How far from its target the stage may read to be, x, y and z [m].

    Examples
    --------
    >>> microscope = ns.acquire.connect("temscript", null=True)  # doctest: +SKIP
    >>> microscope.get_stage_limits()["x"]  # doctest: +SKIP
    (-0.001, 0.001)
    """

    name = "temscript"

    def __init__(
        self,
        *,
        host: str | None = None,
        port: int = 8080,
        null: bool = False,
        instrument: Any = None,
        timeout: float = 120.0,
        switch_to_stem: bool = False,
        field_times_magnification: float | None = None,
        full_scan_px: int = 2048,
        focus_unit: float | None = None,
        stage_matrix: Matrix = ((1.0, 0.0), (0.0, 1.0)),
        beam_shift_matrix: Matrix | None = None,
        scan_rotation: float = 0.0,
        detectors: Sequence[str] | None = None,
        beam_current: float | str | None = None,
        stage_tolerance: float = 1e-6,
    ) -> None:
        if sum((host is not None, null, instrument is not None)) > 1:
            raise InvalidValueError("temscript: expected one of host, null and instrument, found more than one")
        self._host, self._port, self._null, self._given = host, port, null, instrument
        self._timeout = arguments.positive("timeout", timeout, "s")
        self._switch_to_stem = switch_to_stem
        self._field = None if field_times_magnification is None else _above_0("field_times_magnification", field_times_magnification)
        self._full_scan_px = int(arguments.positive("full_scan_px", full_scan_px, "px"))
        self._focus_unit = None if focus_unit is None else arguments.finite("focus_unit", focus_unit, "m")
        if self._focus_unit == 0:
            raise InvalidValueError("focus_unit: expected a number other than 0 [m], found 0")
        self._stage_matrix = _matrix("stage_matrix", stage_matrix)
        self._shift_matrix = None if beam_shift_matrix is None else _matrix("beam_shift_matrix", beam_shift_matrix)
        self._rotation = arguments.finite("scan_rotation", scan_rotation, "rad")
        self._names = None if detectors is None else tuple(detectors)
        self._current = beam_current if beam_current in (None, "screen") else arguments.positive("beam_current", beam_current, "A")
        self._stage_tolerance = _above_0("stage_tolerance", stage_tolerance)
        self._microscope: Any = None

    # Connection.

    def _open(self) -> None:
        tem = self._instrument()
        if tem.is_stem_available() and tem.get_instrument_mode() != "STEM":
            if not self._switch_to_stem:
                raise MicroscopeError(
                    "temscript: expected an instrument in STEM mode, found TEM: switch it and align it, or give switch_to_stem=True"
                )
            tem.set_instrument_mode("STEM")
        can = {"stage", "stage_z", "stage_tilt", "beam_blank", "stigmator"}
        can |= {"field_of_view"} if self._field is not None else set()
        can |= {"defocus"} if self._focus_unit is not None else set()
        can |= {"beam_shift"} if self._shift_matrix is not None else set()
        can |= {"beam_current"} if self._current is not None else set()
        can |= {"scan_rotation"} if self._detectors() else set()
        self._capabilities = frozenset(can)

    def _close(self) -> None:
        self._drop()

    def _instrument(self) -> Any:
        """temscript's microscope; opened anew where the connection to the server was lost."""
        if self._microscope is None:
            try:
                import temscript
            except ImportError as error:
                raise MissingExtraError(
                    f"temscript: this driver needs the extra [temscript]: pip install 'nanospa[temscript]' ({error})"
                ) from error
            if self._given is not None:
                self._microscope = self._given
            elif self._null:
                self._microscope = temscript.NullMicroscope(wait_exposure=False)
                self._microscope.set_column_valves_open(True)
            elif self._host is not None:
                self._microscope = temscript.RemoteMicroscope((self._host, self._port), timeout=self._timeout)
            else:
                self._microscope = temscript.Microscope()
        return self._microscope

    def _drop(self) -> None:
        connection = getattr(self._microscope, "_conn", None)  # temscript's own client has no close
        self._microscope = None
        if connection is not None:
            connection.close()

    def _as_error(self, what: str, error: Exception, kind: type[MicroscopeError]) -> MicroscopeError:
        if isinstance(error, _LOST):
            self._drop()
        # The adapter's codes come as OSError here, and as text through a server.
        found = re.search(r"-214\d{7}", f"{getattr(error, 'winerror', '')} {error}")
        if found is not None:
            import temscript

            codes = {code.value: code.name for code in temscript.TEMScriptingError}
            code = codes.get(int(found[0]), found[0])
            if kind is StageError and code in ("E_OUT_OF_RANGE", "E_VALUE_CLIP"):
                kind = StageLimitError
            return kind(f"{self.name}: {what}: the instrument answered {code}: {error}")
        return super()._as_error(what, error, kind)

    def _stop_scan(self) -> None:
        # A request that was interrupted leaves the connection without an answer to come.
        if self._host is not None:
            self._drop()

    def get_state(self) -> dict[str, Any]:
        state = super().get_state()
        with self._asking("get_state", None):
            tem = self._instrument()
            state["instrument"] = {
                "family": str(tem.get_family()),
                "temscript": str(tem.get_version()),
                "voltage_kV": float(tem.get_voltage()),
                "mode": str(tem.get_instrument_mode()),
                "spot_size": int(tem.get_spot_size_index()),
                "column_valves_open": bool(tem.get_column_valves_open()),
                "beam_blanked": bool(tem.get_beam_blanked()),
            }
        return state

    # Stage.

    def _read_stage(self) -> StagePosition:
        found = self._instrument().get_stage_position()
        x, y = np.linalg.solve(self._stage_matrix, (found["x"], found["y"]))
        return StagePosition(x=float(x), y=float(y), z=float(found["z"]), alpha=float(found["a"]), beta=float(found["b"]))

    def _stage_limits(self) -> dict[str, tuple[float, float]]:
        tem = self._instrument()
        limits = tem.get_stage_limits()
        found = {axis: (float(limits[own][0]), float(limits[own][1])) for axis, own in _AXES.items()}
        if str(tem.get_stage_holder()) not in _SECOND_TILT:
            del found["beta"]
        # The largest upright box that lies inside the instrument's own, whichever way that is turned.
        low, high = np.array([found["x"], found["y"]]).T
        middle, half = np.linalg.solve(self._stage_matrix, (low + high) / 2), (high - low) / 2
        box = np.abs(np.linalg.inv(self._stage_matrix)) @ half
        box = box * min(half / (np.abs(self._stage_matrix) @ box))
        found["x"], found["y"] = ((float(m - b), float(m + b)) for m, b in zip(middle, box, strict=True))
        return found

    def _move_stage(self, targets: dict[str, float], *, wait: bool, timeout: float | None) -> None:
        tem = self._instrument()
        end = time.monotonic() + (self._timeout if timeout is None else timeout)
        self._until_ready(end)
        sent = {_AXES[axis]: target for axis, target in targets.items() if axis not in ("x", "y")}
        if "x" in targets or "y" in targets:
            now = self._read_stage()
            x, y = self._stage_matrix @ (targets.get("x", now.x), targets.get("y", now.y))
            sent |= {"x": float(x), "y": float(y)}
        tem.set_stage_position(sent)
        if not wait:
            return
        self._until_ready(end)
        arrived = self._read_stage()
        for axis, target in targets.items():
            off = getattr(arrived, axis) - target
            if axis in ("x", "y", "z") and abs(off) > self._stage_tolerance:
                raise StageError(f"temscript: {axis}: expected the stage at {target:g} m, found it {off:g} m away")

    def _until_ready(self, end: float) -> None:
        """Wait until the stage takes orders."""
        tem = self._instrument()
        while (status := str(tem.get_stage_status())) != "READY":
            if status == "DISABLED":
                raise StageError("temscript: expected a stage that is ready, found it disabled")
            if time.monotonic() > end:
                raise AcquisitionTimeout(f"temscript: expected a stage that is ready in time, found it {status}")
            time.sleep(_POLL)

    def _stage_moves(self) -> bool:
        return str(self._instrument().get_stage_status()) in ("GOING", "MOVING")

    # Optics.

    def _read_field_of_view(self) -> float:
        if self._field is None:
            raise MicroscopeError("temscript: field_times_magnification: expected the calibration of the scan field, found none")
        return self._field / float(self._instrument().get_stem_magnification())

    def _write_field_of_view(self, field_of_view: float) -> None:
        assert self._field is not None
        self._instrument().set_stem_magnification(self._field / field_of_view)

    def _read_defocus(self) -> float:
        return float(self._instrument().get_defocus()) * (self._focus_unit or 0.0)

    def _write_defocus(self, defocus: float) -> None:
        assert self._focus_unit is not None
        self._instrument().set_defocus(defocus / self._focus_unit)

    def _read_stigmator(self) -> tuple[float, float]:
        x, y = self._instrument().get_condenser_stigmator()
        return float(x), float(y)

    def _write_stigmator(self, x: float, y: float) -> None:
        self._instrument().set_condenser_stigmator((x, y))

    def _read_beam_shift(self) -> tuple[float, float]:
        assert self._shift_matrix is not None
        x, y = np.linalg.solve(self._shift_matrix, self._instrument().get_beam_shift())
        return float(x), float(y)

    def _write_beam_shift(self, x: float, y: float) -> None:
        assert self._shift_matrix is not None
        own_x, own_y = self._shift_matrix @ (x, y)
        self._instrument().set_beam_shift((float(own_x), float(own_y)))

    def _write_beam_blanked(self, blanked: bool) -> None:
        self._instrument().set_beam_blanked(blanked)

    def _read_beam_current(self) -> float:
        return float(self._instrument().get_screen_current()) if self._current == "screen" else float(self._current or 0.0)

    # Detectors.

    def _detectors(self) -> tuple[str, ...]:
        tem = self._instrument()
        if not tem.is_stem_available():
            return ()
        return self._names if self._names is not None else tuple(str(name) for name in tem.get_stem_detectors())

    def _scan(self, detectors: tuple[str, ...], shape: tuple[int, int], dwell_time: float, region: Region, rotation: float) -> Scan:
        tem = self._instrument()
        self._expect_beam(tem)
        binning, rest = divmod(self._full_scan_px, shape[0])
        if shape[0] != shape[1] or rest:
            raise InvalidValueError(f"shape: expected a square of {self._full_scan_px} pixels or a whole part of it, found {shape}")
        if self._host is not None and dwell_time * shape[0] * shape[1] > 0.8 * self._timeout:
            raise InvalidValueError(
                f"dwell_time: expected a scan shorter than 0.8 timeout = {0.8 * self._timeout:g} s, found {dwell_time:g} s"
            )
        _turn(tem, self._rotation + rotation)
        tem.set_stem_acquisition_param({"image_size": "FULL", "binning": binning, "dwell_time(s)": dwell_time})
        taken = tem.get_stem_acquisition_param()
        if int(taken["binning"]) != binning or str(taken["image_size"]) != "FULL":
            raise DetectorError(f"temscript: expected a full scan at binning {binning}, found the instrument at {taken}")
        try:
            images = {name: np.asarray(image) for name, image in tem.acquire(*detectors).items()}
        finally:
            if rotation:
                _turn(tem, self._rotation)
        magnification = float(tem.get_stem_magnification())
        return Scan(images, float(taken["dwell_time(s)"]), {"stem_magnification": magnification, "binning": binning})

    def _expect_beam(self, tem: Any) -> None:
        if not float(tem.get_voltage()) > 0:
            raise BeamError("temscript: expected the high tension on, found it off")
        if not tem.get_column_valves_open():
            raise BeamError("temscript: expected open column valves, found them closed")
        if tem.get_beam_blanked():
            raise BeamError("temscript: expected the beam on the specimen, found it blanked")


def _turn(tem: Any, rotation: float) -> None:
    """Set the scan rotation where it is another one."""
    if abs(float(tem.get_stem_rotation()) - rotation) > 1e-6:
        tem.set_stem_rotation(rotation)


def _above_0(name: str, value: Any) -> float:
    return arguments.positive(name, value, "m")


def _matrix(name: str, value: Matrix) -> NDArray[np.float64]:
    """A 2 x 2 matrix that can be undone."""
    try:
        matrix = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        matrix = np.empty(0)
    if matrix.shape != (2, 2) or not np.isfinite(matrix).all() or math.isclose(float(np.linalg.det(matrix)), 0.0, abs_tol=1e-6):
        raise InvalidValueError(f"{name}: expected a 2 x 2 matrix with an inverse, found {value!r}")
    return matrix
