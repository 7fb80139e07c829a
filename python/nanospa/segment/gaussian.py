"""Gaussian filter."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.schema import as_image, keeps_calibration


@keeps_calibration("image")
def gaussian(image: Any, sigma_px: float, *, threads: int | None = None) -> NDArray[np.float32]:
    """Gaussian-filtered image.

    Borders are reflected with the edge pixel repeated and the kernel is cut at four standard deviations, as in
    `scipy.ndimage.gaussian_filter`.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image.
    sigma_px : float
        Standard deviation [px]; 0 only converts to float32.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of float32, shape (y, x)
        Filtered image.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        `image` is not a finite real 2D array.
    InvalidValueError
        `sigma_px` is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> image = np.zeros((5, 5), np.uint8)
    >>> image[2, 2] = 100
    >>> ns.segment.gaussian(image, 1.0)[2, 2].round(1)
    np.float32(15.9)
    """
    return _core.gaussian(as_image(image), float(sigma_px), _threads.resolve(threads))
