"""A microscope under test, and how a check asks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from nanospa.acquire import AXES, Frame, Microscope, StagePosition
from nanospa.errors import InvalidValueError, MicroscopeError, NanospaError, UnknownNameError

#: Errors for an argument that makes no sense; a driver that hands it to its instrument may also raise the instrument's.
NONSENSE = (InvalidValueError, UnknownNameError, MicroscopeError)


@dataclass(frozen=True)
class Case:
    """A microscope under test and the sizes that suit it."""

    connect: Callable[[], Microscope]
    shape: tuple[int, int]
    dwell_time: float
    stage_step: float
    stage_tolerance: float
    has_detectors: bool
    contrast: bool

    @contextmanager
    def microscope(self) -> Iterator[Microscope]:
        """Microscope, newly connected; the stage is brought back afterwards."""
        microscope = self.connect()
        can = microscope.capabilities
        start = microscope.get_stage_position() if "stage" in can else StagePosition()
        axes = tuple(microscope.get_stage_limits()) if "stage" in can else ()
        try:
            yield microscope
        finally:
            with suppress(NanospaError):
                microscope.connect()
                if axes:
                    microscope.set_stage_position(**{axis: getattr(start, axis) for axis in axes})
            microscope.close()

    def acquire(self, microscope: Microscope, detectors: Any = None, **settings: Any) -> dict[str, Frame]:
        """Frames of one scan."""
        chosen = detectors if detectors is not None else microscope.detectors()[0]
        return microscope.acquire(chosen, **{"shape": self.shape, "dwell_time": self.dwell_time, **settings})


def call(function: Callable[..., Any], *args: Any, **settings: Any) -> Callable[[], Any]:
    """A call to be made later."""
    return lambda: function(*args, **settings)


def refused(action: Callable[[], Any], kinds: tuple[type[Exception], ...], what: str) -> None:
    """Assert that a call raises one of these errors, with a message."""
    wanted = " or ".join(kind.__name__ for kind in kinds)
    raised: Exception | None = None
    try:
        action()
    except Exception as error:
        raised = error
    assert raised is not None, f"{what}: expected {wanted}, nothing was raised"
    assert isinstance(raised, kinds), f"{what}: expected {wanted}, found {type(raised).__name__}: {raised}"
    assert str(raised), f"{what}: the {type(raised).__name__} has no message"


def readings(microscope: Microscope) -> dict[str, tuple[float, ...]]:
    """What can be read, by capability."""
    found: dict[str, tuple[float, ...]] = {}
    if "stage" in microscope.capabilities:
        position = microscope.get_stage_position()
        found["stage"] = tuple(getattr(position, axis) for axis in AXES)
    for name in ("field_of_view", "defocus", "stigmator", "beam_shift"):
        if name in microscope.capabilities:
            found[name] = tuple(np.atleast_1d(getattr(microscope, f"get_{name}")()).tolist())
    return found


def unchanged(case: Case, microscope: Microscope, before: dict[str, tuple[float, ...]], what: str) -> None:
    """Assert that everything reads as it did before."""
    for name, values in readings(microscope).items():
        tolerance = case.stage_tolerance if name == "stage" else 1e-12
        assert np.allclose(values, before[name], rtol=1e-9, atol=tolerance), f"{what}: {name} changed from {before[name]} to {values}"
