"""The best estimate of the density from images whose poses are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.fourier_volume import FourierVolume
from nanospa.reconstruct.insert import Accumulation, insert
from nanospa.reconstruct.project import project
from nanospa.reconstruct.refine_poses import Poses
from nanospa.reconstruct.search_box import SearchBox
from nanospa.reconstruct.volume_filter import filter_shells, lowpass

#: The envelope is where the density, low-passed at this frequency [1/px of a box of 64], exceeds this share of the interior's, grown by
#: this many pixels of that box, with an edge of as many.
ENVELOPE_CUT, ENVELOPE_SHARE, ENVELOPE_GROWN, ENVELOPE_EDGE = 0.12, 0.25, 1.5, 1.5
#: Shells are corrected in full where their halves agree fully, and not at all below this correlation: there the correction is noise.
CORRECTED = 0.9


def filtered(search: SearchBox, sums: Accumulation, noise_to_signal: NDArray[np.float64]) -> NDArray[np.float32]:
    """Filtered volume of inserted images, without what lies outside the particle and without negative densities."""
    return _inside(search, sums.volume(noise_to_signal=noise_to_signal))


def density(
    search: SearchBox, poses: Poses, fsc: NDArray[np.float64], noise_to_signal: NDArray[np.float64], chosen: NDArray[np.bool_] | None = None
) -> NDArray[np.float32]:
    """Density whose projections have the images' own intensities, as far as its half-sets agree.

    Dividing by the local density of samples leaves the volume a few percent too dense. One correction by what the projections miss
    removes that; it is limited to shells that are surely signal, because iterating undoes the filter.
    """
    rows = slice(None) if chosen is None else chosen
    images, rotations, shifts, scales = search.images[rows], poses.rotations[rows], poses.shifts[rows], poses.scales[rows]
    volume = filtered(search, search.accumulate(poses, chosen), noise_to_signal)
    missed = images - project(FourierVolume.of(volume), rotations, shifts=shifts, scales=scales)
    more = insert(missed, rotations, shifts=shifts, scales=scales, symmetry=search.symmetry, inversion=search.centrosymmetric)
    sure = np.clip((fsc - CORRECTED) / (1 - CORRECTED), 0, 1)
    return _inside(search, volume + filter_shells(more.volume(noise_to_signal=noise_to_signal), sure))


def envelope(volume: NDArray[np.float32]) -> NDArray[np.float32]:
    """Soft mask of the particle, shape (z, y, x)."""
    from scipy.ndimage import distance_transform_edt

    unit = volume.shape[0] / 64
    smooth = lowpass(volume, ENVELOPE_CUT / unit)
    interior = float(np.percentile(smooth[smooth > 0.3 * smooth.max()], 75))
    outside = smooth < ENVELOPE_SHARE * interior
    beyond = np.maximum(distance_transform_edt(outside) - ENVELOPE_GROWN * unit, 0)
    return np.asarray(np.exp(-((beyond / (ENVELOPE_EDGE * unit)) ** 2)), dtype=np.float32)


def _inside(search: SearchBox, volume: NDArray[np.float32]) -> NDArray[np.float32]:
    masked = volume * search.ball
    if not masked.max() > 0:
        return np.zeros_like(masked)
    return np.asarray(np.maximum(masked * envelope(masked), 0), dtype=np.float32)
