"""Hypothesis strategies in physical ranges."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

_DTYPES = ("uint8", "uint16", "float32", "float64", ">u2", ">f4", "int16", "bool")


@st.composite
def images(draw: st.DrawFn, dtypes: tuple[str, ...] = _DTYPES, max_side: int = 24, min_side: int = 0) -> NDArray[Any]:
    """Images of any accepted dtype: noise, flat, or a few levels; 0-size, 1-pixel, strided and byte-swapped ones among them.

    Parameters
    ----------
    dtypes : tuple of str
        Dtypes to draw from.
    max_side, min_side : int
        Limits of the height and width.

    Returns
    -------
    numpy.ndarray of one of `dtypes`, shape (y, x)
    """
    dtype = np.dtype(draw(st.sampled_from(dtypes)))
    height, width = draw(st.integers(min_side, max_side)), draw(st.integers(min_side, max_side))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([1, 2, 5, 1000]))
    values: NDArray[Any] = rng.integers(0, levels, (2 * height, 2 * width)) * draw(st.sampled_from([1, 40]))
    if dtype.kind == "f" and draw(st.booleans()):
        values = values + rng.normal(size=values.shape)
    limit = {"bool": 1, "uint8": 255, "int16": 32767}.get(dtype.name, 65535)
    image: NDArray[Any] = np.minimum(values, limit).astype(dtype)
    layout = draw(st.sampled_from(["contiguous", "strided", "transposed", "reversed"]))
    if layout == "strided":
        return image[::2, ::2]
    image = np.ascontiguousarray(image[:height, :width])
    if layout == "transposed":
        return np.ascontiguousarray(image.T).T
    return image[::-1, ::-1] if layout == "reversed" else image


@st.composite
def masks(draw: st.DrawFn, ndim: int = 2, max_side: int = 20) -> NDArray[np.bool_]:
    """Masks from empty to full.

    Parameters
    ----------
    ndim : int
        Rank.
    max_side : int
        Limit of each side.

    Returns
    -------
    numpy.ndarray of bool, rank `ndim`
    """
    shape = tuple(draw(st.integers(0, max_side)) for _ in range(ndim))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    mask = rng.random(shape) < draw(st.sampled_from([0.0, 0.1, 0.4, 0.5, 0.7, 0.95, 1.0]))
    return mask[tuple(slice(None, None, draw(st.sampled_from([1, -1]))) for _ in range(ndim))]


@st.composite
def label_images(draw: st.DrawFn, max_side: int = 24) -> NDArray[np.int32]:
    """Label images with consecutive labels; regions may be in several pieces.

    Parameters
    ----------
    max_side : int
        Limit of each side.

    Returns
    -------
    numpy.ndarray of int32, shape (y, x)
    """
    height, width = draw(st.integers(0, max_side)), draw(st.integers(0, max_side))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    block = draw(st.integers(1, 6))
    n = draw(st.integers(0, 6))
    coarse = rng.integers(0, n + 1, (height // block + 1, width // block + 1))
    labels = np.kron(coarse, np.ones((block, block), int))[:height, :width]
    _, dense = np.unique(np.append(0, labels), return_inverse=True)
    return dense[1:].reshape(height, width).astype(np.int32)
