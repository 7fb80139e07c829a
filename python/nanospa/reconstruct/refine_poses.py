"""Poses moved to where the projections of a volume fit the images best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError, NonFiniteError, ShapeError
from nanospa.reconstruct.fourier_volume import FourierVolume
from nanospa.reconstruct.rings import as_stack
from nanospa.reconstruct.symmetry import as_rotations


@dataclass(frozen=True, eq=False)
class Poses:
    """How each image sees the volume, and how well it fits.

    Attributes
    ----------
    rotations : numpy.ndarray of float64, shape (image, 3, 3)
        Orientations, p_image = R p_volume.
    shifts : numpy.ndarray of float64, shape (image, 2)
        Shifts (dx, dy) of the content [px].
    scales : numpy.ndarray of float64, shape (image,)
        Size of the particle in the image over that in the volume [-].
    scores : numpy.ndarray of float64, shape (image,)
        Correlation of the image with the projection, −1 … 1 [-].
    """

    rotations: NDArray[np.float64]
    shifts: NDArray[np.float64]
    scales: NDArray[np.float64]
    scores: NDArray[np.float64]


def refine_poses(
    fourier_volume: FourierVolume,
    images: Any,
    rotations: Any,
    shifts: Any = None,
    *,
    radii_max: Any = None,
    weights: Any = None,
    fit_scale: bool = False,
    scales: Any = None,
    iterations: int = 15,
    threads: int | None = None,
) -> Poses:
    """Move every pose to the nearest maximum of the image's correlation with the projection.

    The correlation is that of the Fourier samples of the image inside a circle, without the origin: Σ w Re(conj(T) I e^{iφ}) over
    √(Σ w |T|² Σ w |I|²), with T the slice of the volume and φ the phase that undoes the shift. For white noise it grows with the
    likelihood. No pose ends with a lower correlation than it began with.

    Parameters
    ----------
    fourier_volume : FourierVolume
        The volume.
    images : array_like of real dtype, shape (image, y, x)
        Images in the box of the volume.
    rotations : array_like of float, shape (image, 3, 3)
        Orientations to begin with, p_image = R p_volume; within about 5° of the truth, or one over the particle's diameter in Fourier
        pixels of the largest radius if that is less.
    shifts : array_like of float, shape (image, 2), optional
        Shifts (dx, dy) of the content to begin with [px]; by default 0.
    radii_max : float or array_like of float, shape (stage,), optional
        Radius up to which Fourier samples count [Fourier px]; several are gone through one after the other, and the last is that of the
        scores. By default the largest whole radius below Nyquist.
    weights : array_like of float, shape (shell,), optional
        Weight of the samples whose radius rounds to 0, 1, … side // 2 − 1 [-]; by default 1.
    fit_scale : bool
        Whether the size of each particle is found too.
    scales : array_like of float, shape (image,), optional
        Sizes of the particles over that of the volume's [-], to begin with where they are found; by default 1.
    iterations : int
        Most steps of each image at each radius.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    Poses

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        Arrays that cannot be used or do not fit each other.
    InvalidValueError
        Radii, weights, sizes or iterations out of range, or a matrix that is not a proper rotation.

    References
    ----------
    D. Marquardt, J. Soc. Indust. Appl. Math. 11, 431 (1963).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> volume = np.zeros((16, 16, 16))
    >>> volume[6:10, 5:12, 7:10] = 1
    >>> fourier = ns.reconstruct.FourierVolume.of(volume)
    >>> start = ns.reconstruct.rotations_from_euler([[4, 3, 0]])
    >>> poses = ns.reconstruct.refine_poses(fourier, volume.sum(0)[None], start, [[0.5, -0.3]])
    >>> bool(np.allclose(poses.rotations, np.eye(3), atol=0.01)), abs(poses.shifts).round(1), poses.scores.round(3)
    (True, array([[0., 0.]]), array([1.]))
    """
    steps = int(iterations)
    if steps < 1:
        raise InvalidValueError(f"iterations: expected an integer >= 1, found {iterations!r}")
    return _fit(fourier_volume, images, rotations, shifts, radii_max, weights, bool(fit_scale), scales, steps, threads)


def correlations(
    fourier_volume: FourierVolume,
    images: Any,
    rotations: Any,
    shifts: Any = None,
    *,
    radii_max: Any = None,
    weights: Any = None,
    scales: Any = None,
    threads: int | None = None,
) -> NDArray[np.float64]:
    """Correlation of each image with the projection of its pose: what `refine_poses` maximises.

    Parameters
    ----------
    fourier_volume : FourierVolume
        The volume.
    images : array_like of real dtype, shape (image, y, x)
        Images in the box of the volume.
    rotations : array_like of float, shape (image, 3, 3)
        Orientations, p_image = R p_volume.
    shifts : array_like of float, shape (image, 2), optional
        Shifts (dx, dy) of the content [px]; by default 0.
    radii_max : float, optional
        Radius up to which Fourier samples count [Fourier px]; by default the largest whole radius below Nyquist.
    weights : array_like of float, shape (shell,), optional
        Weight of the samples whose radius rounds to 0, 1, … side // 2 − 1 [-]; by default 1.
    scales : array_like of float, shape (image,), optional
        Sizes of the particles over that of the volume's [-]; by default 1.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of float64, shape (image,)
        Correlations, −1 … 1 [-].

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        Arrays that cannot be used or do not fit each other.
    InvalidValueError
        Radii, weights or sizes out of range, or a matrix that is not a proper rotation.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> volume = np.random.default_rng(0).random((16, 16, 16))
    >>> fourier = ns.reconstruct.FourierVolume.of(volume)
    >>> ns.reconstruct.correlations(fourier, volume.sum(0)[None], np.eye(3)[None], [[0, 0]]).round(3)
    array([1.])
    """
    return _fit(fourier_volume, images, rotations, shifts, radii_max, weights, False, scales, 0, threads).scores


def _fit(
    fourier_volume: FourierVolume,
    images: Any,
    rotations: Any,
    shifts: Any,
    radii_max: Any,
    weights: Any,
    fit_scale: bool,
    scales: Any,
    steps: int,
    threads: int | None,
) -> Poses:
    n = fourier_volume.box
    pixels = as_stack(images)
    if pixels.shape[-1] != n:
        raise ShapeError(f"images: expected the volume's box {n}, found {pixels.shape[-1]}")
    turns = np.ascontiguousarray(as_rotations(rotations, "rotations"))
    if len(turns) != len(pixels):
        raise ShapeError(f"rotations: expected {len(pixels)}, one an image, found {len(turns)}")
    moves = _finite("shifts", np.zeros((len(pixels), 2)) if shifts is None else shifts, (len(pixels), 2))
    sizes = _finite("scales", np.ones(len(pixels)) if scales is None else scales, (len(pixels),))
    if np.any(sizes <= 0):
        raise InvalidValueError(f"scales: expected numbers > 0, found {sizes.min():g}")
    radii = np.atleast_1d(np.asarray(n // 2 - 1 if radii_max is None else radii_max, dtype=np.float64))
    if radii.ndim != 1 or radii.size == 0:
        raise ShapeError(f"radii_max: expected a number or shape (stage,), found {radii.shape}")
    if not np.all((radii >= 1) & (radii < n / 2)):
        raise InvalidValueError(f"radii_max: expected numbers from 1 to below {n // 2}, found {radii_max!r}")
    shells = _finite("weights", np.ones(n // 2) if weights is None else weights, (n // 2,)).astype(np.float32)
    if np.any(shells < 0):
        raise InvalidValueError(f"weights: expected numbers >= 0, found {shells.min():g}")
    workers = _threads.resolve(threads)
    return Poses(*_core.refine_poses(fourier_volume.grid, n, pixels, turns, moves, sizes, radii, shells, fit_scale, steps, workers))


def _finite(name: str, values: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    array = np.ascontiguousarray(values, dtype=np.float64)
    if array.shape != shape:
        raise ShapeError(f"{name}: expected shape {shape}, found {array.shape}")
    if not np.isfinite(array).all():
        raise NonFiniteError(f"{name}: expected finite numbers, found {int((~np.isfinite(array)).sum())} that are not")
    return array
