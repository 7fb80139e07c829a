"""Which pixel size holds: the user's, else the file's."""

from __future__ import annotations

import warnings
from typing import Any

from nanospa.errors import NanospaWarning
from nanospa.schema import pixel_size_pair

#: Relative difference between the user's and the file's value above which a user should know.
CONFLICT = 0.01


def reconcile(in_file: tuple[float, float] | None, given: Any, *, source: str) -> tuple[float, float] | None:
    """Pixel size (y, x) [nm] from the file's and the given value; warns where they differ by more than 1 %."""
    chosen = pixel_size_pair(given)
    if chosen is None:
        return in_file
    if in_file is not None and any(abs(a - b) > CONFLICT * b for a, b in zip(chosen, in_file, strict=True)):
        warnings.warn(f"{source}: pixel_size_nm {_shown(chosen)} is used, the file says {_shown(in_file)}", NanospaWarning, stacklevel=4)
    return chosen


def _shown(size: tuple[float, float]) -> str:
    return f"{size[0]:.6g} nm" if size[0] == size[1] else f"({size[0]:.6g}, {size[1]:.6g}) nm"
