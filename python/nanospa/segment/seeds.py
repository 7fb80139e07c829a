"""Seeds of the watershed."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError
from nanospa.schema import as_image, keeps_calibration
from nanospa.schema.arrays import as_labels

#: What `separation_px` may mean.
MEANINGS = ("distance", "particlespy-0.5.1")


@keeps_calibration("distance", "labels")
def seeds(
    distance: Any,
    labels: Any,
    separation_px: int,
    *,
    meaning: Literal["distance", "particlespy-0.5.1"] = "distance",
    threads: int | None = None,
) -> NDArray[np.int32]:
    """Maxima of a distance map within each label, as markers of a watershed.

    A seed is the set of pixels that no pixel of the same label exceeds anywhere nearer than `separation_px`, counted along y and along x
    (Chebyshev distance). Two maxima of a label that are at least `separation_px` apart are two seeds; of two nearer ones the higher stays,
    and two of equal height are one seed of several pixels, so a straight rod is never cut. Labels do not see each other, and pixels
    of distance 0 are never seeds.

    Parameters
    ----------
    distance : array_like of real dtype, shape (y, x)
        Distance to the outline (`distance_transform`), or any height that peaks at the middles; compared as float32.
    labels : array_like of int, shape (y, x)
        Label image; the 0 of its background has no seeds.
    separation_px : int
        Smallest distance of two seeds [px], at least 1; 1 and 2 both keep every local maximum.
    meaning : {"distance", "particlespy-0.5.1"}
        "particlespy-0.5.1" takes `separation_px` as that program does: as the side of a square window, which keeps apart what is about half
        as far (the window of an even side reaches one pixel further up and left). The outermost pixels of the image are never seeds,
        only pixels above the lowest of the image are, and maxima that share an edge are one seed.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of int32, shape (y, x)
        Seeds numbered 1, 2, … in the raster order of their first pixels; 0 elsewhere.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        The arrays are not 2D, real and finite, or differ in shape.
    InvalidValueError
        `separation_px` is below 1, or `meaning` is unknown.

    Examples
    --------
    >>> import nanospa as ns
    >>> ns.segment.seeds([[1, 3, 1, 1, 2, 1]], [[1, 1, 1, 1, 1, 1]], 3)
    array([[0, 1, 0, 0, 2, 0]], dtype=int32)
    >>> ns.segment.seeds([[1, 3, 1, 1, 2, 1]], [[1, 1, 1, 1, 1, 1]], 4)
    array([[0, 1, 0, 0, 0, 0]], dtype=int32)
    """
    heights = as_image(distance, "distance")
    regions = as_labels(labels, shape=heights.shape)
    if separation_px < 1 or int(separation_px) != separation_px:
        raise InvalidValueError(f"separation_px: expected an integer >= 1, found {separation_px}")
    if meaning not in MEANINGS:
        raise InvalidValueError(f"meaning: expected one of {', '.join(MEANINGS)}, found {meaning!r}")
    heights = heights.astype(np.float32, copy=False)
    return _core.seeds(heights, regions, int(separation_px), meaning != "distance", _threads.resolve(threads))
