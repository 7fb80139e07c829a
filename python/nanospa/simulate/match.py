"""Comparison of found regions with the truth."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError, ShapeError
from nanospa.schema.arrays import as_labels


class Match(NamedTuple):
    """Which region found each true particle.

    Attributes
    ----------
    found : numpy.ndarray of int32, shape (true particle,)
        Label of the region, 0 = not found; entry i belongs to true label i + 1.
    iou : numpy.ndarray of float64, shape (true particle,)
        Intersection over union with the region that overlaps best, found or not.
    false : numpy.ndarray of int32, shape (n,)
        Labels of the regions that match no true particle.
    """

    found: NDArray[np.int32]
    iou: NDArray[np.float64]
    false: NDArray[np.int32]


def match(truth: Any, labels: Any, *, iou: float = 0.5) -> Match:
    """Match found regions with true particles by intersection over union.

    Above an IoU of one half at most one region matches a particle, so that the matching is one-to-one and needs no search.

    Parameters
    ----------
    truth : array_like of int, shape (y, x)
        True label image, labels 1 … n.
    labels : array_like of int, same shape (y, x)
        Label image to judge.
    iou : float
        A particle is found by a region with a larger intersection over union, at least 0.5 [-].

    Returns
    -------
    Match
        Region and IoU of every true particle, and the regions without one.

    Raises
    ------
    ShapeError
        The label images differ in shape.
    InvalidValueError
        `iou` is not in 0.5 … 1.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> truth = np.array([[1, 1, 0, 2], [1, 1, 0, 2]])
    >>> ns.simulate.match(truth, np.array([[7, 7, 0, 0], [7, 0, 0, 5]]))
    Match(found=array([7, 0], dtype=int32), iou=array([0.75, 0.5 ]), false=array([5], dtype=int32))
    """
    if not 0.5 <= iou < 1:
        raise InvalidValueError(f"iou: expected a number of 0.5 … 1, found {iou!r}")
    true = as_labels(truth, "truth")
    found = as_labels(labels, "labels")
    if true.shape != found.shape:
        raise ShapeError(f"labels: expected the shape of truth {true.shape}, found {found.shape}")
    names, dense = _dense(found.ravel())
    n_true, n_found = int(true.max(initial=0)) + 1, names.size
    both = np.bincount(true.ravel().astype(np.int64) * n_found + dense, minlength=n_true * n_found).reshape(n_true, n_found)
    union = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
    overlap = np.divide(both, union, out=np.zeros(both.shape), where=union > 0)[1:, 1:]
    if overlap.shape[1] == 0:
        return Match(np.zeros(n_true - 1, np.int32), np.zeros(n_true - 1), np.zeros(0, np.int32))
    best = overlap.argmax(axis=1)
    value = overlap.max(axis=1)
    region = np.where(value > iou, names[1:][best], 0).astype(np.int32)
    return Match(region, value, np.setdiff1d(names[1:], region).astype(np.int32))


def _dense(labels: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Labels there are, 0 always the first of them, and each pixel's place among them."""
    if labels.max(initial=0) > labels.size:
        names, dense = np.unique(np.append(labels, np.int32(0)), return_inverse=True)
        return names, dense[:-1]
    # Without sorting a million pixels.
    present = np.bincount(labels, minlength=1) > 0
    present[0] = True
    return np.flatnonzero(present).astype(np.int32), (np.cumsum(present) - 1)[labels]
