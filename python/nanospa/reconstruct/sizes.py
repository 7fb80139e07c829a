"""Each particle's size, from its integrated intensity and from how its shape departs from the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.fourier_volume import FourierVolume
from nanospa.reconstruct.insert import insert
from nanospa.reconstruct.prepared import Prepared
from nanospa.reconstruct.project import project
from nanospa.reconstruct.refine_poses import refine_poses
from nanospa.reconstruct.search_box import MASK_EDGE
from nanospa.reconstruct.volume_filter import lowpass, soft_ball

#: Rounds between the mode and the images' coordinates along it.
ROUNDS = 6

#: Parts of the images, each of which gets its coordinates from a mode found in the others.
FOLDS = 2

#: Low-pass of the mode [1/px at the box it is found at], and side of that box [px]. This, the moment and the reliability were set on
#: simulated stars apart from those of the tests.
CUT, BOX = 0.18, 32

#: The size of a shape is taken as this moment of the distances of its content from the centre: 2 is the radius of gyration.
MOMENT = 2.0

#: Share of the coordinates' variance beyond noise below which intensities alone do better.
RELIABLE = 0.6

#: Least coordinate that is divided by, in standard deviations.
_LEAST = 0.02


@dataclass(frozen=True)
class Sizes:
    """Sizes of particles.

    Attributes
    ----------
    scales : numpy.ndarray of float64, shape (image,)
        Size of each particle over that of the volume [-].
    coordinates : numpy.ndarray of float64, shape (image,)
        Place of each particle along the main way in which the shapes differ, in standard deviations; drawn to 0 as far as noise explains
        its spread [-].
    mode : numpy.ndarray of float32, shape (z, y, x)
        What one standard deviation adds to the volume, at a box of at most 32.
    reliability : float
        Share of the coordinates' variance that is not noise; below 0.6 they are left at 0, and the sizes are those of the intensities [-].
    """

    scales: NDArray[np.float64]
    coordinates: NDArray[np.float64]
    mode: NDArray[np.float32]
    reliability: float


def sizes(prepared: Prepared, rotations: Any, shifts: Any, symmetry: str) -> Sizes:
    """Size of each particle.

    The integrated intensity gives the volume of a particle, which stands for its size as long as all have one shape. Where they do not
    (etched or grown to different degrees), particles of one intensity differ in their outline. Those differences are summed up in one mode:
    images at one size are the model's projection plus a coordinate times that of the mode, found by alternating least squares. Each image
    gets its coordinate from a mode that was found without it, so noise that a mode has learnt does not come back as size. The mode changes
    how far the shape reaches, and so the size.

    Parameters
    ----------
    prepared : Prepared
        Images, brought to one size.
    rotations : array_like of float, shape (image, 3, 3)
        Orientations, p_image = R p_volume.
    shifts : array_like of float, shape (image, 2)
        Displacements (dx, dy) in the prepared images [px of the prepared images].
    symmetry : str
        Point group.

    Returns
    -------
    Sizes

    Raises
    ------
    ShapeError, NonFiniteError, InvalidValueError
        Arrays that do not fit each other or are not orientations.

    References
    ----------
    One linear mode about the mean: H. D. Tagare et al., J. Struct. Biol. 191, 245 (2015).
    """
    small = prepared.at(min(BOX, prepared.box))
    n, count = small.box, len(small.images)
    moved = np.asarray(shifts, dtype=np.float64) * (n / prepared.box)
    ball = soft_ball(n, small.radius_px + 1, MASK_EDGE * n)
    inserted = insert(small.images, rotations, shifts=moved, symmetry=symmetry, inversion=small.centrosymmetric)
    volume = np.maximum(inserted.volume() * ball, 0)
    fourier = FourierVolume.of(volume)
    poses = refine_poses(fourier, small.images, rotations, moved, radii_max=n // 2 - 2, fit_scale=True)
    begin = np.log(poses.scales) - np.log(poses.scales).mean()
    views = project(fourier, poses.rotations, shifts=poses.shifts)
    part = _along(small.images, views)
    residuals = (small.images - part[:, None, None] * views).astype(np.float32)
    modes = _Modes(small, residuals, views, poses.rotations, poses.shifts, symmetry, ball)
    if begin.std() == 0:
        return Sizes(prepared.scales.copy(), np.zeros(count), np.zeros_like(volume), 0.0)
    begin = begin / begin.std()

    fold = np.arange(count) % FOLDS
    coordinates, errors = np.zeros(count), np.zeros(count)
    for k in range(FOLDS):
        mode = modes.found(begin, fold != k)
        coordinates[fold == k], errors[fold == k] = modes.coordinates(mode, fold == k)
    true = max(float(coordinates.var() - errors.mean()), 0.0)
    reliability = true / (true + float(errors.mean())) if true > 0 else 0.0
    if reliability < RELIABLE:
        return Sizes(prepared.scales.copy(), np.zeros(count), np.zeros_like(volume), reliability)
    drawn = np.asarray(coordinates - coordinates.mean()) * true / (true + errors)
    spread = float(drawn.std()) or 1.0
    mode = modes.found(begin, np.ones(count, bool)) * np.float32(spread)
    return Sizes(prepared.scales * np.exp(_growth(volume, mode) * drawn / spread), drawn / spread, mode, reliability)


@dataclass(frozen=True)
class _Modes:
    """What is left of images beside their projections, and the mode that explains most of it."""

    prepared: Prepared
    residuals: NDArray[np.float32]
    views: NDArray[np.float32]
    rotations: NDArray[np.float64]
    shifts: NDArray[np.float64]
    symmetry: str
    ball: NDArray[np.float32]

    def found(self, begin: NDArray[np.float64], rows: NDArray[np.bool_]) -> NDArray[np.float32]:
        """The mode of some of the images; its sign and unit are those of the first coordinates."""
        mode = self._mode(begin[rows], rows)
        for _ in range(ROUNDS):
            z, errors = self.coordinates(mode, rows)
            z = z - z.mean()
            true = max(float(z.var() - errors.mean()), 0.05 * float(z.var()))
            z = z * true / (true + errors)
            mode = self._mode(z / max(float(z.std()), 1e-12), rows)
        return mode

    def _mode(self, z: NDArray[np.float64], rows: NDArray[np.bool_]) -> NDArray[np.float32]:
        # Least squares: Σ z r over Σ z², which is an insertion of r / z with weights z².
        safe = np.where(np.abs(z) < _LEAST, _LEAST, z)
        sums = insert(
            self.residuals[rows] / safe[:, None, None].astype(np.float32),
            self.rotations[rows],
            shifts=self.shifts[rows],
            weights=safe**2,
            symmetry=self.symmetry,
            inversion=self.prepared.centrosymmetric,
        )
        return lowpass(sums.volume() * self.ball, CUT)

    def coordinates(self, mode: NDArray[np.float32], rows: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coordinates of some of the images along a mode, and their squared errors."""
        seen = project(FourierVolume.of(mode), self.rotations[rows], shifts=self.shifts[rows])
        # What is proportional to the projection is brightness, which was taken out of the residuals.
        seen = np.asarray(seen - _along(seen, self.views[rows])[:, None, None] * self.views[rows], dtype=np.float32)
        norm = np.maximum(np.einsum("iyx,iyx->i", seen, seen, dtype=np.float64), 1e-12)
        z = np.einsum("iyx,iyx->i", self.residuals[rows], seen, dtype=np.float64) / norm
        return z, np.asarray(self.prepared.noise[rows] ** 2 / norm)


def _along(images: NDArray[np.float32], views: NDArray[np.float32]) -> NDArray[np.float64]:
    norm = np.einsum("iyx,iyx->i", views, views, dtype=np.float64)
    return np.asarray(np.einsum("iyx,iyx->i", images, views, dtype=np.float64) / np.maximum(norm, 1e-12))


def _growth(volume: NDArray[np.float32], mode: NDArray[np.float32]) -> float:
    """Change of the logarithm of a shape's size with the coordinate of a mode: to first order, its content kept."""
    axis = np.arange(volume.shape[0]) - volume.shape[0] // 2
    r = np.sqrt(axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[None, None, :] ** 2.0)
    moment = r**MOMENT
    total, far = volume.sum(dtype=np.float64), (volume * moment).sum(dtype=np.float64)
    change = (mode * moment).sum(dtype=np.float64) / far - mode.sum(dtype=np.float64) / total
    return float(change / MOMENT)
