"""Where a series of images is sharpest: Gaussians of one centre, fitted to the power of every frequency band.

A probe that is a Gaussian of variance s0² + (c·d)² at the defocus d leaves of the power at the frequency q the share
exp(−(2πq)²·(s0² + (c·d)²)): as a function of the defocus an exact Gaussian, the narrower the higher the frequency. The product of two
images of the series at q is one, too, about the mean of their defoci. So all bands of all images and of images that follow one another
have one unknown in common, the defocus d0 at which they are centred, and one more, c. What remains, an amplitude for each band, is
linear. Products of two images have no shot-noise spike to be taken out and double what is known of weak texture; they have amplitudes
of their own, so that drift between the images, which makes them smaller, does no harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.sharpness import Bands, Spectrum, band_powers

#: How many images further products are taken.
FURTHEST = 2

#: How far a band's power may stray from the model, relative to itself and to the largest of the series [-]: drift of the field, probes
#: that are no Gaussian.
MODEL_ERROR = 0.05
MODEL_ERROR_OF_LARGEST = 0.01

#: Growth of the probe with the defocus that is looked for [px/nm]: 23 mrad, half of it as standard deviation, are 0.0115 nm a nm, 0.06 px
#: at 0.2 nm a pixel.
GROWTH = (0.01, 0.4)
N_GROWTH = 24

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
    growth : float
        Growth of the probe with the defocus [px/nm].
    significance : float
        How much better the Gaussians fit than powers that do not depend on the defocus, in chi squared [-].
    inside : bool
        Whether the maximum lies inside the range of the samples, not on its border.
    """

    centre_nm: float
    uncertainty_nm: float
    growth: float
    significance: float
    inside: bool


def fit_centre(samples_nm: Sequence[float], spectra: Sequence[Spectrum], where: Bands) -> Centre:
    """Centre of the Gaussians for images at `samples_nm`, in the order in which they were taken."""
    at = np.asarray(samples_nm, dtype=np.float64)
    centres = np.arange(at.min(), at.max() + STEP_NM / 2, STEP_NM)
    growths = np.geomspace(*GROWTH, N_GROWTH)
    misfit = np.zeros((growths.size, centres.size))
    flat = 0.0
    noise = np.array([s.noise for s in spectra])
    own = np.array([band_powers(s, s, where) for s in spectra])
    content = np.maximum(own, 0)
    for lag in range(min(FURTHEST, at.size - 1) + 1):
        i, j = np.arange(at.size - lag), np.arange(lag, at.size)
        if lag == 0:
            powers = own
            variance = noise[:, None] ** 2 + 2 * noise[:, None] * content
        else:
            powers = np.array([band_powers(a, b, where) for a, b in zip(spectra, spectra[lag:], strict=False)])
            variance = 0.5 * (noise[i, None] * noise[j, None] + noise[i, None] * content[j] + noise[j, None] * content[i])
        variance = variance / where.independent
        variance += (MODEL_ERROR * powers) ** 2 + (MODEL_ERROR_OF_LARGEST * np.abs(powers).max(axis=0)) ** 2
        weight = 1 / np.maximum(variance, np.finfo(float).tiny)
        middle = (at[i] + at[j]) / 2
        apart2 = (at[i] - at[j]) ** 2 / 4
        flat += _misfit(np.ones((1, *powers.shape)), powers, weight)[0]
        distance2 = (middle[None, :] - centres[:, None]) ** 2 + apart2[None, :]
        for k, growth in enumerate(growths):
            rate = (2 * np.pi * where.frequency_px * growth) ** 2
            misfit[k] += _misfit(np.exp(-rate * distance2[:, :, None]), powers, weight)
    best = misfit.min(axis=0)
    m = int(best.argmin())
    inside = 0 < m < centres.size - 1
    centre = float(centres[m])
    if inside:
        left, middle_, right = best[m - 1 : m + 2]
        bend = left - 2 * middle_ + right
        centre += STEP_NM * 0.5 * float((left - right) / bend) if bend > 0 else 0.0
    within = np.flatnonzero(best <= best[m] + 1)
    return Centre(
        centre_nm=centre,
        uncertainty_nm=float(max(within[-1] - within[0], 1) * STEP_NM / 2),
        growth=float(growths[int(misfit[:, m].argmin())]),
        significance=float(flat - best[m]),
        inside=inside,
    )


def _misfit(shapes: NDArray[np.float64], powers: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chi squared of amplitude × shape with the best amplitude >= 0 of every band, shape (centre,); shapes (centre, sample, band)."""
    along = np.einsum("csb,sb->cb", shapes, powers * weight)
    norm = np.einsum("csb,csb,sb->cb", shapes, shapes, weight)
    gain = np.where(norm > 0, np.maximum(along, 0) ** 2 / np.maximum(norm, np.finfo(float).tiny), 0.0)
    explained: NDArray[np.float64] = gain.sum(axis=1)
    return float((weight * powers**2).sum()) - explained
