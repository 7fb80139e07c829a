"""How clearly an image shows a lattice, by the spots of its Fourier transform: the metric of the fine focus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError, ShapeError
from nanospa.schema.arrays import as_image

#: Radius of the central disc that is left out [cycles/px], where the pixel size is not known.
CENTRAL_DISC = 0.05

#: The same where it is known [1/nm]: no spacing of the lattice planes of a metal is above 0.4 nm.
CENTRAL_DISC_PER_NM = 2.5

#: A spot is where the filtered transform is above so many times its mean.
ABOVE_MEAN = 2.0

#: Half width of the cross of frequencies along the axes that is left out, in frequency steps: lines that flicker lie there.
AXIS_STEPS = 2.5

#: What the highest place of a spot has at least, in means. Of white noise alone hundreds of places reach twice the mean; of 90 images of it
#: (256² to 1024²) none reached 3.5.
HIGHEST_ABOVE_MEAN = 4.0


@dataclass(frozen=True)
class LatticeSpots:
    """Spots in the Fourier transform of an image.

    Attributes
    ----------
    n : int
        Number of spots in the half plane.
    intensity : float
        Their summed magnitude above the threshold, in units of the mean magnitude [-].
    sharpness : float
        Number × intensity [-].
    """

    n: int
    intensity: float

    @property
    def sharpness(self) -> float:
        return self.n * self.intensity


def lattice_spots(image: NDArray[np.generic] | Sequence[Sequence[float]], *, pixel_size_nm: float | None = None) -> LatticeSpots:
    """Spots of a lattice in the Fourier transform of an image.

    The mean is removed, the border faded out by a Hann window; the magnitude of the transform is median filtered (3 × 3) and compared
    with its mean outside a central disc. Connected places above twice the mean are spots, where they
    reach four times the mean, which noise does not.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image, at atomic resolution.
    pixel_size_nm : float, optional
        Pixel size [nm]. The central disc then leaves out spacings above 0.4 nm, else periods above 20 px.

    Returns
    -------
    LatticeSpots
        Their number and summed intensity.

    Raises
    ------
    ShapeError
        Not 2D, or smaller than 32 × 32 pixels.
    InvalidValueError
        A pixel size that is not positive, or so coarse that no lattice can be seen with it.
    DtypeError, NonFiniteError
        No real, finite numbers.

    Examples
    --------
    >>> import numpy as np, nanospa as ns
    >>> y, x = np.mgrid[:128, :128]
    >>> ns.acquire.lattice_spots(np.cos(0.9 * x + 0.4 * y) + np.cos(0.9 * y - 0.4 * x)).n
    2
    """
    from scipy import fft, ndimage

    checked = as_image(image)
    if min(checked.shape) < 32:
        raise ShapeError(f"image: expected at least 32 × 32 pixels, found {checked.shape[0]} × {checked.shape[1]}")
    if pixel_size_nm is not None and not (np.isfinite(pixel_size_nm) and pixel_size_nm > 0):
        raise InvalidValueError(f"pixel_size_nm: expected a positive number, found {pixel_size_nm!r}")
    disc = CENTRAL_DISC if pixel_size_nm is None else CENTRAL_DISC_PER_NM * pixel_size_nm
    if disc > 0.4:
        raise InvalidValueError(
            f"pixel_size_nm: expected at most {0.4 / CENTRAL_DISC_PER_NM:g} nm to see a lattice, found {pixel_size_nm!r}"
        )
    window_y, window_x, outside = _geometry((checked.shape[0], checked.shape[1]), disc)
    pixels = checked.astype(np.float32)
    pixels -= pixels.mean(dtype=np.float64)
    pixels *= window_y
    pixels *= window_x
    # Rows in the order of their frequency, so that a spot is one piece; the half plane holds every spot once.
    magnitude = fft.fftshift(np.abs(fft.rfft2(pixels)), axes=0)
    smooth = ndimage.median_filter(magnitude, size=3, mode="nearest")
    mean = float(smooth[outside].mean())
    if mean <= 0:
        return LatticeSpots(0, 0.0)
    above = (smooth > ABOVE_MEAN * mean) & outside
    labels, n = ndimage.label(above, structure=np.ones((3, 3)))
    if n == 0:
        return LatticeSpots(0, 0.0)
    sums = np.bincount(labels.ravel(), weights=smooth.ravel().astype(np.float64))[1:]
    kept = np.zeros(n + 1, dtype=bool)
    kept[labels[smooth > HIGHEST_ABOVE_MEAN * mean]] = True
    return LatticeSpots(int(kept[1:].sum()), float(sums[kept[1:]].sum() / mean))


def lattice_sharpness(image: NDArray[np.generic] | Sequence[Sequence[float]], *, pixel_size_nm: float | None = None) -> float:
    """Clarity of a lattice in an image: number of its spots in the Fourier transform × their summed intensity.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image, at atomic resolution.
    pixel_size_nm : float, optional
        Pixel size, see `lattice_spots` [nm].

    Returns
    -------
    float
        0 where there is no spot; independent of the detector's gain and offset [-].

    Raises
    ------
    ShapeError, InvalidValueError, DtypeError, NonFiniteError
        As `lattice_spots`.

    Examples
    --------
    >>> import numpy as np, nanospa as ns
    >>> y, x = np.mgrid[:128, :128]
    >>> noise = np.random.default_rng(1).normal(size=(128, 128))
    >>> weak, strong = (ns.acquire.lattice_sharpness(noise + a * np.cos(0.9 * x + 0.4 * y)) for a in (0.5, 1.0))
    >>> 0 < weak < strong
    True
    """
    return lattice_spots(image, pixel_size_nm=pixel_size_nm).sharpness


@lru_cache(maxsize=4)
def _geometry(shape: tuple[int, int], disc: float) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
    """Hann windows, and where of the half plane spots are looked for."""
    height, width = shape
    window_y, window_x = (np.hanning(n + 2)[1:-1].astype(np.float32) for n in shape)
    y = np.fft.fftshift(np.fft.fftfreq(height))[:, None]
    x = np.fft.rfftfreq(width)[None, :]
    outside = (np.hypot(y, x) > disc) & (np.abs(y) > AXIS_STEPS / height) & (x > AXIS_STEPS / width)
    return window_y[:, None], window_x[None, :], outside
