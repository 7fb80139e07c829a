"""Local thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError, UnknownNameError
from nanospa.schema import as_image, keeps_calibration
from nanospa.segment.threshold import threshold

#: Names of the methods.
METHODS = ("local", "niblack", "sauvola", "otsu_local")


@keeps_calibration("image")
def local_threshold(
    image: Any,
    method: str = "local",
    local_size_px: int = 51,
    *,
    k: float = 0.2,
    dynamic_range: float | None = None,
    threads: int | None = None,
) -> NDArray[np.bool_]:
    """Mask of the pixels above a threshold that follows their neighbourhood.

    ``"local"`` compares with the Gaussian mean (standard deviation a sixth of the window), ``"niblack"`` with m − k s and ``"sauvola"``
    with m (1 + k (s / R − 1)), where m and s are mean and standard deviation of the window, as in scikit-image. ``"otsu_local"`` keeps
    what is above Otsu's threshold of the window and above that of the whole image, on 256 grey levels. Flat neighbourhoods are
    background (except for ``"sauvola"``, whose threshold lies below the mean of a flat window).

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image.
    method : str
        ``"local"``, ``"niblack"``, ``"sauvola"`` or ``"otsu_local"``.
    local_size_px : int
        Side of the square window [px], odd; larger than the largest particle.
    k : float
        Weight of the standard deviation [-], for Niblack and Sauvola.
    dynamic_range : float, optional
        R of Sauvola: largest standard deviation there can be [intensity]. By default half the range of an integer dtype, as in
        scikit-image, and half the range of the image itself for floats (scikit-image: 1, which suits only images from -1 to 1).
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of bool, shape (y, x)
        Foreground.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        `image` is not a finite real 2D array.
    UnknownNameError
        No such `method`.
    InvalidValueError
        `local_size_px` is not an odd integer >= 3, `k` is not finite, or `dynamic_range` not above 0.

    References
    ----------
    Niblack, An Introduction to Digital Image Processing (1986); Sauvola and Pietikäinen, Pattern Recognition 33, 225 (2000); Otsu, IEEE
    Transactions on Systems, Man and Cybernetics 9, 62 (1979).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> image = np.tile(np.arange(0, 90, 10, dtype=np.uint8), (9, 1))
    >>> image[4, 4] += 30
    >>> mask = ns.segment.local_threshold(image, "local", 5)
    >>> bool(mask[4, 4]), bool(mask[4, 5])
    (True, False)
    """
    if method not in METHODS:
        raise UnknownNameError(f"method: expected one of {', '.join(METHODS)}, found {method!r}")
    if local_size_px != int(local_size_px) or local_size_px < 3 or local_size_px % 2 == 0:
        raise InvalidValueError(f"local_size_px: expected an odd integer >= 3, found {local_size_px}")
    if not np.isfinite(k):
        raise InvalidValueError(f"k: expected a finite number, found {k}")
    array = as_image(image)
    size, n_threads = int(local_size_px), _threads.resolve(threads)
    if method == "otsu_local":
        return _otsu_local(array, size, n_threads)
    if dynamic_range is None:
        low, high = _core.extent(array, n_threads) or (0.0, 0.0)
        span = float(np.iinfo(array.dtype).max) if array.dtype.kind == "u" else high - low
        dynamic_range = span / 2 or 1.0
    if not (np.isfinite(dynamic_range) and dynamic_range > 0):
        raise InvalidValueError(f"dynamic_range: expected a finite number > 0, found {dynamic_range}")
    return _core.local_threshold(array, size, method, float(k), float(dynamic_range), n_threads)


def _otsu_local(image: NDArray[Any], size: int, threads: int) -> NDArray[np.bool_]:
    extent = _core.extent(image, threads)
    if extent is None or extent[0] == extent[1]:
        return np.zeros(image.shape, dtype=np.bool_)
    levels = image
    if image.dtype != np.uint8:
        low, high = extent
        levels = ((image - image.dtype.type(low)) * np.float32(255 / (high - low)) + np.float32(0.5)).astype(np.uint8)
    wanted = levels > threshold(levels, "otsu", threads=threads)
    return _core.local_otsu(levels, wanted.view(np.uint8), size, threads)
