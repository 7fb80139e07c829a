"""A detector as a device."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import astuple
from typing import Any

from nanospa.acquire.bluesky.command_thread import CommandThread
from nanospa.acquire.bluesky.setting import Reading
from nanospa.acquire.bluesky.status import Status
from nanospa.acquire.drivers import arguments
from nanospa.acquire.microscope import Frame, Microscope, Region
from nanospa.errors import MicroscopeError

#: Numbers of an image: end of the key, unit, value.
_NUMBERS: dict[str, tuple[str, Callable[[Frame], float]]] = {
    "mean": ("counts", lambda frame: frame.data.mean()),
    "pixel_size_y": ("m", lambda frame: frame.pixel_size[0]),
    "pixel_size_x": ("m", lambda frame: frame.pixel_size[1]),
    "centre_y": ("m", lambda frame: frame.centre[0]),
    "centre_x": ("m", lambda frame: frame.centre[1]),
    "defocus": ("m", lambda frame: frame.defocus),
}


class Detector:
    """A detector that takes an image when it is triggered; made by `BlueskyMicroscope.detector`.

    An image is under the key ``<name>_image`` with its shape; its mean, pixel size, centre, defocus and time have keys of their own.
    """

    parent = None

    def __init__(
        self,
        name: str,
        thread: CommandThread,
        microscope: Microscope,
        detector: str,
        *,
        shape: tuple[int, int],
        dwell_time: float,
        region: Region | None,
        rotation: float,
        blank: bool,
        on_frame: Callable[[Frame], None] | None,
    ) -> None:
        self.name = name
        self.frame: Frame | None = None
        self._thread, self._microscope = thread, microscope
        self._detector, self._blank, self._on_frame = detector, blank, on_frame
        self._shape, self._dwell_time = arguments.scan_shape(shape), arguments.positive("dwell_time", dwell_time, "s")
        self._region, self._rotation = region, arguments.finite("rotation", rotation, "rad")
        self._taken = 0.0

    @property
    def hints(self) -> dict[str, Any]:
        """What is worth showing."""
        return {"fields": [f"{self.name}_mean"]}

    def trigger(self) -> Status:
        """Take an image.

        Returns
        -------
        Status
            Done when the image is there.
        """
        return self._thread.start(self._take)

    def _take(self) -> None:
        microscope = self._microscope
        self.frame = None
        if self._blank:
            microscope.set_beam_blanked(False)
        try:
            frames = microscope.acquire(
                self._detector, shape=self._shape, dwell_time=self._dwell_time, region=self._region, rotation=self._rotation
            )
        finally:
            if self._blank:
                microscope.set_beam_blanked(True)
        frame = frames[self._detector]
        if self._on_frame is not None:
            self._on_frame(frame)
        self.frame, self._taken = frame, time.time()

    def read(self) -> Reading:
        """The image that was taken last, and how it was taken."""
        frame = self.frame
        if frame is None:
            raise MicroscopeError(f"{self.name}: expected an image, found none: trigger the detector first")
        values = {"image": frame.data, "time": frame.time, **{key: float(value(frame)) for key, (_, value) in _NUMBERS.items()}}
        return {f"{self.name}_{key}": {"value": value, "timestamp": self._taken} for key, value in values.items()}

    def describe(self) -> Reading:
        """What `read` gives."""
        image: dict[str, Any] = {"dtype": "array", "shape": list(self._shape), "dims": ["y", "x"], "units": "counts"}
        if self.frame is not None:
            image["dtype_numpy"] = self.frame.data.dtype.str
        numbers = {key: {"dtype": "number", "shape": [], "units": unit} for key, (unit, _) in _NUMBERS.items()}
        return self._described({"image": image, "time": {"dtype": "string", "shape": []}, **numbers})

    def _described(self, keys: dict[str, dict[str, Any]]) -> Reading:
        return {f"{self.name}_{key}": {"source": f"nanospa:{self.name}", **description} for key, description in keys.items()}

    def configure(self, settings: Mapping[str, Any]) -> tuple[Reading, Reading]:
        """Change how images are taken.

        Parameters
        ----------
        settings : mapping
            Any of shape, dwell_time and rotation.

        Returns
        -------
        tuple of dict
            The configuration before and after.
        """
        before = self.read_configuration()
        unknown = sorted(set(settings) - {"shape", "dwell_time", "rotation"})
        if unknown:
            raise MicroscopeError(f"{self.name}: expected settings out of shape, dwell_time, rotation, found {unknown}")
        shape = arguments.scan_shape(settings.get("shape", self._shape))
        dwell_time = arguments.positive("dwell_time", settings.get("dwell_time", self._dwell_time), "s")
        rotation = arguments.finite("rotation", settings.get("rotation", self._rotation), "rad")
        self._shape, self._dwell_time, self._rotation = shape, dwell_time, rotation
        self.frame = None
        return before, self.read_configuration()

    def read_configuration(self) -> Reading:
        """How images are taken."""
        region = list(astuple(self._region or Region()))
        values = {"dwell_time": self._dwell_time, "rotation": self._rotation, "region": region}
        now = time.time()
        return {f"{self.name}_{key}": {"value": value, "timestamp": now} for key, value in values.items()}

    def describe_configuration(self) -> Reading:
        """What `read_configuration` gives."""
        units = {"dwell_time": "s", "rotation": "rad"}
        numbers = {key: {"dtype": "number", "shape": [], "units": unit} for key, unit in units.items()}
        return self._described({**numbers, "region": {"dtype": "array", "shape": [4]}})
