"""What a microscope is to nanospa: the protocol that every driver follows, in SI units (m, rad, s, A)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

#: What a driver may be able to do. "restore": the state that `Microscope.get_state` gives can be set again, as of a simulation.
CAPABILITIES = frozenset(
    {
        "stage",
        "stage_z",
        "stage_tilt",
        "field_of_view",
        "defocus",
        "stigmator",
        "beam_shift",
        "beam_blank",
        "beam_current",
        "scan_region",
        "scan_rotation",
        "restore",
    }
)

#: Axes of a stage.
AXES = ("x", "y", "z", "alpha", "beta")


@dataclass(frozen=True)
class StagePosition:
    """Position of the stage: the specimen's point (x, y) that lies on the optical axis.

    Attributes
    ----------
    x, y, z : float
        Position [m]; in an image x increases with the column and y with the row.
    alpha, beta : float
        Tilts [rad].
    """

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    alpha: float = 0.0
    beta: float = 0.0


@dataclass(frozen=True)
class Region:
    """Part of the scan field, in fractions of it: the whole field is the square 0 … 1.

    Attributes
    ----------
    y, x : float
        Upper left corner [-].
    height, width : float
        Size [-].
    """

    y: float = 0.0
    x: float = 0.0
    height: float = 1.0
    width: float = 1.0


@dataclass(frozen=True)
class Frame:
    """An image and how it was taken.

    Attributes
    ----------
    data : numpy.ndarray of real dtype, shape (y, x), or (frame, y, x) of several scans
        Detector counts.
    pixel_size : tuple of float
        Pixel size (y, x) [m].
    centre : tuple of float
        Position (y, x) of the image's centre in stage coordinates: stage position, beam shift and scan region together [m].
    stage_position : StagePosition
        What the stage read.
    defocus : float
        Defocus as set; 0 is what the instrument calls focus [m].
    dwell_time : float
        Dwell time of a pixel [s].
    time : str
        Start of the scan, ISO 8601.
    detector : str
        Name of the detector.
    metadata : mapping
        Anything else, plain values with the unit in their names.
    """

    data: NDArray[Any]
    pixel_size: tuple[float, float]
    centre: tuple[float, float]
    stage_position: StagePosition
    defocus: float
    dwell_time: float
    time: str
    detector: str
    metadata: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Microscope(Protocol):
    """A scanning transmission electron microscope. Lengths [m], angles [rad], times [s], currents [A].

    The field of view is the side of the full, square scan field. What goes wrong in the instrument is a `MicroscopeError` or one of its
    children, and so is a call without connection; an argument that makes no sense is an `InvalidValueError` (an unknown detector an
    `UnknownNameError`) and is not worth a retry. What a driver cannot do is missing from `capabilities`, and raises `MicroscopeError`
    when it is asked for all the same.
    """

    name: str

    @property
    def capabilities(self) -> frozenset[str]:
        """Names out of `CAPABILITIES`."""
        ...

    def connect(self) -> None:
        """Open the connection; again does nothing."""
        ...

    def close(self) -> None:
        """Close the connection; again does nothing."""
        ...

    def abort(self) -> None:
        """Stop the stage and the scan, and blank the beam where that can be done; from any state."""
        ...

    def clock(self) -> float:
        """Time of the instrument [s]: the wall clock, or a virtual one."""
        ...

    def wait(self, seconds: float) -> None:
        """Let the time of the instrument pass: sleep, or advance a virtual clock.

        Parameters
        ----------
        seconds : float
            How long [s].
        """
        ...

    def get_state(self) -> dict[str, Any]:
        """Everything that can be read, as plain JSON values."""
        ...

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Set a state that `get_state` gave ("restore" only).

        Parameters
        ----------
        state : mapping
            The state.
        """
        ...

    def get_stage_position(self) -> StagePosition:
        """Where the stage reads to be."""
        ...

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
        """Move the given axes; a target outside the limits raises `StageLimitError` before anything moves.

        Parameters
        ----------
        x, y, z : float, optional
            Target [m].
        alpha, beta : float, optional
            Target [rad].
        relative : bool
            Whether the targets are distances from where the stage is.
        wait : bool
            Whether to return only when the stage has arrived.
        timeout : float, optional
            Longest wait before `AcquisitionTimeout` [s].
        """
        ...

    def get_stage_limits(self) -> dict[str, tuple[float, float]]:
        """Lowest and highest position of every axis there is."""
        ...

    def is_stage_moving(self) -> bool:
        """Whether the stage moves."""
        ...

    def stop_stage(self) -> None:
        """Stop the stage where it is."""
        ...

    def get_field_of_view(self) -> float:
        """Side of the full scan field."""
        ...

    def set_field_of_view(self, field_of_view: float) -> None:
        """Set the side of the full scan field, or the nearest the instrument has.

        Parameters
        ----------
        field_of_view : float
            Side [m].
        """
        ...

    def get_defocus(self) -> float:
        """Defocus."""
        ...

    def set_defocus(self, defocus: float) -> None:
        """Set the defocus.

        Parameters
        ----------
        defocus : float
            Defocus [m].
        """
        ...

    def get_stigmator(self) -> tuple[float, float]:
        """Stigmator (x, y), in the instrument's units."""
        ...

    def set_stigmator(self, x: float, y: float) -> None:
        """Set the stigmator.

        Parameters
        ----------
        x, y : float
            In the instrument's units [-].
        """
        ...

    def get_beam_shift(self) -> tuple[float, float]:
        """Shift (x, y) of the scan field's centre from the optical axis."""
        ...

    def set_beam_shift(self, x: float, y: float) -> None:
        """Set the shift of the scan field's centre.

        Parameters
        ----------
        x, y : float
            Shift [m].
        """
        ...

    def set_beam_blanked(self, blanked: bool) -> None:
        """Keep the beam off the specimen, or not.

        Parameters
        ----------
        blanked : bool
            Whether the beam is kept off.
        """
        ...

    def get_beam_current(self) -> float:
        """Current of the probe."""
        ...

    def detectors(self) -> tuple[str, ...]:
        """Names of the detectors."""
        ...

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
        """Scan once with one or more detectors.

        Parameters
        ----------
        detectors : sequence of str, or str
            Names out of `detectors()`.
        shape : (int, int)
            Pixels (y, x) of the image.
        dwell_time : float
            Dwell time of a pixel [s].
        region : Region, optional
            Part of the scan field; all of it by default ("scan_region").
        rotation : float
            Rotation of the scan ("scan_rotation") [rad].
        frames : int
            Scans in a row; more than one give data of shape (frame, y, x).

        Returns
        -------
        dict of str to Frame
        """
        ...
