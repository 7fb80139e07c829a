"""Images side by side: where a survey lies by its neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.image_shift import LEAST_CONFIDENCE
from nanospa.acquire.microscope import Frame
from nanospa.acquire.plan import Plan

#: Two neighbours that place a survey farther apart than this disagree; the more confident one is believed [nm].
AGREE_NM = 5.0

#: Width of the strip that two surveys share, in ranges that are searched, from which on a registration is trusted as any other.
STRIP_SHARE = 2 / 3


def least_confidence(plan: Plan) -> float:
    """Confidence that the registration of a neighbouring survey needs.

    A strip narrower than the range that is searched holds few particles, and few agree with others by chance: of 60 simulated pairs with a
    strip of 68 nm and a range of 100 nm none was wrong, with one of 33 nm five were.
    """
    strip_nm = plan.survey_overlap * plan.survey_field_nm
    return LEAST_CONFIDENCE * max(1.0, (STRIP_SHARE * plan.stage_error_nm / max(strip_nm, 1e-9)) ** 2)


def agreed(registered: list[dict[str, Any]], least: float) -> tuple[NDArray[np.float64], float]:
    """Displacement (y, x) [nm] of a survey by its neighbours: the mean, weighted, of those that agree with the most confident one."""
    good = sorted((r for r in registered if np.isfinite(r["dy_nm"]) and r["confidence"] >= least), key=lambda r: -r["confidence"])
    if not good:
        return np.zeros(2), 0.0
    shifts = np.array([(r["dy_nm"], r["dx_nm"]) for r in good])
    agree = np.hypot(*(shifts - shifts[0]).T) <= AGREE_NM
    weights = np.array([r["confidence"] for r in good]) * agree
    return weights @ shifts / weights.sum(), good[0]["confidence"]


def pixel_nm_of(frame: Frame) -> tuple[float, float]:
    """Pixel size (y, x) of a frame [nm]."""
    return (frame.pixel_size[0] * 1e9, frame.pixel_size[1] * 1e9)


def flat(frame: Frame) -> NDArray[Any]:
    """The image of a frame; the sum of several scans."""
    return frame.data.sum(axis=0) if frame.data.ndim == 3 else frame.data
