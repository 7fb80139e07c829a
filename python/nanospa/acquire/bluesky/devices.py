"""The devices of one microscope."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from nanospa.acquire.bluesky.command_thread import CommandThread
from nanospa.acquire.bluesky.detector import Detector
from nanospa.acquire.bluesky.setting import Setting
from nanospa.acquire.drivers import arguments
from nanospa.acquire.microscope import Frame, Microscope, Region


class BlueskyMicroscope:
    """Devices of one microscope.

    The stage has the devices `x`, `y` and, where there are, `z`, `alpha`, `beta`; `defocus` and `field_of_view` are settable devices too.
    Everything is in SI units. A move that has begun ends before anything else is done, also when the RunEngine stops.

    Parameters
    ----------
    microscope : Microscope, or callable
        A connected microscope, which stays open at the end; or what gives one, called in the thread that all calls are made in, and closed
        at the end. Drivers of instruments that know one thread alone (temscript on the microscope's computer) need the second.
    name : str
        What the names of the devices begin with.

    Examples
    --------
    >>> import nanospa as ns
    >>> from nanospa.acquire.bluesky import BlueskyMicroscope
    >>> with BlueskyMicroscope(lambda: ns.acquire.connect("simulated"), name="stem") as stem:
    ...     haadf = stem.detector("HAADF", shape=(64, 64), dwell_time=1e-6)
    ...     stem.x.set(2e-6).wait()
    ...     haadf.trigger().wait()
    ...     x = stem.x.read()["stem_x"]["value"]
    ...     shape = haadf.read()["stem_HAADF_image"]["value"].shape
    >>> f"{x * 1e6:.1f} µm", shape
    ('2.0 µm', (64, 64))
    """

    x: Setting
    y: Setting
    z: Setting
    alpha: Setting
    beta: Setting
    defocus: Setting
    field_of_view: Setting

    def __init__(self, microscope: Microscope | Callable[[], Microscope], *, name: str = "microscope") -> None:
        self.name = name
        self._thread = CommandThread(name)
        self._owned = not isinstance(microscope, Microscope)
        try:
            self.microscope: Microscope = microscope if isinstance(microscope, Microscope) else self._thread.ask(microscope)
            self.capabilities = self._thread.ask(lambda: self.microscope.capabilities)
            limits = self._thread.ask(self.microscope.get_stage_limits) if "stage" in self.capabilities else {}
        except BaseException:
            self._thread.end()
            raise
        for axis, span in limits.items():
            unit = "rad" if axis in ("alpha", "beta") else "m"
            read, write = self._axis(axis)
            stop = self.microscope.stop_stage
            setattr(self, axis, Setting(f"{name}_{axis}", self._thread, unit, read, write, limits=span, stop=stop))
        for quantity in ("defocus", "field_of_view"):
            if quantity in self.capabilities:
                read, write = getattr(self.microscope, f"get_{quantity}"), getattr(self.microscope, f"set_{quantity}")
                setattr(self, quantity, Setting(f"{name}_{quantity}", self._thread, "m", read, write))

    def detector(
        self,
        detector: str,
        *,
        shape: tuple[int, int],
        dwell_time: float,
        region: Region | None = None,
        rotation: float = 0.0,
        blank: bool = True,
        on_frame: Callable[[Frame], None] | None = None,
    ) -> Detector:
        """Device of a detector.

        Parameters
        ----------
        detector : str
            Name of the detector.
        shape : (int, int)
            Pixels (y, x) of an image.
        dwell_time : float
            Dwell time of a pixel [s].
        region : Region, optional
            Part of the scan field.
        rotation : float
            Rotation of the scan [rad].
        blank : bool
            Whether the beam is kept off the specimen between images, where the microscope can do that.
        on_frame : callable, optional
            Gets every `Frame`, in the microscope's thread, before the image counts as taken.

        Returns
        -------
        Detector
        """
        arguments.detector_names(detector, self._thread.ask(self.microscope.detectors))
        return Detector(
            f"{self.name}_{detector}",
            self._thread,
            self.microscope,
            detector,
            shape=shape,
            dwell_time=dwell_time,
            region=region,
            rotation=rotation,
            blank=blank and "beam_blank" in self.capabilities,
            on_frame=on_frame,
        )

    def close(self) -> None:
        """Wait for the command under way and end the thread; a microscope that was made here is closed. Again does nothing."""
        try:
            if self._owned:
                self._owned = False
                self._thread.ask(self.microscope.close)
        finally:
            self._thread.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _axis(self, axis: str) -> tuple[Callable[[], float], Callable[[float], None]]:
        """How an axis of the stage is read and set."""
        move: Callable[..., None] = self.microscope.set_stage_position
        return lambda: float(getattr(self.microscope.get_stage_position(), axis)), lambda value: move(**{axis: value})
