"""How sharp an image is, by its autocorrelation: the metric of the coarse focus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core
from nanospa.errors import ShapeError
from nanospa.schema.arrays import as_image

#: Edges of the frequency bands that are looked at [cycles/px]: periods of 43 to 3.8 px. Below lie slow changes of the film's thickness
#: and how much of a particle cut by the border is in the field, above the frequencies that only noise has in a focus image.
BAND_EDGES = (0.0234, 0.033, 0.0466, 0.066, 0.093, 0.132, 0.186, 0.263)

#: Standard deviation of the local mean that is subtracted first [px]: a bright particle cut by the border then has no step there.
LOCAL_MEAN_PX = 6.0

#: Bands that the sharpness is taken of, from the lowest one that the image is large enough for: periods of 43 to 11 px of an image of 512²,
#: that is 8 to 2 nm at 0.2 nm a pixel, the edges of particles and the grain of the film. A probe of 23 mrad loses half of a period of 3 nm
#: 30 nm out of focus.
N_SHARPNESS_BANDS = 4

#: Frequency above which the noise is measured [cycles/px].
NOISE_FROM = 0.40

#: Length over which the border fades out [px], and its largest share of a side [-]. A wide one would let a particle at the border come
#: and go with the drift.
TAPER_PX = 24
TAPER_SHARE = 0.125

#: Half width of the cross of low frequencies along the axes that is left out, in frequency steps: lines that flicker and what the faded
#: border leaves of cut particles lie there.
AXIS_STEPS = 2.5

#: Fewest independent frequencies of a band.
FEWEST_MODES = 10

#: Smallest side of an image [px].
FEWEST_SIDE = 64


@dataclass(frozen=True)
class Spectrum:
    """What a focus image holds, frequency by frequency.

    Attributes
    ----------
    amplitudes : numpy.ndarray of complex64, shape (mode,)
        Fourier amplitudes of the bands, one band after the other, scaled so that white noise has its variance as mean square.
    noise : float
        Mean square at high frequencies, that of white noise [counts²].
    """

    amplitudes: NDArray[np.complex64]
    noise: float


@dataclass(frozen=True)
class Bands:
    """Where the frequencies of an image of some shape lie.

    Attributes
    ----------
    taper_y, taper_x : numpy.ndarray of float32, shape (y, 1) and (1, x)
        Window.
    scale : numpy.ndarray of float32, shape (mode,)
        Factor of the amplitudes: the window's power, and what the subtracted local mean takes away.
    noise_scale : float
        Factor of the noise's power.
    modes, noise_modes : numpy.ndarray of int64
        Places in the flattened half spectrum: of the bands, one after the other, and of the frequencies that only noise has.
    starts, counts : numpy.ndarray of int64, shape (band,)
        First mode of every band, and how many it has.
    independent : numpy.ndarray of float64, shape (band,)
        Independent modes of every band: fewer, because the window blurs the spectrum.
    frequency_px : numpy.ndarray of float64, shape (band,)
        Frequency of every band, the root of its mean square [cycles/px].
    sharp : slice
        Bands of the sharpness.
    """

    taper_y: NDArray[np.float32]
    taper_x: NDArray[np.float32]
    scale: NDArray[np.float32]
    noise_scale: float
    modes: NDArray[np.int64]
    noise_modes: NDArray[np.int64]
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    independent: NDArray[np.float64]
    frequency_px: NDArray[np.float64]
    sharp: slice


@lru_cache(maxsize=4)
def bands(shape: tuple[int, int]) -> Bands:
    """Bands of images of `shape` (y, x); `ShapeError` where the image is too small for any of them."""
    height, width = shape
    tapers = [_taper(n) for n in shape]
    y = np.abs(np.fft.fftfreq(height))[:, None]
    x = np.fft.rfftfreq(width)[None, :]
    radius = np.hypot(y, x)
    # In the half spectrum the last column of an even width is its own mirror image: left out with the axes.
    off_axis = (y > AXIS_STEPS / height) & (x > AXIS_STEPS / width) & (x < 0.5)
    # How many modes count for one: the window's spectrum is that wide.
    shared = float(np.prod([(t.astype(np.float64) ** 4).mean() / (t.astype(np.float64) ** 2).mean() ** 2 for t in tapers]))
    places = [np.flatnonzero((radius >= low) & (radius < high) & off_axis) for low, high in pairwise(BAND_EDGES)]
    places = [inside for inside in places if inside.size / shared >= FEWEST_MODES]
    if min(shape) < FEWEST_SIDE or not places:
        raise ShapeError(f"image: expected at least {FEWEST_SIDE} × {FEWEST_SIDE} pixels, found {height} × {width}")
    counts = np.array([p.size for p in places])
    modes = np.concatenate(places)
    power = float(np.prod([(t.astype(np.float64) ** 2).sum() for t in tapers]))
    passed = 1 - np.exp(-2 * (np.pi * LOCAL_MEAN_PX * radius.ravel()[modes]) ** 2)
    return Bands(
        taper_y=tapers[0][:, None],
        taper_x=tapers[1][None, :],
        scale=(1 / (np.sqrt(power) * passed)).astype(np.float32),
        noise_scale=1 / power,
        modes=modes,
        noise_modes=np.flatnonzero((radius >= NOISE_FROM) & off_axis),
        starts=np.concatenate([[0], np.cumsum(counts)[:-1]]),
        counts=counts,
        independent=counts / shared,
        frequency_px=np.array([np.sqrt((radius.ravel()[p] ** 2).mean()) for p in places]),
        sharp=slice(0, N_SHARPNESS_BANDS),
    )


def spectrum(image: NDArray[Any]) -> Spectrum:
    """Spectrum of an image of shape (y, x) in its bands, and the noise that the image itself shows."""
    from scipy import fft

    where = bands((image.shape[0], image.shape[1]))
    pixels = image.astype(np.float32)
    pixels -= np.float32(pixels.mean(dtype=np.float64))
    pixels -= _core.gaussian(pixels, LOCAL_MEAN_PX, 1)
    pixels *= where.taper_y
    pixels *= where.taper_x
    half = fft.rfft2(pixels).ravel()
    noise = half[where.noise_modes]
    return Spectrum(half[where.modes] * where.scale, float(np.vdot(noise, noise).real) * where.noise_scale / noise.size)


def band_powers(one: Spectrum, other: Spectrum, where: Bands) -> NDArray[np.float64]:
    """Mean product of the amplitudes of two images in every band, shape (band,); of an image with itself without its shot noise."""
    product = (one.amplitudes.real * other.amplitudes.real + one.amplitudes.imag * other.amplitudes.imag).astype(np.float64)
    powers = np.add.reduceat(product, where.starts) / where.counts
    return powers - one.noise if one is other else powers


def curvature(powers: NDArray[np.float64], where: Bands) -> float:
    """Curvature of the autocorrelation's central peak from the powers of the bands [counts²/px²]."""
    weights = where.counts * (2 * np.pi * where.frequency_px) ** 2
    return float((weights * powers)[where.sharp].sum() / where.counts[where.sharp].sum())


def curvature_deviation(powers: NDArray[np.float64], noise: float, where: Bands) -> float:
    """Standard deviation of `curvature` by the image's noise [counts²/px²]."""
    variance = (noise**2 + 2 * noise * np.maximum(powers, 0)) / where.independent
    weights = where.counts * (2 * np.pi * where.frequency_px) ** 2
    return float(np.sqrt((weights**2 * variance)[where.sharp].sum()) / where.counts[where.sharp].sum())


def sharpness(image: NDArray[np.generic] | Sequence[Sequence[float]]) -> float:
    """Sharpness of an image: how steeply its autocorrelation falls from its peak.

    The autocorrelation is looked at in a band of periods: 43 to 11 px, shorter ones in images of less than 512 × 512. Shot noise and the
    noise of the detector are white: they add a spike at zero lag, and that alone. It is measured at the highest frequencies of the same
    image and taken out, so that noise has no sharpness on average, at any dose. The local mean is subtracted, the border faded out, and
    frequencies along the axes are not used: a particle cut by the border has no sharp edge there.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image.

    Returns
    -------
    float
        Curvature of the autocorrelation's central peak [counts²/px²]: it grows as the square of the detector's gain and does not
        depend on its offset. About 0, to either side of it, where there is nothing but noise.

    Raises
    ------
    ShapeError
        Not 2D, or smaller than 64 × 64 pixels.
    DtypeError, NonFiniteError
        No real, finite numbers.

    References
    ----------
    Slater et al., Microsc. Microanal. 26 (2020) 1168: the focus is found by the "sharpness of the auto-correlation".

    Examples
    --------
    >>> import numpy as np, nanospa as ns
    >>> sharp, blurred = (ns.simulate.frame(shape=(256, 256), n_particles=3, seed=1, probe_sigma_nm=s).image for s in (0.2, 1.0))
    >>> ns.acquire.sharpness(sharp) > 1.2 * ns.acquire.sharpness(blurred)
    True
    """
    checked = as_image(image)
    where = bands((checked.shape[0], checked.shape[1]))
    found = spectrum(checked)
    return curvature(band_powers(found, found, where), where)


def _taper(n: int) -> NDArray[np.float32]:
    """A window that is flat but for its ends, shape (n,) (Tukey)."""
    from_border = np.minimum(np.arange(n) + 0.5, n - np.arange(n) - 0.5)
    window: NDArray[np.float32] = (np.sin(np.pi / 2 * np.minimum(from_border / min(TAPER_PX, TAPER_SHARE * n), 1)) ** 2).astype(np.float32)
    return window
