"""Fourier shell correlation of two volumes, and the resolution it tells."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError, PixelSizeError, ShapeError
from nanospa.reconstruct.fourier_volume import as_cube
from nanospa.schema import as_image


def fourier_shell_correlation(a: Any, b: Any, *, mask: Any = None, threads: int | None = None) -> NDArray[np.float64]:
    """Correlation of two volumes in shells of Fourier space.

    Parameters
    ----------
    a, b : array_like of real dtype, shape (z, y, x)
        Cubes with one even side.
    mask : array_like of real dtype, shape (z, y, x), optional
        Both volumes are multiplied by it; its edge should be soft.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of float64, shape (shell,)
        Shell r = 0 … side / 2 − 1 holds the radii that round to r [Fourier px], its frequency is r / (side · pixel size). 0 where a
        volume has nothing.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        Not finite real cubes of one even side.

    References
    ----------
    Harauz, van Heel, Optik 73, 146 (1986).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> cube = ns.simulate.volume("cube", size_nm=5, voxel_size_nm=0.5, box_px=16)
    >>> ns.reconstruct.fourier_shell_correlation(cube, 3 * cube).round(6)
    array([1., 1., 1., 1., 1., 1., 1., 1.])
    """
    from scipy import fft

    first, second = as_cube(a, "a"), as_cube(b, "b")
    if first.shape != second.shape:
        raise ShapeError(f"b: expected the shape of a, {first.shape}, found {second.shape}")
    if mask is not None:
        factor = as_image(mask, "mask", ndim=3).astype(np.float32, copy=False)
        if factor.shape != first.shape:
            raise ShapeError(f"mask: expected the shape of a, {first.shape}, found {factor.shape}")
        first, second = first * factor, second * factor
    workers = _threads.resolve(threads)
    one, other = (np.asarray(fft.rfftn(volume, workers=workers), order="C") for volume in (first, second))
    cross, power_a, power_b = _core.shell_products(one, other, workers).T
    norm = np.sqrt(power_a * power_b)
    correlation: NDArray[np.float64] = np.divide(cross, norm, out=np.zeros_like(cross), where=norm > 0)
    return correlation


def resolution_nm(fsc: Any, *, box: int, pixel_size_nm: float, threshold: float = 0.143) -> float:
    """Where a Fourier shell correlation first falls below a threshold.

    Parameters
    ----------
    fsc : array_like of float, shape (shell,)
        Correlation [-] of the shells 0, 1, 2 … [Fourier px].
    box : int
        Side of the volumes [px].
    pixel_size_nm : float
        Voxel size [nm].
    threshold : float
        Threshold [-]: 0.143 for half-sets, 0.5 by an older convention.

    Returns
    -------
    float
        Resolution [nm], interpolated between shells: that of the last shell where the curve stays above, infinity where it never is.

    Raises
    ------
    ShapeError
        `fsc` is not 1D or has fewer than two shells.
    PixelSizeError, InvalidValueError
        The pixel size or the box is not above 0.

    References
    ----------
    0.143: Rosenthal, Henderson, J. Mol. Biol. 333, 721 (2003).

    Examples
    --------
    >>> import nanospa as ns
    >>> ns.reconstruct.resolution_nm([1, 1, 0.8, 0.2, 0], box=10, pixel_size_nm=0.5, threshold=0.5)
    2.0
    """
    curve = np.asarray(fsc, dtype=np.float64)
    if curve.ndim != 1 or len(curve) < 2:
        raise ShapeError(f"fsc: expected a 1D array of at least two shells, found shape {curve.shape}")
    if not (np.isfinite(pixel_size_nm) and pixel_size_nm > 0):
        raise PixelSizeError(f"pixel_size_nm: expected a number > 0, found {pixel_size_nm!r}")
    if box < 1:
        raise InvalidValueError(f"box: expected at least 1, found {box!r}")
    # The mean, shell 0, says nothing of resolution. NaN counts as below.
    above = curve[1:] >= threshold
    if not above[0]:
        return float("inf")
    if above.all():
        return box * pixel_size_nm / (len(curve) - 1)
    last = int(np.argmin(above))
    high, low = curve[last], curve[last + 1]
    radius = last + (high - threshold) / (high - low) if np.isfinite(low) else float(last)
    return float(box * pixel_size_nm / radius)
