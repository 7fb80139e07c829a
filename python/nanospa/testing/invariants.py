"""Checks that hold for every result."""

from __future__ import annotations

from typing import Any

import numpy as np


def check_labels(labels: Any, shape: tuple[int, ...] | None = None) -> None:
    """Assert that a label image is int32 and its labels are 0, 1, …, n without a gap.

    Parameters
    ----------
    labels : numpy.ndarray of int32, shape (y, x)
        Label image, 0 = background.
    shape : tuple of int, optional
        Shape it must have.

    Raises
    ------
    AssertionError
        The invariant does not hold.
    """
    assert labels.dtype == np.int32, labels.dtype
    assert shape is None or labels.shape == tuple(shape), (labels.shape, shape)
    found = np.unique(labels)
    found = found[found != 0]
    assert np.array_equal(found, np.arange(1, found.size + 1)), f"labels not consecutive: {found[:10]}"
