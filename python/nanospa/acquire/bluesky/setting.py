"""A number of the microscope as a device."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from nanospa.acquire.bluesky.command_thread import CommandThread
from nanospa.acquire.bluesky.status import Status
from nanospa.acquire.drivers import arguments
from nanospa.errors import StageLimitError

Reading = dict[str, dict[str, Any]]


class Setting:
    """A number of the microscope that can be set and read: an axis of the stage, the defocus, the field of view.

    Parameters
    ----------
    name : str
        Name of the device.
    thread : CommandThread
        Thread of its microscope.
    unit : str
        Unit of its value.
    read, write : callable
        Ask the microscope for the value, and give it one.
    limits : (float, float), optional
        Lowest and highest value.
    stop : callable, optional
        Asks the microscope to stop where it is.
    """

    parent = None

    def __init__(
        self,
        name: str,
        thread: CommandThread,
        unit: str,
        read: Callable[[], float],
        write: Callable[[float], None],
        *,
        limits: tuple[float, float] | None = None,
        stop: Callable[[], None] | None = None,
    ) -> None:
        self.name = name
        self.limits = limits
        self._thread, self._unit = thread, unit
        self._read, self._write, self._stop = read, write, stop
        self._setpoint: float | None = None

    @property
    def hints(self) -> dict[str, Any]:
        """What is worth showing."""
        return {"fields": [self.name]}

    @property
    def position(self) -> float:
        """The value as read."""
        return self._thread.ask(self._read)

    def set(self, value: float) -> Status:
        """Set the value.

        Parameters
        ----------
        value : float
            The value, in SI units [m or rad].

        Returns
        -------
        Status
            Done when the microscope has it.
        """

        def write() -> None:
            self._write(value)
            self._setpoint = float(value)

        return self._thread.start(write)

    def check_value(self, value: float) -> None:
        """Raise where a value is outside the limits, without setting it.

        Parameters
        ----------
        value : float
            The value [m or rad].
        """
        value = arguments.finite(self.name, value, self._unit)
        if self.limits is None:
            return
        low, high = self.limits
        if not low <= value <= high:
            raise StageLimitError(f"{self.name}: expected a value from {low:g} to {high:g} {self._unit}, found {value:g}")

    def locate(self) -> dict[str, float]:
        """Where it was sent, and where it is."""
        found = self.position
        return {"setpoint": found if self._setpoint is None else self._setpoint, "readback": found}

    def stop(self, success: bool = True) -> None:
        """Stop, after a run that failed; a move that has begun ends first.

        Parameters
        ----------
        success : bool
            Whether the run ended well.
        """
        if not success and self._stop is not None:
            self._thread.ask(self._stop)

    def read(self) -> Reading:
        """The value, and the one it was set to."""
        place, now = self.locate(), time.time()
        return {
            self.name: {"value": place["readback"], "timestamp": now},
            f"{self.name}_setpoint": {"value": place["setpoint"], "timestamp": now},
        }

    def describe(self) -> Reading:
        """What `read` gives."""
        key = {"source": f"nanospa:{self.name}", "dtype": "number", "shape": [], "units": self._unit}
        return {self.name: dict(key), f"{self.name}_setpoint": dict(key)}

    def read_configuration(self) -> Reading:
        """Nothing."""
        return {}

    def describe_configuration(self) -> Reading:
        """Nothing."""
        return {}
