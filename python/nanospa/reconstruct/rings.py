"""Rings of images and of views: what an in-plane turn only displaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError, NonFiniteError, ShapeError
from nanospa.reconstruct.fourier_volume import FourierVolume
from nanospa.reconstruct.symmetry import as_rotations
from nanospa.schema import as_image


@dataclass(frozen=True)
class Rings:
    """Angular spectra of the Fourier transforms of images along rings.

    Attributes
    ----------
    spectra : numpy.ndarray of complex64, shape (image, shift, ring, harmonic)
        Scaled so that the sum of Re(a conj b) over rings and harmonics is the weighted inner product of two images' rings. An image's
        rings have norm 1, odd harmonics included where only even ones are kept: so the norm is the same at every shift.
    radii : numpy.ndarray of float32, shape (ring,)
        Radii of the rings [Fourier px of the box].
    weights : numpy.ndarray of float32, shape (ring,)
        Weight of each ring [-]; on top of it a ring counts by its radius, as its samples stand for that much area.
    shifts : numpy.ndarray of float32, shape (shift, 2)
        Shifts (dx, dy) that were undone [px].
    n_angles : int
        Samples of a whole ring.
    centrosymmetric : bool
        Whether only even harmonics are kept.
    box : int
        Side of the images [px].
    """

    spectra: NDArray[np.complex64]
    radii: NDArray[np.float32]
    weights: NDArray[np.float32]
    shifts: NDArray[np.float32]
    n_angles: int
    centrosymmetric: bool
    box: int

    def __len__(self) -> int:
        """Number of images."""
        return len(self.spectra)

    @property
    def distinct_angles(self) -> int:
        """In-plane angles that differ: half of a turn's where a half turn changes nothing."""
        return self.n_angles // 2 if self.centrosymmetric else self.n_angles


def rings(
    images: Any,
    *,
    radii: Any = None,
    n_angles: int = 72,
    shifts: Any = None,
    weights: Any = None,
    centrosymmetric: bool = False,
    threads: int | None = None,
) -> Rings:
    """Angular spectra of images along rings of Fourier space, at each of several shifts.

    Parameters
    ----------
    images : array_like of real dtype, shape (image, y, x)
        Square images with an even side; the origin is at index side // 2.
    radii : array_like of float, shape (ring,), optional
        Radii [Fourier px], above 0 and below half the side; by default 1, 2, … side // 2 − 1.
    n_angles : int
        Samples of a whole ring, a multiple of 4. Twice the radius of the particle in px times the largest radius over the side, times π,
        would resolve everything.
    shifts : array_like of float, shape (shift, 2), optional
        Shifts (dx, dy) of the content that are tried [px]; each is undone by a phase. By default none is.
    weights : array_like of float, shape (ring,), optional
        Weight of each ring [-]; by default 1.
    centrosymmetric : bool
        Whether the particles have an inversion centre: their transforms are real then, and even harmonics hold everything.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    Rings

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        Arrays that cannot be used.
    InvalidValueError
        Radii, weights or `n_angles` out of range.

    References
    ----------
    Matching along rings: P. Penczek, M. Radermacher, J. Frank, Ultramicroscopy 40, 33 (1992).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> image = np.zeros((1, 16, 16))
    >>> image[0, 8, 10] = 1
    >>> found = ns.reconstruct.rings(image, radii=[2, 3], n_angles=16, shifts=[[0, 0], [2, 0]])
    >>> found.spectra.shape
    (1, 2, 2, 9)
    >>> abs(found.spectra[0, 1, 0]).round(2)  # the shift undone: a point at the origin, the same all around
    array([0.63, 0.  , 0.  , 0.  , 0.  , 0.  , 0.  , 0.  , 0.  ], dtype=float32)
    """
    pixels = as_stack(images)
    n = pixels.shape[-1]
    at = as_radii(radii, n)
    counts = as_ring_weights(weights, len(at))
    moves = np.zeros((1, 2), np.float32) if shifts is None else np.ascontiguousarray(shifts, dtype=np.float32)
    if moves.ndim != 2 or moves.shape[1] != 2 or len(moves) == 0:
        raise ShapeError(f"shifts: expected shape (shift, 2) with at least one shift, found {moves.shape}")
    if not np.isfinite(moves).all():
        raise NonFiniteError(f"shifts: expected finite numbers, found {int((~np.isfinite(moves)).sum())} that are not")
    samples = int(n_angles)
    if samples < 4 or samples % 4:
        raise InvalidValueError(f"n_angles: expected a multiple of 4, at least 4, found {n_angles!r}")
    spectra = _core.rings(pixels, at, counts, samples, bool(centrosymmetric), moves, _threads.resolve(threads))
    return Rings(spectra, at, counts, moves, samples, bool(centrosymmetric), n)


def view_rings(fourier_volume: FourierVolume, rotations: Any, like: Rings, *, threads: int | None = None) -> NDArray[np.complex64]:
    """Angular spectra of the projections of a volume, along the rings of given images.

    Parameters
    ----------
    fourier_volume : FourierVolume
        The volume.
    rotations : array_like of float, shape (view, 3, 3)
        Orientations of the views, p_image = R p_volume.
    like : Rings
        Rings of the images that the views will be matched with.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of complex64, shape (view, ring, harmonic)
        Scaled as `Rings.spectra`; each view has norm 1.

    Raises
    ------
    ShapeError
        The boxes of volume and images differ.
    InvalidValueError
        A matrix is not a proper rotation.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> volume = np.random.default_rng(0).random((16, 16, 16))
    >>> images = ns.reconstruct.rings(volume.sum(0)[None], radii=[2, 3, 4], n_angles=32)
    >>> views = ns.reconstruct.view_rings(ns.reconstruct.FourierVolume.of(volume), np.eye(3)[None], images)
    >>> float((views.conj() * images.spectra[0]).sum().real.round(3))
    1.0
    """
    if fourier_volume.box != like.box:
        raise ShapeError(f"fourier_volume: expected the images' box {like.box}, found {fourier_volume.box}")
    return _core.view_rings(
        fourier_volume.grid,
        fourier_volume.box,
        np.ascontiguousarray(as_rotations(rotations, "rotations")),
        like.radii,
        like.weights,
        like.n_angles,
        like.centrosymmetric,
        _threads.resolve(threads),
    )


def as_stack(images: Any, name: str = "images") -> NDArray[np.float32]:
    """Finite square float32 images with an even side, C-contiguous."""
    stack = as_image(images, name, ndim=3)
    n = stack.shape[-1]
    if stack.shape[1] != n or n < 4 or n % 2:
        raise ShapeError(f"{name}: expected square images with an even side of at least 4, found shape {stack.shape}")
    return np.ascontiguousarray(stack, dtype=np.float32)


def as_radii(radii: Any, n: int) -> NDArray[np.float32]:
    """Radii inside Nyquist, C-contiguous."""
    at = np.ascontiguousarray(np.arange(1, n // 2) if radii is None else radii, dtype=np.float32)
    if at.ndim != 1 or at.size == 0:
        raise ShapeError(f"radii: expected shape (ring,) with at least one ring, found {at.shape}")
    if not np.all((at > 0) & (at < n / 2)):
        raise InvalidValueError(f"radii: expected numbers above 0 and below {n // 2}, found {at.min():g} … {at.max():g}")
    return at


def as_ring_weights(weights: Any, n_rings: int) -> NDArray[np.float32]:
    """One finite weight of at least 0 a ring, C-contiguous; not all 0."""
    values = np.ones(n_rings, np.float32) if weights is None else np.ascontiguousarray(weights, dtype=np.float32)
    if values.shape != (n_rings,):
        raise ShapeError(f"weights: expected one a ring, shape ({n_rings},), found {values.shape}")
    if not np.all(np.isfinite(values) & (values >= 0)) or not values.any():
        raise InvalidValueError(f"weights: expected numbers >= 0 that are not all 0, found {values.min():g} … {values.max():g}")
    return values
