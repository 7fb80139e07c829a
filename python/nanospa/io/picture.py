"""PNG and JPEG pictures: 8 or 16 bit, without calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nanospa.errors import DtypeError, ShapeError
from nanospa.io.image_file import ImageFile, grey


def read(path: Path, frame: int | None = None) -> ImageFile:
    """Grey values of a picture; colours become their luminance."""
    import imageio.v3 as iio

    data = np.asarray(iio.imread(path, index=0, plugin="pillow"))
    if data.ndim == 3:
        data = grey(data)
    return ImageFile(data, ("y", "x"))


def write(path: Path, image: ImageFile) -> None:
    """Write a PNG of 8 or 16 bit."""
    import imageio.v3 as iio

    if image.data.dtype.name not in ("uint8", "uint16"):
        raise DtypeError(f"{path.name}: a PNG holds uint8 or uint16, found {image.data.dtype}; use TIFF, MRC or OME-Zarr")
    if image.data.ndim != 2:
        raise ShapeError(f"{path.name}: a PNG holds one image (y, x), found shape {image.data.shape}")
    iio.imwrite(path, image.data, extension=".png", plugin="pillow")
