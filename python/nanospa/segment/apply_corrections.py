"""Labels corrected by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core
from nanospa.errors import DtypeError
from nanospa.schema import keeps_calibration
from nanospa.schema.arrays import as_labels


@keeps_calibration("labels", "corrected", "original")
def apply_corrections(labels: Any, corrected: Any, *, original: Any = None) -> NDArray[np.int32]:
    """Automatic labels with the corrections of a person, who always wins.

    Without `original`, `corrected` is the person's whole opinion and replaces `labels`. With `original`, the automatic labels that the
    person edited, only what the person changed is taken over, so that corrections survive a run with other settings: regions that
    were drawn or changed come in as they are, regions that were deleted do not come back, and all others stay automatic. An automatic
    region is the one that was changed or deleted if the two share at least half of the smaller one's pixels.

    Parameters
    ----------
    labels : array_like of int, shape (y, x)
        Label image of the present run.
    corrected : array_like of int, or of float with whole numbers, shape (y, x)
        Label image as edited, for example in napari or ImageJ; labels need not be consecutive.
    original : array_like of int, or of float with whole numbers, shape (y, x), optional
        Label image before it was edited.

    Returns
    -------
    numpy.ndarray of int32, shape (y, x)
        Regions numbered 1, 2, … in the raster order of their first pixels.

    Raises
    ------
    ShapeError, DtypeError, InvalidValueError
        The arrays are not label images of one shape.

    Examples
    --------
    >>> import nanospa as ns
    >>> original = [[1, 1, 0, 2, 2, 0]]
    >>> corrected = [[1, 1, 0, 0, 0, 7]]
    >>> ns.segment.apply_corrections([[0, 1, 0, 2, 2, 0]], corrected, original=original)
    array([[0, 1, 0, 0, 0, 2]], dtype=int32)
    """
    automatic = as_labels(labels)
    edited = _as_edited(corrected, "corrected", automatic.shape)
    result = edited if original is None else _merged(automatic, edited, _as_edited(original, "original", automatic.shape))
    # Numbers of other programs may be far apart.
    values, dense = np.unique(np.append(0, result), return_inverse=True)
    numbered = np.ascontiguousarray(dense[1:].reshape(result.shape), dtype=np.int32)
    _core.select(numbered, values.size - 1, 1, False, 1)
    return numbered


def _merged(automatic: NDArray[np.int32], edited: NDArray[np.int32], original: NDArray[np.int32]) -> NDArray[np.int64]:
    changed = edited != original
    touched = np.union1d(edited[changed], original[changed])
    kept = np.unique(edited)
    by_hand = np.isin(edited, np.intersect1d(touched, kept)) & (edited > 0)
    deleted = np.isin(original, np.setdiff1d(touched, kept)) & (original > 0)
    replaced = np.union1d(_same(automatic, edited, by_hand), _same(automatic, original, deleted))
    result = np.where(np.isin(automatic, replaced), 0, automatic).astype(np.int64)
    result[by_hand] = edited[by_hand].astype(np.int64) + int(automatic.max(initial=0))
    return result


def _same(automatic: NDArray[np.int32], other: NDArray[np.int32], where: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Automatic regions that share half of the smaller one's pixels with a region of `other`, all of which is in `where`."""
    a, b = automatic[where], other[where]
    pairs, shared = np.unique(np.stack([a, b])[:, a > 0], axis=1, return_counts=True)
    areas, of_pair = np.unique(automatic, return_counts=True), []
    others = np.unique(b, return_counts=True)
    for (values, counts), column in ((areas, pairs[0]), (others, pairs[1])):
        of_pair.append(counts[np.searchsorted(values, column)])
    same: NDArray[np.int64] = pairs[0][2 * shared >= np.minimum(*of_pair)].astype(np.int64)
    return same


def _as_edited(labels: Any, name: str, shape: tuple[int, ...]) -> NDArray[np.int32]:
    array = np.asarray(labels)
    if array.dtype.kind == "f":
        # ImageJ has 32-bit label images in floats.
        if not np.array_equal(array, np.trunc(array)):
            raise DtypeError(f"{name}: expected whole numbers, found dtype {array.dtype} with fractions")
        array = array.astype(np.int64)
    return as_labels(array, name, shape=shape)
