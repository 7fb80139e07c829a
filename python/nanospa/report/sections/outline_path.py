"""Outlines as SVG paths, with as many points as the eye can tell apart."""

from __future__ import annotations

from typing import Any

import numpy as np


def outline_path(outline: Any, *, tolerance_px: float) -> str:
    """SVG path of an outline.

    Parameters
    ----------
    outline : array_like of float, shape (point, 2)
        Outline (y, x), pixel centres at whole numbers [px].
    tolerance_px : float
        How far the path may lie from the outline [px].

    Returns
    -------
    str
        Path in image coordinates, where the first pixel's centre is at 0.5, 0.5.
    """
    from skimage.measure import approximate_polygon

    points = np.asarray(outline, float)
    if len(points) > 4:
        points = approximate_polygon(points, tolerance_px)  # type: ignore[no-untyped-call]  # scikit-image has no types
    return "M" + "L".join(f"{x + 0.5:.4g} {y + 0.5:.4g}" for y, x in points) + "Z"
