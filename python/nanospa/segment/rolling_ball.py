"""Rolling-ball background."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.schema import as_image, keeps_calibration


@keeps_calibration("image")
def rolling_ball(image: Any, radius_px: float, *, intensity_scale: float = 1.0, threads: int | None = None) -> NDArray[np.float32]:
    """Background of an image by a rolling ball.

    A ball is pushed up from below the image, seen as a landscape, at every pixel; the background is the height of its top. Subtract it
    to remove it. The ball is a true one and the result exact: every pixel of the ball is accounted for, in float32.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image with bright particles.
    radius_px : float
        Radius of the ball [px], larger than the largest particle.
    intensity_scale : float
        Height of the ball for one pixel of its radius [intensity/px]. 1 is `skimage.restoration.rolling_ball`, which makes a ball of radius
        150 nearly flat for counts in the thousands and a needle for intensities from 0 to 1. 0 is a flat disc.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of float32, shape (y, x)
        Background, nowhere above the image.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        `image` is not a finite real 2D array.
    InvalidValueError
        `radius_px` is not above 0, `intensity_scale` is negative, or one is not finite.

    References
    ----------
    Sternberg, Computer 16(1), 22 (1983).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> image = np.full((5, 5), 10, np.uint8)
    >>> image[2, 2] = 90
    >>> ns.segment.rolling_ball(image, 3)[2].round(2)
    array([10.  , 10.  , 10.17, 10.  , 10.  ], dtype=float32)
    """
    return _core.rolling_ball(as_image(image), float(radius_px), float(intensity_scale), _threads.resolve(threads))
