"""OME-Zarr images as files: 0.4 and 0.5 are read, 0.5 is written."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from nanospa.errors import ShapeError, UnreadableFileError
from nanospa.io import chunks, ome_zarr
from nanospa.io.image_file import Description, ImageFile, PixelSize
from nanospa.io.units import pair_nm, to_nm


def _opened(path: Path) -> tuple[Any, tuple[str, ...], tuple[int, ...], PixelSize]:
    """Array, our dimensions, our shape, pixel size."""
    import zarr

    group = zarr.open_group(str(path), mode="r")
    attributes: dict[str, Any] = dict(group.attrs)
    if "nanospa" in attributes:
        raise UnreadableFileError(f"{path}: this is a nanospa store; open it with nanospa.open")
    levels = attributes.get("ome", attributes).get("multiscales")
    if not isinstance(levels, list) or not levels:
        raise UnreadableFileError(f"{path}: expected OME-Zarr multiscales in the attributes, found {sorted(attributes)}")
    dataset = levels[0]["datasets"][0]
    array: Any = group[dataset["path"]]
    axes = levels[0]["axes"]
    if len(axes) != array.ndim:
        raise UnreadableFileError(f"{path}: expected {array.ndim} axes for shape {array.shape}, found {len(axes)}")
    scale = next((t["scale"] for t in dataset.get("coordinateTransformations", []) if t["type"] == "scale"), [1.0] * array.ndim)
    sizes = {a["name"]: to_nm(s, a.get("unit", "")) for a, s in zip(axes, scale, strict=True)}
    kept = [(a["name"], n) for a, n in zip(axes, array.shape, strict=True) if a["name"] in "yx" or n > 1]
    names = [name for name, _ in kept]
    if names[-2:] != ["y", "x"] or len(names) > 3:
        raise ShapeError(f"{path}: expected axes y, x and at most one more longer than 1, found {names} of shape {array.shape}")
    dims = ("y", "x") if len(names) == 2 else ("z" if names[0] == "z" else "frame", "y", "x")
    return array, dims, tuple(n for _, n in kept), pair_nm(sizes.get("y"), sizes.get("x"))


def read(path: Path, frame: int | None = None) -> ImageFile:
    """Pixels and calibration of an image or of one frame of a stack."""
    array, dims, shape, size = _opened(path)
    if frame is not None and dims[0] == "frame":
        index = tuple(
            frame if n == shape[0] and math.prod(array.shape[:i]) == 1 and i < array.ndim - 2 else slice(None)
            for i, n in enumerate(array.shape)
        )
        return ImageFile(np.asarray(array[index]).reshape(shape[1:]), dims[1:], size)
    return ImageFile(np.asarray(array[...]).reshape(shape), dims, size)


def describe(path: Path) -> Description:
    """Shape, dtype and calibration from the metadata."""
    array, dims, shape, size = _opened(path)
    return Description(shape, array.dtype, dims, size)


def write(path: Path, image: ImageFile) -> None:
    """Write one OME-Zarr 0.5 image."""
    import zarr

    group = zarr.open_group(str(path), mode="w", zarr_format=3)
    group.attrs.update(ome_zarr.image_attributes(image.dims, image.pixel_size_nm, name=path.stem))
    array = chunks.create_image(group, ome_zarr.ARRAY, image.data.shape, image.data.dtype, image.dims)
    array[...] = image.data
