"""Connected components."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.schema import as_image, keeps_calibration
from nanospa.schema.arrays import as_mask


@keeps_calibration("mask")
def label(mask: Any, connectivity: int | None = None, *, threads: int | None = None) -> tuple[NDArray[np.int32], int]:
    """Connected components of a mask.

    Components are numbered 1, 2, … in the raster order of their first pixels.

    Parameters
    ----------
    mask : array_like of real dtype, shape (y, x) or (z, y, x)
        Non-zero pixels are labelled.
    connectivity : int, optional
        Neighbours of a pixel: 4 or 8 in 2D (default 8), 6, 18 or 26 in 3D (default 26).
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    labels : numpy.ndarray of int32, same shape as `mask`
        0 is background.
    n : int
        Number of components.

    Raises
    ------
    ShapeError, DtypeError
        `mask` is not a real 2D or 3D array.
    InvalidValueError
        `connectivity` does not fit the rank.

    References
    ----------
    Runs and union-find: L. He, Y. Chao, K. Suzuki, "A run-based two-scan labeling algorithm", IEEE Trans. Image Process. 17 (2008) 749.

    Examples
    --------
    >>> import nanospa as ns
    >>> ns.segment.label([[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 1, 1]])
    (array([[1, 0, 0],
           [0, 1, 0],
           [0, 0, 0],
           [2, 2, 2]], dtype=int32), 2)
    """
    array = np.asarray(mask)
    if array.dtype != np.uint8:
        array = as_mask(array, ndim=(2, 3)).view(np.uint8)
    array = as_image(array, "mask", ndim=(2, 3))
    if connectivity is None:
        connectivity = 8 if array.ndim == 2 else 26
    return _core.label(array, max(int(connectivity), 0), _threads.resolve(threads))
