"""Pieces of a film beside a hole, which are no particles."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: What lies around a region is looked at in so many directions.
_DIRECTIONS = 6
#: Distance of the surroundings from the region, which its own blur reaches, and their width in square roots of its area [px], [-].
_GAP_PX = 2
_WIDTH = 0.35
_LEAST_WIDTH_PX = 3
#: A region that stands out by less than so many standard deviations of its surroundings [-] …
FAINT = 0.7
#: … and is as bright as the two brightest of the directions, to this share of what it has above the darkest [-], is a piece of that side.
#: Looked at on frames of a holey film (specimen "slater2020", hole_share 0.6 and 0.5) and on the 17 images of the ArdaGen S/TEM set
#: (10 of 1424 found boxes go, and 11 of 250 false regions).
AS_BRIGHT = 0.2


def on_film_edge(image: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether each region is a piece of a step in brightness: hardly brighter than one side, much brighter than the other.

    Parameters
    ----------
    image : numpy.ndarray of float32, shape (y, x)
        Image with bright particles.
    labels : numpy.ndarray of int32, shape (y, x)
        Label image, 0 = background.

    Returns
    -------
    numpy.ndarray of bool, shape (region,)
        One value for each of the labels 1 … n; False for labels that are not used.

    Examples
    --------
    >>> import numpy as np
    >>> from nanospa.segment.film_edges import on_film_edge
    >>> y, x = np.mgrid[:60, :120]
    >>> image = (10.0 * (x > 30) + 10.0 * ((y - 30) ** 2 + (x - 90) ** 2 < 49)).astype(np.float32)
    >>> labels = np.where(abs(x - 36) + abs(y - 30) < 6, 1, np.where((y - 30) ** 2 + (x - 90) ** 2 < 49, 2, 0)).astype(np.int32)
    >>> on_film_edge(image, labels)
    array([ True, False])
    """
    from scipy import ndimage

    # An image without a pixel has no largest label.
    boxes = ndimage.find_objects(labels, max_label=int(labels.max(initial=0))) if labels.any() else []
    found = np.zeros(len(boxes), dtype=bool)
    for k, box in enumerate(boxes):
        if box is None:
            continue
        own = labels[box] == k + 1
        width = max(_LEAST_WIDTH_PX, round(_WIDTH * float(np.sqrt(np.count_nonzero(own)))))
        reach = _GAP_PX + width
        window = tuple(slice(max(s.start - reach, 0), s.stop + reach) for s in box)
        own = labels[window] == k + 1
        distance = ndimage.distance_transform_edt(~own)
        ring = (distance > _GAP_PX) & (distance <= reach) & (labels[window] == 0)
        values = image[window]
        inside, around = float(values[own].mean()), values[ring]
        if around.size == 0 or inside - float(np.median(around)) >= FAINT * float(around.std()):
            continue
        centre = [float(axis.mean()) for axis in np.nonzero(own)]
        y, x = np.nonzero(ring)
        direction = ((np.arctan2(y - centre[0], x - centre[1]) / (2 * np.pi) + 0.5) * _DIRECTIONS).astype(int) % _DIRECTIONS
        sides = sorted(float(np.median(around[direction == d])) for d in np.unique(direction))
        near = AS_BRIGHT * (inside - sides[0])
        found[k] = abs(inside - sides[-1]) < near and abs(inside - sides[-2:][0]) < near
    return found
