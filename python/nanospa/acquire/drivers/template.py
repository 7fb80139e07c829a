"""Template of a driver: copy this file, replace `ToyInstrument` by your instrument's library, fill in the hooks, delete the rest.

What a driver has to do:

1. Give SI units to nanospa and the instrument's units to the instrument: here µm, degrees and µs; every conversion stands in a hook, once.
2. Turn the axes: nanospa's x is the direction in which an image's columns count up, y that of its rows, and setting the stage to (x, y)
   brings the specimen's point (x, y) to the optical axis. Here the instrument's y counts the other way.
3. Claim in `_capabilities` what the instrument can do, no more and no less.
4. Raise: whatever the library raises becomes a `MicroscopeError`; `_as_error` gives known faults their own kind, so that a plan knows
   whether to try again, to skip or to wait.
5. Pass `nanospa.testing.check_microscope`.

Then say where it is, in the pyproject.toml of your package, and `nanospa acquire --microscope mine` finds it::

    [project.entry-points."nanospa.microscopes"]
    mine = "my_package.my_driver:MyMicroscope"
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.drivers.driver import Driver, Scan
from nanospa.acquire.microscope import Region, StagePosition
from nanospa.errors import BeamError, InvalidValueError, MicroscopeError

_UM = 1e-6
_US = 1e-6


class TemplateMicroscope(Driver):
    """Driver of the toy instrument below.

    Parameters
    ----------
    tilt : float
        An option, as it is given to `connect`: the tilt that the stage is held at [rad].

    Examples
    --------
    >>> microscope = TemplateMicroscope()
    >>> microscope.connect()
    >>> microscope.set_stage_position(x=2e-6, y=-1e-6)
    >>> frame = microscope.acquire("HAADF", shape=(64, 64), dwell_time=1e-6)["HAADF"]
    >>> frame.data.shape, f"{frame.pixel_size[0] * 1e9:.2f} nm", f"{frame.centre[1] * 1e6:.1f} µm"
    ((64, 64), '15.62 nm', '2.0 µm')
    >>> microscope.close()
    """

    name = "template"

    def __init__(self, *, tilt: float = 0.0) -> None:
        if not math.isfinite(tilt):
            raise InvalidValueError(f"tilt: expected a finite number [rad], found {tilt!r}")
        self._tilt = tilt
        self._instrument = ToyInstrument()

    def _open(self) -> None:
        # Import the instrument's library here, not above: nanospa also runs where it is missing.
        self._instrument.open()
        self._capabilities = frozenset({"stage", "stage_z", "field_of_view", "defocus", "beam_blank", "scan_region"})

    def _close(self) -> None:
        self._instrument.shut()

    def _read_stage(self) -> StagePosition:
        x_um, y_um, z_um = self._instrument.position()
        return StagePosition(x=x_um * _UM, y=-y_um * _UM, z=z_um * _UM, alpha=self._tilt)

    def _stage_limits(self) -> dict[str, tuple[float, float]]:
        far, high = self._instrument.TRAVEL_UM * _UM, self._instrument.HEIGHT_UM * _UM
        return {"x": (-far, far), "y": (-far, far), "z": (-high, high)}

    def _move_stage(self, targets: dict[str, float], *, wait: bool, timeout: float | None) -> None:
        # The targets are inside the limits. An instrument that moves while the program runs waits here, where `wait` says so, and raises
        # AcquisitionTimeout after `timeout` seconds, StageError where it has not arrived. Approach from one side where there is backlash.
        x_um, y_um, z_um = self._instrument.position()
        x_um = targets["x"] / _UM if "x" in targets else x_um
        y_um = -targets["y"] / _UM if "y" in targets else y_um
        z_um = targets["z"] / _UM if "z" in targets else z_um
        self._instrument.drive_to(x_um, y_um, z_um)

    def _read_field_of_view(self) -> float:
        return self._instrument.SCREEN_MM * 1e-3 / self._instrument.magnification

    def _write_field_of_view(self, field_of_view: float) -> None:
        self._instrument.magnify(self._instrument.SCREEN_MM * 1e-3 / field_of_view)

    def _read_defocus(self) -> float:
        return self._instrument.defocus_nm * 1e-9

    def _write_defocus(self, defocus: float) -> None:
        self._instrument.defocus_nm = defocus * 1e9

    def _write_beam_blanked(self, blanked: bool) -> None:
        self._instrument.blanked = blanked

    def _detectors(self) -> tuple[str, ...]:
        return ("HAADF", "BF")

    def _scan(self, detectors: tuple[str, ...], shape: tuple[int, int], dwell_time: float, region: Region, rotation: float) -> Scan:
        corner = (region.y, region.x, region.y + region.height, region.x + region.width)
        images = {name: self._instrument.scan(name, shape, dwell_time / _US, corner) for name in detectors}
        return Scan(images, dwell_time, {"spot_number": 5})

    def _as_error(self, what: str, error: Exception, kind: type[MicroscopeError]) -> MicroscopeError:
        if "no beam" in str(error):
            return BeamError(f"{self.name}: {what}: {error}")
        return super()._as_error(what, error, kind)


class ToyInstrument:
    """Stands where a maker's library would: an instrument with units and habits of its own, its specimen waves that repeat nowhere."""

    TRAVEL_UM = 1000.0
    HEIGHT_UM = 300.0
    SCREEN_MM = 100.0
    WAVES = 24

    def __init__(self) -> None:
        self.magnification = 100_000.0
        self.defocus_nm = 0.0
        self.blanked = False
        self._stage_um = (0.0, 0.0, 0.0)
        self._is_open = False

    def open(self) -> None:
        """Open."""
        self._is_open = True

    def shut(self) -> None:
        """Shut."""
        self._is_open = False

    def position(self) -> tuple[float, float, float]:
        """Position of the stage [µm]; y counts against the rows of an image."""
        self._ask()
        return self._stage_um

    def drive_to(self, x_um: float, y_um: float, z_um: float) -> None:
        """Drive the stage."""
        self._ask()
        self._stage_um = (x_um, y_um, z_um)

    def magnify(self, magnification: float) -> None:
        """Set the nearest magnification there is: three significant digits from 1000 to 10 million."""
        self._ask()
        self.magnification = float(f"{min(max(magnification, 1e3), 1e7):.3g}")

    def scan(self, detector: str, shape: tuple[int, int], dwell_us: float, corners: tuple[float, float, float, float]) -> NDArray[Any]:
        """Scan a part of the field; corners are fractions of it (top, left, bottom, right)."""
        self._ask()
        if self.blanked:
            raise RuntimeError("no beam: the beam is blanked")
        side_um = self.SCREEN_MM * 1e3 / self.magnification
        rows = corners[0] + (np.arange(shape[0]) + 0.5) / shape[0] * (corners[2] - corners[0]) - 0.5
        columns = corners[1] + (np.arange(shape[1]) + 0.5) / shape[1] * (corners[3] - corners[1]) - 0.5
        y_um = rows[:, None] * side_um - self._stage_um[1]
        x_um = columns * side_um + self._stage_um[0]
        hills = np.full(shape, 0.5)
        for wave in range(self.WAVES):
            direction, per_um = 2.4 * wave, 2 + 4 * (0.618 * wave % 1)  # golden angle and golden section: no two alike
            hills += np.sin(2 * np.pi * per_um * (np.cos(direction) * x_um + np.sin(direction) * y_um)) / (2 * self.WAVES)
        counts = 100 * dwell_us * (hills if detector == "HAADF" else 1 - hills)
        return np.minimum(counts, 65535).astype(np.uint16)

    def _ask(self) -> None:
        if not self._is_open:
            raise RuntimeError("the instrument is not open")
