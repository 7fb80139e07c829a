"""White top-hat."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError
from nanospa.schema import as_image, keeps_calibration


@keeps_calibration("image")
def tophat(image: Any, size_px: int, *, threads: int | None = None) -> NDArray[Any]:
    """White top-hat: the image minus its opening by a flat square.

    What is narrower than the square stays, everything wider (background, drift of the illumination) goes. Borders are mirrored; the
    result equals ``scipy.ndimage.white_tophat(image, size=size_px)``. The time does not depend on the size.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image.
    size_px : int
        Side of the square [px], at least 1; larger than the largest particle.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of the image's dtype, shape (y, x)
        Image without background; uint8 for bool, and float64 for integers that do not fit uint16.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        `image` is not a finite real 2D array.
    InvalidValueError
        `size_px` is below 1 or not an integer.

    References
    ----------
    van Herk, Pattern Recognition Letters 13, 517 (1992); Gil and Werman, IEEE Transactions on Pattern Analysis and Machine
    Intelligence 15, 504 (1993).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> image = np.tile(np.arange(7, dtype=np.uint8), (7, 1))
    >>> image[3, 3] += 50
    >>> ns.segment.tophat(image, 3)[3]
    array([ 0,  0,  0, 50,  0,  0,  1], dtype=uint8)
    """
    if size_px != int(size_px) or size_px < 1:
        raise InvalidValueError(f"size_px: expected an integer >= 1, found {size_px}")
    return _core.tophat(as_image(image), int(size_px), _threads.resolve(threads))
