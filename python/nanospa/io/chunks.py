"""Chunks, shards and codecs of image arrays, and the one way to write them.

Two writers of one shard undo each other's work, silently: an unaligned parallel write is refused here and there is no other way in.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError, ShapeError

CHUNK_PX = 512
SHARD_PX = 4096
ZSTD_LEVEL = 3


def layout(shape: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Inner chunk and shard of an image array of shape (…, y, x): one frame a shard, at most 4096²."""
    leading = (1,) * (len(shape) - 2)
    chunk = tuple(max(1, min(CHUNK_PX, n)) for n in shape[-2:])
    shard = tuple(min(math.ceil(max(n, 1) / c) * c, max(SHARD_PX // c, 1) * c) for n, c in zip(shape[-2:], chunk, strict=True))
    return (*leading, *chunk), (*leading, *shard)


def compressors(dtype: np.dtype[Any]) -> list[Any]:
    """Codecs of a dtype; the checksum shows a damaged chunk instead of wrong pixels."""
    from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

    if np.dtype(dtype).kind == "f":
        return [ZstdCodec(level=ZSTD_LEVEL), Crc32cCodec()]
    return [BloscCodec(cname="zstd", clevel=ZSTD_LEVEL, shuffle="shuffle", typesize=np.dtype(dtype).itemsize), Crc32cCodec()]


def create_image(group: Any, name: str, shape: Sequence[int], dtype: Any, dims: Sequence[str], *, fill_value: int | float = 0) -> Any:
    """Create an image array (…, y, x) in a Zarr group."""
    chunk, shard = layout(shape)
    return group.create_array(
        name,
        shape=tuple(shape),
        chunks=chunk,
        shards=shard,
        dtype=np.dtype(dtype),
        compressors=compressors(np.dtype(dtype)),
        dimension_names=list(dims),
        fill_value=fill_value,
    )


def write_aligned(array: Any, start: Sequence[int], values: NDArray[Any]) -> None:
    """Write a block of an array that covers whole shards.

    Parameters
    ----------
    array : zarr.Array
        Array to write to.
    start : sequence of int
        First index of the block along each axis, on a shard's boundary.
    values : numpy.ndarray of the array's dtype and rank
        The block; along each axis it ends on a shard's boundary or at the array's end.

    Raises
    ------
    InvalidValueError
        The block is not aligned or not inside the array.
    ShapeError
        Wrong rank.
    """
    if values.ndim != array.ndim or len(start) != array.ndim:
        raise ShapeError(f"values: expected rank {array.ndim} for {array.path!r}, found shape {values.shape} at {tuple(start)}")
    if values.dtype != array.dtype:
        raise InvalidValueError(f"values: expected dtype {array.dtype} for {array.path!r}, found {values.dtype}")
    shard = array.shards or array.chunks
    region = []
    for axis, (first, n, step, size) in enumerate(zip(start, values.shape, shard, array.shape, strict=True)):
        last = first + n
        if first < 0 or last > size or first % step or (last % step and last != size):
            raise InvalidValueError(
                f"start: expected a block on shard boundaries ({step}) of axis {axis} of {array.path!r} (size {size}), found {first}:{last}"
            )
        region.append(slice(first, last))
    try:
        array[tuple(region)] = values
    except (ValueError, RuntimeError):
        # A shard is read before it is replaced: a torn one stands in the way of its own repair.
        for corner in itertools.product(*(range(r.start // step, -(-r.stop // step)) for r, step in zip(region, shard, strict=True))):
            (Path(array.store.root) / array.path / array.metadata.encode_chunk_key(corner)).unlink(missing_ok=True)
        array[tuple(region)] = values
