"""A particle as a volume, and the projection of a volume."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError, PixelSizeError
from nanospa.schema import as_image, pixel_size_pair
from nanospa.simulate.rotations import checked_rotation
from nanospa.simulate.shapes import checked_parameter, enclosing_radius, inside


def volume(
    shape: str,
    *,
    size_nm: float,
    voxel_size_nm: float,
    rotation: Any = None,
    shape_parameter: float | None = None,
    box_px: int | None = None,
    supersampling: int = 2,
) -> NDArray[np.float32]:
    """A particle as a volume: the fraction of each voxel that is inside.

    Parameters
    ----------
    shape : str
        A name of `nanospa.simulate.SHAPES`.
    size_nm : float
        Size as `SHAPES` defines it [nm].
    voxel_size_nm : float
        Voxel size [nm].
    rotation : array_like of float, shape (3, 3), optional
        Proper rotation applied to the particle: p = R p_particle on (x, y, z) about index N//2.
    shape_parameter : float, optional
        Exponent of the cube, etching of the star, aspect of the rod [-].
    box_px : int, optional
        Side of the cubic box; by default it holds the particle in any rotation.
    supersampling : int
        Points along each side of a voxel.

    Returns
    -------
    numpy.ndarray of float32, shape (z, y, x)
        Occupancy, 0 … 1.

    Raises
    ------
    UnknownNameError
        No such shape.
    InvalidValueError, PixelSizeError, ShapeError
        A size or matrix is outside its range.

    Examples
    --------
    >>> import nanospa as ns
    >>> occupancy = ns.simulate.volume("octahedron", size_nm=10, voxel_size_nm=0.5)
    >>> float(round(occupancy.sum() * 0.5**3 / (10**3 / 6), 2))
    1.0
    """
    parameter = checked_parameter(shape, shape_parameter)
    matrix = checked_rotation(rotation)
    sizes = pixel_size_pair(voxel_size_nm, "voxel_size_nm")
    if sizes is None or sizes[0] != sizes[1]:
        raise PixelSizeError(f"voxel_size_nm: expected one number > 0, found {voxel_size_nm!r}")
    if not size_nm > 0 or supersampling < 1:
        raise InvalidValueError(f"size_nm, supersampling: expected numbers > 0, found {size_nm!r}, {supersampling!r}")
    if box_px is None:
        box_px = 2 * math.ceil(enclosing_radius(shape, parameter) * size_nm / 2 / sizes[0]) + 3
    offsets = (np.arange(supersampling) + 0.5) / supersampling - 0.5
    axis = ((np.arange(box_px) - box_px // 2)[:, None] + offsets).ravel() * sizes[0]
    y, x = np.meshgrid(axis, axis, indexing="ij")
    out = np.zeros((box_px, box_px, box_px), dtype=np.float32)
    for i, z in enumerate(axis):
        # Rows of `points` are R⁻¹ p: multiplying by R from the right.
        points = np.stack([x.ravel(), y.ravel(), np.full(x.size, z)], axis=1) @ matrix
        layer = inside(shape, points, size_nm=size_nm, shape_parameter=shape_parameter)
        out[i // supersampling] += layer.reshape(box_px, supersampling, box_px, supersampling).sum(axis=(1, 3))
    return out / np.float32(supersampling**3)


def projection(volume: Any, rotation: Any = None, *, voxel_size_nm: float = 1.0) -> NDArray[np.float32]:
    """Projection of a volume along the beam after a rotation.

    The volume is turned about index N//2 with trilinear interpolation, p_image = R p_volume on (x, y, z), and summed along z.

    Parameters
    ----------
    volume : array_like of real dtype, shape (z, y, x)
        Volume; outside of it is 0.
    rotation : array_like of float, shape (3, 3), optional
        Proper rotation; none projects along the volume's z axis.
    voxel_size_nm : float
        Voxel size, a factor on the sum [nm].

    Returns
    -------
    numpy.ndarray of float32, shape (y, x)

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError, InvalidValueError
        The volume is not a finite real 3D array or the matrix is not a rotation.

    Examples
    --------
    >>> import nanospa as ns
    >>> cube = ns.simulate.volume("cube", size_nm=10, voxel_size_nm=0.5)
    >>> float(ns.simulate.projection(cube, voxel_size_nm=0.5).max().round(1))
    10.0
    """
    from scipy.ndimage import affine_transform

    data = as_image(volume, "volume", ndim=3).astype(np.float32, copy=False)
    matrix = checked_rotation(rotation)
    # affine_transform asks for the input index of an output index, in array order (z, y, x): the inverse rotation, reversed.
    inverse = matrix.T[::-1, ::-1]
    centre = np.array([n // 2 for n in data.shape], dtype=np.float64)
    turned = data if rotation is None else affine_transform(data, inverse, offset=centre - inverse @ centre, order=1)
    return np.asarray(turned.sum(axis=0, dtype=np.float64) * voxel_size_nm, dtype=np.float32)
