"""Euclidean distance transform."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError
from nanospa.schema import as_mask, keeps_calibration


@keeps_calibration("mask")
def distance_transform(
    mask: Any, sampling: float | Sequence[float] = 1.0, *, squared: bool = False, threads: int | None = None
) -> NDArray[np.float32]:
    """Exact Euclidean distance of every foreground pixel to the nearest background pixel.

    Parameters
    ----------
    mask : array_like of bool or numbers, shape (y, x) or (z, y, x)
        Zero is background. What lies outside the array is not.
    sampling : float or sequence of float
        Spacing of the pixels [any length], one for all axes or one for each; distances come in its unit.
    squared : bool
        Return squared distances: exact integers up to 2**24 where the spacing is 1.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of float32, same shape as `mask`
        Distances; 0 in the background, infinite everywhere if there is no background.

    Raises
    ------
    ShapeError, DtypeError
        `mask` is not a 2D or 3D array of bool or numbers.
    InvalidValueError
        `sampling` is not above 0, not finite, or not one number for each axis.

    References
    ----------
    Felzenszwalb and Huttenlocher, Theory of Computing 8, 415 (2012).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> mask = np.ones((1, 5), bool)
    >>> mask[0, 0] = False
    >>> ns.segment.distance_transform(mask, sampling=0.5)
    array([[0. , 0.5, 1. , 1.5, 2. ]], dtype=float32)
    """
    array = as_mask(mask, ndim=(2, 3)).view(np.uint8)
    try:
        spacing = np.asarray(sampling, dtype=np.float64)
        spacing = np.broadcast_to(spacing, (array.ndim,)) if spacing.ndim == 0 else spacing
    except (TypeError, ValueError):
        spacing = np.empty(0)
    if spacing.shape != (array.ndim,):
        raise InvalidValueError(f"sampling: expected one number, or one for each of {array.ndim} axes, found {sampling!r}")
    return _core.distance_transform(array, spacing.tolist(), bool(squared), _threads.resolve(threads))
