"""Erosion of a mask."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError
from nanospa.schema import as_mask, keeps_calibration


@keeps_calibration("mask")
def erode(mask: Any, radius_px: int, *, threads: int | None = None) -> NDArray[np.bool_]:
    """Mask eroded by a diamond: pixels whose L1 distance to the background is above the radius.

    The same as `radius_px` erosions by a cross. What lies outside the image does not erode.

    Parameters
    ----------
    mask : array_like of bool or numbers, shape (y, x)
        Zero is background.
    radius_px : int
        Radius of the diamond [px]; 0 changes nothing.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of bool, shape (y, x)
        Eroded mask.

    Raises
    ------
    ShapeError, DtypeError
        `mask` is not a 2D array of bool or numbers.
    InvalidValueError
        `radius_px` is negative or not an integer.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> mask = np.zeros((7, 7), bool)
    >>> mask[1:6, 1:6] = True
    >>> int(ns.segment.erode(mask, 1).sum())
    9
    """
    if radius_px != int(radius_px) or radius_px < 0:
        raise InvalidValueError(f"radius_px: expected an integer >= 0, found {radius_px}")
    return _core.erode(as_mask(mask).view(np.uint8), int(radius_px), _threads.resolve(threads)).view(np.bool_)
