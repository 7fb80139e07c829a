"""Where a survey lies by its neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Two neighbours that place a survey farther apart than this disagree; the more confident one is believed [nm].
AGREE_NM = 5.0


def agreed(registered: list[dict[str, Any]], least: float) -> tuple[NDArray[np.float64], float]:
    """Displacement (y, x) [nm] of a survey by its neighbours: the mean, weighted, of those that agree with the most confident one."""
    good = sorted((r for r in registered if np.isfinite(r["dy_nm"]) and r["confidence"] >= least), key=lambda r: -r["confidence"])
    if not good:
        return np.zeros(2), 0.0
    shifts = np.array([(r["dy_nm"], r["dx_nm"]) for r in good])
    agree = np.hypot(*(shifts - shifts[0]).T) <= AGREE_NM
    weights = np.array([r["confidence"] for r in good]) * agree
    return weights @ shifts / weights.sum(), good[0]["confidence"]
