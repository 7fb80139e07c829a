"""Where a series of images is sharpest: Gaussians of one centre, fitted to the power of every frequency band.

A probe that is a Gaussian of variance s0² + (g·d)² at the defocus d leaves of the power at the frequency q the share
exp(−(2πq)²·(s0² + (g·d)²)): as a function of the defocus an exact Gaussian, the narrower the higher the frequency. The product of the
amplitudes of two images of the series is one, too: about the mean of their defoci, and the lower the further these are apart. So the
bands of all images, and of images that follow one another, have the defocus d0 at which they are centred in common, and the growth g.
One amplitude for each band is linear. Products of two images hold no shot noise; that is what lets the weak grain of a bare film be
focused. A steady drift of v from image to image lowers them to J0(2πqv) over all directions: v is a third unknown, and a drift that
leaves nothing of the products is one of its values. The drift may also bring a particle into the field or take it out: all powers may
grow or fall by the same factor from image to image, the fourth unknown. A growth would by itself shift a Gaussian, but wide ones, of
low frequencies, more than narrow ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.sharpness import Bands, Spectrum, band_powers
from nanospa.simulate.probe import DISC

#: How many images further products are taken.
FURTHEST = 3

#: How far a band's power may stray from the model, relative to itself and to the largest of the series [-]: drift of the field, probes
#: that are no Gaussian.
MODEL_ERROR = 0.05
MODEL_ERROR_OF_LARGEST = 0.01

#: Half angles of the beam's cone that are looked for [rad].
CONVERGENCE_RAD = (0.010, 0.040)

#: Growth of the probe with the defocus that is looked for where the pixel size is not known [px/nm]: 25 mrad at 0.06 to 0.6 nm a pixel.
GROWTH_PX = (0.02, 0.2)
GROWTH_RATIO = 1.2

#: Drift from image to image that is looked for [px], beside images that have nothing in common.
DRIFTS_PX = (0.0, 0.7, 1.5, 3.0, 6.0)

#: Growth of all powers from image to image that is looked for [-], its logarithm, and what is usual: as standard deviation of a prior.
TRENDS = (-0.12, -0.08, -0.05, -0.025, 0.025, 0.05, 0.08, 0.12)
USUAL_TREND = 0.015

#: Step in which the centre is looked for [nm].
STEP_NM = 1.0


@dataclass(frozen=True)
class Centre:
    """Where the series is sharpest.

    Attributes
    ----------
    centre_nm : float
        Defocus [nm].
    uncertainty_nm : float
        Its standard deviation [nm].
    significance : float
        How much better the Gaussians fit than powers that do not depend on the defocus, in chi squared [-].
    content : float
        How much better they fit than no power at all, in chi squared [-].
    inside : bool
        Whether the maximum lies inside the range of the samples, not on its border.
    """

    centre_nm: float
    uncertainty_nm: float
    significance: float
    content: float
    inside: bool


def fit_centre(samples_nm: Sequence[float], spectra: Sequence[Spectrum], where: Bands, *, pixel_size_nm: float | None = None) -> Centre:
    """Centre of the Gaussians for images at `samples_nm`, in the order in which they were taken."""
    from scipy.special import j0

    at = np.asarray(samples_nm, dtype=np.float64)
    i, j, powers, weight = _products(spectra, where)
    centres = np.arange(at.min(), at.max() + STEP_NM / 2, STEP_NM)
    distance2 = ((at[i] + at[j])[None, :] / 2 - centres[:, None]) ** 2 + ((at[i] - at[j]) ** 2 / 4)[None, :]
    omega = 2 * np.pi * where.frequency_px
    lag = (j - i)[:, None]
    none_in_common = np.broadcast_to(lag == 0, powers.shape).astype(np.float64)
    common = np.stack([*(np.asarray(j0(omega * v * lag)) for v in DRIFTS_PX), none_in_common])
    total = float((weight * powers**2).sum())
    low, high = GROWTH_PX if pixel_size_nm is None else (DISC * angle / pixel_size_nm for angle in CONVERGENCE_RAD)
    growths = np.geomspace(low, high, max(2, int(np.ceil(np.log(high / low) / np.log(GROWTH_RATIO))) + 1))
    shapes = [np.exp(-((omega * growth) ** 2) * distance2[:, :, None]) for growth in growths]
    constant = np.ones((1, *powers.shape))
    by_drift = np.max([_explained(shape, common, powers, weight) for shape in shapes], axis=0)
    steady = common[int(by_drift.max(axis=1).argmax())]
    # A trend is looked for with the drift that explains most without one.
    later = ((i + j) / 2 - (at.size - 1) / 2)[:, None]
    growing = np.stack([steady * np.exp(trend * later) for trend in TRENDS])
    penalty = (np.array(TRENDS) / USUAL_TREND)[:, None] ** 2
    by_trend = np.max([_explained(shape, growing, powers, weight) for shape in shapes], axis=0) - penalty
    explained = np.maximum(by_drift.max(axis=0), by_trend.max(axis=0))
    flat = max(
        float(_explained(constant, common, powers, weight).max()), float((_explained(constant, growing, powers, weight) - penalty).max())
    )
    m = int(explained.argmax())
    best = float(explained[m])
    # Where the model strays further than it should, the misfit itself is the measure of what is chance.
    chance = max(1.0, (total - best) / max(powers.size - where.counts.size - 3, 1))
    inside = 0 < m < centres.size - 1
    centre = float(centres[m])
    if inside:
        left, middle, right = explained[m - 1 : m + 2]
        bend = float(2 * middle - left - right)
        centre += STEP_NM * 0.5 * float(right - left) / bend if bend > 0 else 0.0
    within = np.flatnonzero(explained >= best - chance)
    return Centre(
        centre_nm=centre,
        uncertainty_nm=float(max(within[-1] - within[0], 1) * STEP_NM / 2),
        significance=(best - flat) / chance,
        content=best / chance,
        inside=inside,
    )


def _products(
    spectra: Sequence[Spectrum], where: Bands
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Images i and j, mean product of their amplitudes in every band, and its weight; shapes (product,) and (product, band)."""
    noise = np.array([s.noise for s in spectra])[:, None]
    own = np.array([band_powers(s, s, where) for s in spectra])
    content = np.maximum(own, 0)
    first, second, products, variances = [], [], [], []
    for lag in range(min(FURTHEST, len(spectra) - 1) + 1):
        i = np.arange(len(spectra) - lag)
        j = i + lag
        powers = own if lag == 0 else np.array([band_powers(a, b, where) for a, b in zip(spectra, spectra[lag:], strict=False)])
        # Of an image with itself twice as much: its real and its imaginary part have the same noise.
        variance = (noise[i] * noise[j] + noise[i] * content[j] + noise[j] * content[i]) * (1.0 if lag == 0 else 0.5) / where.independent
        variance += (MODEL_ERROR * powers) ** 2 + (MODEL_ERROR_OF_LARGEST * np.abs(powers).max(axis=0)) ** 2
        first.append(i)
        second.append(j)
        products.append(powers)
        variances.append(variance)
    # Images that are constant have neither power nor noise.
    weight = 1 / np.maximum(np.concatenate(variances), 1e-100)
    return np.concatenate(first), np.concatenate(second), np.concatenate(products), weight


def _explained(
    shapes: NDArray[np.float64], common: NDArray[np.float64], powers: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Chi squared explained by amplitude × shape × what is common, amplitudes >= 0; (drift, centre) from (centre, product, band)."""
    found = np.empty((common.shape[0], shapes.shape[0]))
    # Band by band as products of matrices, which are far faster than sums over three axes.
    squares = shapes**2
    for k, share in enumerate(common):
        along = np.matmul(shapes.transpose(2, 0, 1), (powers * weight * share).T[:, :, None])[..., 0]
        norm = np.matmul(squares.transpose(2, 0, 1), (weight * share**2).T[:, :, None])[..., 0]
        found[k] = np.divide(np.maximum(along, 0) ** 2, norm, out=np.zeros_like(norm), where=norm > 0).sum(axis=0)
    return found
