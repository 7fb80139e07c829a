"""Outlines of particles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.schema import keeps_calibration
from nanospa.schema.arrays import as_labels


@keeps_calibration("labels")
def outlines(labels: Any) -> list[NDArray[np.float64]]:
    """Closed outline of every particle, half-way between its pixels and the others.

    Parameters
    ----------
    labels : array_like of int, shape (y, x)
        Label image, 0 = background.

    Returns
    -------
    list of numpy.ndarray of float64, shape (n, 2)
        Corners (y, x) in pixels, the first repeated at the end, in ascending order of the labels. Of a label in several pieces the
        outline of the largest; holes are left out.

    Raises
    ------
    ShapeError, DtypeError, InvalidValueError
        Not a label image.

    References
    ----------
    W. E. Lorensen, H. E. Cline, Computer Graphics 21, 163 (1987), in two dimensions.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> labels = np.zeros((5, 5), int)
    >>> labels[2, 2] = 1
    >>> ns.measure.outlines(labels)[0].tolist()
    [[2.5, 2.0], [2.0, 1.5], [1.5, 2.0], [2.0, 2.5], [2.5, 2.0]]
    """
    from scipy import ndimage
    from skimage.measure import find_contours

    regions: NDArray[np.signedinteger[Any]] = as_labels(labels)
    if regions.size == 0:
        return []
    if regions.max() > regions.size:
        # Boxes are listed by label; a few huge labels must not make a list of that length.
        _, dense = np.unique(np.append(0, regions), return_inverse=True)
        regions = dense[1:].reshape(regions.shape)
    lines = []
    for number, box in enumerate(ndimage.find_objects(regions), 1):
        if box is None:
            continue
        rows, columns = box
        mask = np.pad(regions[rows, columns] == number, 1)
        contours = find_contours(mask.astype(np.float64), 0.5, fully_connected="high")  # type: ignore[no-untyped-call]
        largest = max(contours, key=lambda line: abs(_area(line)))
        lines.append(largest + np.array([rows.start - 1.0, columns.start - 1.0]))
    return lines


def _area(line: NDArray[np.float64]) -> float:
    y, x = line[:, 0], line[:, 1]
    return float(0.5 * np.sum(x[:-1] * y[1:] - x[1:] * y[:-1]))
