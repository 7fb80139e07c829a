"""Global thresholds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import EmptyInputError, InvalidValueError, UnknownNameError
from nanospa.schema import as_image, keeps_calibration

#: Bins of the histogram of a float image, as in scikit-image.
N_BINS = 256


@keeps_calibration("image")
def threshold(image: Any, method: str | float = "otsu", *, threads: int | None = None) -> float:
    """Global threshold: foreground is ``image > threshold``.

    Every method gives scikit-image's result. Histogram methods use one bin a level for uint8 and uint16, 256 bins from the smallest to
    the largest pixel for floats. ``"li"`` works on the pixels themselves; on floats it agrees with scikit-image, which sums in the image's
    dtype, to 1e-5 of the image's range. A constant image is its own threshold.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image.
    method : str or float
        ``"li"``, ``"otsu"``, ``"yen"``, ``"isodata"``, ``"mean"``, ``"minimum"`` or ``"triangle"``; a number is the threshold itself
        [intensity].
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    float
        Threshold [intensity].

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        `image` is not a finite real 2D array.
    EmptyInputError
        `image` has no pixels.
    UnknownNameError
        No such `method`.
    InvalidValueError
        `method` is NaN, or ``"minimum"`` and the histogram does not smooth to two maxima.

    References
    ----------
    li: Li and Tam, Pattern Recognition Letters 18, 771 (1998); otsu: Otsu, IEEE Transactions on Systems, Man and Cybernetics 9, 62 (1979);
    yen: Yen, Chang and Chang, IEEE Transactions on Image Processing 4, 370 (1995); isodata: Ridler and Calvard, IEEE Transactions on
    Systems, Man and Cybernetics 8, 630 (1978); minimum: Prewitt and Mendelsohn, Annals of the New York Academy of Sciences 128, 1035
    (1966); triangle: Zack, Rogers and Latt, Journal of Histochemistry and Cytochemistry 25, 741 (1977).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> image = np.array([[1, 2, 2, 3], [90, 92, 93, 2]], np.uint8)
    >>> ns.segment.threshold(image, "otsu")
    3.0
    >>> ns.segment.threshold(image, 12)
    12.0
    """
    if not isinstance(method, str):
        value = float(method)
        if math.isnan(value):
            raise InvalidValueError("method: expected the name of a method or a number, found nan")
        return value
    if method not in METHODS:
        raise UnknownNameError(f"method: expected one of {', '.join(METHODS)}, or a number, found {method!r}")
    array = as_image(image)
    n_threads = _threads.resolve(threads)
    if array.size == 0:
        raise EmptyInputError(f"image: expected at least one pixel, found shape {array.shape}")
    if method == "li":
        return float(_core.li(array, n_threads) or 0.0)
    low, high = _core.extent(array, n_threads) or (0.0, 0.0)
    if low == high:
        return low
    if method == "mean":
        return float(array.mean())
    if array.dtype.kind == "u":
        counts = _core.histogram(array, None, n_threads)[int(low) : int(high) + 1]
        return float(_HISTOGRAM_METHODS[method](counts, np.arange(int(low), int(high) + 1)))
    edges = np.linspace(low, high, N_BINS + 1, dtype=array.dtype)
    if not np.all(edges[1:] > edges[:-1]):
        # The range holds fewer numbers than bins: whatever is above the smallest is foreground.
        return low
    counts = _core.histogram(array, edges.tolist(), n_threads)
    return float(_HISTOGRAM_METHODS[method](counts, (edges[:-1] + edges[1:]) / 2))


# The methods below take the counts and the centres of the bins; the first and the last count are above 0. They weigh in float32, as
# scikit-image does: neighbouring bins of a flat optimum differ by less than float32 resolves, and parity is worth more here than digits.


def _otsu(counts: NDArray[np.uint64], centres: NDArray[Any]) -> Any:
    """Centre with the largest variance between the two classes."""
    weights = counts.astype(np.float32)
    moments = weights * centres
    n_below, n_above = np.cumsum(weights), np.cumsum(weights[::-1])[::-1]
    mean_below = np.cumsum(moments) / n_below
    mean_above = np.cumsum(moments[::-1])[::-1] / n_above
    between = n_below[:-1] * n_above[1:] * (mean_below[:-1] - mean_above[1:]) ** 2
    return centres[np.argmax(between)]


def _yen(counts: NDArray[np.uint64], centres: NDArray[Any]) -> Any:
    """Centre with the largest correlation of the two classes."""
    weights = counts.astype(np.float32)
    p = weights / weights.sum()
    below = np.cumsum(p)[:-1]
    squares_below = np.cumsum(p**2)[:-1]
    squares_above = np.cumsum(p[::-1] ** 2)[::-1][1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.log((squares_below * squares_above) ** -1 * (below * (1 - below)) ** 2)
    return centres[np.argmax(correlation)]


def _isodata(counts: NDArray[np.uint64], centres: NDArray[Any]) -> Any:
    """Lowest centre that lies less than a bin below the middle between the means of the two classes."""
    weights = counts.astype(np.float32)
    n = np.cumsum(weights)
    moments = np.cumsum(weights * centres)
    mean_below = moments[:-1] / n[:-1]
    mean_above = (moments[-1] - moments[:-1]) / (n[-1] - n[:-1])
    distance = (mean_below + mean_above) / 2 - centres[:-1]
    # The middle never falls from one bin to the next, so the first distance below a bin is not negative either.
    return centres[np.argmax(distance < centres[1] - centres[0])]


def _minimum(counts: NDArray[np.uint64], centres: NDArray[Any]) -> Any:
    """Lowest point between the two maxima that are left of the smoothed histogram."""
    from scipy.ndimage import uniform_filter1d

    smooth = counts.astype(np.float32)
    maxima = np.empty(0, dtype=np.intp)
    for _ in range(10_000):
        smooth = uniform_filter1d(smooth, 3)
        steps = np.sign(np.diff(smooth))
        changes = np.flatnonzero(steps)
        falls = steps[changes] < 0
        maxima = changes[falls & np.append(True, ~falls[:-1])]
        if maxima.size < 3:
            break
    if maxima.size != 2:
        raise InvalidValueError(f"image: expected a histogram that smooths to two maxima (method 'minimum'), found {maxima.size}")
    first, second = maxima
    return centres[first + np.argmin(smooth[first : second + 1])]


def _triangle(counts: NDArray[np.uint64], centres: NDArray[Any]) -> Any:
    """Bin furthest from the line between the peak and the end of the longer tail."""
    peak = int(np.argmax(counts))
    flip = peak < counts.size - 1 - peak
    tail = (counts[::-1] if flip else counts).astype(np.int64)
    width = counts.size - 1 - peak if flip else peak
    height = int(tail[width])
    norm = math.sqrt(height**2 + width**2)
    distance = (height / norm) * np.arange(width) - (width / norm) * tail[:width]
    level = int(np.argmax(distance))
    return centres[counts.size - 1 - level if flip else level]


_HISTOGRAM_METHODS: dict[str, Callable[[NDArray[np.uint64], NDArray[Any]], Any]] = {
    "otsu": _otsu,
    "yen": _yen,
    "isodata": _isodata,
    "minimum": _minimum,
    "triangle": _triangle,
}

#: Names of the methods.
METHODS = ("li", *_HISTOGRAM_METHODS, "mean")
