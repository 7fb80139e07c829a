"""What a reader of one file format hands over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

PixelSize = tuple[float, float] | None

#: Weights of red, green and blue in grey (ITU-R BT.601-7, section 2.5.1).
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Description:
    """Shape, dtype and calibration of an image file, known without reading its pixels where the format allows it."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    dims: tuple[str, ...]
    pixel_size_nm: PixelSize

    @property
    def n_frames(self) -> int:
        """Number of frames; 1 for a single image."""
        return self.shape[0] if self.dims[0] == "frame" else 1

    @property
    def frame_shape(self) -> tuple[int, int]:
        """Height and width of a frame."""
        return self.shape[-2], self.shape[-1]


@dataclass(frozen=True)
class ImageFile:
    """Pixels and calibration of an image file.

    `dims` is ("y", "x"), ("frame", "y", "x") or ("z", "y", "x"); `pixel_size_nm` is (y, x) or None.
    """

    data: NDArray[Any]
    dims: tuple[str, ...]
    pixel_size_nm: PixelSize = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def description(self) -> Description:
        """The same without the pixels."""
        return Description(self.data.shape, self.data.dtype, self.dims, self.pixel_size_nm)

    def only(self, frame: int | None) -> ImageFile:
        """One frame of a stack; everything where `frame` is None or there is only one.

        Parameters
        ----------
        frame : int or None
            Number of the frame.

        Returns
        -------
        ImageFile
        """
        if frame is None or self.dims[0] != "frame":
            return self
        return ImageFile(np.ascontiguousarray(self.data[frame]), self.dims[1:], self.pixel_size_nm, self.metadata)


def grey(data: NDArray[Any]) -> NDArray[Any]:
    """Grey image of shape (…, y, x) from colours (…, y, x, 1 to 4); an alpha channel is dropped."""
    n = data.shape[-1]
    if n <= 2:
        return np.asarray(data[..., 0])
    colours = data[..., :3]
    first: NDArray[Any] = colours[..., 0]
    if np.array_equal(first, colours[..., 1]) and np.array_equal(first, colours[..., 2]):
        return np.ascontiguousarray(first)
    mixed: NDArray[Any] = colours.astype(np.float64) @ np.array(LUMA)
    return mixed.astype(data.dtype) if data.dtype.kind == "f" else np.rint(mixed).astype(data.dtype)
