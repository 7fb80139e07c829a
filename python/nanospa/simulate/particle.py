"""Projected thickness of one particle."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError, PixelSizeError
from nanospa.schema import pixel_size_pair
from nanospa.simulate.rotations import checked_rotation
from nanospa.simulate.shapes import checked_parameter, enclosing_radius


def particle(
    shape: str,
    *,
    size_nm: float,
    pixel_size_nm: float | tuple[float, float],
    rotation: Any = None,
    shape_parameter: float | None = None,
    stretch: tuple[float, float, float] = (1.0, 1.0, 1.0),
    box_px: int | None = None,
    shift_px: tuple[float, float] = (0.0, 0.0),
    supersampling: int = 3,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Projected thickness of a particle along the beam (z).

    The length of each line inside the body is exact; a pixel is the mean over `supersampling`² lines. The particle's centre
    is at index N//2 of the box, moved by `shift_px`.

    Parameters
    ----------
    shape : str
        "sphere", "cube", "star", "octahedron", "truncated_octahedron", "decahedron", "icosahedron" or "rod"; see
        `nanospa.simulate.SHAPES`.
    size_nm : float
        Size as `SHAPES` defines it [nm].
    pixel_size_nm : float or (float, float)
        Pixel size, or sizes (y, x) [nm].
    rotation : array_like of float, shape (3, 3), optional
        Proper rotation with p_image = R p_volume on (x, y, z); none leaves the particle's axes along those of the image.
    shape_parameter : float, optional
        Exponent of the cube (12), etching of the star (0.25), aspect of the rod (3) [-].
    stretch : tuple of float
        Factors on the particle's own x, y and z axes [-].
    box_px : int, optional
        Side of the square image; by default it holds the particle in any rotation.
    shift_px : tuple of float
        Displacement (dx, dy) of the content [px].
    supersampling : int
        Lines along each side of a pixel.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of float32, shape (y, x)
        Thickness [nm].

    Raises
    ------
    UnknownNameError
        No such shape.
    InvalidValueError, PixelSizeError, ShapeError
        A size, factor or matrix is outside its range.

    Examples
    --------
    >>> import nanospa as ns
    >>> thickness = ns.simulate.particle("sphere", size_nm=20, pixel_size_nm=0.5)
    >>> thickness.shape, float(thickness.max().round(1))
    ((43, 43), 20.0)
    """
    parameter = checked_parameter(shape, shape_parameter)
    sizes = pixel_size_pair(pixel_size_nm)
    if sizes is None:
        raise PixelSizeError("pixel_size_nm: expected a number > 0, found None")
    matrix = body_matrix(size_nm=size_nm, rotation=checked_rotation(rotation), stretch=stretch)
    if box_px is None:
        radius = enclosing_radius(shape, parameter) * max(stretch) * size_nm / 2
        box_px = 2 * math.ceil(radius / min(sizes) + max(abs(s) for s in shift_px)) + 3
    if box_px < 1:
        raise InvalidValueError(f"box_px: expected an integer >= 1, found {box_px!r}")
    centre = box_px // 2 + shift_px[1], box_px // 2 + shift_px[0]
    return _core.thickness(shape, parameter, matrix, (box_px, box_px), centre, sizes, supersampling, _threads.resolve(threads))


def body_matrix(*, size_nm: float, rotation: NDArray[np.float64], stretch: tuple[float, float, float]) -> list[list[float]]:
    """What takes an offset in the image (x, y, z) [nm] to the frame of a body of half size 1."""
    if not (math.isfinite(size_nm) and size_nm > 0):
        raise InvalidValueError(f"size_nm: expected a number > 0, found {size_nm!r}")
    factors = np.asarray(stretch, dtype=np.float64)
    if factors.shape != (3,) or not np.all(np.isfinite(factors)) or np.any(factors <= 0):
        raise InvalidValueError(f"stretch: expected three factors > 0, found {stretch!r}")
    matrix: list[list[float]] = (rotation.T / (factors[:, None] * (size_nm / 2))).tolist()
    return matrix
