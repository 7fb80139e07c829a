"""NumPy's NPY files: pixels without calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nanospa.io.image_file import Description, ImageFile


def _dims(ndim: int) -> tuple[str, ...]:
    return ("frame", "y", "x") if ndim == 3 else ("y", "x")


def read(path: Path, frame: int | None = None) -> ImageFile:
    """Pixels of a file or of one frame of it."""
    # Pickled objects could run code: never allowed.
    data = np.load(path, mmap_mode=None if frame is None else "r", allow_pickle=False)
    if frame is not None and data.ndim == 3:
        return ImageFile(np.array(data[frame]), ("y", "x"))
    return ImageFile(np.array(data), _dims(data.ndim))


def describe(path: Path) -> Description:
    """Shape and dtype from the header."""
    data = np.load(path, mmap_mode="r", allow_pickle=False)
    return Description(data.shape, data.dtype, _dims(data.ndim), None)


def write(path: Path, image: ImageFile) -> None:
    """Write the pixels."""
    np.save(path, image.data, allow_pickle=False)
