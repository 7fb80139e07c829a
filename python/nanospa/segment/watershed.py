"""Seeded watershed."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError
from nanospa.schema import as_image, keeps_calibration
from nanospa.schema.arrays import as_labels, as_mask

#: Rules for pixels of equal height.
TIES = ("first_reached", "particlespy-0.5.1")


@keeps_calibration("landscape", "markers", "mask")
def watershed(
    landscape: Any,
    markers: Any,
    mask: Any = None,
    *,
    connectivity: int = 4,
    descending: bool = False,
    ties: Literal["first_reached", "particlespy-0.5.1"] = "first_reached",
    threads: int | None = None,
) -> NDArray[np.int32]:
    """Regions that grow from markers over a landscape, lowest pixels first, until they meet.

    No line is left between regions. One rule breaks ties: pixels of equal height are flooded in the order in which the flood reached
    them, markers before all others and in raster order, the neighbours of a pixel in raster order too (up, left, right, down).
    The result is that of `skimage.segmentation.watershed` wherever heights decide.

    Parameters
    ----------
    landscape : array_like of real dtype, shape (y, x)
        Heights; uint8, uint16, float32 and float64 are compared exactly.
    markers : array_like of int, shape (y, x)
        Positive where a region begins; equal markers are one region.
    mask : array_like of real dtype, shape (y, x), optional
        Where regions may grow (non-zero); markers outside it are ignored. Everywhere by default.
    connectivity : int
        Neighbours of a pixel: 4 or 8.
    descending : bool
        Flood from the highest value down: the watershed of ``-landscape`` without the copy.
    ties : {"first_reached", "particlespy-0.5.1"}
        What decides between pixels of equal height: the rule above, or for parity the order of that program's binary heap, which differs
        in the order of markers of equal height (slower).
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of int32, shape (y, x)
        The marker that reached each pixel; 0 outside the mask and where none did.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        The arrays are not 2D, real and finite, or differ in shape.
    InvalidValueError
        Negative markers, another connectivity, or more than 2³⁰ pixels.

    References
    ----------
    F. Meyer, "Un algorithme optimal pour la ligne de partage des eaux", 8ème congrès AFCET (1991) 847: flooding with ordered queues.

    Examples
    --------
    >>> import nanospa as ns
    >>> ns.segment.watershed([[0, 1, 5, 2, 0]], [[1, 0, 0, 0, 2]])
    array([[1, 1, 1, 2, 2]], dtype=int32)
    """
    heights = as_image(landscape, "landscape")
    starts = as_labels(markers, "markers", shape=heights.shape)
    inside = None if mask is None else as_mask(mask).view(np.uint8)
    if ties not in TIES:
        raise InvalidValueError(f"ties: expected one of {', '.join(TIES)}, found {ties!r}")
    return _core.watershed(heights, starts, inside, max(int(connectivity), 0), bool(descending), ties != TIES[0], _threads.resolve(threads))
