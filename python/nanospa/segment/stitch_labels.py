"""Label images of tiles joined into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core
from nanospa.errors import InvalidValueError, ShapeError
from nanospa.schema.arrays import as_labels


def stitch_labels(
    tiles: Sequence[Any], origins: Sequence[tuple[int, int]], shape: tuple[int, int], *, min_overlap: float = 0.5
) -> NDArray[np.int32]:
    """One label image from those of tiles that abut or overlap.

    Where tiles overlap, two regions are one particle if they share at least `min_overlap` of the smaller one's pixels there; pixels that
    both claim stay with the earlier tile. Where tiles only abut, regions that touch across the edge (also at corners) are one.

    Parameters
    ----------
    tiles : sequence of array_like of int, shape (y, x)
        Label images, 0 = background.
    origins : sequence of (int, int)
        Row and column of each tile's first pixel in the whole.
    shape : (int, int)
        Shape of the whole.
    min_overlap : float
        Smallest shared part of two regions that are one [-], above 0 and at most 1.

    Returns
    -------
    numpy.ndarray of int32, shape (y, x)
        Regions numbered 1, 2, … in the raster order of their first pixels.

    Raises
    ------
    ShapeError
        A tile does not lie inside `shape`, or there are not as many origins as tiles.
    InvalidValueError
        `min_overlap` is outside its range.

    Examples
    --------
    >>> import nanospa as ns
    >>> ns.segment.stitch_labels([[[0, 1, 1]], [[1, 0, 2]]], [(0, 0), (0, 3)], (1, 6))
    array([[0, 1, 1, 1, 0, 2]], dtype=int32)
    """
    if not 0 < min_overlap <= 1:
        raise InvalidValueError(f"min_overlap: expected a number above 0 and at most 1, found {min_overlap}")
    if len(tiles) != len(origins):
        raise ShapeError(f"origins: expected one for each of the {len(tiles)} tiles, found {len(origins)}")
    whole = np.zeros(shape, np.int32)
    owner = np.zeros(shape, np.int32)
    pairs: list[NDArray[np.int64]] = []
    n = 0
    for number, (tile, (y, x)) in enumerate(zip(tiles, origins, strict=True), start=1):
        labels = as_labels(tile, f"tiles[{number - 1}]")
        height, width = labels.shape
        if y < 0 or x < 0 or y + height > shape[0] or x + width > shape[1]:
            raise ShapeError(f"tiles[{number - 1}]: expected a tile inside {shape}, found {labels.shape} at {(y, x)}")
        if not labels.size:
            continue
        own = np.where(labels > 0, labels + n, 0)
        n += int(labels.max())
        there = (slice(y, y + height), slice(x, x + width))
        pairs.append(_same_in_overlap(whole[there], own, owner[there] > 0, min_overlap))
        free = owner[there] == 0
        # Pixels of an earlier tile that are background there may still belong to a region that reaches in from this one.
        np.copyto(whole[there], own, where=free | (whole[there] == 0))
        owner[there][free] = number
    pairs.extend(_touching_across(whole, owner))
    return _joined(whole, n, np.concatenate([np.empty((0, 2), np.int64), *pairs]))


def _same_in_overlap(
    before: NDArray[np.int32], own: NDArray[np.int32], overlap: NDArray[np.bool_], min_overlap: float
) -> NDArray[np.int64]:
    """Pairs of regions that are one by what they share in the overlap."""
    a, b = before[overlap].astype(np.int64), own[overlap].astype(np.int64)
    both = (a > 0) & (b > 0)
    if not both.any():
        return np.empty((0, 2), np.int64)
    found, shared = np.unique(np.stack([a[both], b[both]], axis=1), axis=0, return_counts=True)
    area_a, area_b = np.bincount(a), np.bincount(b)
    smaller = np.minimum(area_a[found[:, 0]], area_b[found[:, 1]])
    return found[shared >= min_overlap * smaller]


def _touching_across(whole: NDArray[np.int32], owner: NDArray[np.int32]) -> list[NDArray[np.int64]]:
    """Pairs of regions of different tiles that touch where the tiles abut."""
    pairs = []
    for dy, dx in ((0, 1), (1, -1), (1, 0), (1, 1)):
        height, width = whole.shape
        here = (slice(0, height - dy), slice(max(0, -dx), width - max(0, dx)))
        there = (slice(dy, height), slice(max(0, dx), width - max(0, -dx)))
        edge = (owner[here] != owner[there]) & (whole[here] > 0) & (whole[there] > 0)
        pairs.append(np.stack([whole[here][edge], whole[there][edge]], axis=1).astype(np.int64))
    return pairs


def _joined(whole: NDArray[np.int32], n: int, pairs: NDArray[np.int64]) -> NDArray[np.int32]:
    """Joins the regions of each pair and numbers all in raster order, in place."""
    parents = np.arange(n + 1)

    def root(i: int) -> int:
        while parents[i] != i:
            parents[i] = parents[parents[i]]
            i = int(parents[i])
        return i

    for a, b in np.unique(pairs, axis=0).tolist():
        low, high = sorted((root(a), root(b)))
        parents[high] = low
    roots = np.array([root(i) for i in range(n + 1)], np.int32)
    whole = roots[whole]
    _core.select(whole, n, 1, False, 1)
    return whole
