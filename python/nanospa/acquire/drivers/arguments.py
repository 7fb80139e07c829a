"""Arguments of a driver's calls, checked before the instrument is asked for anything."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nanospa.acquire.microscope import Region, StagePosition
from nanospa.errors import InvalidValueError, MicroscopeError, StageLimitError, UnknownNameError

#: Share of an axis's range by which a target may miss a limit through rounding; it is then moved onto the limit.
_ROUNDING = 1e-9


def finite(name: str, value: Any, unit: str = "-") -> float:
    """Value of an argument as a finite float."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InvalidValueError(f"{name}: expected a finite number [{unit}], found {value!r}")
    return number


def positive(name: str, value: Any, unit: str = "-") -> float:
    """Value of an argument as a finite float above 0."""
    number = finite(name, value, unit)
    if number <= 0:
        raise InvalidValueError(f"{name}: expected a number above 0 [{unit}], found {value!r}")
    return number


def stage_targets(
    asked: Mapping[str, float | None], position: StagePosition, limits: Mapping[str, tuple[float, float]], *, relative: bool
) -> dict[str, float]:
    """Absolute targets of the axes that are to move, all of them inside the limits."""
    targets = {}
    for axis, value in asked.items():
        if value is None:
            continue
        unit = "rad" if axis in ("alpha", "beta") else "m"
        target = finite(axis, value, unit)
        if axis not in limits:
            raise MicroscopeError(f"{axis}: expected one of the axes {' '.join(limits) or '(none)'} of this stage, found {axis!r}")
        if relative:
            target += getattr(position, axis)
        low, high = limits[axis]
        rounding = _ROUNDING * (high - low)
        if not low - rounding <= target <= high + rounding:
            raise StageLimitError(
                f"{axis}: expected a position from {low:g} to {high:g} {unit}, found {target:g} {unit}; nothing has moved"
            )
        targets[axis] = min(max(target, low), high)
    return targets


def detector_names(asked: Sequence[str] | str, known: Sequence[str]) -> tuple[str, ...]:
    """Names of the detectors that are asked for, all of them known."""
    names = (asked,) if isinstance(asked, str) else tuple(asked)
    if not names or len(set(names)) < len(names):
        raise InvalidValueError(f"detectors: expected one or more different names, found {asked!r}")
    for name in names:
        if name not in known:
            raise UnknownNameError(f"detectors: expected names out of {' '.join(known) or '(none)'}, found {name!r}")
    return names


def scan_shape(shape: Any) -> tuple[int, int]:
    """Shape (y, x) of an image."""
    try:
        height, width = (int(side) for side in shape)
        whole = (height, width) == tuple(shape)
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole or min(height, width) < 1:
        raise InvalidValueError(f"shape: expected two whole numbers (y, x) of pixels, 1 or more, found {shape!r}")
    return height, width


def frame_count(frames: Any) -> int:
    """Number of scans in a row."""
    if isinstance(frames, bool) or not isinstance(frames, int) or frames < 1:
        raise InvalidValueError(f"frames: expected a whole number, 1 or more, found {frames!r}")
    return frames


def scan_region(region: Region | None) -> Region:
    """Region inside the scan field; the whole field where none is given."""
    if region is None:
        return Region()
    if not isinstance(region, Region):
        raise InvalidValueError(f"region: expected a Region, found {type(region).__name__}")
    y, x = finite("region.y", region.y), finite("region.x", region.x)
    height, width = positive("region.height", region.height), positive("region.width", region.width)
    if min(y, x) < -_ROUNDING or max(y + height, x + width) > 1 + _ROUNDING:
        raise InvalidValueError(f"region: expected a part of the field, fractions from 0 to 1, found {region}")
    return region


def pixel_size(field_of_view: float, region: Region, shape: tuple[int, int]) -> tuple[float, float]:
    """Pixel size (y, x) of a scan of a region."""
    return field_of_view * region.height / shape[0], field_of_view * region.width / shape[1]


def frame_centre(
    stage: StagePosition, beam_shift: tuple[float, float], field_of_view: float, region: Region, rotation: float
) -> tuple[float, float]:
    """Centre (y, x) of a scan of a region in stage coordinates; a rotated scan's rows run along (cos, sin) of its rotation."""
    along = (region.x + region.width / 2 - 0.5) * field_of_view
    down = (region.y + region.height / 2 - 0.5) * field_of_view
    cosine, sine = math.cos(rotation), math.sin(rotation)
    x = stage.x + beam_shift[0] + along * cosine - down * sine
    y = stage.y + beam_shift[1] + along * sine + down * cosine
    return y, x
