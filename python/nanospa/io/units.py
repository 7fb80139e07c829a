"""Units of length that files are written in."""

from __future__ import annotations

import math

#: Nanometres in a unit; names as microscope files spell them, in lower case.
_IN_NM = {
    "m": 1e9,
    "meter": 1e9,
    "metre": 1e9,
    "cm": 1e7,
    "centimeter": 1e7,
    "centimetre": 1e7,
    "inch": 2.54e7,
    "in": 2.54e7,
    "mm": 1e6,
    "millimeter": 1e6,
    "millimetre": 1e6,
    "um": 1e3,
    "\u00b5m": 1e3,
    "\u03bcm": 1e3,
    "\\u00b5m": 1e3,
    "micron": 1e3,
    "microns": 1e3,
    "micrometer": 1e3,
    "micrometre": 1e3,
    "nm": 1.0,
    "n_m": 1.0,
    "nanometer": 1.0,
    "nanometre": 1.0,
    "a": 0.1,
    "\u00e5": 0.1,
    "\u212b": 0.1,
    "ang": 0.1,
    "angstrom": 0.1,
    "angstroms": 0.1,
    "\u00e5ngstr\u00f6m": 0.1,
    "pm": 1e-3,
    "picometer": 1e-3,
    "picometre": 1e-3,
}


def to_nm(value: float, unit: object) -> float | None:
    """Length in nanometres; None where the unit is not one of length or the value is not positive."""
    factor = _IN_NM.get(str(unit).strip().strip("[]").lower())
    if factor is None or not math.isfinite(value) or value <= 0:
        return None
    return float(value) * factor


def pair_nm(y: float | None, x: float | None) -> tuple[float, float] | None:
    """Pixel size (y, x) where both are known."""
    return None if y is None or x is None else (y, x)
