"""Smaller copies of large images and label images, so that viewers need not read all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Images of more pixels than the square of this have a pyramid [px].
LARGE_PX = 8192
#: The smallest level is the first whose longer side is at most this part of `LARGE_PX`.
SMALLEST_PART = 8
#: Rows that are made smaller at once.
_ROWS = 1024


def level_shapes(shape: Sequence[int]) -> list[tuple[int, int]]:
    """Shapes (y, x) of the levels of an image; one level where it is not large."""
    height, width = int(shape[0]), int(shape[1])
    shapes = [(height, width)]
    if height * width > LARGE_PX**2:
        while max(shapes[-1]) > LARGE_PX // SMALLEST_PART:
            shapes.append((-(-shapes[-1][0] // 2), -(-shapes[-1][1] // 2)))
    return shapes


def halved(image: NDArray[Any], *, labels: bool) -> NDArray[Any]:
    """Image of half the size; each pixel is the mean of four, or of labels the most frequent of four.

    Parameters
    ----------
    image : numpy.ndarray of shape (y, x)
        Image, or label image. An odd side is continued by its last pixels.
    labels : bool
        Whether it is a label image. Of labels that are equally frequent the first in raster order is taken.

    Returns
    -------
    numpy.ndarray of the same dtype, shape (ceil(y / 2), ceil(x / 2))
    """
    height, width = image.shape
    out = np.empty((-(-height // 2), -(-width // 2)), image.dtype)
    for first in range(0, height, _ROWS):
        block = image[first : first + _ROWS]
        block = np.pad(block, ((0, block.shape[0] % 2), (0, width % 2)), mode="edge")
        four = (block[::2, ::2], block[::2, 1::2], block[1::2, ::2], block[1::2, 1::2])
        small = _most_frequent(*four) if labels else _mean(four, image.dtype)
        out[first // 2 : first // 2 + small.shape[0]] = small
    return out


def _mean(four: Sequence[NDArray[Any]], dtype: np.dtype[Any]) -> NDArray[Any]:
    if dtype.kind in "iu":
        # Halves go up: the bits are the same everywhere.
        total = sum((part.astype(np.int64) for part in four), np.int64(2))
        return np.asarray(total // 4).astype(dtype)
    return np.asarray(sum((part.astype(np.float64) for part in four), 0.0) / 4).astype(dtype)


def _most_frequent(a: NDArray[Any], b: NDArray[Any], c: NDArray[Any], d: NDArray[Any]) -> NDArray[Any]:
    first = (a == b) | (a == c) | (a == d)
    second = (b == c) | (b == d)
    return np.where(first, a, np.where(second, b, np.where(c == d, c, a)))
