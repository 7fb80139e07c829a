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
    were drawn or changed come in as they are and replace every automatic region of which they cover half or more; regions that were
    deleted take away every automatic region of which they cover half or more; all others stay automatic.

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
    drawn = np.unique(edited[changed])
    drawn = drawn[drawn > 0]
    deleted = np.setdiff1d(np.unique(original[changed]), np.unique(edited))
    by_hand = np.isin(edited, drawn)
    covered = by_hand | np.isin(original, deleted[deleted > 0])
    n = int(automatic.max(initial=0)) + 1
    replaced = 2 * np.bincount(automatic[covered], minlength=n) >= np.bincount(automatic.ravel(), minlength=n)
    result = np.where(replaced[automatic], 0, automatic).astype(np.int64)
    result[by_hand] = edited[by_hand].astype(np.int64) + n
    return result


def _as_edited(labels: Any, name: str, shape: tuple[int, ...]) -> NDArray[np.int32]:
    array = np.asarray(labels)
    if array.dtype.kind == "f":
        # ImageJ has 32-bit label images in floats.
        if not np.array_equal(array, np.trunc(array)):
            raise DtypeError(f"{name}: expected whole numbers, found dtype {array.dtype} with fractions")
        array = array.astype(np.int64)
    return as_labels(array, name, shape=shape)
