"""Insertion of images into Fourier space, and the volume they make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError, NonFiniteError, ShapeError
from nanospa.reconstruct.project import as_rotations, as_scales, as_shifts
from nanospa.reconstruct.symmetry import Symmetry
from nanospa.schema import as_image


@dataclass(frozen=True, eq=False)
class Accumulation:
    """Images inserted into Fourier space.

    Both grids have the axes (z, y, x), z ≥ 0, in steps of half a Fourier pixel, with the origin at index (1, box + 1, box + 1), and hold
    the symmetry exactly. The sum of two accumulations is that of all their images.

    Attributes
    ----------
    numerator : numpy.ndarray of complex64, shape (box + 3, 2 box + 3, 2 box + 3)
        Sum over images and rotations of the group of weight × sample × kernel.
    density : numpy.ndarray of float32, same shape
        Sum of weight × kernel.
    box : int
        Side of the images [px].
    symmetry : str
        Point group.
    inversion : bool
        Whether an inversion centre was imposed.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> cube = ns.simulate.volume("cube", size_nm=4, voxel_size_nm=0.5, box_px=24)
    >>> rng = np.random.default_rng(0)
    >>> turned = np.stack([ns.simulate.random_rotation(rng) for _ in range(30)])
    >>> half = ns.reconstruct.insert(ns.reconstruct.project(cube, turned), turned, symmetry="O")
    >>> (half + half).volume().shape
    (24, 24, 24)
    """

    numerator: NDArray[np.complex64]
    density: NDArray[np.float32]
    box: int
    symmetry: str = "C1"
    inversion: bool = False

    def __add__(self, other: Accumulation) -> Accumulation:
        mine, its = ((a.box, a.symmetry, a.inversion) for a in (self, other))
        if mine != its:
            raise InvalidValueError(f"accumulations: expected one box, symmetry and inversion, found {mine} and {its}")
        return replace(self, numerator=self.numerator + other.numerator, density=self.density + other.density)

    def volume(self, *, noise_to_signal: Any = None, threads: int | None = None) -> NDArray[np.float32]:
        """The volume whose projections fit the images.

        Each Fourier coefficient is the sum of the weighted samples about it over the sum of their weights: the least-squares fit where
        samples lie densely. What no image reaches stays 0.

        Parameters
        ----------
        noise_to_signal : float or array_like of float, shape (shell,), optional
            Added to the sum of weights: the Wiener filter. Power of the noise over that of the signal in the transform of an image of
            weight 1 [-], for all shells 0 … box / 2 − 1 [Fourier px] or for each. None adds none.
        threads : int, optional
            Threads to use; see `nanospa.threads`.

        Returns
        -------
        numpy.ndarray of float32, shape (z, y, x)
            Its sums along the beam, in voxels, are the images.

        Raises
        ------
        ShapeError, InvalidValueError
            `noise_to_signal` is not a number or one a shell, or is negative.

        References
        ----------
        The filter: Scheres, J. Struct. Biol. 180, 519 (2012), eq. 8.

        Examples
        --------
        >>> import numpy as np
        >>> import nanospa as ns
        >>> image = np.zeros((16, 16), np.float32)
        >>> image[8, 8] = 1
        >>> inserted = ns.reconstruct.insert([image] * 2, [np.eye(3)] * 2)
        >>> all_of_it, half = inserted.volume(), inserted.volume(noise_to_signal=200)
        >>> bool(half.max() < all_of_it.max())
        True
        """
        shells = self.box // 2
        noise = np.asarray(0.0 if noise_to_signal is None else noise_to_signal, dtype=np.float64)
        if noise.shape not in ((), (shells,)):
            raise ShapeError(f"noise_to_signal: expected a number or shape ({shells},), found shape {noise.shape}")
        if not (noise >= 0).all():
            raise InvalidValueError(f"noise_to_signal: expected numbers >= 0, found {noise.min()}")
        # Infinite noise, no signal at all: what float32 holds is enough to leave nothing.
        extra = np.broadcast_to(np.minimum(noise, 1e30), shells).tolist()
        return _core.accumulated_volume(self.numerator, self.density, self.box, extra, _threads.resolve(threads))

    def backprojection(self, *, threads: int | None = None) -> NDArray[np.float32]:
        """The adjoint of `project`, applied to the images; averaged over the group.

        Parameters
        ----------
        threads : int, optional
            Threads to use; see `nanospa.threads`.

        Returns
        -------
        numpy.ndarray of float32, shape (z, y, x)
            With weights of 1: Σ project(v) · images = Σ v · backprojection for every v of the symmetry.

        Examples
        --------
        >>> import numpy as np
        >>> import nanospa as ns
        >>> ns.reconstruct.insert(np.ones((1, 8, 8)), [np.eye(3)]).backprojection().shape
        (8, 8, 8)
        """
        order = Symmetry.of(self.symmetry).order
        out = _core.backprojection(self.numerator, self.box, _threads.resolve(threads))
        out *= np.float32(1 / order)
        return out


def insert(
    images: Any,
    rotations: Any,
    *,
    shifts: Any = None,
    scales: Any = None,
    weights: Any = None,
    symmetry: str | Symmetry = "C1",
    inversion: bool = False,
    threads: int | None = None,
) -> Accumulation:
    """Insert images into Fourier space at their orientations: what `project` does, backwards.

    Each image is the slice of the volume's Fourier transform that `project` takes; its samples are spread over the grid with the same
    kernel. Rotations of the group that permute the axes act on the grid, without interpolation; for the others (five-folds, say) the
    images go in again, turned. Results are the same bit for bit for any number of threads.

    Parameters
    ----------
    images : array_like of real dtype, shape (image, y, x)
        Squares with an even side.
    rotations : array_like of float, shape (image, 3, 3)
        Proper rotations: p_image = R p_volume on (x, y, z).
    shifts : array_like of float, shape (image, 2), optional
        Displacement (dx, dy) of the content [px].
    scales : array_like of float, shape (image,), optional
        Size of each particle over that of the volume [-].
    weights : array_like of float, shape (image,) or (image, shell), optional
        Weight of each image [-], or of each of its shells 0 … side / 2 − 1 [Fourier px]; 1 by default.
    symmetry : str or Symmetry
        Point group; see `symmetry_rotations`.
    inversion : bool
        Impose an inversion centre too: the volume's transform is real.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    Accumulation

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        `images` are not finite real squares with an even side, or the arrays do not fit each other.
    InvalidValueError
        A matrix is not a proper rotation, a scale is not above 0, a weight is negative.
    UnknownNameError
        No such symmetry.

    References
    ----------
    Gridding: O'Sullivan, IEEE Trans. Med. Imaging 4, 200 (1985); Jackson et al., ibid. 10, 473 (1991), for the kernel.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> star = ns.simulate.volume("star", size_nm=8, voxel_size_nm=0.5, box_px=32)
    >>> rng = np.random.default_rng(0)
    >>> turned = np.stack([ns.simulate.random_rotation(rng) for _ in range(50)])
    >>> images = ns.reconstruct.project(star, turned)
    >>> volume = ns.reconstruct.insert(images, turned, symmetry="O", inversion=True).volume()
    >>> bool(np.corrcoef(volume.ravel(), star.ravel())[0, 1] > 0.98)
    True
    """
    stack = as_image(images, "images", ndim=3).astype(np.float32, copy=False)
    count, side = stack.shape[:2]
    if stack.shape[2] != side or side < 4 or side % 2:
        raise ShapeError(f"images: expected squares with an even side of at least 4, found shape {stack.shape}")
    matrices = as_rotations(rotations)
    if matrices.shape != (count, 3, 3):
        raise ShapeError(f"rotations: expected shape {(count, 3, 3)} to fit the images, found {matrices.shape}")
    group = Symmetry.of(symmetry)
    copies, operations = _split(group.name)
    numerator, density = _core.insert(
        np.ascontiguousarray(stack),
        matrices,
        as_shifts(shifts, (count,)),
        as_scales(scales, (count,)),
        _as_weights(weights, count, side // 2),
        copies,
        operations,
        bool(inversion),
        _threads.resolve(threads),
    )
    return Accumulation(numerator, density, side, group.name, bool(inversion))


def _as_weights(weights: Any, images: int, shells: int) -> NDArray[np.float32] | None:
    if weights is None:
        return None
    values = np.asarray(weights, dtype=np.float32)
    if values.shape == (images,):
        values = np.broadcast_to(values[:, None], (images, shells))
    if values.shape != (images, shells):
        raise ShapeError(f"weights: expected shape ({images},) or ({images}, {shells}), found {values.shape}")
    if not np.isfinite(values).all():
        raise NonFiniteError("weights: expected finite numbers, found NaN or infinity")
    if (values < 0).any():
        raise InvalidValueError(f"weights: expected numbers >= 0, found {values.min()}")
    return np.ascontiguousarray(values)


@lru_cache(maxsize=64)
def _split(name: str) -> tuple[list[list[list[float]]], list[list[list[int]]]]:
    """A group as copies r and signed permutations of the axes h: its elements are the products r h, each once."""
    group = Symmetry.of(name).rotations
    rounded = np.round(group)
    permutes = np.abs(group - rounded).max(axis=(1, 2)) < 1e-9
    operations = rounded[permutes].astype(int)
    left = list(group)
    copies = []
    while left:
        copies.append(left[0])
        coset = left[0] @ operations
        left = [g for g in left if np.abs(coset - g).max(axis=(1, 2)).min() > 1e-6]
    return [copy.tolist() for copy in copies], operations.tolist()
