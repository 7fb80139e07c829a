"""Parts of one particle that were outlined on their own, joined again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import ShapeError
from nanospa.schema import as_image
from nanospa.schema.arrays import as_labels

#: Smoothing before brightnesses are compared [px].
_SIGMA_PX = 1.0
#: Parts seen in simulated frames (seeds 501 to 503) have 0.4 to 0.8 of their surroundings in common with the rest, touching particles less.
LEAST_SHARE = 0.3
#: Brighter than this above the neighbour's median, the border is where two particles overlap [-].
_TOLERANCE = 0.05


def join_parts(image: Any, labels: Any, *, least_share: float = LEAST_SHARE, threads: int | None = None) -> NDArray[np.int32]:
    """Label image in which corners and halves of a particle belong to it.

    A region is a part of its neighbour if the neighbour has at least `least_share` of the pixels around it and is brighter there than
    the region is inside, but not brighter than the neighbour is elsewhere: then neither a valley nor a step up lies between them.
    Particles that merely touch have a valley, where two overlap they are brighter than elsewhere, and a particle on a larger one is
    brighter than what surrounds it.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image with bright particles.
    labels : array_like of int, shape (y, x)
        Label image, 0 = background.
    least_share : float
        Least share of a region's surroundings that belongs to the neighbour [-].
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of int32, shape (y, x)
        Joined regions have the smallest of their labels; the other labels are not used any more.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError, InvalidValueError
        `image` is not a finite real 2D array, or `labels` do not fit it.

    Examples
    --------
    >>> import numpy as np
    >>> from nanospa.segment.join_parts import join_parts
    >>> y, x = np.mgrid[:40, :40]
    >>> image = 100.0 * ((y - 20) ** 2 + (x - 20) ** 2 < 144)
    >>> halves = np.where(image > 0, np.where(x < 20, 1, 2), 0)
    >>> np.unique(join_parts(image, halves))
    array([0, 1], dtype=int32)
    """
    array = as_image(image)
    regions = as_labels(labels)
    if regions.shape != array.shape:
        raise ShapeError(f"labels: expected the image's shape {array.shape}, found {regions.shape}")
    if regions.max(initial=0) < 2:
        return regions
    from scipy import ndimage

    boxes = ndimage.find_objects(regions)
    smooth = _core.gaussian(array, _SIGMA_PX, _threads.resolve(threads))
    whole = list(range(len(boxes) + 1))

    def root(label: int) -> int:
        while whole[label] != label:
            label = whole[label]
        return label

    for label, box in enumerate(boxes, 1):
        if box is None:
            continue
        window = tuple(slice(max(s.start - 1, 0), s.stop + 1) for s in box)
        around, values = regions[window], smooth[window]
        own = around == label
        ring = ndimage.binary_dilation(own) & ~own
        counts = np.bincount(around[ring], minlength=1)
        counts[0] = 0
        other = int(counts.argmax())
        if not counts[other] or counts[other] < least_share * np.count_nonzero(ring):
            continue
        between = values[ring & (around == other)].mean()
        typical = np.median(smooth[boxes[other - 1]][regions[boxes[other - 1]] == other])
        if values[own].mean() < between <= (1 + _TOLERANCE) * typical:
            low, high = sorted((root(label), root(other)))
            whole[high] = low
    return np.array([root(label) for label in range(len(whole))], np.int32)[regions]
