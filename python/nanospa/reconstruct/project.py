"""Projections of a volume."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError, NonFiniteError, ShapeError
from nanospa.reconstruct.fourier_volume import FourierVolume
from nanospa.simulate.rotations import TOLERANCE


def project(
    volume: Any,
    rotations: Any,
    *,
    shifts: Any = None,
    scales: Any = None,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Projections of a volume along any directions: sums over its voxels along the beam.

    Each is the inverse transform of a central slice of the volume's Fourier transform, inside the circle of the Nyquist frequency. What
    lies outside the sphere that fits into the box may leave the image on one side and come back on the other.

    Parameters
    ----------
    volume : array_like of real dtype, shape (z, y, x), or FourierVolume
        A cube with an even side; for many calls on one volume, its transform.
    rotations : array_like of float, shape (…, 3, 3)
        Proper rotations: p_image = R p_volume on (x, y, z) about index side // 2.
    shifts : array_like of float, shape (…, 2), optional
        Displacement (dx, dy) of the content [px].
    scales : array_like of float, shape (…,), optional
        Size of the particle in the image over that of the volume [-]; a larger one is also thicker along the beam.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of float32, shape (…, y, x)

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        `volume` is not a finite real cube with an even side, or the arrays do not fit each other.
    InvalidValueError
        A matrix is not a proper rotation, or a scale is not above 0.

    References
    ----------
    The projection-slice theorem: Crowther, DeRosier, Klug, Proc. R. Soc. A 317, 319 (1970), eq. 5.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> cube = ns.simulate.volume("cube", size_nm=5, voxel_size_nm=0.5, box_px=32)
    >>> turned = np.stack([np.eye(3), [[0, 0, 1], [0, 1, 0], [-1, 0, 0]]])
    >>> images = ns.reconstruct.project(cube, turned)
    >>> images.shape, images[:, 16, 16].round()
    ((2, 32, 32), array([10., 10.], dtype=float32))
    """
    fourier = volume if isinstance(volume, FourierVolume) else FourierVolume.of(volume, threads=threads)
    matrices = as_rotations(rotations)
    leading = matrices.shape[:-2]
    out = _core.project(
        fourier.grid,
        fourier.box,
        matrices.reshape(-1, 3, 3),
        as_shifts(shifts, leading),
        as_scales(scales, leading),
        _threads.resolve(threads),
    )
    return out.reshape(*leading, fourier.box, fourier.box)


def as_rotations(rotations: Any, name: str = "rotations") -> NDArray[np.float64]:
    """Proper rotations as float64, shape (…, 3, 3)."""
    matrices = np.asarray(rotations, dtype=np.float64)
    if matrices.ndim < 2 or matrices.shape[-2:] != (3, 3):
        raise ShapeError(f"{name}: expected shape (…, 3, 3), found {matrices.shape}")
    gram = np.einsum("...ij,...kj->...ik", matrices, matrices)
    proper = np.abs(gram - np.eye(3)).max(axis=(-2, -1), initial=0) < TOLERANCE
    (a, b, c) = np.moveaxis(matrices, -2, 0)
    proper &= np.einsum("...i,...i->...", np.cross(a, b), c) > 0
    if not proper.all():
        first = np.unravel_index(int(np.argmin(proper)), proper.shape)
        found = matrices[first].tolist()
        index = tuple(int(i) for i in first)
        raise InvalidValueError(f"{name}: expected proper rotations (R Rᵀ = 1, determinant +1), found {found} at index {index}")
    return matrices


def as_shifts(shifts: Any, leading: tuple[int, ...]) -> NDArray[np.float64]:
    """Shifts as float64, shape (image, 2), zeros for None."""
    if shifts is None:
        return np.zeros((int(np.prod(leading)), 2))
    return _fitting(shifts, (*leading, 2), "shifts").reshape(-1, 2)


def as_scales(scales: Any, leading: tuple[int, ...]) -> NDArray[np.float64]:
    """Scales as float64, shape (image,), ones for None."""
    if scales is None:
        return np.ones(int(np.prod(leading)))
    checked = _fitting(scales, leading, "scales").reshape(-1)
    if (checked <= 0).any():
        raise InvalidValueError(f"scales: expected numbers > 0, found {checked.min()}")
    return checked


def _fitting(array: Any, shape: tuple[int, ...], name: str) -> NDArray[np.float64]:
    values = np.asarray(array, dtype=np.float64, order="C")
    if values.shape != shape:
        raise ShapeError(f"{name}: expected shape {shape} to fit the rotations, found {values.shape}")
    if not np.isfinite(values).all():
        raise NonFiniteError(f"{name}: expected finite numbers, found NaN or infinity")
    return values
