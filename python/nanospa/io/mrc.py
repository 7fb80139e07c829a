"""MRC files (MRC2014): images, stacks and volumes with their voxel size.

References
----------
Cheng et al., J. Struct. Biol. 192 (2015) 146, MRC2014.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nanospa.errors import DtypeError
from nanospa.io.image_file import Description, ImageFile, PixelSize

_ANGSTROM_IN_NM = 0.1


def _dims(mrc: Any) -> tuple[str, ...]:
    if mrc.data.ndim == 2:
        return ("y", "x")
    return ("frame", "y", "x") if mrc.is_image_stack() else ("z", "y", "x")


def _pixel_size(mrc: Any) -> PixelSize:
    y, x = float(mrc.voxel_size.y), float(mrc.voxel_size.x)
    # A voxel size of 0 says that nobody set it.
    return (y * _ANGSTROM_IN_NM, x * _ANGSTROM_IN_NM) if y > 0 and x > 0 else None


def read(path: Path, frame: int | None = None) -> ImageFile:
    """Pixels and voxel size of a file or of one frame of a stack."""
    import mrcfile

    opener = mrcfile.mmap if frame is not None else mrcfile.open
    with opener(path, mode="r") as mrc:
        dims = _dims(mrc)
        data = np.array(mrc.data[frame] if frame is not None and dims[0] == "frame" else mrc.data)
        return ImageFile(data, dims[-data.ndim :], _pixel_size(mrc))


def describe(path: Path) -> Description:
    """Shape, dtype and voxel size from the header."""
    import mrcfile

    with mrcfile.mmap(path, mode="r") as mrc:
        return Description(mrc.data.shape, mrc.data.dtype, _dims(mrc), _pixel_size(mrc))


def write(path: Path, image: ImageFile) -> None:
    """Write an image, stack or volume."""
    import mrcfile

    data = image.data
    if data.dtype.name == "bool":
        data = data.view(np.uint8)
    # MRC has no uint8 and no float64.
    data = data.astype({"uint8": "uint16", "float64": "float32"}.get(data.dtype.name, data.dtype), copy=False)
    if data.dtype.name not in ("int8", "int16", "uint16", "float16", "float32", "complex64"):
        raise DtypeError(f"{path.name}: MRC holds int8, int16, uint16, float16 or float32, found {image.data.dtype}")
    with mrcfile.new(path, overwrite=True) as mrc:
        mrc.set_data(data)
        if image.dims[0] == "frame":
            mrc.set_image_stack()
        elif image.dims[0] == "z":
            mrc.set_volume()
        if image.pixel_size_nm is not None:
            y, x = (size / _ANGSTROM_IN_NM for size in image.pixel_size_nm)
            mrc.voxel_size = (x, y, x if image.dims[0] == "z" else 1.0)
