"""Band-limited resampling: shift, size and box of images changed in one exact step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError
from nanospa.schema import as_image

#: Images resampled together: keeps the matrices of large boxes within some tens of MB.
BLOCK = 64


def fourier_crop(
    images: Any,
    box: int,
    *,
    shifts: Any = None,
    scales: Any = None,
) -> NDArray[np.float32]:
    """Resample square images in a smaller or larger box, exactly for what their box can hold in Fourier space.

    Content that lies at ``box // 2 + shift`` of an image comes to the centre index of the new box, particles of size `scale` come to
    size 1, and the field of view stays: the pixel size grows as the box shrinks. Frequencies that the new grid cannot hold are
    left out, so nothing is aliased. Values are kept: a uniform image stays as it is.

    Parameters
    ----------
    images : array_like of real dtype, shape (image, y, x)
        Square images.
    box : int
        Side of the new box, even [px].
    shifts : array_like of float, shape (image, 2), optional
        Displacements (dx, dy) of the content that are taken out [px of the images given].
    scales : array_like of float, shape (image,), optional
        Size of each particle over the size it is brought to [-].

    Returns
    -------
    numpy.ndarray of float32, shape (image, box, box)

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        Images that cannot be used.
    InvalidValueError
        `box` is odd or below 4.

    Notes
    -----
    A row of samples is multiplied by the matrix of Dirichlet kernels D(u) = sin(π (2K + 1) u / n) / (n sin(π u / n)) from its positions
    to the new ones, which is trigonometric interpolation with the frequencies up to K; image and scaling have the same axes, so two
    matrix products do the whole image.

    Examples
    --------
    >>> import numpy as np
    >>> from nanospa.reconstruct import fourier_crop
    >>> fourier_crop(np.full((1, 8, 8), 3.0), 4).round(3)[0, 0]
    array([3., 3., 3., 3.], dtype=float32)
    """
    data = as_image(images, "images", ndim=3).astype(np.float32, copy=False)
    n = data.shape[-1]
    if box < 4 or box % 2:
        raise InvalidValueError(f"box: expected an even number >= 4, found {box!r}")
    count = len(data)
    moved = np.zeros((count, 2)) if shifts is None else np.asarray(shifts, dtype=np.float64)
    sizes = np.ones(count) if scales is None else np.asarray(scales, dtype=np.float64)
    if box == n and not moved.any() and (sizes == 1).all():
        return data.copy()
    out = np.empty((count, box, box), dtype=np.float32)
    for first in range(0, count, BLOCK):
        part = slice(first, first + BLOCK)
        along_x = _kernels(n, box, moved[part, 0], sizes[part])
        along_y = _kernels(n, box, moved[part, 1], sizes[part])
        out[part] = along_y @ data[part] @ np.swapaxes(along_x, 1, 2)
    return out


def _kernels(n: int, box: int, shifts: NDArray[np.float64], scales: NDArray[np.float64]) -> NDArray[np.float32]:
    """Matrices (image, box, n) from the samples of a row to the samples of the new one."""
    new = (np.arange(box) - box // 2) * (n / box)
    positions = new[None, :] * scales[:, None] + shifts[:, None] + n // 2
    offsets = positions[:, :, None] - np.arange(n)
    # The new grid has the sampling distance scale * n / box in pixels of the old one; below its Nyquist frequency, and the old one's.
    highest = np.array([min(_last(n / 2), _last(box / 2 / s)) for s in scales], dtype=np.float64)
    width = 2 * highest[:, None, None] + 1
    below = np.sin(np.pi * offsets / n)
    near = np.abs(below) < 1e-9
    kernel = np.sin(np.pi * width * offsets / n) / np.where(near, 1.0, n * below)
    return np.where(near, width / n, kernel).astype(np.float32)


def noise_factors(n: int, box: int, scales: NDArray[np.float64]) -> NDArray[np.float64]:
    """Noise of a pixel after `fourier_crop` over that before, for white noise: the share of frequencies kept along one axis."""
    return np.array([(2 * min(_last(n / 2), _last(box / 2 / s)) + 1) / n for s in scales], dtype=np.float64)


def _last(limit: float) -> int:
    """The last integer frequency strictly below a limit: what lies at the Nyquist frequency itself has no sign."""
    return math.ceil(limit - 1e-9) - 1
